"""The colour of what somebody wears, named by the pixels below their face.

A torso is looked at in a grid of cells; their colours in CIE Lab are counted softly by 24 centres in three
regions, and softmax regression on those shares gives the probability of each colour word of our captions.
Learning where skin, grass and sky show beside a garment does what a hand-made mask would. The weights are
resources/garment_colours.json, made by ``python -m models.train.garment_colours``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from bot.domain import Box, Failure

TABLE = Path(__file__).parent.parent / "resources" / "garment_colours.json"
GRID = 24  # cells across and down
# The grid in face sizes: sideways from the middle of the face, down from the chin
ASIDE, UPPER, LOWER = 1.8, -0.2, 3.0
# (aside, upper, lower): the breast, the whole trunk, everything with what is around
REGIONS = ((0.5, 0.2, 1.2), (0.9, 0.6, 2.0), (1.8, -0.2, 3.0))
LEAST_SEEN = 0.25  # of the breast's cells; with less of it in the photo nothing is said
SOFTNESS = 5.0  # Lab units: how far a cell's colour counts for centres near it
LIGHTNESS = 0.6  # weight of L against a and b, since shadows change it
_WEIGHTS = np.array([LIGHTNESS, 1, 1], np.float32)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
_WHITE = np.array([0.9505, 1.0, 1.089])  # D65

Colours = Mapping[str, float]  # colour word -> probability; they sum to 1


def name_colours(image: Image.Image, faces: Sequence[Box], most: int) -> list[Colours | None]:
    """Return for each face of an upright RGB photo the colours of the garment below it.

    Boxes are in pixels of ``image``; a cell that another face covers is left out. None stands where too little
    shows, and for all faces but the first ``most``.
    """
    named: list[Colours | None] = [None] * len(faces)
    for number, face in enumerate(faces[:most]):
        cells = torso(image, face, [*faces[:number], *faces[number + 1 :]])
        if cells is not None:
            words, centres, weights, bias = _table()
            scores = shares(cells, centres) @ weights + bias
            likely = np.exp(scores - scores.max())
            named[number] = dict(zip(words, (likely / likely.sum()).tolist(), strict=True))
    return named


def torso(image: Image.Image, face: Box, others: Sequence[Box] = ()) -> np.ndarray | None:
    """Return the cells below a face that lie in the photo, (N, 5): place aside and below, colour L, a, b.

    Places are in face sizes. None if less than LEAST_SEEN of the breast is in the photo.
    """
    size = (face.w + face.h) / 2
    left, top = face.center[0] - ASIDE * size, face.y + face.h + UPPER * size
    across, down = 2 * ASIDE * size / GRID, (LOWER - UPPER) * size / GRID
    columns, rows = _inside(left, across, image.width), _inside(top, down, image.height)
    if not columns or not rows:
        return None
    box = (left + columns[0] * across, top + rows[0] * down, left + columns[1] * across, top + rows[1] * down)
    cut = image.resize(
        (columns[1] - columns[0], rows[1] - rows[0]),
        Image.Resampling.BOX,
        (max(box[0], 0.0), max(box[1], 0.0), min(box[2], image.width), min(box[3], image.height)),
        reducing_gap=2.0,
    )
    x = left + (np.arange(*columns) + 0.5) * across
    y = top + (np.arange(*rows) + 0.5) * down
    x, y = (axis.ravel() for axis in np.meshgrid(x, y))
    seen = np.ones(len(x), bool)
    for other in others:
        seen &= ~((x >= other.x) & (x <= other.x + other.w) & (y >= other.y) & (y <= other.y + other.h))
    aside, below = (x - face.center[0]) / size, (y - face.y - face.h) / size
    cells = np.column_stack([aside, below, to_lab(np.asarray(cut.convert("RGB")).reshape(-1, 3))])[seen]
    breast = 2 * REGIONS[0][0] * (REGIONS[0][2] - REGIONS[0][1]) / (2 * ASIDE * (LOWER - UPPER)) * GRID**2
    return cells if _within(cells, *REGIONS[0]).sum() >= LEAST_SEEN * breast else None


def shares(cells: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Count cells (N, 5) by colour centres (K, 3) in each region: square roots of shares, (3 K,)."""
    colours, centres = (points.astype(np.float32) * _WEIGHTS for points in (cells[:, 2:], centres))
    # -|colour - centre|^2 but for |colour|^2, which the softmax takes out again
    nearness = (2 * colours @ centres.T - (centres**2).sum(1)) / (2 * SOFTNESS**2)
    near = np.exp(nearness - nearness.max(1, keepdims=True))
    near /= near.sum(1, keepdims=True)
    regions = np.stack([_within(cells, *region) for region in REGIONS]).astype(np.float32)
    return np.sqrt(regions @ near / np.maximum(regions.sum(1, keepdims=True), 1)).ravel()


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Convert sRGB bytes (N, 3) to CIE Lab under D65."""
    value = rgb / 255
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    xyz = linear @ _TO_XYZ / _WHITE
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116).T
    return np.column_stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def _inside(start: float, step: float, length: int) -> tuple[int, int] | tuple[()]:
    """Return the first and last but one of GRID cells that lie wholly in a photo of some length."""
    first = max(0, int(np.ceil(-start / step - 1e-6)))
    last = min(GRID, int(np.floor((length - start) / step + 1e-6)))
    return (first, last) if first < last else ()


def _within(cells: np.ndarray, aside: float, upper: float, lower: float) -> np.ndarray:
    """Return which cells lie in a region, (N,) bool."""
    return np.asarray((np.abs(cells[:, 0]) <= aside) & (cells[:, 1] >= upper) & (cells[:, 1] <= lower))


@lru_cache(maxsize=1)
def _table() -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    """Read colour words (C), centres (K, 3), weights (3 K, C) and bias (C,)."""
    try:
        table = json.loads(TABLE.read_text(encoding="utf-8"))
        return table["words"], *(np.array(table[name]) for name in ("centres", "weights", "bias"))
    except (OSError, ValueError, KeyError) as error:
        raise Failure(
            f"{TABLE} cannot be read ({error}); make it with `python -m models.train.garment_colours`."
        ) from None
