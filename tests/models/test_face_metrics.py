import numpy as np
import pytest

from models.face_metrics import Judged, Truth, judge


def found(*rows):
    values = np.array(rows, float).reshape(-1, 5)
    return values[:, :4], values[:, 4]


def truth(boxes, ignore=None):
    return Truth(np.array(boxes, float).reshape(-1, 4), np.array(ignore or [False] * len(boxes), bool))


def test_hits_misses_and_false_alarms():
    photos = [found([0, 0, 30, 30, 0.9], [100, 100, 30, 30, 0.8]), found()]
    judged = judge(photos, [truth([[2, 0, 30, 30]]), truth([[0, 0, 40, 40]])], least=20)
    assert judged.faces == 2
    assert judged.at(0.5) == (0.5, 0.5)
    assert judged.at(0.85) == (0.5, 1.0)


def test_one_face_is_found_once():
    judged = judge([found([0, 0, 30, 30, 0.9], [1, 0, 30, 30, 0.8])], [truth([[0, 0, 30, 30]])], least=20)
    assert judged.right.tolist() == [True, False]


def test_ignored_and_small_faces_count_neither_way():
    photos = [found([0, 0, 30, 30, 0.9], [60, 60, 18, 18, 0.8], [90, 90, 8, 8, 0.7])]
    judged = judge(photos, [truth([[0, 0, 30, 30], [60, 60, 18, 18]], [True, False])], least=20)
    assert judged.faces == 0
    assert len(judged.scores) == 0


def test_the_threshold_parts_right_from_wrong():
    judged = Judged(np.array([0.9, 0.8, 0.7, 0.3, 0.2]), np.array([True, True, True, False, False]), 3)
    assert 0.3 < judged.balanced_threshold() <= 0.7
    assert judged.at(judged.balanced_threshold()) == pytest.approx((1.0, 1.0))


def test_the_threshold_balances_misses_and_false_alarms():
    judged = Judged(np.array([0.9, 0.7, 0.5, 0.3]), np.array([True, False, True, True]), 3)
    assert 0.3 < judged.balanced_threshold() <= 0.5
    assert judged.at(judged.balanced_threshold()) == pytest.approx((2 / 3, 2 / 3))


def test_average_precision_is_the_area_under_the_envelope():
    judged = Judged(np.array([0.3, 0.9, 0.8, 0.7]), np.array([True, True, False, True]), 4)
    assert judged.average_precision() == pytest.approx((1 + 0.75 + 0.75) / 4)
    assert Judged(np.zeros(0), np.zeros(0, bool), 2).average_precision() == 0


def test_faces_of_a_size_band_are_counted_alone():
    photos = [found([0, 0, 30, 30, 0.9], [100, 100, 80, 80, 0.8])]
    both = [truth([[0, 0, 30, 30], [100, 100, 80, 80]])]
    assert judge(photos, both, least=20, most=60).faces == 1
    assert judge(photos, both, least=20, most=60).scores.tolist() == pytest.approx([0.9])
