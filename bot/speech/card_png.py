"""The PNG side of character cards: text chunks read and written one by one, and the card's picture.

Pillow never sees a chunk that is not needed for the pixels, so compressed text cannot fill the memory.
"""

from __future__ import annotations

import base64
import binascii
import colorsys
import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont, ImageOps

from bot.domain import BadInput

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORDS = ("ccv3", "chara")  # the first one found is the card
PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
MAX_CHUNKS = 20_000
MAX_MEGAPIXELS = 16
SIDE = 256  # pixels of an avatar; smaller pictures stay as they are
UPPER = (0.5, 0.2)  # where a tall picture is cut to a square: faces are near its top
FONTS = ("NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "DejaVuSans.ttf", "Arial Unicode.ttf")

Chunk = tuple[bytes, bytes]


def read_chunks(data: bytes) -> list[Chunk]:
    """Return the kinds and bodies of a PNG's chunks; raise BadInput for one that is damaged or cut short."""
    found: list[Chunk] = []
    at = len(SIGNATURE)
    while at + 12 <= len(data) and len(found) < MAX_CHUNKS:
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data) or zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            break
        found.append((kind, data[at + 8 : end - 4]))
        if kind == b"IEND":
            return found
        at = end
    raise _damaged()


def card_json(chunks: list[Chunk], limit: int) -> bytes:
    """Return the JSON that a PNG's chunks hold, at most ``limit`` bytes; raise BadInput when there is none."""
    texts: dict[str, bytes] = {}
    for kind, body in chunks:
        keyword, _, text = body.partition(b"\0") if kind == b"tEXt" else (b"", b"", b"")
        name = keyword[:79].decode("latin-1").lower()
        if name in KEYWORDS:
            if name in texts:
                raise BadInput("This picture holds two cards; export the character again and send that file.")
            texts[name] = text
    encoded = next((texts[name] for name in KEYWORDS if name in texts), None)
    if encoded is None:
        raise BadInput("This picture holds no character card; send the original PNG, not a screenshot or a preview.")
    if len(encoded) > limit * 3 // 2:
        raise too_long(limit)
    try:
        packed = re.sub(rb"\s+", b"", encoded).rstrip(b"=")
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except binascii.Error:
        raise BadInput("The card in this picture is damaged; export the character again and send that file.") from None


def too_long(limit: int) -> BadInput:
    """Return the refusal of a card whose text is longer than ``limit`` bytes."""
    return BadInput("The card's text is longer than {limit} KB; shorten its lorebook or assets.", limit=limit // 1024)


def with_cards(png: bytes, cards: Mapping[str, bytes]) -> bytes:
    """Return a PNG with the JSON of each keyword in a text chunk of its own before the end."""
    chunks = [chunk for chunk in read_chunks(png) if chunk[0] in PIXELS]
    texts = [(b"tEXt", name.encode() + b"\0" + base64.b64encode(text)) for name, text in cards.items()]
    return _joined([*chunks[:-1], *texts, chunks[-1]])


def avatar_of(chunks: list[Chunk]) -> bytes:
    """Return the picture of a PNG's chunks as an avatar; raise BadInput when it cannot be drawn."""
    return avatar(_joined([chunk for chunk in chunks if chunk[0] in PIXELS]))


def avatar(data: bytes) -> bytes:
    """Return a picture as a square PNG of at most SIDE pixels without metadata, a tall one cut near its top."""
    try:
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as opened:
            width, height = opened.size
            if width * height <= MAX_MEGAPIXELS * 2**20:
                picture = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
                side = min(SIDE, width, height)
                return _png(ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC, centering=UPPER))
    except Exception:  # noqa: BLE001 - decoders of broken files raise whatever they stumble over
        raise _damaged() from None
    raise BadInput("The card's picture has more than {most} megapixels; send a smaller one.", most=MAX_MEGAPIXELS)


def tile(name: str) -> bytes:
    """Return a plain avatar for a name: its first letter, or a smile, on a colour of its own."""
    hue = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=1).digest()[0] / 256
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.42, 0.5))
    picture = Image.new("RGB", (SIDE, SIDE), (red, green, blue))
    pen, middle = ImageDraw.Draw(picture), SIDE // 2
    initial = next((char for char in name if char.isalnum()), "").upper()
    font = _font_with(initial) if initial else None
    if font:
        pen.text((middle, middle), initial, fill="white", font=font, anchor="mm")
    else:
        for x in (middle - 40, middle + 40):
            pen.ellipse((x - 14, middle - 44, x + 14, middle - 16), fill="white")
        pen.arc((middle - 60, middle - 40, middle + 60, middle + 60), 20, 160, fill="white", width=12)
    return _png(picture)


@lru_cache(maxsize=256)
def _font_with(letter: str) -> ImageFont.FreeTypeFont | ImageFont.ImageFont | None:
    """Return a big font that can draw a letter: Pillow's own, else one of the system's, else None."""
    size = SIDE // 2
    for load in (
        lambda: ImageFont.load_default(size),
        *(lambda name=name: ImageFont.truetype(name, size) for name in FONTS),
    ):
        try:
            font = load()
        except OSError:
            continue
        if bytes(font.getmask(letter)) != bytes(font.getmask("\U0010ffff")):  # what stands for letters it lacks
            return font
    return None


def _png(picture: Image.Image) -> bytes:
    picture.info = {}
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _joined(chunks: list[Chunk]) -> bytes:
    """Return the chunks as a PNG file."""
    parts = [SIGNATURE]
    for kind, body in chunks:
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(parts)


def _damaged() -> BadInput:
    return BadInput("The card's picture is damaged or cut short; send the original PNG again.")
