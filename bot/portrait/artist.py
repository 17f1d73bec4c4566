"""Draw faces that never existed: noise and a wish through the GAN's generator, and the better of two is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bot.portrait.wishes import AGES, GROUP_OF_BAND, MOODS, Wish
from bot.runtime.session import Session
from bot.vision.face_labels import HEADS
from bot.vision.pixels import to_batch

LARGEST_SEED = 2**31 - 1
CANDIDATES = 2  # faces drawn for one seed, of which the face reader chooses
LEAST_ODDS = 1e-3  # a single doubt does not decide alone

# The reader's bands and expressions as rows, a wish's age groups and moods as columns
_GROUPS = np.eye(len(AGES), dtype=np.float32)[list(GROUP_OF_BAND)]
_MOODS = np.eye(len(MOODS), dtype=np.float32)[[int(label == "happy") for label in HEADS["expression"]]]


@dataclass(frozen=True, slots=True)
class Portrait:
    """A drawn face, RGB 128 x 128 pixels; ``wish`` leaves nothing open and with ``seed`` gives the same face again."""

    image: Image.Image
    seed: int
    wish: Wish


class Artist:
    """Draws with the model ``gan``: ``noise`` (B, 128) and ``conditions`` (B, 3) to ``faces`` in -1..1.

    With a ``critic``, the model ``face_reader``, several faces are drawn for each seed, and the one is shown that is
    read most surely as what was wished: a face that came out badly is seldom read as anything for sure.
    """

    def __init__(self, session: Session, critic: Session | None = None) -> None:
        self._session, self._critic = session, critic
        self._noise = int(session.input_shapes["noise"][1])

    def draw(self, wish: Wish | None = None, seed: int = 0) -> Portrait:
        """Return the face of a wish and a seed, 0..LARGEST_SEED; with another wish the same seed is somebody alike."""
        decided = (wish or Wish()).decided(seed)
        return Portrait(self.draw_many([decided], [seed])[0], seed, decided)

    def draw_many(self, wishes: Sequence[Wish], seeds: Sequence[int]) -> list[Image.Image]:
        """Return the face of each wish that leaves nothing open, and of the seed beside it."""
        tries = CANDIDATES if self._critic else 1
        noise = np.stack([np.random.default_rng((seed, 0)).standard_normal((tries, self._noise)) for seed in seeds])
        conditions = np.repeat(np.array([wish.numbers() for wish in wishes], np.int64), tries, axis=0)
        noises = noise.reshape(-1, self._noise).astype(np.float32)
        images = to_images(self._session.run({"noise": noises, "conditions": conditions})["faces"])
        if not self._critic:
            return images
        odds = agreement(self._critic.run({"faces": to_batch(images)}), conditions)
        best = odds.reshape(-1, tries).argmax(axis=1)
        return [images[row * tries + column] for row, column in enumerate(best)]


def agreement(read: Mapping[str, np.ndarray], conditions: np.ndarray) -> np.ndarray:
    """Return the log odds (N,) at which the face reader's probabilities by head are those of the conditions (N, 3)."""
    rows = np.arange(len(conditions))
    seen = (read["age_band"] @ _GROUPS, read["gender"], read["expression"] @ _MOODS)
    chances = [part[rows, conditions[:, column]] for column, part in enumerate(seen)]
    return np.log(np.maximum(chances, LEAST_ODDS)).sum(axis=0)


def to_images(faces: np.ndarray) -> list[Image.Image]:
    """Return network output (B, 3, H, W) in -1..1 as RGB pictures."""
    pixels = np.clip((faces.astype(np.float32) + 1) * 127.5, 0, 255).round().astype(np.uint8)
    return [Image.fromarray(face) for face in pixels.transpose(0, 2, 3, 1)]
