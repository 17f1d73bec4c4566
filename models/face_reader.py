"""The face reader: EfficientNet-Lite0 cut before its last stage, one linear head a question.

    python -m models.train.face_reader --minutes 33
    python -m export face_reader
    python -m export.graphs.face_reader            # measures the exported file on the held-out faces

Heads are a table, name -> number of labels, so that a later question is one more row. Training masks
the losses of questions a face has no label for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bot.vision.face_labels import HEADS
from models.efficientnet_lite0 import STAGES, ConvNormAct, EfficientNetLite0, pretrained


@dataclass(frozen=True)
class FaceReaderConfig:
    """Shape of the network: labels by head, stages kept of the trunk, width of the neck."""

    heads: Mapping[str, int] = field(default_factory=lambda: {head: len(labels) for head, labels in HEADS.items()})
    stages: int = 6
    neck: int = 640
    dropout: float = 0.2


class FaceReaderNet(nn.Module):
    """Trunk at stride 32, a 1x1 neck, mean over places, linear heads."""

    def __init__(self, config: FaceReaderConfig, trunk: EfficientNetLite0 | None = None) -> None:
        """Build the network; ``trunk`` gives ready weights (see ``from_imagenet``)."""
        super().__init__()
        self.config = config
        self.trunk = trunk or EfficientNetLite0(head=False, stages=STAGES[: config.stages])
        self.neck = ConvNormAct(self.trunk.channels, config.neck, 1)
        self.dropout = nn.Dropout(config.dropout)
        self.heads = nn.ModuleDict({head: nn.Linear(config.neck, count) for head, count in config.heads.items()})

    def forward(self, faces: Tensor) -> dict[str, Tensor]:
        """Normalised RGB (B, 3, S, S), S a multiple of 32 -> logits (B, labels) by head."""
        features = self.neck(self.trunk(faces)).mean((2, 3))  # (B, neck)
        features = self.dropout(features)
        return {name: head(features) for name, head in self.heads.items()}


class CalibratedFaceReader(nn.Module):
    """What is exported: probabilities by head, the mean of a face and its mirror image, temperatures baked in."""

    def __init__(self, network: FaceReaderNet, temperatures: Mapping[str, float]) -> None:
        super().__init__()
        self.network = network
        self.temperatures = dict(temperatures)

    def forward(self, faces: Tensor) -> tuple[Tensor, ...]:
        """Normalised RGB (B, 3, S, S) -> probabilities (B, labels) of each head, in the order of the table."""
        logits = mirrored_logits(self.network, faces)
        return tuple(torch.softmax(logits[head] / self.temperatures[head], dim=1) for head in logits)


def mirrored_logits(network: FaceReaderNet, faces: Tensor) -> dict[str, Tensor]:
    """Return the mean logits of faces and their mirror images: twice the work for a steadier answer."""
    logits = network(torch.cat([faces, faces.flip(3)]))  # (2B, labels); one pass keeps one copy of each weight
    return {head: value.unflatten(0, (2, -1)).mean(0) for head, value in logits.items()}


def from_imagenet(config: FaceReaderConfig) -> FaceReaderNet:
    """Return a network whose trunk has ImageNet weights. Needs the ``train`` extra."""
    return FaceReaderNet(config, pretrained(head=False, stages=STAGES[: config.stages]))
