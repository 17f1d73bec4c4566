"""How good a face detector is: recall and precision at an IoU, and the threshold that balances them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.vision.boxes import iou


@dataclass(frozen=True)
class Judged:
    """Detections of many photos: their scores (D,), whether each is right (D,) and how many faces there were."""

    scores: np.ndarray
    right: np.ndarray
    faces: int

    def at(self, threshold: float) -> tuple[float, float]:
        """Return recall and precision of the detections that score at least ``threshold``."""
        right = self.right[self.scores >= threshold]
        return float(right.sum()) / max(self.faces, 1), float(right.mean()) if len(right) else 1.0

    def best_threshold(self) -> float:
        """Return the threshold, in steps of 0.01, with the highest F1."""
        candidates = [hundredths / 100 for hundredths in range(5, 95)]
        f1 = [2 * r * p / max(r + p, 1e-9) for r, p in map(self.at, candidates)]
        return candidates[int(np.argmax(f1))]


@dataclass(frozen=True)
class Truth:
    """What a photo holds: boxes (N, 4) as x, y, w, h in the frame and which of them to ignore (N,)."""

    boxes: np.ndarray
    ignore: np.ndarray


def judge(
    found: Sequence[tuple[np.ndarray, np.ndarray]], truths: Sequence[Truth], *, least: float, overlap: float = 0.5
) -> Judged:
    """Match detections (boxes (D, 4), scores (D,), best first) of each photo with its faces one to one.

    Faces smaller than ``least`` pixels (square root of the area) are ignored like the marked ones: what
    matches an ignored face counts neither for nor against, and so do unmatched detections that small.
    """
    scores, right, faces = [], [], 0
    for (boxes, confidence), truth in zip(found, truths, strict=True):
        ignore = truth.ignore | (np.sqrt(truth.boxes[:, 2] * truth.boxes[:, 3]) < least)
        faces += int((~ignore).sum())
        free = ~ignore
        overlaps = iou(boxes, truth.boxes)
        for box, score, row in zip(boxes, confidence, overlaps, strict=True):
            open_row = np.where(free, row, 0.0)
            if open_row.max(initial=0.0) >= overlap:
                free[int(open_row.argmax())] = False
                right.append(True)
            elif row[ignore].max(initial=0.0) >= overlap or np.sqrt(box[2] * box[3]) < least:
                continue
            else:
                right.append(False)
            scores.append(float(score))
    return Judged(np.array(scores), np.array(right, bool), faces)
