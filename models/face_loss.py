"""What the face detector is taught: which cells answer for which face, and the loss of their answers.

A face belongs to the levels whose size range holds it and there to the cells around its middle (centre
sampling as in FCOS, arXiv:1904.01355). Scores learn how good their box is (quality focal loss,
arXiv:2006.04388), boxes the generalised IoU (arXiv:1902.09630), landmarks a smooth L1 distance.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.face_detector import STRIDES, cell_centers

RANGES = ((0.0, 40.0), (28.0, 96.0), (64.0, float("inf")))  # pixels: face sizes of each level, overlapping
RADIUS = 1.25  # cells around a face's middle that answer for it
SCORE_WEIGHT, BOX_WEIGHT, LANDMARK_WEIGHT = 2.0, 2.0, 1.0
BAD, GOOD = 0.3, 0.7  # IoU up to which a box is worth nothing, from which it is worth all
BETA = 0.05  # of the face size: where the landmark loss turns from square to linear


@dataclass
class Targets:
    """Faces of a batch, padded to M: boxes (B, M, 4) as corners, landmarks (B, M, 10), kind (B, M).

    ``kind`` is 1 for a face, 0 for padding, -1 for a place to ignore.
    """

    boxes: Tensor
    landmarks: Tensor
    kind: Tensor


def assign(targets: Targets, size: int) -> tuple[Tensor, Tensor]:
    """Return for each cell of a ``size`` px input its face (B, N), -1 for none, and whether to ignore it (B, N)."""
    cells = [cell_centers(size // s, size // s, s, targets.boxes.device) for s in STRIDES]
    centers = torch.cat(cells)  # (N, 2)
    level = torch.cat([torch.full((len(c),), i, device=centers.device) for i, c in enumerate(cells)])
    stride = torch.tensor(STRIDES, device=centers.device)[level]  # (N,)
    low, high = (torch.tensor(bound, device=centers.device)[level] for bound in zip(*RANGES, strict=True))
    corner, opposite = targets.boxes[:, None].split(2, dim=-1)  # (B, 1, M, 2)
    sides = opposite - corner
    area = sides.prod(dim=-1)  # (B, 1, M)
    fits = (area.sqrt() >= low[:, None]) & (area.sqrt() < high[:, None])  # (B, N, M)
    away = (centers[:, None] - (corner + opposite) / 2).abs()  # (B, N, M, 2)
    near = (away < RADIUS * stride[:, None, None]).all(-1)
    # The cell in the middle answers even for a face narrower than it; the others must be inside the face
    inside = (away < torch.maximum(sides / 2, stride[:, None, None] / 2)).all(-1)
    answers = fits & near & inside & (targets.kind == 1)[:, None]
    cost = torch.where(answers, area, torch.inf)
    smallest, face = cost.min(dim=-1)
    face = torch.where(smallest.isinf(), -1, face)
    ignore = (inside & (targets.kind == -1)[:, None]).any(-1) & (face < 0)
    return face, ignore


def detection_loss(outputs: tuple[Tensor, Tensor, Tensor], targets: Targets, size: int) -> dict[str, Tensor]:
    """Return the score, box and landmark losses, weighted, of the network's outputs for ``size`` px inputs."""
    scores, boxes, landmarks = outputs
    face, ignore = assign(targets, size)
    positive = face >= 0
    batch, cell = positive.nonzero(as_tuple=True)
    index = face[batch, cell]
    wanted = targets.boxes[batch, index]
    iou, giou = generalised_iou(boxes[batch, cell], wanted)
    quality = torch.zeros_like(scores)
    quality[batch, cell] = ((iou.detach() - BAD) / (GOOD - BAD)).clamp(0, 1)  # small boxes never reach an IoU of 1
    count = max(len(batch), 1)
    focus = (quality - scores.sigmoid()).abs() ** 2
    cross_entropy = F.binary_cross_entropy_with_logits(scores, quality, reduction="none")
    score_loss = (focus * cross_entropy)[~ignore].sum() / count
    face_size = (wanted[:, 2:] - wanted[:, :2]).prod(dim=-1).sqrt()[:, None]
    error = (landmarks[batch, cell] - targets.landmarks[batch, index]) / face_size
    landmark_loss = F.smooth_l1_loss(error, torch.zeros_like(error), beta=BETA, reduction="sum") / (count * 10)
    return {
        "score": SCORE_WEIGHT * score_loss,
        "box": BOX_WEIGHT * (1 - giou).sum() / count,
        "landmark": LANDMARK_WEIGHT * landmark_loss,
    }


def generalised_iou(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return IoU and generalised IoU of paired corner boxes (P, 4), each (P,)."""
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=-1)
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(dim=-1)
    union = (a[:, 2:] - a[:, :2]).prod(dim=-1) + (b[:, 2:] - b[:, :2]).prod(dim=-1) - overlap
    iou = overlap / union.clamp(min=1e-6)
    return iou, iou - (hull - union) / hull.clamp(min=1e-6)
