import numpy as np
import pytest
from PIL import Image

from models.data.face_boxes import FaceBoxes, load, save
from models.data.face_frames import (
    CROP,
    MIRROR,
    Frame,
    Frames,
    boxed_frame,
    people_free,
    place,
    settle,
    similarity,
    turned,
    warp,
)
from models.data.photos import PhotoItem


class FakePhotos:
    """Three photos of noise: one with a face, one without, one that only one teacher saw a face in."""

    def items(self, split):
        return [PhotoItem(name, (), "", split) for name in ("face", "free", "doubt")]

    def image(self, file):
        noise = np.random.default_rng(len(file)).integers(0, 256, (120, 160, 3))
        return Image.fromarray(noise.astype(np.uint8))


def boxes(*scores):
    count = len(scores)
    points = np.array([[[50.0, 40], [70, 40], [60, 50], [52, 60], [68, 60]]] * count).reshape(-1, 5, 2)
    return FaceBoxes(np.array([[40.0, 30, 40, 50]] * count).reshape(-1, 4), points, np.array(scores).reshape(-1, 2))


SEEN = {"face": boxes((0.9, 0.9)), "free": boxes(), "doubt": boxes((0.6, 0.0))}


def bright_face(side=CROP) -> Frame:
    pixels = np.zeros((side, side, 3), np.uint8)
    pixels[40:80, 30:60] = 255
    points = np.array([[[35.0, 50], [55, 50], [45, 60], [38, 70], [52, 70]]])
    return Frame(pixels, np.array([[30.0, 40, 30, 40]]), points, np.zeros(1, bool))


def test_two_sure_teachers_make_a_label():
    assert boxes((0.9, 0.9), (0.9, 0.3), (0.3, 0.9)).agreed.tolist() == [True, False, False]


def test_training_also_wants_what_the_better_teacher_is_very_sure_of():
    assert boxes((0.9, 0.9), (0.9, 0.0), (0.7, 0.5)).wanted.tolist() == [True, True, False]


def test_faces_survive_the_cache(tmp_path):
    save(SEEN, tmp_path / "deep" / "faces.npz")
    again = load(tmp_path / "deep" / "faces.npz")
    assert list(again) == list(SEEN)
    assert np.allclose(again["face"].landmarks, SEEN["face"].landmarks)
    assert again["free"].boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("people", "free"),
    [
        ("dog, -, happy, left ; cat, -, unclear, far", True),
        ("nobody, -, -, -", True),
        ("man, adult, sad, left", False),
        ("", False),
    ],
)
def test_photos_known_to_show_no_human(people, free):
    assert people_free(PhotoItem("a", (), people, "train")) is free


def test_a_boxed_frame_is_the_letterbox_without_its_grey():
    frame = boxed_frame(FakePhotos(), PhotoItem("face", (), "", "train"), SEEN["face"])
    assert frame.pixels.shape == (240, 320, 3)
    assert frame.boxes[0] == pytest.approx([80, 60, 80, 100])
    assert frame.landmarks[0, 0] == pytest.approx([100, 80])
    animal = boxed_frame(FakePhotos(), PhotoItem("face", (), "dog, -, happy, left", "train"), SEEN["face"])
    assert len(animal.boxes) == 0


def test_what_a_teacher_sees_in_a_people_free_photo_is_learned_as_background():
    animal, person = (PhotoItem("doubt", (), f"{who}, -, happy, left", "train") for who in ("dog", "man"))
    faint = boxes((0.5, 0.0))
    assert len(boxed_frame(FakePhotos(), animal, faint, training=True).boxes) == 0
    assert boxed_frame(FakePhotos(), animal, faint).ignore.tolist() == [True]
    assert boxed_frame(FakePhotos(), person, faint, training=True).ignore.tolist() == [True]


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5])
def test_boxes_follow_the_pixels(scale):
    matrix = np.array([[scale, 0.0, 7.0], [0.0, scale, 3.0]])
    cut = warp(bright_face(), matrix, 256)
    rows, columns = np.nonzero(cut.pixels[..., 0] > 180)
    x, y, w, h = cut.boxes[0]
    assert [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1] == pytest.approx(
        [x, y, x + w, y + h], abs=1.5
    )


def test_a_mirrored_face_swaps_its_sides():
    cut = warp(bright_face(), np.array([[-1.0, 0.0, CROP], [0.0, 1.0, 0.0]]), CROP)
    assert cut.landmarks[0, 0] == pytest.approx([CROP - 55, 50])
    assert cut.landmarks[0, 0, 0] < cut.landmarks[0, 1, 0]
    assert sorted(MIRROR) == list(range(5))


def test_similarity_brings_the_anchor_to_the_target():
    rng = np.random.default_rng(0)
    for _ in range(20):
        x, y = similarity(rng, np.array([10.0, 20.0]), np.array([30.0, 40.0]), 1.5, 100) @ [10.0, 20.0, 1.0]
        assert min(abs(x - 30), abs(x - 70)) < 1e-6
        assert y == pytest.approx(40)


def test_a_cut_stays_within_a_larger_photo():
    rng, frame = np.random.default_rng(0), bright_face()
    for _ in range(20):
        target = place(rng, frame, np.array([64.0, 64.0]), 2.0, 100)
        left = target - 128
        assert (left <= 0).all()
        assert (left + 256 >= 100).all()


def test_cut_and_tiny_faces_are_ignored_and_lost_ones_dropped():
    frame = bright_face()
    frame.boxes = np.array([[10.0, 10, 40, 40], [-30, 10, 40, 40], [10, 10, 6, 6], [500, 0, 40, 40]])
    frame.landmarks, frame.ignore = np.zeros((4, 5, 2)), np.zeros(4, bool)
    assert sorted(settle(frame).ignore.tolist()) == [False, True, True]


def test_eyes_close_together_tell_a_face_from_the_side():
    face, side = bright_face(), bright_face()
    side.landmarks[0, :2] = [[40.0, 50], [46, 50]]
    assert turned(face).tolist() == [False]
    assert turned(side).tolist() == [True]
    frames = Frames(FakePhotos(), FakePhotos().items("train"), SEEN, [face, side])
    assert frames.turned_crops == [side]
    assert (len(frames.faces), len(frames.turned)) == (1, 0)


def test_drawn_frames_hold_their_faces():
    frames = Frames(FakePhotos(), FakePhotos().items("train"), SEEN, [bright_face()])
    assert (len(frames.boxed), len(frames.free), len(frames.empty)) == (1, 2, 1)
    rng, seen = np.random.default_rng(0), 0
    for _ in range(30):
        frame = frames.draw(rng, 96)
        assert frame.pixels.shape == (96, 96, 3)
        assert frame.pixels.dtype == np.uint8
        assert len(frame.boxes) == len(frame.landmarks) == len(frame.ignore)
        seen += int((~frame.ignore).sum())
    assert seen > 15
