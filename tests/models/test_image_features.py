import numpy as np
from PIL import Image

from models.data.image_features import CROP, View


def gradient() -> Image.Image:
    return Image.fromarray(np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3)))


def test_mirrored_view_turns_the_photo_round():
    image = gradient()
    assert View("a.jpg").of(image) is image
    assert np.array_equal(np.asarray(View("a.jpg", mirror=True).of(image)), np.asarray(image)[:, ::-1])


def test_wide_view_holds_the_whole_image_at_half_the_frame():
    image = gradient()
    wide = View("a.jpg", wide=True).of(image)
    assert wide.size == (400, 200)
    assert np.array_equal(np.asarray(wide.crop((100, 25, 300, 125))), np.asarray(image))


def test_crops_are_the_same_every_time_and_differ_between_files():
    image = gradient()
    crops = [np.asarray(View(file, crop=True).of(image)) for file in ("a.jpg", "a.jpg", "b.jpg")]
    assert np.array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])
    assert crops[0].shape[1] == round(CROP * 200)
