from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from bot.vision.pixels import GREY

PHOTOS = Path(__file__).parents[2] / "docs" / "screens" / "photos"
NORMALISATION = {"size": 320, "mean": [127.0] * 3, "std": [128.0] * 3}


class FakeSession:
    """Answers every photo of a batch with the same cells and remembers what it was fed."""

    def __init__(self, scores, boxes, **more):
        self.entry = SimpleNamespace(normalisation={**NORMALISATION, **more}, labels={"threshold": 0.5})
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


@pytest.mark.parametrize(
    ("size", "frame"),
    [((640, 480), (256, 320)), ((480, 640), (320, 256)), ((200, 200), (320, 320)), ((900, 3), (32, 320))],
)
def test_the_frame_is_the_smallest_around_the_photo(size, frame):
    session = FakeSession([0.9], [[100, 0, 40, 40]], step=32)
    (face,) = FaceDetector(session).detect(Image.new("RGB", size, "white"))
    assert session.pixels.shape[2:] == frame
    scale = 320 / max(size)
    assert (face.box.x, face.box.w) == pytest.approx((100 / scale, 40 / scale))
    seen = (session.pixels[0, 0] == 1.0).sum(axis=1)
    assert list(seen[: round(size[1] * scale)]) == [round(size[0] * scale)] * round(size[1] * scale)
    assert (session.pixels[0, 0] == np.float32((GREY[0] - 127) / 128)).sum() == session.pixels[0, 0].size - seen.sum()


def test_photos_of_several_shapes_share_a_frame_that_holds_each():
    session = FakeSession([0.9], [[0, 0, 40, 40]], step=32)
    wide, high = Image.new("RGB", (640, 480)), Image.new("RGB", (150, 300))
    for images, frame in (([wide, wide], (256, 320)), ([wide, high], (320, 320)), ([high], (320, 160))):
        FaceDetector(session).detect_many(images)
        assert session.pixels.shape == (len(images), 3, *frame)


@pytest.mark.skipif(not (SHIPPED_BUNDLE / "face_detector.onnx").exists(), reason="no bundle")
@pytest.mark.parametrize("name", ["portrait.jpg", "group.jpg"])
def test_less_grey_leaves_the_faces_where_they_were(name):
    image = Image.open(PHOTOS / name).convert("RGB").resize((640, 440))
    detector = FaceDetector(Session(Bundle().model("face_detector"), provider="cpu", threads=1))
    faces = detector.detect(image)
    squares, _ = detector.detect_many([image, image.transpose(Image.Transpose.ROTATE_90)])
    assert len(faces) == len(squares) > 0
    for face, other in zip(faces, squares, strict=True):
        assert face.box.as_list() == pytest.approx(other.box.as_list(), abs=3)
        assert face.score == pytest.approx(other.score, abs=0.05)


@pytest.mark.skipif(not (SHIPPED_BUNDLE / "face_detector.onnx").exists(), reason="no bundle")
def test_the_shipped_detector_takes_frames_of_any_shape():
    entry = Bundle().model("face_detector")
    assert entry.normalisation["step"] == 32
    session = Session(entry, provider="cpu", threads=1)
    for height, width in ((256, 320), (320, 32), (96, 320)):
        found = session.run({"pixels": np.zeros((2, 3, height, width), np.float32)})
        cells = sum(height * width // stride**2 for stride in (8, 16, 32))
        assert [found[name].shape for name in ("scores", "boxes", "landmarks")] == [
            (2, cells), (2, cells, 4), (2, cells, 10)
        ]  # fmt: skip
