from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bot.vision.detector import FaceDetector
from bot.vision.pixels import GREY


class FakeSession:
    """Answers every photo of a batch with the same cells and remembers what it was fed."""

    entry = SimpleNamespace(
        normalisation={"size": 320, "mean": [127.0] * 3, "std": [128.0] * 3}, labels={"threshold": 0.5}
    )

    def __init__(self, scores, boxes):
        self.outputs = {
            "scores": np.array(scores, np.float32),
            "boxes": np.array(boxes, np.float32).reshape(-1, 4),
            "landmarks": np.tile(np.arange(10, dtype=np.float32), (len(scores), 1)),
        }

    def run(self, feeds):
        self.pixels = feeds["pixels"]
        return {name: np.repeat(value[None], len(self.pixels), axis=0) for name, value in self.outputs.items()}


@pytest.fixture
def session():
    return FakeSession([0.7, 0.9, 0.4, 0.8], [[0, 0, 20, 20], [100, 60, 40, 40], [200, 60, 40, 40], [102, 60, 40, 40]])


def test_faces_come_best_first_in_photo_pixels(session):
    faces = FaceDetector(session).detect(Image.new("RGB", (640, 480)))
    assert [face.score for face in faces] == pytest.approx([0.9, 0.7])
    assert faces[0].box.as_list() == pytest.approx([200 + 4 * 0.8 / 1.7, 120, 80, 80], abs=0.1)  # both boxes
    assert faces[0].landmarks == ((0.0, 2.0), (4.0, 6.0), (8.0, 10.0), (12.0, 14.0), (16.0, 18.0))


def test_the_model_sees_a_normalised_letterbox(session):
    FaceDetector(session).detect(Image.new("RGB", (640, 320), (255, 127, 0)))
    assert session.pixels.shape == (1, 3, 320, 320)
    assert session.pixels[0, :, 0, 0] == pytest.approx([1.0, 0.0, -127 / 128])
    assert session.pixels[0, 0, 200, 0] == pytest.approx((GREY[0] - 127) / 128)


def test_photos_of_different_size_share_one_run(session):
    many = FaceDetector(session).detect_many([Image.new("RGB", (320, 100)), Image.new("L", (160, 160))])
    assert session.pixels.shape[0] == 2
    assert [faces[0].box.w for faces in many] == pytest.approx([40.0, 20.0])


def test_no_photos_need_no_run():
    assert FaceDetector(FakeSession([], [])).detect_many([]) == []


def test_boxes_end_at_the_photo(session):
    session.outputs["boxes"][1] = [-10, -20, 400, 400]
    box = FaceDetector(session, threshold=0.85).detect(Image.new("RGB", (320, 240)))[0].box
    assert box.as_list() == [0.0, 0.0, 320.0, 240.0]


def test_a_box_in_the_grey_is_no_face(session):
    session.outputs["boxes"][1] = [10, 250, 40, 40]
    assert FaceDetector(session, threshold=0.85).detect(Image.new("RGB", (320, 160))) == []


def test_a_box_below_the_threshold_still_helps_to_place_another(session):
    box = FaceDetector(session, threshold=0.85).detect(Image.new("RGB", (320, 320)))[0].box
    assert box.x == pytest.approx(100 + 2 * 0.8 / 1.7)


def test_threshold_and_overlap_can_be_chosen(session):
    faces = FaceDetector(session, threshold=0.3, overlap=1.0).detect(Image.new("RGB", (320, 320)))
    assert len(faces) == 4
