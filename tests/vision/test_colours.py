import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.domain import Box, Failure
from bot.vision import colours
from bot.vision.colours import name_colours, shares, to_lab, torso
from bot.vision.lexicon import BASIC_COLOURS

FACE = Box(130, 30, 40, 48)


def photo(*shirts, behind=(120, 150, 90), size=(300, 260)):
    """A person in a shirt for each (face, colour): skin-coloured face, hair above, a trunk with arms."""
    image = Image.new("RGB", size, behind)
    pen = ImageDraw.Draw(image)
    for face, colour in shirts:
        x, y = face.center[0], face.y + face.h
        pen.ellipse((face.x, face.y - 12, face.x + face.w, y), (60, 40, 30))
        pen.ellipse((face.x, face.y, face.x + face.w, y), (205, 160, 135))
        pen.rectangle((x - 9, y - 6, x + 9, y + 10), (205, 160, 135))
        pen.rectangle((x - 1.1 * face.w, y + 8, x + 1.1 * face.w, y + 2.4 * face.h), colour)
    dice = np.random.default_rng(0)
    noisy = np.asarray(image, np.int16) + dice.integers(-12, 12, (*image.size[::-1], 3))
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def best(image, *faces):
    return [max(named, key=named.get) for named in name_colours(image, faces, len(faces))]


@pytest.mark.parametrize(
    ("rgb", "word"),
    [
        ((190, 25, 35), "red"),
        ((30, 70, 190), "blue"),
        ((20, 20, 24), "black"),
        ((235, 235, 238), "white"),
        ((235, 205, 40), "yellow"),
        ((25, 120, 55), "green"),
        ((240, 110, 20), "orange"),
    ],
)
@pytest.mark.parametrize("behind", [(120, 150, 90), (150, 180, 220)])
def test_names_the_colour_of_a_shirt(rgb, word, behind):
    assert best(photo((FACE, rgb), behind=behind), FACE) == [word]


def test_says_how_likely_each_word_is():
    (named,) = name_colours(photo((FACE, (190, 25, 35))), [FACE], 1)
    assert set(named) == set(BASIC_COLOURS)
    assert sum(named.values()) == pytest.approx(1)
    assert named["red"] > 0.6
    assert named["green"] < 0.1


def test_keeps_people_apart():
    left, right = Box(50, 30, 40, 48), Box(210, 30, 40, 48)
    image = photo((left, (190, 25, 35)), (right, (30, 70, 190)))
    assert best(image, left, right) == ["red", "blue"]
    assert best(image, right, left) == ["blue", "red"]


def test_looks_only_at_the_first_faces():
    named = name_colours(photo((FACE, (190, 25, 35))), [FACE, FACE], 1)
    assert named[0] is not None
    assert named[1] is None


@pytest.mark.parametrize("face", [Box(130, 200, 40, 48), Box(130, 250, 40, 48), Box(-30, 30, 40, 48)])
def test_says_nothing_of_a_torso_outside_the_photo(face):
    assert name_colours(photo(), [face], 1) == [None]


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (300, 2)])
def test_a_photo_too_narrow_for_a_torso_is_no_error(size):
    assert name_colours(Image.new("RGB", size), [Box(0, 0, 1, 1)], 1) in ([None], [name_colours_of_black(size)])


def name_colours_of_black(size):
    return name_colours(Image.new("RGB", size), [Box(0, 0, 1, 1)], 1)[0]


def test_cells_lie_where_the_torso_is():
    image = photo((FACE, (190, 25, 35)))
    cells = torso(image, FACE)
    assert cells.shape[1] == 5
    assert np.abs(cells[:, 0]).max() <= colours.ASIDE
    assert colours.UPPER <= cells[:, 1].min() < cells[:, 1].max() <= colours.LOWER
    shirt = cells[(np.abs(cells[:, 0]) < 0.8) & (cells[:, 1] > 0.5) & (cells[:, 1] < 1.8)]
    assert shirt[:, 3].mean() > 40, "a red shirt is far along the a axis"


def test_leaves_out_what_another_face_covers():
    other = Box(130, 150, 40, 48)
    alone, covered = torso(photo(), FACE), torso(photo(), FACE, [other])
    assert len(covered) < len(alone)


def test_shares_are_roots_of_shares():
    cells = torso(photo((FACE, (190, 25, 35))), FACE)
    counted = shares(cells, np.array([[40.0, 60, 40], [90, 0, 0], [10, 0, 0]]))
    assert (counted.reshape(3, 3) ** 2).sum(1) == pytest.approx(1, abs=1e-4)
    assert counted[0] > 0.9, "most of the breast is red"


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.2)),
        ((0, 0, 255), (32.3, 79.19, -107.86)),
    ],
)
def test_lab_is_that_of_the_books(rgb, lab):
    assert to_lab(np.array([rgb], np.uint8))[0] == pytest.approx(lab, abs=0.2)


def test_a_missing_table_is_a_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(colours, "TABLE", tmp_path / "none.json")
    colours._table.cache_clear()
    with pytest.raises(Failure, match="garment_colours"):
        name_colours(photo(), [FACE], 1)
    colours._table.cache_clear()
