"""Files that tests post."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def picture(colour: str = "red", kind: str = "JPEG") -> bytes:
    """Return a small picture of one colour."""
    buffer = BytesIO()
    Image.new("RGB", (64, 48), colour).save(buffer, kind)
    return buffer.getvalue()
