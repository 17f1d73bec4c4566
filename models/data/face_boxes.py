"""Face boxes for photos that have none: what two public detectors agree on.

YuNet (Wu et al. 2023, Apache-2.0) and RFB-640 (Linzaer's Ultra-Light detector, MIT) look at each photo at
two scales. A face both are sure of is a label, with YuNet's box and landmarks; one that is seen faintly or
by one of them is to be ignored, so that training neither rewards nor punishes it. The teachers are
used here only and never shipped. ``python -m models.data.face_boxes`` fills the cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort
from PIL import Image
from tqdm import tqdm

from bot.vision.boxes import iou, nms
from models.data.photos import Photos
from models.train.run import DATA, need

SIDES = (640, 320)  # long sides at which photos are looked at: small faces need the first, large ones the second
FAINT, SURE = 0.3, 0.6  # scores of what is looked at, of a label
ALONE = 0.8  # score from which YuNet needs no second opinion in training: profiles and hats
AGREE = 0.5  # IoU of the teachers' boxes
OVERLAP = 0.4  # IoU above which two boxes of one teacher are one face
LARGE = 0.25  # of the photo's long side
CACHE = Path("cache/face_boxes.npz")


@dataclass(frozen=True)
class FaceBoxes:
    """Faces of one photo in its pixels: boxes (N, 4) as x, y, w, h, landmarks (N, 5, 2), scores (N, 2).

    The scores are YuNet's and RFB's, 0 where one did not see the face.
    """

    boxes: np.ndarray
    landmarks: np.ndarray
    scores: np.ndarray

    @property
    def agreed(self) -> np.ndarray:
        """Which faces are labels (N,) bool: both teachers are sure. The others are to be ignored."""
        return np.asarray((self.scores >= SURE).all(axis=1))

    @property
    def wanted(self) -> np.ndarray:
        """Which faces training rewards (N,) bool: those agreed on and those that YuNet is very sure of."""
        return np.asarray(self.agreed | (self.scores[:, 0] >= ALONE))


class Teachers:
    """The two detectors, loaded from ``folder``."""

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
        """Load both; stop with one sentence if a file is missing."""
        yunet = need(folder / "yunet_n_640_640.onnx", "YuNet, OpenCV's face detector")
        rfb = need(folder / "version-RFB-640.onnx", "the Ultra-Light face detector RFB-640")
        cv2.setNumThreads(threads)
        self._yunet = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), FAINT, OVERLAP)
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = threads, 3
        self._rfb = ort.InferenceSession(str(rfb), options, providers=["CPUExecutionProvider"])

    def look(self, image: Image.Image) -> FaceBoxes:
        """Return what the teachers see in an RGB image, of every certainty above FAINT.

        RFB is asked only where YuNet sees something, at the second scale only where that is large.
        """
        seen = np.concatenate([self.yunet(image, side) for side in SIDES])
        seen = seen[nms(seen[:, :4], seen[:, 14], OVERLAP)]
        if not len(seen):
            return FaceBoxes(*(np.zeros(shape, np.float32) for shape in ((0, 4), (0, 5, 2), (0, 2))))
        large = seen[:, 2:4].max() > LARGE * max(image.size)
        other = np.concatenate([self.rfb(image, side) for side in SIDES[: 1 + large]])
        other = other[nms(other[:, :4], other[:, 4], OVERLAP)]
        overlap = iou(seen[:, :4], other[:, :4])
        seconded = ((overlap >= AGREE) * other[None, :, 4]).max(axis=1, initial=0.0)
        alone = other[overlap.max(axis=0, initial=0.0) < AGREE]  # RFB's own finds have no landmarks
        return FaceBoxes(
            np.concatenate([seen[:, :4], alone[:, :4]]).astype(np.float32),
            np.concatenate([seen[:, 4:14].reshape(-1, 5, 2), np.zeros((len(alone), 5, 2))]).astype(np.float32),
            np.concatenate(
                [np.stack([seen[:, 14], seconded], 1), np.stack([np.zeros(len(alone)), alone[:, 4]], 1)]
            ).astype(np.float32),
        )

    def yunet(self, image: Image.Image, side: int) -> np.ndarray:
        """Return YuNet's faces (N, 15) in image pixels: x, y, w, h, five landmarks, score."""
        scale = side / max(image.size)
        # YuNet's three strides need sides that are multiples of 32; what is added is black
        width, height = (max(1, round(length * scale)) for length in image.size)
        frame = np.zeros((-(-height // 32) * 32, -(-width // 32) * 32, 3), np.uint8)
        frame[:height, :width] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))[..., ::-1]
        self._yunet.setInputSize((frame.shape[1], frame.shape[0]))
        faces = self._yunet.detect(frame)[1]
        faces = np.zeros((0, 15), np.float32) if faces is None else faces
        return np.concatenate([faces[:, :14] / scale, faces[:, 14:]], axis=1)

    def rfb(self, image: Image.Image, side: int) -> np.ndarray:
        """Return RFB's faces (N, 5) in image pixels: x, y, w, h, score."""
        scale = min(side / image.width, side * 0.75 / image.height)  # its input is 640 x 480
        width, height = (max(1, round(length * scale)) for length in image.size)
        frame = np.full((480, 640, 3), 127, np.float32)
        frame[:height, :width] = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
        scores, corners = self._rfb.run(None, {"input": ((frame - 127) / 128).transpose(2, 0, 1)[None]})
        found = scores[0, :, 1] >= FAINT
        corners, scores = corners[0][found] * np.array([640, 480, 640, 480]) / scale, scores[0, found, 1:]
        faces = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2], scores], axis=1)
        return faces[nms(faces[:, :4], faces[:, 4], OVERLAP)]


def teach(photos: Photos, teachers: Teachers, files: Iterable[str]) -> dict[str, FaceBoxes]:
    """Return the teachers' faces of ``files`` by file name."""
    return {file: teachers.look(photos.image(file)) for file in tqdm(list(files), desc="teachers", mininterval=10)}


def save(faces: dict[str, FaceBoxes], path: Path) -> None:
    """Write faces of many photos into one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        files=np.array(list(faces)),
        counts=np.array([len(found.boxes) for found in faces.values()]),
        boxes=np.concatenate([found.boxes for found in faces.values()]),
        landmarks=np.concatenate([found.landmarks for found in faces.values()]),
        scores=np.concatenate([found.scores for found in faces.values()]),
    )


def load(path: Path) -> dict[str, FaceBoxes]:
    """Read what ``save`` wrote."""
    with np.load(path) as cache:
        ends = np.cumsum(cache["counts"])[:-1]
        parts = (np.split(cache[name], ends) for name in ("boxes", "landmarks", "scores"))
        return {str(file): FaceBoxes(*found) for file, *found in zip(cache["files"], *parts, strict=True)}


def face_boxes(photos: Photos, data: Path, cache: Path = CACHE, *, threads: int = 1) -> dict[str, FaceBoxes]:
    """Return the faces of every photo by file name, from ``cache`` or, the first time, from the teachers."""
    if not cache.exists():
        save(teach(photos, Teachers(data / "teachers", threads=threads), [item.file for item in photos.items()]), cache)
    return load(cache)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m models.data.face_boxes", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/ and teachers/")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    args = parser.parse_args()
    known = face_boxes(Photos(args.data / "photos"), args.data, threads=args.threads).values()
    agreed = sum(int(found.agreed.sum()) for found in known)
    print(f"{len(known)} photos, {agreed} faces, {sum(len(found.boxes) for found in known) - agreed} to ignore")
