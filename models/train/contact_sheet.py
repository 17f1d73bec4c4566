"""Many photos with a caption each on one sheet, for looking at results by eye."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

TILE = 240  # pixels of the square a photo is fitted into
TEXT_HEIGHT = 130
FONT_SIZE = 12
CHARACTERS = 40  # a line of text under a tile holds about this many


def contact_sheet(images: Sequence[Image.Image], captions: Sequence[str], columns: int = 5) -> Image.Image:
    """Return an RGB sheet of ``images`` in rows of ``columns``, each over its wrapped caption."""
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * TILE, rows * (TILE + TEXT_HEIGHT)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = i % columns * TILE, i // columns * (TILE + TEXT_HEIGHT)
        scale = min(TILE / image.width, TILE / image.height)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        sheet.paste(image.convert("RGB").resize(size, Image.Resampling.BILINEAR), (left, top))
        lines = [line for part in caption.split("\n") for line in textwrap.wrap(part, CHARACTERS)]
        draw.multiline_text((left + 3, top + TILE + 2), "\n".join(lines), fill="black", font=font, spacing=1)
    return sheet
