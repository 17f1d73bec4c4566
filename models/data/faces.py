"""Reader for the faces: 28,000 FairFace crops at 128 px and our own labels for 3,000 of them.

FairFace (Karkkainen & Joo 2021, CC BY 4.0) gives age band and gender; YuNet's box and landmarks were
added; expression and glasses are ours. Rows labelled as ``val`` are never to be trained on, although
their pixels lie in the train archive: ``read_faces("train")`` leaves them out.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bot.domain import Box
from models.train.run import need

SIZE = 128
GREY = 3.0  # mean |R - B|; below, a photo has no colours
POINTS = ("re", "le", "nose", "rm", "lm")  # the order of bot.domain.Face.landmarks


@dataclass(frozen=True, slots=True)
class FaceLabels:
    """What was seen by eye: ``strength`` 1 (weak) to 3 is how plain the expression is."""

    expression: str
    strength: int
    glasses: str
    facial_hair: str
    headwear: str
    hair_length: str
    hair_colour: str
    eyes: str
    note: str


# Labels too rare to learn, as the face reader is taught them; None is no label
MERGED: dict[str, dict[str, str | None]] = {
    "strength": {"1": "slight", "2": "clear", "3": "strong"},
    "headwear": dict.fromkeys(("helmet", "hood", "headband"), "other"),
    "hair_length": {"unclear": None},
    "hair_colour": dict.fromkeys(("unclear", "red", "dyed")),
}


@dataclass(frozen=True, slots=True)
class FaceRow:
    """One 128 px face. ``box`` and ``landmarks`` are YuNet's, in pixels of the frame; None and () where it saw none.

    ``sharpness`` is the variance of the Laplacian, ``colour`` the mean of |R - B| (near 0 is grey).
    """

    file: str
    age_band: str
    gender: str
    box: Box | None
    landmarks: tuple[tuple[float, float], ...]
    sharpness: float
    colour: float
    frontal: bool
    labels: FaceLabels | None

    def answer(self, head: str) -> str | None:
        """Return the label the face reader should give under ``head``, None where nobody knows.

        Hair in a photo without colours has no colour.
        """
        if head in ("age_band", "gender"):
            return str(getattr(self, head))
        if self.labels is None or (head == "hair_colour" and self.colour < GREY):
            return None
        said = str(getattr(self.labels, head))
        return MERGED.get(head, {}).get(said, said)


def read_faces(folder: Path, split: str) -> list[FaceRow]:
    """Read the rows of split ``train``, ``val`` or ``labelled-val``, in a stable order.

    ``train`` is free of the labelled validation rows; ``labelled-val`` is exactly those.
    """
    archive = archive_of(split)
    labels, held_out = _read_labels(folder) if archive == "train" else ({}, set())  # val uses the same file names
    with need(folder / f"faces-{archive}.csv", "the FairFace crops").open(newline="", encoding="utf-8") as stream:
        rows = [_row(record, labels.get(record["file"])) for record in csv.DictReader(stream)]
    if archive == "train":
        rows = [row for row in rows if (row.file in held_out) == (split == "labelled-val")]
    return sorted(rows, key=lambda row: row.file)


def read_pixels(folder: Path, split: str, rows: Sequence[FaceRow]) -> np.ndarray:
    """Decode the crops of ``rows`` into RGB uint8 (N, 128, 128, 3), in the order of ``rows``."""
    places = {row.file: i for i, row in enumerate(rows)}
    pixels = np.zeros((len(rows), SIZE, SIZE, 3), np.uint8)
    path = need(folder / f"faces-{archive_of(split)}.tar", "the FairFace crops")
    with tarfile.open(path) as archive:
        for member in archive:
            place = places.pop(member.name, None)
            if place is None:
                continue
            stream = archive.extractfile(member)
            assert stream is not None
            pixels[place] = np.asarray(Image.open(io.BytesIO(stream.read())).convert("RGB"))
    if places:
        raise ValueError(f"{path} lacks {len(places)} faces of its csv, {next(iter(places))} for one.")
    return pixels


def archive_of(split: str) -> str:
    """Return which archive holds a split's pixels."""
    return {"train": "train", "labelled-val": "train", "val": "val"}[split]


def _read_labels(folder: Path) -> tuple[dict[str, FaceLabels], set[str]]:
    labels, held_out = {}, set()
    with need(folder / "faces-labels.csv", "our labels of faces").open(newline="", encoding="utf-8") as stream:
        for record in csv.DictReader(stream):
            file, split = record.pop("file"), record.pop("split")
            labels[file] = FaceLabels(**{**record, "strength": int(record["strength"])})  # type: ignore[arg-type]
            if split == "val":
                held_out.add(file)
    return labels, held_out


def _row(record: dict[str, str], labels: FaceLabels | None) -> FaceRow:
    seen = bool(record["w"])
    return FaceRow(
        file=record["file"],
        age_band=record["age"],
        gender=record["gender"],
        box=Box(*(float(record[key]) for key in "xywh")) if seen else None,
        landmarks=tuple((float(record[f"{p}_x"]), float(record[f"{p}_y"])) for p in POINTS) if seen else (),
        sharpness=float(record["sharpness"]),
        colour=float(record["colour"]),
        frontal=record["frontal"] == "1",
        labels=labels,
    )
