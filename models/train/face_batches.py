"""What the face reader is trained on: faces in memory, their targets, and the batches drawn from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from bot.domain import Box
from bot.vision.face_labels import CROP_MARGIN, CROP_SIZE, HEADS
from bot.vision.pixels import MEAN, STD, crop_face, to_batch
from models.data.face_augment import augment, square_of
from models.data.faces import SIZE, FaceRow, read_faces, read_pixels

LABELLED_SHARE = 0.22  # of every batch
RARITY = {"expression": 0.45, "glasses": 0.2, "facial_hair": 0.15, "headwear": 0.15}  # powers of 1 / frequency
HELD_OUT = {"labelled": 250, "others": 750}  # training faces kept for the temperatures
SMOOTHING = 0.05
AGE_SPREAD = 0.5  # bands: standard deviation of the soft age target


@dataclass(frozen=True)
class FaceSet:
    """Rows with their pixels (N, 128, 128, 3) uint8."""

    rows: Sequence[FaceRow]
    pixels: np.ndarray

    @classmethod
    def read(cls, folder: Path, split: str) -> FaceSet:
        """Read a split into memory."""
        rows = read_faces(folder, split)
        return cls(rows, read_pixels(folder, split, rows))

    def take(self, places: Sequence[int]) -> FaceSet:
        """Return the faces at ``places``."""
        return FaceSet([self.rows[i] for i in places], self.pixels[list(places)])

    def truth(self) -> dict[str, np.ndarray]:
        """Return the label number of every face by head, -1 where it has none."""
        return {head: np.array([label_of(row, head) for row in self.rows]) for head in HEADS}

    def crops(self) -> np.ndarray:
        """Return the production crops, normalised (N, 3, 128, 128) float32."""
        whole = SIZE / (1 + 2 * CROP_MARGIN)
        middle = Box((SIZE - whole) / 2, (SIZE - whole) / 2, whole, whole)  # whose crop is the whole frame
        frames = (Image.fromarray(pixels) for pixels in self.pixels)
        pairs = zip(frames, self.rows, strict=True)
        return to_batch([crop_face(frame, row.box or middle, CROP_SIZE, CROP_MARGIN) for frame, row in pairs])


@dataclass(frozen=True)
class MadeFaces:
    """Faces that a network made, to train on beside real ones.

    ``pixels`` (M, S, S, 3) uint8, ``targets`` distributions (M, labels) by head, all zero where nobody knows, and
    ``square``: centre x, y and side of the crop that frames a face in them as the detector's box does in a photo.
    They are ``share`` of every batch.
    """

    pixels: np.ndarray
    targets: Mapping[str, np.ndarray]
    square: tuple[float, float, float]
    share: float


def label_of(row: FaceRow, head: str) -> int:
    """Return the number of a row's label in the table of heads, -1 for none."""
    answer = row.answer(head)
    return HEADS[head].index(answer) if answer else -1


def split_held_out(faces: FaceSet, seed: int = 0) -> tuple[list[int], list[int]]:
    """Return places to train on and places kept for the temperatures."""
    random = np.random.default_rng(seed)
    labelled = np.array([row.labels is not None for row in faces.rows])
    kept = set()
    for name, group in (("labelled", labelled), ("others", ~labelled)):
        places = np.flatnonzero(group)
        kept |= set(random.permutation(places)[: min(HELD_OUT[name], len(places) // 8)].tolist())
    return [i for i in range(len(faces.rows)) if i not in kept], sorted(kept)


def soft_targets(truth: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Return target distributions (N, labels); all zero where a face has no label.

    Ages spread over neighbouring bands (label distribution learning: Geng 2016, arXiv:1408.6027), the
    other heads are smoothed.
    """
    targets = {}
    for head, labels in truth.items():
        count = len(HEADS[head])
        table = np.eye(count) * (1 - SMOOTHING) + SMOOTHING / count
        if head == "age_band":
            distance = np.arange(count)[:, None] - np.arange(count)
            table = np.exp(-(distance**2) / (2 * AGE_SPREAD**2))
            table /= table.sum(1, keepdims=True)
        targets[head] = torch.from_numpy(np.where(labels[:, None] >= 0, table[labels], 0)).float()
    return targets


def rarity(truth: Mapping[str, np.ndarray], labelled: np.ndarray) -> np.ndarray:
    """Return sampling weights of the labelled faces: higher the rarer their labels are, see ``RARITY``."""
    weights = np.ones(len(labelled))
    for head, power in RARITY.items():
        labels = truth[head][labelled]
        counts = np.bincount(labels[labels >= 0], minlength=len(HEADS[head]))
        weights *= np.where(labels >= 0, counts[labels], counts.max(initial=1)) ** -power
    return weights / weights.sum()


class Batches:
    """Draws training batches; the same seed and step give the same batch, also after a resume."""

    def __init__(self, faces: FaceSet, batch: int, seed: int, made: MadeFaces | None = None) -> None:
        """Take real faces and, for their share of every batch, ``made`` ones."""
        self.made, self.made_batch = made, round(batch * made.share) if made else 0
        batch -= self.made_batch
        truth = faces.truth()
        self.faces, self.targets, self.seed = faces, soft_targets(truth), seed
        self.squares = [square_of(row.box, SIZE) for row in faces.rows]
        self.labelled = np.flatnonzero(truth["expression"] >= 0)
        self.weights = rarity(truth, self.labelled)
        self.labelled_batch = round(batch * LABELLED_SHARE) if len(self.labelled) else 0
        self.any_batch = batch - self.labelled_batch

    def guess(self, probabilities: Mapping[str, np.ndarray], weight: float) -> None:
        """Give faces without labels the network's own ``probabilities`` (N, labels) as targets of that weight.

        Self-training with soft labels on changed images: Xie et al. 2020, arXiv:1911.04252.
        """
        for head, guessed in probabilities.items():
            target = self.targets[head]
            unknown = target.sum(1) == 0
            target[unknown] = weight * torch.from_numpy(guessed).float()[unknown]

    def plain(self, start: int, stop: int, size: int) -> Tensor:
        """Return the production crops (B, 3, size, size) of faces ``start`` to ``stop``, unchanged and normalised."""
        faces = FaceSet(self.faces.rows[start:stop], self.faces.pixels[start:stop])
        return F.interpolate(torch.from_numpy(faces.crops()), size=(size, size), mode="area")

    def draw(self, step: int, size: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return normalised crops (B, 3, size, size) and their target distributions."""
        random = np.random.default_rng((self.seed, step))
        places = random.permutation(len(self.faces.rows))[: self.any_batch]
        if self.labelled_batch:
            chosen = random.choice(self.labelled, self.labelled_batch, p=self.weights)
            places = np.concatenate([places, chosen])
        crops = [augment(self.faces.pixels[i], self.squares[i], size, random) for i in places]
        targets = {head: target[places] for head, target in self.targets.items()}
        if self.made and self.made_batch:
            chosen = random.choice(len(self.made.pixels), self.made_batch)
            crops += [augment(self.made.pixels[i], self.made.square, size, random) for i in chosen]
            known = {head: torch.from_numpy(self.made.targets[head][chosen]).float() for head in targets}
            targets = {head: torch.cat((target, known[head])) for head, target in targets.items()}
        pixels = (torch.from_numpy(np.stack(crops)).float() - torch.tensor(MEAN)) / torch.tensor(STD)
        return pixels.permute(0, 3, 1, 2), targets
