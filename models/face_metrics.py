"""How good a face detector is: recall and precision at an IoU, and the threshold that balances them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.vision.boxes import iou

Detections = tuple[np.ndarray, np.ndarray]  # of one photo: boxes (D, 4) as x, y, w, h in the frame, scores (D,)


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

    def balanced_threshold(self) -> float:
        """Return the threshold, in steps of 0.01, at which recall and precision are closest."""
        candidates = [hundredths / 100 for hundredths in range(5, 95)]
        gaps = [abs(recall - precision) for recall, precision in map(self.at, candidates)]
        return candidates[int(np.argmin(gaps))]

    def average_precision(self) -> float:
        """Return the area under precision over recall, precision made to fall with recall (VOC 2010)."""
        right = self.right[np.argsort(-self.scores, kind="stable")]
        precision = np.cumsum(right) / np.arange(1, len(right) + 1)
        best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
        return float(best_from_here[right].sum()) / max(self.faces, 1)


@dataclass(frozen=True)
class Truth:
    """What a photo holds: boxes (N, 4) as x, y, w, h in the frame and which of them to ignore (N,)."""

    boxes: np.ndarray
    ignore: np.ndarray


def judge(
    found: Sequence[Detections], truths: Sequence[Truth], *, least: float, most: float = np.inf, overlap: float = 0.5
) -> Judged:
    """Match detections (boxes (D, 4), scores (D,), best first) of each photo with its faces one to one.

    Faces smaller than ``least`` pixels (square root of the area) or not smaller than ``most`` are ignored like the
    marked ones: what matches an ignored face counts neither for nor against, and so do unmatched detections too small.
    """
    scores, right, faces = [], [], 0
    for (boxes, confidence), truth in zip(found, truths, strict=True):
        sizes = np.sqrt(truth.boxes[:, 2] * truth.boxes[:, 3])
        ignore = truth.ignore | (sizes < least) | (sizes >= most)
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
