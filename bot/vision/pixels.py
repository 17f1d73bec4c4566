"""From Pillow images to network input. Training imports these, so both sides see the same pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from bot.domain import Box

# RGB in 0..255 becomes (x - MEAN) / STD, as EfficientNet-Lite wants it
MEAN: tuple[float, float, float] = (127.0, 127.0, 127.0)
STD: tuple[float, float, float] = (128.0, 128.0, 128.0)
FACE_MARGIN = 0.25  # of the face box, on every side of the square crop
GREY = (114, 114, 114)


def to_batch(images: Sequence[Image.Image], mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> np.ndarray:
    """Stack RGB images of one size into a normalised float32 array (B, 3, H, W)."""
    pixels = np.stack([np.asarray(image.convert("RGB"), dtype=np.float32) for image in images])
    scaled = (pixels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def letterbox(image: Image.Image, size: int) -> tuple[Image.Image, float]:
    """Fit an image into the top left of a grey ``size`` x ``size`` square.

    Returns the square and the scale: a point of the photo times scale is its point in the square.
    """
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    square = Image.new("RGB", (size, size), GREY)
    square.paste(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR), (0, 0))
    return square, scale


def crop_face(image: Image.Image, box: Box, size: int, margin: float = FACE_MARGIN) -> Image.Image:
    """Cut the square around a face box, widened by ``margin`` on every side, at ``size`` x ``size`` pixels.

    What lies outside the photo is black.
    """
    side = max(box.w, box.h) * (1 + 2 * margin)
    x, y = box.center
    left, top, right, bottom = (round(value) for value in (x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    cut = image.convert("RGB").crop((left, top, right, bottom))  # crop pads with black
    return cut.resize((size, size), Image.Resampling.BILINEAR)
