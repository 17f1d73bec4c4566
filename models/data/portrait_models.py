"""The bundle's GAN and VAE on many faces at a time: for measuring them and for making training faces of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from models.data.aligned_faces import to_network, to_pixels

BATCH = 32


class PortraitModels:
    """Faces are aligned RGB uint8 (N, 128, 128, 3), conditions (N, 3) int64 of ``aligned_faces.CONDITIONS``."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Load the three graphs; raise Failure where the bundle lacks one."""
        names = ("gan", "vae_encoder", "vae_decoder")
        self.gan, self.encoder, self.decoder = (
            Session(bundle.model(name), provider="cpu", threads=threads) for name in names
        )
        self.directions: list[str] = list(self.decoder.entry.labels["directions"])

    @property
    def latent(self) -> int:
        """How many numbers the VAE makes of a face."""
        return int(self.decoder.input_shapes["latent"][1])

    def draw(self, conditions: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """Return the generator's face for each row of conditions and the seed beside it, its noise as the bot's."""
        size = int(self.gan.input_shapes["noise"][1])
        noise = np.stack([np.random.default_rng((seed, 0)).standard_normal(size) for seed in seeds]).astype(np.float32)
        parts = [self.gan.run({"noise": noise[i], "conditions": conditions[i]}) for i in batches(len(conditions))]
        return np.concatenate([as_pixels(part["faces"]) for part in parts])

    def encode(self, faces: np.ndarray) -> np.ndarray:
        """Return the latent means (N, L) float32 of faces."""
        parts = [self.encoder.run({"faces": to_network(faces[i]).contiguous().numpy()}) for i in batches(len(faces))]
        return np.concatenate([part["latent"] for part in parts])

    def decode(self, latents: np.ndarray, strengths: np.ndarray | None = None) -> np.ndarray:
        """Return the faces of latents (N, L) after a walk by ``strengths`` (N, A), none unless given."""
        amounts = np.zeros((len(latents), len(self.directions))) if strengths is None else strengths
        feeds = {"latent": latents.astype(np.float32), "strengths": amounts.astype(np.float32)}
        parts = [self.decoder.run({name: value[i] for name, value in feeds.items()}) for i in batches(len(latents))]
        return np.concatenate([as_pixels(part["faces"]) for part in parts])

    def along(self, direction: str, strength: float | np.ndarray, count: int) -> np.ndarray:
        """Return strengths (count, A) of ``direction`` alone."""
        strengths = np.zeros((count, len(self.directions)), np.float32)
        strengths[:, self.directions.index(direction)] = strength
        return strengths


def batches(count: int, size: int = BATCH) -> Iterator[slice]:
    """Yield slices that cover ``count`` rows."""
    for start in range(0, count, size):
        yield slice(start, start + size)


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Return images (B, 3, H, W) in -1..1 as uint8 (B, H, W, 3)."""
    return to_pixels(torch.from_numpy(images))
