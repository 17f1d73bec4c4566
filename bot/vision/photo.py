"""From the bytes someone sent to an upright RGB photo, safely.

Only an allow-list of picture formats is opened; size in bytes and in pixels is checked before anything
is decoded; every way a file can be wrong is a BadInput with one sentence. All metadata is dropped.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from io import BytesIO
from math import isqrt
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError

from bot.domain import BadInput, Box
from bot.locales import Text, _

MAX_BYTES = 25 * 2**20
MAX_PIXELS = 40_000_000
LEAST_PIXELS = 1000 * 720  # kept of a larger photo, enough for faces and captions; more only costs time
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
WANTED = _("a JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC or AVIF")
# How the readable formats begin, to tell a damaged photo from something that never was one.
_READABLE = re.compile(rb"\xff\xd8|\x89PNG|RIFF....WEBP|GIF8|II\*\0|MM\0\*|....ftyp(hei|hev|mif|msf|avi)", re.DOTALL)
_OTHERS: tuple[tuple[re.Pattern[bytes], Text], ...] = (
    (re.compile(rb"[^\0]*<svg", re.IGNORECASE), _("an SVG drawing")),
    (re.compile(rb"[^\0]*<(!doctype )?html", re.IGNORECASE), _("a web page")),
    (re.compile(rb"%PDF"), _("a PDF")),
    (re.compile(rb"PK\x03\x04"), _("a ZIP archive")),
    (re.compile(rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI", re.DOTALL), _("a video")),
)
_DAMAGED = _("The photo is damaged or cut short; send it again, or save it anew as JPEG or PNG.")
# One photo at a time: it bounds the memory big photos take, and warning filters belong to the whole process.
_decoding = threading.Lock()

pillow_heif.register_heif_opener()
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # its word on broken files is said again by BadInput


@dataclass(frozen=True)
class Photo:
    """An upright RGB picture without metadata, perhaps smaller than the photo that was sent.

    ``width`` and ``height`` are those of the original, upright; ``image`` is the one to look at.
    """

    image: Image.Image
    width: int
    height: int

    def to_original(self, box: Box) -> Box:
        """Map a box from pixels of ``image`` to pixels of the original, cut off at its edges."""
        across, down = self.width / self.image.width, self.height / self.image.height
        left, right = (min(max(x * across, 0.0), self.width) for x in (box.x, box.x + box.w))
        top, bottom = (min(max(y * down, 0.0), self.height) for y in (box.y, box.y + box.h))
        return Box(left, top, right - left, bottom - top)


def open_photo(path: Path) -> Photo:
    """Read a photo from a file; raise BadInput when there is none or it cannot be read."""
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a photo in it.")
        if path.stat().st_size > MAX_BYTES:
            raise _too_big(path.stat().st_size)
        data = path.read_bytes()
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}; check the path.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"{path} cannot be read ({reason}); check the path and its permissions.") from None
    return decode(data)


def decode(data: bytes) -> Photo:
    """Decode the first frame of a photo.

    Raises BadInput for more than MAX_BYTES or MAX_PIXELS, for what is no photo and for a damaged one.
    """
    if not data:
        raise BadInput("The photo is an empty file; send it again.")
    if len(data) > MAX_BYTES:
        raise _too_big(len(data))
    with _decoding, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(data), formats=FORMATS) as opened:
                return _upright(opened)
        except BadInput:
            raise
        except Image.DecompressionBombError:
            raise BadInput(
                "The photo has far too many pixels; send one of at most {most} megapixels.", most=_mega(MAX_PIXELS)
            ) from None
        except UnidentifiedImageError:
            raise _unknown(data) from None
        except Exception:  # noqa: BLE001 - decoders of broken files raise whatever they stumble over
            raise BadInput(_DAMAGED) from None


def _upright(opened: Image.Image) -> Photo:
    width, height = opened.size
    if width * height > MAX_PIXELS:
        sentence = _("The photo has {size} megapixels; send one of at most {most} megapixels.")
        raise BadInput(sentence, size=_mega(width * height), most=_mega(MAX_PIXELS))
    # Whole divisors only: averaging whole blocks of pixels takes a tenth of the time of any other resize.
    divisor = max(1, isqrt(width * height // LEAST_PIXELS))
    # A JPEG decodes straight to 1/2, 1/4 or 1/8, never below what is asked for; others ignore this.
    opened.draft(None, (width // divisor, height // divisor))
    with _quiet_libtiff() if opened.format == "TIFF" else nullcontext():
        opened.load()
    divisor //= round(width / opened.width)
    lying = opened.width > opened.height
    _turn(opened)
    if (opened.width > opened.height) != lying:
        width, height = height, width
    image = _on_white(_eight_bit(opened).reduce(divisor))  # always a copy, so without metadata
    image.info = {}
    return Photo(image, width, height)


@contextmanager
def _quiet_libtiff() -> Iterator[None]:
    """Send stderr nowhere: libtiff writes its complaints there itself, past Python."""
    try:
        stderr = os.dup(2)
    except OSError:  # no stderr, nothing to keep quiet
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _turn(image: Image.Image) -> None:
    """Apply the EXIF orientation in place; metadata that cannot be read turns nothing."""
    with suppress(Exception):  # broken EXIF raises many types, and the pixels are still good
        ImageOps.exif_transpose(image, in_place=True)


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB, or to RGBA if something is transparent."""
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float32)
        low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
        scaled = (values - low) * (255.0 / max(high - low, 1e-9))
        return Image.fromarray(np.nan_to_num(scaled).clip(0, 255).astype(np.uint8)).convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)  # copies of large photos take their time


def _on_white(image: Image.Image) -> Image.Image:
    """Lay transparent pixels on white."""
    if image.mode == "RGB":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _unknown(data: bytes) -> BadInput:
    """Return the sentence for data that no allowed decoder knows."""
    if _READABLE.match(data):
        return BadInput(_DAMAGED)
    for sign, what in _OTHERS:
        if sign.match(data[:1024]):
            return BadInput("This file is {what}, not a photo; send {wanted}.", what=what, wanted=WANTED)
    return BadInput("This file is not a photo that can be read here; send {wanted}.", wanted=WANTED)


def _too_big(size: int) -> BadInput:
    most = MAX_BYTES // 2**20
    return BadInput("The photo has {size} MB; send one of at most {most} MB.", size=f"{size / 2**20:.1f}", most=most)


def _mega(pixels: int) -> str:
    return f"{pixels / 1e6:.0f}"
