"""FaceDetectorNet: a small single-shot, anchor-free face detector.

A thinned ImageNet trunk (models/face_trunk.py), a three-level feature pyramid (strides 8, 16, 32; Lin et al.
2017, arXiv:1612.03144) and one head shared by the levels. Every cell gives a score, a box as distances to its
four sides (FCOS, Tian et al. 2019, arXiv:1904.01355) and five landmarks. Trained with the quality focal
loss (Li et al. 2020, arXiv:2006.04388), so the score also says how well the box sits.

    python -m models.data.face_boxes && python -m models.train.face_detector && python -m export face_detector
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.efficientnet_lite0 import EfficientNetLite0
from models.face_trunk import trunk

FRAME = 320  # pixels; the side of the square that production letterboxes into
STRIDES = (8, 16, 32)
PRIOR = 0.01  # score of every cell before training (RetinaNet's bias)


@dataclass(frozen=True)
class FaceDetectorConfig:
    """Stages of the trunk to stride 16, as in models/efficientnet_lite0.py; width and blocks of stride 32; pyramid."""

    stages: Sequence[tuple[int, int, int, int, int]] = (
        (1, 16, 1, 1, 3), (4, 24, 2, 2, 3), (4, 40, 2, 2, 5), (6, 80, 3, 2, 3),
    )  # fmt: skip
    frozen: int = 3  # blocks that keep their ImageNet weights, as does the stem; to stride 4
    deep: int = 128
    deep_blocks: int = 2
    pyramid: int = 64


def conv(channels_in: int, channels: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


def separable(channels_in: int, channels: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Depthwise, then pointwise convolution, each with batch norm and ReLU."""
    return nn.Sequential(
        *conv(channels_in, channels_in, kernel, stride, groups=channels_in), *conv(channels_in, channels, 1)
    )


class Residual(nn.Module):
    """A separable 5x5 convolution with a shortcut: wide receptive fields cost little at low resolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = separable(channels, channels, 5)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        return x + self.body(x)


class FaceDetectorNet(nn.Module):
    """Scores, boxes and landmarks for every cell of the three levels."""

    def __init__(self, config: FaceDetectorConfig | None = None, backbone: EfficientNetLite0 | None = None) -> None:
        """Build the network; ``backbone`` gives ready weights for the config's stages (see ``thinned``)."""
        super().__init__()
        self.config = config or FaceDetectorConfig()
        c, width = self.config, self.config.pyramid
        whole = backbone or trunk(c.stages)
        repeats = [stage[2] for stage in c.stages]
        fine = sum(repeats[:-1])  # blocks to stride 8
        self.front = nn.Sequential(whole.stem, *list(whole.blocks)[: c.frozen]).requires_grad_(False)
        self.stages = nn.ModuleList(
            [
                whole.blocks[c.frozen : fine],
                whole.blocks[fine:],
                nn.Sequential(
                    separable(whole.channels, c.deep, 5, 2), *(Residual(c.deep) for _ in range(c.deep_blocks))
                ),
            ]
        )
        widths = (c.stages[-2][1], whole.channels, c.deep)
        self.lateral = nn.ModuleList(conv(channels, width, 1) for channels in widths)
        self.smooth = nn.ModuleList(separable(width, width) for _ in STRIDES)
        self.score_tower, self.box_tower = separable(width, width), separable(width, width)
        self.score = nn.Conv2d(width, 1, 1)
        self.box = nn.Conv2d(width, 4, 1)
        self.landmark = nn.Conv2d(width, 10, 1)
        self.scales = nn.Parameter(torch.ones(len(STRIDES)))  # of the box distances, by level
        for layer, bias in ((self.score, math.log(PRIOR / (1 - PRIOR))), (self.box, 1.0)):
            assert layer.bias is not None
            nn.init.constant_(layer.bias, bias)
        nn.init.zeros_(self.box.weight)  # every box starts about five cells wide

    def train(self, mode: bool = True) -> FaceDetectorNet:
        """Switch between training and use; the frozen front never trains."""
        super().train(mode)
        self.front.eval()
        return self

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> score logits (B, N), boxes (B, N, 4), landmarks (B, N, 10).

        Input is normalised RGB, H and W multiples of 32. Boxes are x1, y1, x2, y2 and landmarks x, y
        pairs, in pixels of the input; the N cells come level by level, finest first, row by row.
        """
        return self.after_front(self.front(x))

    def after_front(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Do the rest of ``forward`` with the features of ``front`` (B, 24, H / 4, W / 4)."""
        features = []
        for stage in self.stages:
            y = stage(y)
            features.append(y)
        levels = [lateral(f) for lateral, f in zip(self.lateral, features, strict=True)]
        for i in (1, 0):
            levels[i] = levels[i] + F.interpolate(levels[i + 1], scale_factor=2.0, mode="nearest")
        found = [self.head(smooth(f), i) for i, (smooth, f) in enumerate(zip(self.smooth, levels, strict=True))]
        scores, distances, offsets = (torch.cat(parts, dim=-1) for parts in zip(*found, strict=True))
        centers = all_centers(levels[0].shape[-2], levels[0].shape[-1], y.device)
        left_top, right_bottom = distances.transpose(1, 2).split(2, dim=-1)
        boxes = torch.cat([centers - left_top, centers + right_bottom], dim=-1)
        return scores[:, 0], boxes, offsets.transpose(1, 2) + centers.repeat(1, 5)

    def head(self, f: Tensor, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """Answer for one level (B, C, h, w): logits (B, 1, h*w), distances (B, 4, h*w), landmarks (B, 10, h*w).

        Distances and landmarks are in pixels of the input, as seen from the middle of each cell.
        """
        shared = self.box_tower(f)
        # Distances grow exponentially; at most e^4 = 55 cells, more than any input is wide
        distances = (self.box(shared) * self.scales[level]).clamp(max=4.0).exp() * STRIDES[level]
        offsets = self.landmark(shared) * STRIDES[level]
        scores = self.score(self.score_tower(f))
        return scores.flatten(2), distances.flatten(2), offsets.flatten(2)


def cell_centers(height: int, width: int, stride: int, device: torch.device | None = None) -> Tensor:
    """Return the middle points (x, y) in input pixels of a level's cells as (height * width, 2)."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )  # each (h, w)
    return (torch.stack([x, y], dim=-1).reshape(-1, 2) + 0.5) * stride


def all_centers(height: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return the middle points of the cells of all levels (N, 2), of which the finest has height * width.

    A coarser cell's middle is the mean of those of its four finer ones: in a graph for any size of input that takes
    far fewer steps than to count cells anew.
    """
    levels = [cell_centers(height, width, STRIDES[0], device).T.reshape(2, height, width)]
    for _ in STRIDES[1:]:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return torch.cat([level.flatten(1) for level in levels], dim=1).T


class DetectorForExport(nn.Module):
    """The network as production runs it: probabilities and boxes as x, y, w, h."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 3, H, W) -> scores (B, N) in 0..1, boxes (B, N, 4), landmarks (B, N, 10), pixels of the input."""
        scores, boxes, landmarks = self.network(pixels)
        corner, opposite = boxes.split(2, dim=-1)
        return scores.sigmoid(), torch.cat([corner, opposite - corner], dim=-1), landmarks
