import numpy as np
import pytest

from bot.vision.boxes import intersection, iou, nms, vote


def test_iou_of_equal_half_and_distant_boxes():
    a = np.array([[0.0, 0, 10, 10]])
    b = np.array([[0.0, 0, 10, 10], [0, 0, 10, 5], [20, 20, 5, 5]])
    assert iou(a, b)[0] == pytest.approx([1.0, 0.5, 0.0])
    assert intersection(a, b)[0] == pytest.approx([100.0, 50.0, 0.0])


def test_iou_takes_no_boxes():
    assert iou(np.zeros((0, 4)), np.ones((3, 4))).shape == (0, 3)


def test_nms_keeps_the_best_of_each_face_best_first():
    boxes = np.array([[0.0, 0, 10, 10], [50, 50, 10, 10], [1, 0, 10, 10], [52, 50, 10, 10]])
    assert nms(boxes, np.array([0.6, 0.9, 0.8, 0.5]), 0.4).tolist() == [1, 2]


def test_nms_of_nothing_is_nothing():
    assert nms(np.zeros((0, 4)), np.zeros(0), 0.4).tolist() == []


def test_a_box_only_a_suppressed_one_overlaps_is_kept():
    boxes = np.array([[0.0, 0, 10, 10], [4, 0, 10, 10], [8, 0, 10, 10]])
    assert nms(boxes, np.array([0.9, 0.8, 0.7]), 0.4).tolist() == [0, 2]


def test_neighbours_help_to_place_a_box_by_their_score():
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 10, 10], [30, 30, 10, 10]])
    placed = vote(boxes, np.array([0.6, 0.2, 0.9]), np.array([2, 0]), 0.6)
    assert placed == pytest.approx(np.array([[30.0, 30, 10, 10], [0.25, 0, 10, 10]]))


def test_nothing_is_placed_without_boxes():
    assert vote(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), 0.6).shape == (0, 4)
