"""Turn a face so that eyes, nose and mouth lie where the portrait networks expect them. Training uses it, too.

A similarity transform (least squares over the five landmarks: Umeyama 1991) takes position, tilt and size
out of what the networks have to learn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

SIZE = 128  # pixels a side of the networks' faces
# Where right eye, left eye, nose, right and left corner of the mouth come to lie, in pixels of the 128 px frame:
# FairFace's own mean, made symmetrical
TEMPLATE = ((41.0, 40.0), (86.0, 40.0), (63.5, 65.0), (44.0, 85.5), (83.0, 85.5))
EDGE = 48  # pixels mirrored around the frame before it is turned

Points = Sequence[tuple[float, float]]


def transform_to_template(landmarks: Points) -> tuple[np.ndarray, float]:
    """Return the similarity transform (2, 3) from a face's five points to ``TEMPLATE``, and the mean distance left.

    With points as complex numbers the least-squares similarity is z -> a z + b (Umeyama 1991 in the plane).
    """
    points, target = (np.array(p, float) @ (1, 1j) for p in (landmarks, TEMPLATE))
    centred, aim = points - points.mean(), target - target.mean()
    a = (centred.conj() @ aim) / (centred.conj() @ centred)
    b = target.mean() - a * points.mean()
    matrix = np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])
    return matrix, float(np.abs(a * points + b - target).mean())


def align(pixels: np.ndarray, landmarks: Points, size: int = SIZE) -> np.ndarray:
    """Return a face (H, W, 3) uint8 turned, scaled and moved onto ``TEMPLATE``, as (size, size, 3) uint8.

    What lies beyond the edge of the picture is mirrored from inside it, up to ``EDGE`` pixels.
    """
    matrix, _ = transform_to_template(landmarks)
    back = np.linalg.inv(matrix[:, :2])
    linear, offset = back * (SIZE / size), EDGE - back @ matrix[:, 2]
    padded = Image.fromarray(np.pad(pixels, ((EDGE, EDGE), (EDGE, EDGE), (0, 0)), mode="reflect"))
    coefficients = (*linear[0], offset[0], *linear[1], offset[1])
    return np.asarray(padded.transform((size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BICUBIC))
