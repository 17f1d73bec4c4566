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
LEAST_SIDE = 480  # pixels of a small copy's longer side: half as much again as the detector looks at


def to_batch(images: Sequence[Image.Image], mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> np.ndarray:
    """Stack RGB images of one size into a normalised float32 array (B, 3, H, W)."""
    batch = np.empty((len(images), 3, images[0].height, images[0].width), np.float32)
    for planes, image in zip(batch, images, strict=True):
        np.subtract(np.asarray(rgb(image)).transpose(2, 0, 1), np.asarray(mean, np.float32)[:, None, None], out=planes)
    batch /= np.asarray(std, np.float32)[:, None, None]
    return batch


def rgb(image: Image.Image) -> Image.Image:
    """Return the image itself if it is RGB (not a copy, which takes its time), else converted."""
    return image if image.mode == "RGB" else image.convert("RGB")


def small_copy(image: Image.Image) -> tuple[Image.Image, int]:
    """Shrink a large photo once for all networks that look at the whole of it.

    Returns the copy and the divisor: a point of the copy times that is its point in the photo.
    """
    divisor = max(1, max(image.size) // LEAST_SIDE)
    return (image if divisor == 1 else image.reduce(divisor)), divisor


def letterbox(image: Image.Image, size: int, frame: tuple[int, int] | None = None) -> tuple[Image.Image, float]:
    """Fit an image into the top left of a grey frame such that its longer side has ``size`` pixels.

    ``frame`` is the width and height of the result (see ``smallest_frame``), else it is a square. Returns the frame
    and the scale: a point of the photo times scale is its point in the frame.
    """
    scale = size / max(image.size)
    framed = Image.new("RGB", frame or (size, size), GREY)
    framed.paste(rgb(image).resize(fitted(image, size), Image.Resampling.BILINEAR), (0, 0))
    return framed, scale


def fitted(image: Image.Image, size: int) -> tuple[int, int]:
    """Return the width and height of an image whose longer side was brought to ``size`` pixels."""
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return width, height


def smallest_frame(images: Sequence[Image.Image], size: int, step: int) -> tuple[int, int]:
    """Return the width and height, multiples of ``step``, of the smallest frame into which each image fits."""
    widths, heights = zip(*(fitted(image, size) for image in images), strict=True)
    return -(-max(widths) // step) * step, -(-max(heights) // step) * step


def crop_face(image: Image.Image, box: Box, size: int, margin: float = FACE_MARGIN) -> Image.Image:
    """Cut the square around a face box, widened by ``margin`` on every side, at ``size`` x ``size`` pixels.

    What lies outside the photo is black.
    """
    side = max(box.w, box.h) * (1 + 2 * margin)
    x, y = box.center
    left, top, right, bottom = (round(value) for value in (x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    cut = rgb(image).crop((left, top, right, bottom))  # crop pads with black
    return cut.resize((size, size), Image.Resampling.BILINEAR)
