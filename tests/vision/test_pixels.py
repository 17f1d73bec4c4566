import numpy as np
from PIL import Image

from bot.domain import Box
from bot.vision.pixels import GREY, LEAST_SIDE, MEAN, STD, crop_face, letterbox, rgb, small_copy, to_batch


def test_batches_are_normalised_and_channel_first():
    batch = to_batch([Image.new("RGB", (5, 3), (255, 127, 0)), Image.new("L", (5, 3), 255)])
    assert batch.shape == (2, 3, 3, 5)
    assert batch.dtype == np.float32
    assert batch.flags["C_CONTIGUOUS"]
    np.testing.assert_allclose(batch[0, :, 1, 1], [(255 - MEAN[0]) / STD[0], 0.0, -MEAN[2] / STD[2]], rtol=1e-6)
    np.testing.assert_allclose(batch[1], 1.0)


def test_batches_take_other_statistics():
    batch = to_batch([Image.new("RGB", (1, 1), (10, 20, 30))], mean=(0, 10, 0), std=(1, 2, 3))
    np.testing.assert_allclose(batch.ravel(), [10.0, 5.0, 10.0])


def test_letterbox_keeps_the_shape_and_tells_the_scale():
    square, scale = letterbox(Image.new("RGB", (200, 100), "red"), 100)
    assert square.size == (100, 100)
    assert scale == 0.5
    assert square.getpixel((99, 49)) == (255, 0, 0)
    assert square.getpixel((0, 50)) == GREY


def test_letterbox_enlarges_and_survives_slivers():
    square, scale = letterbox(Image.new("RGB", (1, 1000), "red"), 100)
    assert square.getpixel((0, 99)) == (255, 0, 0)
    assert square.getpixel((1, 0)) == GREY
    assert scale == 0.1
    assert letterbox(Image.new("RGB", (10, 5)), 100)[1] == 10


def test_face_crops_are_square_around_the_middle():
    image = Image.new("RGB", (100, 100))
    image.paste("red", (40, 40, 60, 60))
    crop = crop_face(image, Box(40, 40, 20, 20), 40, margin=0.5)
    assert crop.size == (40, 40)
    assert crop.getpixel((20, 20)) == (255, 0, 0)
    assert crop.getpixel((2, 2)) == (0, 0, 0)
    assert crop.getpixel((12, 12)) == (255, 0, 0)
    tall = crop_face(image, Box(45, 40, 10, 20), 20, margin=0.0)
    assert tall.getpixel((10, 10)) == tall.getpixel((1, 10)) == (255, 0, 0)


def test_face_crops_are_black_outside_the_photo():
    crop = crop_face(Image.new("RGB", (50, 50), "white"), Box(-10, -10, 20, 20), 20, margin=0.0)
    assert crop.getpixel((2, 2)) == (0, 0, 0)
    assert crop.getpixel((17, 17)) == (255, 255, 255)


def test_a_small_copy_is_divided_by_a_whole_number_and_small_photos_are_not_copied():
    small = Image.new("RGB", (2 * LEAST_SIDE - 1, 300))
    assert small_copy(small) == (small, 1)
    assert small_copy(small)[0] is small
    large = Image.linear_gradient("L").resize((4 * LEAST_SIDE, 3 * LEAST_SIDE)).convert("RGB")
    copy, divisor = small_copy(large)
    assert (copy.size, divisor) == ((LEAST_SIDE, 3 * LEAST_SIDE // 4), 4)
    assert abs(copy.getpixel((100, 200))[0] - large.getpixel((402, 802))[0]) <= 1


def test_rgb_images_are_not_copied():
    image = Image.new("RGB", (5, 5))
    assert rgb(image) is image
    assert rgb(Image.new("L", (5, 5), 7)).getpixel((0, 0)) == (7, 7, 7)
