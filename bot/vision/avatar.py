"""Small square pictures to speak under: a face cut out of a photo, or a picture someone chose.

The bytes are for Discord, which shows avatars as circles of 40 to 128 pixels; nothing of them is kept here.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from bot.domain import Box, Where
from bot.vision.photo import Photo, decode

SIZE = 256  # pixels a side: twice what Discord shows, for dense screens
MARGIN = 1.8  # the crop's side in sides of the face, so that hair and chin are inside the circle
RAISED = 0.06  # of the face's height: boxes end at the chin but leave the hair out
MOST_ENLARGED = 3.0  # more makes nothing clearer, and Discord enlarges by itself
QUALITY = 88


def face_avatar(photo: Photo, box: Box | None, *, where: Where = "center", size: int = SIZE) -> bytes:
    """Return a JPEG of the face in ``box``; without one, of the photo's middle or the side ``where`` somebody is.

    The box is in pixels of the original photo. Small faces give a picture smaller than ``size``.
    """
    image = photo.image
    # A box that lies outside the photo or has no size shows nobody.
    square = _around(box, photo) if box else None
    cut = image.crop(square or _square(image, where))
    side = min(size, max(1, round(cut.width * MOST_ENLARGED)))
    return _jpeg(cut, side)


def checked_avatar(data: bytes) -> bytes:
    """Return the middle of an uploaded picture as a JPEG of 256 pixels a side, far below 256 KiB.

    Raises BadInput for what is no picture.
    """
    image = decode(data).image
    return _jpeg(image.crop(_square(image)), SIZE)


def _around(box: Box, photo: Photo) -> tuple[int, int, int, int] | None:
    """Return the square around a face in pixels of the photo's image, moved inside it; None if it is not in there."""
    image = photo.image
    across, down = image.width / photo.width, image.height / photo.height
    width, height = box.w * across, box.h * down
    x, y = box.center[0] * across, box.center[1] * down
    if width <= 0 or height <= 0 or not (0 <= x <= image.width and 0 <= y <= image.height):
        return None
    side = max(1, min(round(MARGIN * max(width, height)), image.width, image.height))
    left = min(max(round(x - side / 2), 0), image.width - side)
    top = min(max(round(y - RAISED * height - side / 2), 0), image.height - side)
    return left, top, left + side, top + side


def _square(image: Image.Image, where: Where = "center") -> tuple[int, int, int, int]:
    """Return the largest square in the middle of a picture, or at its left or right."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    if where in ("left", "right"):  # several animals of a photo do not all get the same picture
        left = 0 if where == "left" else image.width - side
    return left, top, left + side, top + side


def _jpeg(square: Image.Image, side: int) -> bytes:
    buffer = BytesIO()
    square.resize((side, side), Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=QUALITY, optimize=True)
    return buffer.getvalue()
