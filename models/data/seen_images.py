"""Images as concept head and decoder get them: what the tuned tops made of the trunk's features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.captioner import Captioner, Seen, Top, low_features
from models.data.caption_set import CaptionSet
from models.data.image_features import Features, seen_by


@dataclass(frozen=True)
class SeenImages:
    """Features of N views: the top's ``grid`` (N, 320, g, g) and ``low`` ones (N, LOW, g, g), float16."""

    grid: np.ndarray
    low: np.ndarray

    def __len__(self) -> int:
        return len(self.grid)

    def by(self, network: Captioner, rows: Sequence[int] | np.ndarray) -> Seen:
        """Return what ``network`` sees of some rows."""
        order = np.asarray(rows)
        grid, low = (torch.from_numpy(array[order].astype(np.float32)) for array in (self.grid, self.low))
        return network.see(grid, low)

    @torch.inference_mode()
    def pooled(self, network: Captioner, rows: np.ndarray) -> Tensor:
        """Return the concept head's input (rows, 1280 + 2 LOW)."""
        parts = np.array_split(rows, max(1, len(rows) // 128))
        return torch.cat([self.by(network, part).pooled() for part in parts])

    def moments(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of each low channel over some rows."""
        low = torch.from_numpy(self.low[rows].astype(np.float32)).transpose(0, 1).flatten(1)
        return low.mean(1), low.std(1)


def see_training(data: CaptionSet, tops: nn.ModuleList, threads: int) -> SeenImages:
    """Let every training image be seen by a top that was tuned without it."""
    grid = np.zeros((len(data.features), *_grid_shape(data)), np.float16)
    for fold, top in enumerate(tops):
        others = [sample for sample, own in zip(data.samples, data.fold, strict=True) if (own + 1) % len(tops) == fold]
        rows = np.sort([row for sample in others for row, _ in sample.views])
        grid[rows] = seen_by(f"top{fold}", top, data.features, rows, threads)
    return SeenImages(grid, low(data.features))


def see_held_out(data: CaptionSet, top: Top, threads: int) -> SeenImages:
    """Let the top that will be shipped see the validation photos."""
    return SeenImages(
        seen_by("top-val", top, data.held_out, np.arange(len(data.held_out)), threads), low(data.held_out)
    )


def low(features: Features) -> np.ndarray:
    """Return the decoder's low features (N, LOW, g, g) float16 of all views."""
    parts = np.array_split(np.arange(len(features)), max(1, len(features) // 256))
    return np.concatenate([low_features(*features.tensors(part)).numpy().astype(np.float16) for part in parts])


def _grid_shape(data: CaptionSet) -> tuple[int, int, int]:
    cells = data.features.low.shape[-1]
    return 320, cells, cells
