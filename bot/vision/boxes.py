"""Overlap arithmetic on arrays of boxes (N, 4) as left, top, width, height. Pure NumPy; training uses it too."""

from __future__ import annotations

import numpy as np


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return intersection over union of every box of ``a`` (N, 4) with every box of ``b`` (M, 4) as (N, M) in 0..1."""
    shared = intersection(a, b)
    union = (a[:, 2] * a[:, 3])[:, None] + (b[:, 2] * b[:, 3])[None] - shared
    return shared / np.maximum(union, 1e-9)


def intersection(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the area shared by every box of ``a`` (N, 4) and every box of ``b`` (M, 4) as (N, M)."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom_right = np.minimum(a[:, None, :2] + a[:, None, 2:], b[None, :, :2] + b[None, :, 2:])
    return np.prod(np.maximum(bottom_right - top_left, 0), axis=2)


def nms(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Return the indices of the boxes to keep, best score first (greedy non-maximum suppression).

    A box goes when its IoU with a better kept one exceeds ``overlap``.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order])
    kept: list[int] = []
    for i in range(len(order)):
        if not kept or overlaps[i, kept].max() <= overlap:
            kept.append(i)
    return order[np.asarray(kept, dtype=int)]


def vote(boxes: np.ndarray, scores: np.ndarray, kept: np.ndarray, overlap: float) -> np.ndarray:
    """Return each kept box (K, 4) as the mean, weighted by score, of all boxes whose IoU with it reaches ``overlap``.

    Neighbouring cells see the same face from different places; together they are more exact than the surest
    alone (box voting, Gidaris & Komodakis 2015, arXiv:1505.01749).
    """
    weights = np.where(iou(boxes[kept], boxes) >= overlap, scores[None], 0)  # (K, N); each box votes for itself
    return (weights @ boxes) / weights.sum(axis=1, keepdims=True)
