import numpy as np
from PIL import Image

from models.data.image_features import CROP, FRAME, PORTRAIT, View


def gradient() -> Image.Image:
    return Image.fromarray(np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3)))


def test_the_first_views_are_the_whole_image_and_its_mirror_image():
    image = gradient()
    assert View("a.jpg").of(image) is image
    assert np.array_equal(np.asarray(View("a.jpg", 1).of(image)), np.asarray(image)[:, ::-1])
    assert View("a.jpg", 1).mirror


def test_crops_are_the_same_every_time_and_differ_between_files():
    image = gradient()
    crops = [np.asarray(View(file, 2).of(image)) for file in ("a.jpg", "a.jpg", "b.jpg")]
    assert np.array_equal(crops[0], crops[1])
    assert crops[0].shape != crops[2].shape or not np.array_equal(crops[0], crops[2])
    for number in range(2, 12):
        width, height = View("a.jpg", number).of(image).size
        assert 200 * CROP[0] - 1 <= width <= 200
        assert 100 * CROP[0] - 1 <= height <= 100
        assert View("a.jpg", number).mirror == (number % 2 == 1)


def test_a_wide_view_holds_the_whole_image_in_a_wider_frame():
    image = Image.new("RGB", (50, 50), (255, 0, 0))
    image.paste((0, 0, 255), (20, 20, 30, 30))
    wide = View("a.jpg", 1, wide=True).of(image)
    assert 50 * FRAME[0] - 1 <= wide.width <= 50 * FRAME[1] + 1
    assert (np.asarray(wide) == (0, 0, 255)).all(-1).sum() == 100


def test_a_portrait_shows_the_face_and_some_of_the_body_below():
    image = Image.new("RGB", (300, 300))
    image.paste((200, 200, 200), (140, 100, 160, 130))
    for number in range(2, 6):
        cut = View("a.jpg", number, face=(140.0, 100.0, 20.0, 30.0)).of(image)
        bright = np.asarray(cut)[..., 0] > 50
        assert bright.sum() == 20 * 30
        assert PORTRAIT[0] * 30 - 1 <= cut.height <= PORTRAIT[1] * 30 + 1
        assert bright.any(1).nonzero()[0].max() < 0.75 * cut.height
