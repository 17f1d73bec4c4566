"""What the GAN's and the VAE's training share: sheets of faces, and how far drawn faces are from real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from bot.portrait.wishes import AGES
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.face_labels import HEADS
from bot.vision.pixels import to_batch
from models.data.aligned_faces import AGE_OF_BAND, SMILE_FROM
from models.efficientnet_lite0 import pretrained

BATCH = 64


def sheet(rows: Sequence[np.ndarray], gap: int = 2) -> Image.Image:
    """Return a picture of rows of faces, each (N, S, S, 3) uint8."""
    framed = [np.pad(row, ((0, 0), (gap, 0), (gap, 0), (0, 0)), constant_values=255) for row in rows]
    return Image.fromarray(np.concatenate([np.concatenate(list(row), axis=1) for row in framed]))


def in_batches(function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Return ``function`` of the inputs, computed in parts that fit into memory."""
    with torch.inference_mode():
        parts = [function(*(value[i : i + BATCH] for value in inputs)) for i in range(0, len(inputs[0]), BATCH)]
    return torch.cat(parts)


def image_features(pixels: np.ndarray) -> np.ndarray:
    """Return EfficientNet-Lite0's pooled ImageNet features (N, 1280) of uint8 faces (N, 128, 128, 3)."""
    network = nn.Sequential(pretrained(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()

    def features(some: Tensor) -> Tensor:  # a batch becomes float32 when its turn comes: thousands would not fit
        images = torch.from_numpy(to_batch([Image.fromarray(face) for face in some.numpy()]))
        return network(images.to(memory_format=torch.channels_last))

    return in_batches(features, torch.from_numpy(pixels)).double().numpy()


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features (N, F) (Heusel et al. 2017).

    With X = QR the centred features over the root of N - 1, so that C = R^T R, the trace of the root is the sum of
    the singular values of R1 R2^T, which is small where faces are few. Few faces make the distance larger than it
    is: compare only figures of equal counts.
    """
    r1, r2 = (np.linalg.qr(f - f.mean(0), mode="r") / np.sqrt(len(f) - 1) for f in (first, second))
    shared = np.linalg.svd(r1 @ r2.T, compute_uv=False).sum()
    return float(np.square(first.mean(0) - second.mean(0)).sum() + (r1**2).sum() + (r2**2).sum() - 2 * shared)


def read_faces(pixels: np.ndarray, batch: int = 32) -> dict[str, np.ndarray]:
    """Return the shipped face reader's probabilities (N, labels) by head for aligned faces, taken as they are."""
    session = Session(Bundle().model("face_reader"), provider="cpu", threads=1)
    crops = to_batch([Image.fromarray(face) for face in pixels])
    parts = [session.run({"faces": crops[i : i + batch]}) for i in range(0, len(crops), batch)]
    return {head: np.concatenate([part[head] for part in parts]) for head in HEADS}


def agreement(read: Mapping[str, np.ndarray], conditions: np.ndarray) -> dict[str, float]:
    """Return how often the reader sees the age group, gender and smile (N, 3) that were asked for, and all at once."""
    group = np.zeros((len(HEADS["age_band"]), len(AGES)))
    group[np.arange(len(group)), list(AGE_OF_BAND.values())] = 1
    ages = (read["age_band"] @ group).argmax(1)
    smiles = read["expression"][:, HEADS["expression"].index("happy")] >= SMILE_FROM
    seen = np.stack([ages, read["gender"].argmax(1), smiles], axis=1)
    same = seen == conditions
    near = np.abs(ages - conditions[:, 0]) <= 1
    return {
        "age_agrees": float(same[:, 0].mean()),
        "age_within_one": float(near.mean()),
        "gender_agrees": float(same[:, 1].mean()),
        "smile_agrees": float(same[:, 2].mean()),
        "condition_agrees": float(same.all(1).mean()),
        "condition_within_one": float((near & same[:, 1:].all(1)).mean()),
    }


def save_sheet(rows: Sequence[np.ndarray], folder: Path, name: str) -> None:
    """Write a sheet under ``folder``/samples."""
    path = folder / "samples" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(rows).save(path)
