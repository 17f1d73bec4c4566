"""Faces of our GAN and VAE, with labels, for training the face reader on beside real ones.

The GAN's faces have the labels they were asked for with. The VAE's are training faces with the difference of two of
its pictures laid over them, as the bot's morphs are: sober ones smile, others change a little at random. So they
keep what the VAE's own pictures lose (of 40 pairs of glasses none was left, faces of 65 looked 24) and the labels of
it. Smiles are not taken away: teeth cannot be. Only labels of the faces trained on are used, never what another face
reader made of them. All faces are made once and kept under ``cache/``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bot.runtime.bundle import Bundle
from bot.vision.face_labels import HEADS
from models.data.aligned_faces import AGE_OF_BAND, CACHE, align, usable
from models.data.portrait_models import PortraitModels
from models.train.face_batches import FaceSet, MadeFaces, soft_targets

KINDS = ("none", "gan", "vae")
COUNT = 4000  # faces that are made
# Centre and side of the crop that the reader makes of an aligned face: the mean over the usable FairFace faces of
# their detection boxes, turned with them
SQUARE = (63.3, 60.1, 127.5)
BALANCE = 0.5  # a kind of face is drawn by its frequency to the power of 1 - BALANCE, as in the GAN's training
SMILE = 1.5  # how far along the VAE's smile: of 40 sober validation faces 32 were then read as happy
WANDER = 0.3  # how far other faces move at random, in deviations of each latent number
HAPPY, NEUTRAL = (HEADS["expression"].index(label) for label in ("happy", "neutral"))

Targets = dict[str, np.ndarray]


def maker(
    kind: str, share: float, bundle: Path, seed: int, count: int = COUNT, cache: Path = CACHE
) -> Callable[[FaceSet], MadeFaces] | None:
    """Return what makes faces of ``kind`` for a training set, None for "none"; ``share`` is theirs of a batch."""
    if kind == "none":
        return None

    def made(faces: FaceSet) -> MadeFaces:
        opened = Bundle(bundle)
        hashes = [opened.model(name).about["sha256"] for name in ("gan", "vae_encoder", "vae_decoder")]
        key = repr((kind, count, seed, hashes, [row.file for row in faces.rows]))
        path = cache / f"made-{kind}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.npz"
        if not path.exists():
            make = drawn_faces if kind == "gan" else moved_faces
            pixels, targets = make(PortraitModels(opened), faces, count, np.random.default_rng(seed))
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, pixels=pixels, **targets)  # type: ignore[arg-type]
        with np.load(path) as kept:
            return MadeFaces(kept["pixels"], {head: kept[head] for head in HEADS}, SQUARE, share)

    return made


def tables() -> Targets:
    """Return the target distribution (labels, labels) of every label by head."""
    return {k: v.numpy() for k, v in soft_targets({h: np.arange(len(labels)) for h, labels in HEADS.items()}).items()}


def drawn_faces(
    models: PortraitModels, faces: FaceSet, count: int, random: np.random.Generator
) -> tuple[np.ndarray, Targets]:
    """Draw faces of the kinds that are in the training set, half of them smiling."""
    truth, table = faces.truth(), tables()
    group = np.array(list(AGE_OF_BAND.values()))
    kinds = np.stack([group[truth["age_band"]], truth["gender"]], axis=1)
    _, kind, counts = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    weights = counts[kind.ravel()] ** -BALANCE
    like = random.choice(len(kinds), count, p=weights / weights.sum())
    smiles = random.integers(0, 2, count)
    conditions = np.column_stack([kinds[like], smiles]).astype(np.int64)

    bands = np.bincount(truth["age_band"], minlength=len(group))
    shares = np.where(group == np.arange(group.max() + 1)[:, None], bands, 0)  # (groups, bands)
    shares = shares / np.maximum(shares.sum(1, keepdims=True), 1)
    sober = np.bincount(truth["expression"][truth["expression"] >= 0], minlength=len(HEADS["expression"]))
    sober[HAPPY] = 0
    sober = sober / sober.sum() if sober.any() else np.eye(len(sober))[NEUTRAL]
    targets = {head: np.zeros((count, len(labels))) for head, labels in HEADS.items()}
    targets["age_band"] = (shares @ table["age_band"])[conditions[:, 0]]
    targets["gender"] = table["gender"][conditions[:, 1]]
    targets["expression"] = np.stack([sober @ table["expression"], table["expression"][HAPPY]])[smiles]
    return models.draw(conditions, random.integers(0, 2**31, count).tolist()), targets


def moved_faces(
    models: PortraitModels, faces: FaceSet, count: int, random: np.random.Generator
) -> tuple[np.ndarray, Targets]:
    """Let sober training faces smile, and others change a little at random, their labels with them.

    Half of them smile, as far as there are faces labelled as neutral.
    """
    faces = faces.take([i for i, row in enumerate(faces.rows) if usable(row)])
    if not faces.rows:
        raise SystemExit("No face of the training set can be aligned; raise --limit.")
    truth = faces.truth()
    source = random.integers(0, len(faces.rows), count)
    sober = np.flatnonzero(truth["expression"] == NEUTRAL)
    if len(sober):
        source[: count // 2] = random.choice(sober, count // 2)
    smiles = np.arange(count) < (count // 2 if len(sober) else 0)
    pairs = zip(faces.pixels, faces.rows, strict=True)
    aligned = np.stack([align(pixels, row.landmarks) for pixels, row in pairs])
    latents = models.encode(aligned)
    wander = WANDER * latents.std(0) * random.standard_normal((count, latents.shape[1]))
    moved = latents[source] + np.where(smiles[:, None], 0, wander)
    change = models.decode(moved, models.along("smile", SMILE * smiles, count)).astype(np.int16)
    change -= models.decode(latents)[source]
    pixels = (aligned[source] + change).clip(0, 255).astype(np.uint8)

    targets = {head: target.numpy()[source] for head, target in soft_targets(truth).items()}
    targets["expression"][smiles] = tables()["expression"][HAPPY]
    targets["strength"][smiles] = 0  # how strong that is nobody knows
    return pixels, targets
