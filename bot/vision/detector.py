"""Photo -> faces: the detector network, its threshold, non-maximum suppression and box voting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from bot.domain import Box, Face
from bot.runtime.session import Session
from bot.vision.boxes import nms, vote
from bot.vision.pixels import letterbox, smallest_frame, to_batch

OVERLAP = 0.4  # IoU above which two boxes are one face
VOTERS = 0.6  # IoU from which a weaker box of the same face helps to place it
LEAST_VOTE = 0.1  # score of boxes that may help


class FaceDetector:
    """Finds human faces. Safe to call from several threads.

    The model takes ``pixels`` (B, 3, H, W) and gives for each of its N cells ``scores`` (B, N) in 0..1,
    ``boxes`` (B, N, 4) as x, y, w, h and ``landmarks`` (B, N, 10) as x, y pairs, in pixels of the frame. The
    longer side of a photo has S pixels in it; H and W are the least multiples of the model's ``step`` around it,
    so that as little as possible is grey. A model without a ``step`` takes squares of S.
    """

    def __init__(self, session: Session, *, threshold: float | None = None, overlap: float = OVERLAP) -> None:
        """Take the input size, normalisation and, unless given, the score threshold from the manifest entry."""
        self._session = session
        about = session.entry.normalisation
        self._size, self._mean, self._std = int(about["size"]), about["mean"], about["std"]
        self._step = int(about.get("step", self._size))
        self.threshold = float(session.entry.labels["threshold"]) if threshold is None else threshold
        self.overlap = overlap

    def detect(self, image: Image.Image) -> list[Face]:
        """Return the faces of one upright photo in its pixels, best score first; boxes end at its edges."""
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[Image.Image]) -> list[list[Face]]:
        """Return the faces of each photo from one run of the model; the photos may differ in size.

        They share a frame: photos of one shape are the quickest.
        """
        if not images:
            return []
        frame = smallest_frame(images, self._size, self._step)
        frames, scales = zip(*(letterbox(image, self._size, frame) for image in images), strict=True)
        found = self._session.run({"pixels": to_batch(frames, self._mean, self._std)})
        rows = zip(images, scales, found["scores"], found["boxes"], found["landmarks"], strict=True)
        return [self._faces(image, scale, *outputs) for image, scale, *outputs in rows]

    def _faces(
        self, image: Image.Image, scale: float, scores: np.ndarray, boxes: np.ndarray, landmarks: np.ndarray
    ) -> list[Face]:
        seen = scores >= min(LEAST_VOTE, self.threshold)
        scores, boxes, landmarks = scores[seen], boxes[seen] / scale, landmarks[seen].reshape(-1, 5, 2) / scale
        kept = nms(boxes, scores, self.overlap)
        kept = kept[scores[kept] >= self.threshold]
        boxes, scores, landmarks = vote(boxes, scores, kept, VOTERS), scores[kept], landmarks[kept]
        corners = np.clip(boxes[:, :2], 0, image.size)
        sides = np.clip(boxes[:, :2] + boxes[:, 2:], 0, image.size) - corners
        return [
            Face(
                Box(*(float(value) for value in (*corners[i], *sides[i]))),
                float(scores[i]),
                tuple((float(x), float(y)) for x, y in landmarks[i]),
            )
            for i in range(len(kept))
            if sides[i].min() > 0
        ]
