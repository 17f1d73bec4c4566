"""Training crops of faces: what the detector's box, a phone camera and a chat app do to a face."""

from __future__ import annotations

import cv2
import numpy as np

from bot.domain import Box
from bot.vision.face_labels import CROP_MARGIN

cv2.setNumThreads(1)
BORDERS = (cv2.BORDER_REFLECT_101, cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def square_of(box: Box | None, frame: int) -> tuple[float, float, float]:
    """Return centre x, y and side of the production crop around ``box``; the whole frame for None."""
    if box is None:
        return frame / 2, frame / 2, float(frame)
    x, y = box.center
    return x, y, max(box.w, box.h) * (1 + 2 * CROP_MARGIN)


def augment(
    frame: np.ndarray, square: tuple[float, float, float], size: int, random: np.random.Generator
) -> np.ndarray:
    """Cut a jittered training crop (size, size, 3) uint8 RGB out of ``frame`` (H, W, 3) around ``square``.

    Position moves by about 4 % and scale by 10 % of the side (one standard deviation), as a detector's
    boxes do; rotation by 7 degrees; half of the faces are mirrored. What lies outside the frame is
    mostly reflected, which looks most like the photo that surrounds a face in production.
    """
    x, y, side = square
    x, y = (x, y) + random.normal(0, 0.04, 2) * side
    scale = size / (side * np.exp(random.normal(0.0, 0.1)))
    angle = np.deg2rad(random.normal(0, 7))
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    mirror = -1.0 if random.random() < 0.5 else 1.0
    turn = np.array([[mirror * cos, -mirror * sin], [sin, cos]])
    shift = np.array([size / 2, size / 2]) - turn @ np.array([x, y])
    border = BORDERS[random.integers(len(BORDERS))]
    matrix = np.concatenate([turn, shift[:, None]], axis=1)
    face = cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    return recolour(degrade(face, random), random)


def degrade(face: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Make some faces small, blurred, noisy or heavily compressed, as faces in group photos are."""
    size = face.shape[0]
    if random.random() < 0.25:
        small = int(size * random.uniform(0.25, 0.7))
        face = cv2.resize(cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA), (size, size))
    elif random.random() < 0.1:
        face = cv2.GaussianBlur(face, (0, 0), random.uniform(0.5, 1.5) * size / 128)
    if random.random() < 0.2:
        _, jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 85))])
        face = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))
    return face


def recolour(face: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Change exposure, contrast, saturation and white balance; one face in twelve turns grey."""
    pixels = face.astype(np.float32)
    saturation = 0.0 if random.random() < 1 / 12 else random.uniform(0.7, 1.25)
    # One matrix for saturation and gains, one offset for contrast around the middle grey
    grey = np.outer(np.ones(3, np.float32), LUMA)
    gains = np.exp(random.normal(0, 0.06, 3)) * np.exp(random.normal(0, 0.15))
    contrast = random.uniform(0.75, 1.25)
    mix = (gains * contrast)[:, None] * (saturation * np.eye(3) + (1 - saturation) * grey)
    offset = 127.0 * (1 - contrast)
    matrix = np.concatenate([mix, np.full((3, 1), offset)], axis=1).astype(np.float32)
    return np.clip(cv2.transform(pixels, matrix), 0, 255).astype(np.uint8)
