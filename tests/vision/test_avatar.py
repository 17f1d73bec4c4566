"""Cutting avatars out of photos, and making avatars of uploads."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.domain import BadInput, Box
from bot.vision.avatar import SIZE, checked_avatar, face_avatar
from bot.vision.photo import Photo


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    assert image.format == "JPEG"
    return image.convert("RGB")


def photo(width: int, height: int, *, shrunk: float = 1.0) -> Photo:
    """Return a grey photo whose working image may be smaller than the original."""
    return Photo(Image.new("RGB", (round(width * shrunk), round(height * shrunk)), "grey"), width, height)


def with_face(box: Box, width: int = 800, height: int = 600, *, shrunk: float = 1.0) -> Photo:
    """Return a grey photo with a red rectangle in place of a face, in pixels of the original."""
    empty = photo(width, height, shrunk=shrunk)
    corners = [value * shrunk for value in (box.x, box.y, box.x + box.w, box.y + box.h)]
    ImageDraw.Draw(empty.image).rectangle(corners, fill="red")
    return empty


def red_part(image: Image.Image) -> tuple[float, float, float]:
    """Return the share of red and its middle, across and down, in shares of the picture."""
    pixels = np.asarray(image).astype(int)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90)
    down, across = np.nonzero(red)
    return red.mean(), across.mean() / image.width, down.mean() / image.height


@pytest.mark.parametrize("shrunk", [1.0, 0.25])
def test_the_face_fills_the_middle_with_room_for_hair(shrunk: float) -> None:
    box = Box(300, 200, 160, 200)
    avatar = opened(face_avatar(with_face(box, shrunk=shrunk), box))
    share, across, down = red_part(avatar)
    assert avatar.size == (SIZE, SIZE)
    assert share == pytest.approx(160 * 200 / 360**2, abs=0.02)
    assert across == pytest.approx(0.5, abs=0.02)
    assert 0.5 < down < 0.56  # more room above than below


def test_a_face_in_the_corner_stays_whole_and_nothing_outside_is_shown() -> None:
    box = Box(700, 0, 100, 120)
    avatar = opened(face_avatar(with_face(box), box))
    share, across, down = red_part(avatar)
    assert share == pytest.approx(100 * 120 / 216**2, abs=0.03)
    assert across > 0.7
    assert down < 0.35
    assert np.asarray(avatar).max(axis=2).min() > 90  # no black border


def test_a_face_larger_than_the_photo_is_high_gives_the_largest_square() -> None:
    box = Box(100, 10, 380, 380)
    avatar = opened(face_avatar(with_face(box, 900, 400), box))
    assert red_part(avatar)[0] == pytest.approx((380 / 400) ** 2, abs=0.03)


@pytest.mark.parametrize(
    ("box", "side"), [(Box(10, 10, 20, 20), 108), (Box(10, 10, 4, 3), 21), (Box(0, 0, 300, 300), 256)]
)
def test_small_faces_are_enlarged_three_times_at_most(box: Box, side: int) -> None:
    assert opened(face_avatar(photo(800, 600), box)).size == (side, side)


@pytest.mark.parametrize("box", [Box(900, 900, 50, 50), Box(-500, 10, 20, 20), Box(10, 10, 0, 0), None])
def test_without_a_face_to_see_the_middle_is_shown(box: Box | None) -> None:
    striped = photo(900, 300)
    ImageDraw.Draw(striped.image).rectangle((300, 0, 599, 299), fill="red")
    assert red_part(opened(face_avatar(striped, box)))[0] > 0.98


def test_somebody_at_a_side_is_shown_there() -> None:
    striped = photo(900, 300)
    ImageDraw.Draw(striped.image).rectangle((600, 0, 899, 299), fill="red")
    assert red_part(opened(face_avatar(striped, None, where="right")))[0] > 0.98
    assert red_part(opened(face_avatar(with_face(Box(0, 0, 300, 300), 900, 300), None, where="left")))[0] > 0.98


def test_tiny_photos_give_an_avatar_too() -> None:
    assert opened(face_avatar(photo(1, 1), Box(0, 0, 1, 1))).width >= 1
    assert opened(face_avatar(photo(1, 700), None)).width >= 1


def encoded(image: Image.Image, kind: str) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("kind", "size"), [("PNG", (1000, 400)), ("JPEG", (3000, 2000)), ("WEBP", (30, 70)), ("GIF", (256, 256))]
)
def test_an_upload_becomes_a_small_square_of_its_middle(kind: str, size: tuple[int, int]) -> None:
    image = Image.new("RGB", size, "grey")
    middle = (size[0] // 2 - min(size) // 2, size[1] // 2 - min(size) // 2)
    image.paste("red", (*middle, middle[0] + min(size), middle[1] + min(size)))
    data = checked_avatar(encoded(image, kind))
    assert opened(data).size == (256, 256)
    assert red_part(opened(data))[0] > 0.95


def test_even_noise_stays_within_what_is_stored() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (512, 512, 3), dtype=np.uint8)
    assert len(checked_avatar(encoded(Image.fromarray(noise), "PNG"))) < 256 * 2**10


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_an_upload_that_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput):
        checked_avatar(data)


def test_an_upload_that_is_cut_short_is_refused() -> None:
    whole = encoded(Image.effect_noise((300, 300), 90).convert("RGB"), "PNG")
    with pytest.raises(BadInput):
        checked_avatar(whole[: len(whole) // 2])
