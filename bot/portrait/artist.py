"""Draw faces that never existed: noise and a wish through the GAN's generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bot.portrait.wishes import Wish
from bot.runtime.session import Session

LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Portrait:
    """A drawn face, RGB 128 x 128 pixels; ``wish`` leaves nothing open and with ``seed`` gives the same face again."""

    image: Image.Image
    seed: int
    wish: Wish


class Artist:
    """Draws with the model ``gan``: ``noise`` (B, 128) and ``conditions`` (B, 3) to ``faces`` in -1..1."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._noise = int(session.input_shapes["noise"][1])

    def draw(self, wish: Wish | None = None, seed: int = 0) -> Portrait:
        """Return the face of a wish and a seed, 0..LARGEST_SEED; with another wish the same seed is somebody alike."""
        decided = (wish or Wish()).decided(seed)
        return Portrait(self.draw_many([decided], [seed])[0], seed, decided)

    def draw_many(self, wishes: Sequence[Wish], seeds: Sequence[int]) -> list[Image.Image]:
        """Return the face of each wish that leaves nothing open, and of the seed beside it."""
        noise = np.stack([np.random.default_rng((seed, 0)).standard_normal(self._noise) for seed in seeds])
        conditions = np.array([wish.numbers() for wish in wishes], np.int64)
        return to_images(self._session.run({"noise": noise.astype(np.float32), "conditions": conditions})["faces"])


def to_images(faces: np.ndarray) -> list[Image.Image]:
    """Return network output (B, 3, H, W) in -1..1 as RGB pictures."""
    pixels = np.clip((faces.astype(np.float32) + 1) * 127.5, 0, 255).round().astype(np.uint8)
    return [Image.fromarray(face) for face in pixels.transpose(0, 2, 3, 1)]
