"""Training frames for the face detector: cut from boxed photos, or faces pasted into face-free ones.

Every frame is one affine cut (scale, rotation, flip) of a photo letterboxed as production does it, then
pixel noise of the kind phones and chat programs add. Faces are drawn so that their sizes are spread
evenly in octaves, from 12 pixels to larger than the frame.
"""

from __future__ import annotations

import csv
import io
import math
import tarfile
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bot.domain import ANIMALS
from bot.vision.boxes import intersection
from bot.vision.pixels import GREY, letterbox
from models.data.face_boxes import FaceBoxes
from models.data.photos import PhotoItem, Photos
from models.face_detector import FRAME
from models.train.run import need

CROP = 128  # pixels; the side of a FairFace crop
MIRROR = [1, 0, 2, 4, 3]  # landmarks after a flip: eyes and mouth corners change sides
POINTS = ("re", "le", "nose", "rm", "lm")  # columns of the FairFace table
SMALLEST = 10.0  # pixels; smaller faces are neither wanted nor punished
PLAIN = 16.0  # pixels; a larger face is not overlooked by who describes a photo
MOST = 48  # faces of one frame; crowds have hundreds, and the loss weighs every cell against every face
TURNED = 0.32  # eyes closer than this, of the box width, belong to a face seen from the side
VISIBLE = 0.5  # share of a box inside the frame below which it is ignored
_AXIS = np.abs(np.linspace(-1, 1, CROP, dtype=np.float32))
# Distance of each crop pixel from the middle, 1 at the edge, in superellipses of growing squareness
DISTANCES = [(_AXIS**power + _AXIS[:, None] ** power) ** (1 / power) for power in (2, 4, 16)]


@dataclass
class Frame:
    """One example: pixels (S, S, 3) uint8 RGB, boxes (N, 4) x, y, w, h, landmarks (N, 5, 2), ignore (N,) bool."""

    pixels: np.ndarray
    boxes: np.ndarray
    landmarks: np.ndarray
    ignore: np.ndarray


def people_free(item: PhotoItem) -> bool:
    """Whether the photo was described by eye and no human is in it, so that a face there is a mistake."""
    who = {person.split(",")[0].strip() for person in item.people.split(";")}
    return bool(item.people) and who <= ANIMALS | {"nobody"}


def boxed_frame(photos: Photos, item: PhotoItem, faces: FaceBoxes, *, training: bool = False) -> Frame:
    """Scale one photo and its faces as letterbox does, without the grey that ``warp`` adds again.

    Of a people-free photo nothing that both teachers see is kept: it teaches what is no face. For ``training``
    it keeps nothing that is large enough to have been seen by eye, and faces one teacher is very sure of are labels.
    """
    image = photos.image(item.file)
    square, scale = letterbox(image, FRAME)
    width, height = (max(1, round(side * scale)) for side in image.size)
    labels = faces.wanted if training else faces.agreed
    kept = np.ones(len(labels), bool)
    if people_free(item):
        kept = ~labels
        if training:
            kept &= np.sqrt(faces.boxes[:, 2] * faces.boxes[:, 3]) * scale < PLAIN
    return Frame(
        np.asarray(square)[:height, :width], faces.boxes[kept] * scale, faces.landmarks[kept] * scale, ~labels[kept]
    )


def read_crops(folder: Path, split: str, limit: int = 0, least_score: float = 0.9) -> list[Frame]:
    """Read FairFace crops with one face each (CROP pixels); ``limit`` 0 means all."""
    table = need(folder / f"faces-{split}.csv", "the table of FairFace crops")
    with table.open(encoding="utf-8", newline="") as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream) if float(row["face_score"]) >= least_score}
    crops: list[Frame] = []
    with tarfile.open(need(folder / f"faces-{split}.tar", "the FairFace crops")) as tar:
        for member in tar:
            row = rows.get(Path(member.name).name)
            data = tar.extractfile(member)
            if row is None or data is None:
                continue
            box = np.array([[float(row[key]) for key in "xywh"]], np.float32)
            points = np.array([[[float(row[f"{p}_{axis}"]) for axis in "xy"] for p in POINTS]], np.float32)
            pixels = np.asarray(Image.open(io.BytesIO(data.read())).convert("RGB"))
            crops.append(Frame(pixels, box, points, np.zeros(1, bool)))
            if len(crops) == limit:
                break
    return crops


