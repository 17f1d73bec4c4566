"""The files that people post: photos of many kinds, and what cannot be a photo."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from bot.cogs.photos import NO_PHOTO
from bot.vision.photo import MAX_BYTES

File = tuple[str, bytes]
SCREENS = Path(__file__).parents[2] / "docs" / "screens" / "photos"
KINDS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF"}
SIZES = ((64, 48), (300, 400), (640, 480), (900, 500), (1280, 960))
LARGE = (4000, 3000)

DAMAGED = "The photo is damaged or cut short; send it again, or save it anew as JPEG or PNG."
EMPTY = "The photo is an empty file; send it again."
OTHER = "This file is {what}, not a photo; send {wanted}."
UNREADABLE = "This file is not a photo that can be read here; send {wanted}."
TOO_LARGE = "That photo is larger than {limit} MB; post a smaller one."
TOO_MANY_PIXELS = "The photo has {size} megapixels; send one of at most {most} megapixels."


@dataclass(frozen=True)
class Bad:
    """A file that is no photo, and the sentence with which it is refused."""

    file: File
    sentence: str


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, KINDS[kind], **options)
    return buffer.getvalue()


@cache
def _drawn(size: tuple[int, int], kind: str) -> bytes:
    """Return a picture with soft shapes in it; a GIF moves, a PNG lets something shine through."""
    colours = Image.effect_mandelbrot((80, 60), (-2, -1.2, 1, 1.2), 40).resize(size)
    if kind == "gif":
        return _saved(colours, kind, save_all=True, append_images=[colours.rotate(90)])
    red = Image.merge("RGB", (colours.point(lambda value: 255 - value // 2), colours, colours))
    if kind == "png" and size < (500, 500):
        red.putalpha(colours.point(lambda value: 255 - value))
    return _saved(red, kind)


@cache
def _screens() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(SCREENS.glob("*.jpg")))


@cache
def _too_large() -> bytes:
    return b"\xff\xd8\xff" + bytes(MAX_BYTES)


@cache
def _bad() -> tuple[Bad, ...]:
    good = _drawn(SIZES[2], "jpg")
    bomb = BytesIO()
    Image.new("1", (8000, 6000)).save(bomb, "PNG")
    return (
        Bad(("cut.jpg", good[: len(good) // 3]), DAMAGED),
        Bad(("words.jpg", b"this is no photo, and never was"), UNREADABLE),
        Bad(("paper.png", b"%PDF-1.7 and so on"), OTHER),
        Bad(("nothing.png", b""), EMPTY),
        Bad(("poster.png", bomb.getvalue()), TOO_MANY_PIXELS),
        Bad(("huge.jpg", _too_large()), TOO_LARGE),
        Bad(("letter.txt", b"Dear photo"), NO_PHOTO),
    )


def photo(dice: Random, *, real: bool = False, name: str = "me") -> File:
    """Return some photo; ``real`` ones show people."""
    if real and dice.random() < 0.7:
        return f"{name}.jpg", dice.choice(_screens())
    kind = dice.choice(list(KINDS))
    if kind == "jpg" and dice.random() < 0.05:
        return f"{name}.jpg", _drawn(LARGE, kind)
    return f"{name}.{kind}", _drawn(dice.choice(SIZES), kind)


def bad(dice: Random) -> Bad:
    """Return something that is no photo."""
    return dice.choice(_bad())
