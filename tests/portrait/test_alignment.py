"""Faces come to lie where the networks expect them."""

import math

import numpy as np
import pytest

from bot.portrait.alignment import TEMPLATE, align, transform_to_template


def test_alignment_brings_the_points_to_their_places() -> None:
    angle, scale, moved = math.radians(20), 0.8, (14.0, -6.0)
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = np.array(TEMPLATE) @ turn.T + moved
    matrix, error = transform_to_template([tuple(p) for p in points])
    assert error == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(points @ matrix[:, :2].T + matrix[:, 2], TEMPLATE, atol=1e-6)

    frame = np.zeros((128, 128, 3), np.uint8)
    x, y = (round(value) for value in points[0])
    frame[y - 2 : y + 3, x - 2 : x + 3] = 255
    rows, columns = np.nonzero(align(frame, [tuple(p) for p in points])[:, :, 0] > 127)
    assert (columns.mean(), rows.mean()) == pytest.approx(TEMPLATE[0], abs=1.2)
