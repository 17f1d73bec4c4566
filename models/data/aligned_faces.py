"""Faces for the GAN and the VAE: sharp, frontal, in colour, turned so that eyes and mouth lie at fixed places.

Aligned pixels (bot/portrait/alignment.py) and the face reader's probabilities are computed once and kept under
``cache/``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from bot.portrait.alignment import EDGE, TEMPLATE, align, transform_to_template
from bot.portrait.wishes import GENDERS, GROUP_OF_BAND
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.face_labels import AGE_BANDS, HEADS
from models.data.faces import FaceRow, read_faces, read_pixels
from models.train.face_batches import FaceSet

CACHE = Path("cache/portraits")
LEAST_SHARPNESS, COLOUR, MOST_ERROR = 16.0, (8.0, 75.0), 4.0  # too little colour is grey, too much a tinted photo

AGE_OF_BAND = dict(zip(AGE_BANDS, GROUP_OF_BAND, strict=True))
SMILE_FROM = 0.5  # of the reader's probability of happy, where nobody looked


def usable(row: FaceRow) -> bool:
    """Return whether a face is one to learn from: found, frontal, sharp, in colour, its points near the template's."""
    coloured = COLOUR[0] <= row.colour <= COLOUR[1]
    if not (row.frontal and row.landmarks and row.sharpness >= LEAST_SHARPNESS and coloured):
        return False
    return transform_to_template(row.landmarks)[1] <= MOST_ERROR


@dataclass(frozen=True)
class AlignedFaces:
    """N faces: ``pixels`` (N, 128, 128, 3) uint8, ``conditions`` (N, 3) of a wish, ``read`` (N, labels) by head."""

    files: Sequence[str]
    pixels: np.ndarray
    conditions: np.ndarray
    read: Mapping[str, np.ndarray]

    @classmethod
    def load(cls, folder: Path, split: str, cache: Path = CACHE) -> AlignedFaces:
        """Align the usable faces of ``split``, or take them from the cache when it holds exactly these."""
        rows = [row for row in read_faces(folder, split) if usable(row)]
        key = repr((split, [row.file for row in rows], TEMPLATE, EDGE))
        path = cache / f"{split}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
        if not path.exists():
            frames = read_pixels(folder, split, rows)
            pixels = np.stack([align(frame, row.landmarks) for frame, row in zip(frames, rows, strict=True)])
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, pixels=pixels, **read_labels(FaceSet(rows, frames)))  # type: ignore[arg-type]
        with np.load(path) as kept:
            read = {head: kept[head] for head in HEADS}
            faces = cls([row.file for row in rows], kept["pixels"], conditions_of(rows, read["expression"]), read)
        return faces.take(np.flatnonzero(read["glasses"][:, HEADS["glasses"].index("sunglasses")] < 0.5))

    def take(self, places: np.ndarray) -> AlignedFaces:
        """Return the faces at ``places``."""
        read = {head: values[places] for head, values in self.read.items()}
        return AlignedFaces([self.files[i] for i in places], self.pixels[places], self.conditions[places], read)


def read_labels(faces: FaceSet, batch: int = 32) -> dict[str, np.ndarray]:
    """Return what the shipped face reader makes of the faces: probabilities (N, labels) by head."""
    session = Session(Bundle().model("face_reader"), provider="cpu", threads=1)
    parts = [
        session.run({"faces": faces.take(range(i, min(i + batch, len(faces.rows)))).crops()})
        for i in tqdm(range(0, len(faces.rows), batch), desc="reading faces", mininterval=5)
    ]
    return {head: np.concatenate([part[head] for part in parts]) for head in HEADS}


def conditions_of(rows: Sequence[FaceRow], expression: np.ndarray) -> np.ndarray:
    """Return age group, gender and smile (N, 3) int64: FairFace's and our labels, the reader's smile elsewhere."""
    happy = HEADS["expression"].index("happy")
    smiles = [
        row.labels.expression == "happy" if row.labels else read[happy] >= SMILE_FROM
        for row, read in zip(rows, expression, strict=True)
    ]
    columns = [
        (AGE_OF_BAND[row.age_band], GENDERS.index(row.gender), int(s)) for row, s in zip(rows, smiles, strict=True)
    ]
    return np.array(columns, np.int64).reshape(-1, 3)


def to_network(pixels: np.ndarray) -> Tensor:
    """Return uint8 pixels (B, H, W, 3) as float32 (B, 3, H, W) in -1..1, channels last in memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pixels(images: Tensor) -> np.ndarray:
    """Return images (B, 3, H, W) in -1..1 as uint8 (B, H, W, 3)."""
    return images.clamp(-1, 1).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
