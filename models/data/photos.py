"""Reader of the photo set: photos.tar beside photos.csv (one row a photo, a split column).

Columns: file, source, coco_caption, caption_a, caption_b, people, split. Captions and people were
written in the form the corpus uses; many photos have none.
"""

from __future__ import annotations

import csv
import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from models.train.run import need


@dataclass(frozen=True, slots=True)
class PhotoItem:
    """One photo: its file name, its captions, the people text (may be empty) and its split."""

    file: str
    captions: tuple[str, ...]  # in the corpus' form, written by eye
    people: str  # "man, adult, happy, center ; dog, -, happy, left"
    split: str  # "train" or "val"
    coco_caption: str = ""


class Photos:
    """The photo set in ``folder``. Pixels are read on demand; safe from several threads and after a fork."""

    def __init__(self, folder: Path) -> None:
        """Read the table and the tar's index; stop with one sentence if ``folder`` lacks either."""
        table = need(Path(folder) / "photos.csv", "the table of photos")
        archive = need(Path(folder) / "photos.tar", "the photos")
        with tarfile.open(archive) as tar:
            self._spans = {Path(m.name).name: (m.offset_data, m.size) for m in tar if m.isfile()}
        self._stream = archive.open("rb")
        with table.open(encoding="utf-8", newline="") as stream:
            self._items = tuple(_item(row) for row in csv.DictReader(stream) if row["file"] in self._spans)

    def items(self, split: str | None = None, *, captioned: bool = False) -> list[PhotoItem]:
        """Return the photos of ``split`` (None: all), only those with our own captions if ``captioned``."""
        return [
            item for item in self._items if (split is None or item.split == split) and (not captioned or item.captions)
        ]

    def image(self, file: str) -> Image.Image:
        """Return a photo as a decoded RGB image; KeyError if the set has no such file."""
        offset, size = self._spans[file]
        data = os.pread(self._stream.fileno(), size, offset)
        return Image.open(io.BytesIO(data)).convert("RGB")


def _item(row: dict[str, str]) -> PhotoItem:
    captions = tuple(text for text in (row["caption_a"], row["caption_b"]) if text)
    return PhotoItem(row["file"], captions, row["people"], row["split"], row["coco_caption"])
