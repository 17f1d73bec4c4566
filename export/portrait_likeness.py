"""How like real faces drawn ones are, how varied, and whether any was copied, from features (N, F) of both."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from models.data.aligned_faces import CACHE
from models.train.generated import image_features

NEIGHBOURS = 3  # of precision and recall, as in the paper
OTHERS = 10  # a copy's nearest training face is much nearer than its tenth nearest
CLOSE = 0.01  # share of real faces that counts as conspicuously close to a training face


def cached_features(pixels: np.ndarray, cache: Path = CACHE) -> np.ndarray:
    """Return the image features (N, 1280) of faces that come again at every measurement."""
    path = cache / f"features-{hashlib.sha256(pixels.tobytes()).hexdigest()[:12]}.npy"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, image_features(pixels).astype(np.float32))
    return np.load(path).astype(np.float64)


def squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the squared distances (N, M) of features (N, F) and (M, F)."""
    found = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return np.maximum(found, 0)


def nearest(features: np.ndarray, training: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each face how far its nearest training face is, that one's place, and the share of the OTHERSth's.

    A plain face is near to many; a copy is near to one alone, and its share (0..1) small.
    """
    squares = squared_distances(features, training)
    places = squares.argmin(1)
    distances = np.sqrt(squares[np.arange(len(places)), places])
    others = np.sqrt(np.partition(squares, OTHERS - 1, axis=1)[:, OTHERS - 1])
    return distances, places, distances / np.maximum(others, 1e-9)


def memory_figures(drawn: np.ndarray, real: np.ndarray, training: np.ndarray) -> dict[str, float]:
    """Compare how far drawn and unseen real faces are from their nearest training face.

    Of real ones CLOSE are nearer than others of their own by its making, as the share of the OTHERSth nearest says:
    ``copies`` is how many drawn ones are. A GAN that copies has many more there.
    """
    (drawn_far, _, drawn_share), (real_far, _, real_share) = (nearest(kind, training) for kind in (drawn, real))
    limit = float(np.quantile(real_share, CLOSE))
    return {
        "nearest_drawn": float(np.median(drawn_far)),
        "nearest_real": float(np.median(real_far)),
        "copies_below": limit,
        "copies": float((drawn_share < limit).mean()),
    }


def precision_and_recall(real: np.ndarray, drawn: np.ndarray, neighbours: int = NEIGHBOURS) -> tuple[float, float]:
    """Return the share of drawn faces that lie among real ones, and of real faces that lie among drawn ones.

    A face lies among others if it is nearer to one of them than that one's k-th nearest of its own kind
    (Kynkaanniemi et al. 2019, arXiv:1904.06991): low precision means odd faces, low recall means few kinds.
    """
    between = squared_distances(real, drawn)
    real_reach, drawn_reach = (
        np.partition(squared_distances(kind, kind), neighbours, axis=1)[:, neighbours] for kind in (real, drawn)
    )  # the nearest of all is the face itself
    precision = (between <= real_reach[:, None]).any(0).mean()
    recall = (between <= drawn_reach[None]).any(1).mean()
    return float(precision), float(recall)


def colour_noise(faces: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return pictures (count, S, S, 3) uint8 whose pixels are dice around the faces' mean colour: nothing of a face."""
    colours = faces[:, ::4, ::4].reshape(-1, 3).astype(np.float64)
    random = np.random.default_rng(seed)
    drawn = random.multivariate_normal(colours.mean(0), np.cov(colours, rowvar=False), (count, *faces.shape[1:3]))
    return drawn.clip(0, 255).astype(np.uint8)