def turned(frame: Frame) -> np.ndarray:
    """Return which faces (N,) bool are seen from the side, by the distance of their eyes."""
    eyes = np.linalg.norm(frame.landmarks[:, 0] - frame.landmarks[:, 1], axis=1)
    return np.asarray(eyes < TURNED * frame.boxes[:, 2])


def warp(frame: Frame, matrix: np.ndarray, size: int, border: int = cv2.BORDER_CONSTANT) -> Frame:
    """Apply a 2x3 similarity (perhaps with a flip) and cut ``size`` x ``size`` pixels; boxes follow as ellipses do."""
    return Frame(cut(frame.pixels, matrix, size, size, border), *move(frame, matrix), frame.ignore)


def cut(pixels: np.ndarray, matrix: np.ndarray, width: int, height: int, border: int) -> np.ndarray:
    """Return ``width`` x ``height`` pixels of an image under a 2x3 similarity."""
    matrix = matrix.copy()
    scale = math.sqrt(abs(np.linalg.det(matrix[:, :2])))
    while scale < 0.6:  # shrink by averaging first, as letterbox does, or fine patterns alias
        half = (pixels.shape[1] // 2, pixels.shape[0] // 2)
        pixels = cv2.resize(pixels, half, interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= 2
        scale *= 2
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts from the middle of the first pixel
    grey = GREY if pixels.ndim == 3 else 0
    return cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=border, borderValue=grey)


def move(frame: Frame, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a frame's boxes (N, 4) and landmarks (N, 5, 2) under a 2x3 similarity."""
    turn = matrix[:, :2]
    centers = (frame.boxes[:, :2] + frame.boxes[:, 2:] / 2) @ turn.T + matrix[:, 2]
    sides = np.sqrt(frame.boxes[:, 2:] ** 2 @ (turn**2).T)
    landmarks = frame.landmarks @ turn.T + matrix[:, 2]
    if np.linalg.det(turn) < 0:
        landmarks = landmarks[:, MIRROR]
    return np.concatenate([centers - sides / 2, sides], axis=1), landmarks


def similarity(
    rng: np.random.Generator, anchor: np.ndarray, target: np.ndarray, scale: float, size: int, *, turns: bool = True
) -> np.ndarray:
    """Return a 2x3 matrix that brings ``anchor`` to ``target``.

    Half of them turn up to 30 degrees either way (if ``turns``), half then mirror the ``size`` px frame.
    """
    angle = math.radians(rng.uniform(-30, 30)) if turns and rng.random() < 0.5 else 0.0
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    matrix = np.concatenate([turn, (target - turn @ anchor)[:, None]], axis=1)
    if rng.random() < 0.5:
        matrix[0] = np.array([0.0, 0.0, size]) - matrix[0]
    return matrix


def place(rng: np.random.Generator, frame: Frame, anchor: np.ndarray, scale: float, size: int) -> np.ndarray:
    """Draw where ``anchor`` of a frame scaled by ``scale`` may lie in the cut so that little of it is empty."""
    height, width = frame.pixels.shape[:2]
    before = anchor * scale  # of the photo, left of and above the anchor
    spare = np.array([width, height]) * scale - size
    low, high = np.minimum(before - spare, before), np.maximum(before - spare, before)
    return np.clip(rng.uniform(low, high), 0.08 * size, 0.92 * size)


def octaves(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a size so that every octave between ``low`` and ``high`` is equally likely."""
    return math.exp(rng.uniform(math.log(low), math.log(max(high, low))))


class Frames:
    """The training frames of some photos, all pixels held in memory (about 2.5 GB for the whole set)."""

    def __init__(
        self, photos: Photos, items: Sequence[PhotoItem], faces: Mapping[str, FaceBoxes], crops: list[Frame]
    ) -> None:
        frames = [boxed_frame(photos, item, faces[item.file], training=True) for item in items]
        self.boxed = [frame for frame in frames if not frame.ignore.all()]
        self.free = [frame for frame in frames if frame.ignore.all()]
        self.empty = [frame for frame in self.free if not len(frame.boxes)]
        self.crops = crops
        # Every labelled face as (size, frame, index), smallest first, to draw one large enough for a zoom
        self.faces = sorted(
            (math.sqrt(frame.boxes[i, 2] * frame.boxes[i, 3]), number, int(i))
            for number, frame in enumerate(self.boxed)
            for i in np.flatnonzero(~frame.ignore)
        )
        # Faces from the side are few and hard: they are drawn more often
        self.turned = [face for face in self.faces if turned(self.boxed[face[1]])[face[2]]]
        self.turned_crops = [crop for crop in crops if turned(crop)[0]]

    def draw(self, rng: np.random.Generator, size: int) -> Frame:
        """Return one augmented frame of ``size`` pixels."""
        kind = rng.random()
        if kind < 0.3:
            frame = self.plain(rng, size)
        elif kind < 0.75:
            frame = self.zoomed(rng, size)
        else:
            frame = self.mosaic(rng, size)
        occlude(rng, frame)
        frame.pixels = weather(rng, frame.pixels)
        return settle(frame)

    def plain(self, rng: np.random.Generator, size: int) -> Frame:
        """Return a whole photo, or the part of it that fits, at the scale production sees."""
        frame = self.pick(rng, self.boxed if rng.random() < 0.5 else self.free)
        offset = rng.uniform(size - FRAME, 0, 2) if size < FRAME else np.zeros(2)
        return warp(frame, similarity(rng, np.zeros(2), offset, 1.0, size, turns=False), size)

    def zoomed(self, rng: np.random.Generator, size: int) -> Frame:
        """Return a cut around a labelled face scaled to a drawn size, or a cut of a photo without faces."""
        if rng.random() < 0.2:
            return self.background(rng, self.free, size, cv2.BORDER_CONSTANT)
        wanted = octaves(rng, 14, size)
        faces = self.turned if self.turned and rng.random() < 0.35 else self.faces
        large_enough = min(bisect_left(faces, (wanted / 3,)), len(faces) - 1)
        face, number, index = faces[rng.integers(large_enough, len(faces))]
        frame, scale = self.boxed[number], float(np.clip(wanted / face, 0.4, 3.5))
        anchor = frame.boxes[index, :2] + frame.boxes[index, 2:] / 2
        return warp(frame, similarity(rng, anchor, place(rng, frame, anchor, scale, size), scale, size), size)

    def background(self, rng: np.random.Generator, frames: list[Frame], size: int, border: int) -> Frame:
        """Return a cut of a photo without labelled faces."""
        frame = self.pick(rng, frames)
        anchor, scale = rng.uniform(0, frame.pixels.shape[1::-1]), octaves(rng, 0.5, 2.5)
        matrix = similarity(rng, anchor, place(rng, frame, anchor, scale, size), scale, size)
        return warp(frame, matrix, size, border)

    def mosaic(self, rng: np.random.Generator, size: int) -> Frame:
        """Paste FairFace crops at drawn sizes into a photo without faces, edges blended: one large or several."""
        back = self.background(rng, self.empty, size, cv2.BORDER_REFLECT)
        pasted, taken = [], np.zeros((0, 4))
        portrait = rng.random() < 0.35
        for _ in range(1 if portrait else rng.integers(2, 8)):
            crop = self.pick(rng, self.turned_crops if self.turned_crops and rng.random() < 0.3 else self.crops)
            scale = octaves(rng, 0.4, 1.15) * size if portrait else octaves(rng, 14, 0.4 * size)
            scale /= math.sqrt(crop.boxes[0, 2] * crop.boxes[0, 3])
            target = rng.uniform(*((0.3, 0.7) if portrait else (0.05, 0.95)), 2) * size
            radius = scale * CROP / 2
            patch = np.array([[*(target - radius), 2 * radius, 2 * radius]])
            if intersection(patch, taken).any():
                continue
            matrix = similarity(rng, np.full(2, CROP / 2), target, scale, size)
            pasted.append(paste(rng, back.pixels, crop, matrix))
            taken = np.concatenate([taken, patch])
        return Frame(
            back.pixels,
            np.concatenate([face.boxes for face in pasted]),
            np.concatenate([face.landmarks for face in pasted]),
            np.zeros(len(pasted), bool),
        )

    @staticmethod
    def pick(rng: np.random.Generator, frames: list[Frame]) -> Frame:
        """Return one of ``frames``."""
        return frames[rng.integers(len(frames))]


def paste(rng: np.random.Generator, back: np.ndarray, crop: Frame, matrix: np.ndarray) -> Frame:
    """Lay a crop over ``back`` in place, cut to a superellipse from oval to nearly square, soft at its edge."""
    corners = np.array([[0, 0], [CROP, 0], [0, CROP], [CROP, CROP]]) @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.clip(np.floor(corners.min(axis=0)), 0, len(back)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)), 0, len(back)).astype(int)
    width, height = int(right - left), int(bottom - top)
    if width and height:
        inside = matrix - np.array([[0.0, 0.0, left], [0.0, 0.0, top]])
        mask = (1 - DISTANCES[rng.integers(len(DISTANCES))]) / rng.uniform(0.03, 0.25)
        share = np.clip(cut(mask, inside, width, height, cv2.BORDER_CONSTANT), 0, 1)[..., None]
        face = cut(crop.pixels, inside, width, height, cv2.BORDER_REPLICATE)
        window = back[top:bottom, left:right]
        window[:] = face * share + window * (1 - share)
    return Frame(back, *move(crop, matrix), crop.ignore)


def occlude(rng: np.random.Generator, frame: Frame) -> None:
    """Cover a strip of one face in six: a mask, dark glasses, a hand, a phone."""
    frame.pixels = np.ascontiguousarray(frame.pixels)
    for x, y, w, h in frame.boxes[rng.random(len(frame.boxes)) < 1 / 6]:
        top = rng.uniform(0, 0.75)
        corner = (int(x + w * rng.uniform(-0.3, 0.5)), int(y + h * top))
        opposite = (int(corner[0] + w * rng.uniform(0.4, 1.2)), int(corner[1] + h * rng.uniform(0.1, 0.35)))
        color = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.rectangle(frame.pixels, corner, opposite, color, -1)


def weather(rng: np.random.Generator, pixels: np.ndarray) -> np.ndarray:
    """Change light and colour, blur, add grain and JPEG blocks, each sometimes."""
    if rng.random() < 0.5:  # gain per channel and gamma in one table look-up
        levels = np.linspace(0, 1, 256)[:, None] ** octaves(rng, 0.6, 1.8)
        gain = octaves(rng, 0.45, 1.4) * rng.uniform(0.85, 1.15, 3)
        table = np.clip(levels * gain * 255, 0, 255).astype(np.uint8)
        pixels = cv2.LUT(pixels, table[:, None, :])
    if rng.random() < 0.12:
        pixels = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < 0.12:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 2.0))
    if rng.random() < 0.1:
        grain = rng.normal(0, rng.uniform(3, 14), pixels.shape[:2])[..., None]
        pixels = np.clip(pixels + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        packed = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 70))])[1]
        pixels = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR))
    return pixels


def settle(frame: Frame) -> Frame:
    """Drop faces outside the frame, keep the MOST largest, and mark cut or tiny ones to be ignored."""
    size = float(frame.pixels.shape[0])
    area = np.maximum(frame.boxes[:, 2] * frame.boxes[:, 3], 1e-6)
    shown = intersection(frame.boxes, np.array([[0.0, 0.0, size, size]]))[:, 0] / area
    ignore = frame.ignore | (shown < VISIBLE) | (np.sqrt(area) < SMALLEST)
    kept = np.flatnonzero(shown > 0.05)
    kept = kept[np.argsort(-area[kept])[:MOST]]
    return Frame(frame.pixels, frame.boxes[kept], frame.landmarks[kept], ignore[kept])
