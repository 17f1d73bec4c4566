import numpy as np

from bot.vision.lexicon import BASIC_COLOURS
from models.data.photos import PhotoItem
from models.train.garment_colours import SHADES, VAGUE, colours_of, fit, paint, right, softmax


def meant(*captions):
    row = colours_of(PhotoItem("a.jpg", captions, "", "train"))
    return {word: weight for word, weight in zip(BASIC_COLOURS, row.tolist(), strict=True) if weight}


def test_captions_tell_what_one_person_wears():
    assert meant("a man in a red shirt", "a runner in white") == {"red": 1.0, "white": 1.0}
    assert meant("a man in a navy shirt") == {"blue": VAGUE, "black": VAGUE}
    assert meant("a man in a red shirt and a woman") == {}
    assert meant("a red bus") == {}


def test_every_colour_has_shades():
    assert set(SHADES) == set(BASIC_COLOURS)


def test_paints_only_over_the_shirt():
    aside, below = (axis.ravel() for axis in np.meshgrid(np.linspace(-1.8, 1.8, 24), np.linspace(-0.2, 3, 24)))
    grass = np.column_stack([aside, below, np.full((aside.size, 3), (50.0, -40.0, 40.0))])
    red = np.eye(len(BASIC_COLOURS))[[BASIC_COLOURS.index("red")]]
    (torso,) = paint([grass], red)
    painted = torso[:, 3] > 20
    assert painted[(np.abs(aside) < 0.4) & (below > 0.5) & (below < 1.5)].all()
    assert not painted[np.abs(aside) > 1.2].any()


def test_a_word_that_means_two_colours_teaches_either():
    x = np.eye(3).repeat(5, axis=0)
    targets = np.array([[1, 0], [0, 1], [0.5, 0.5]]).repeat(5, axis=0)
    weights, bias = fit(x, targets)
    assert right(softmax(x @ weights + bias), targets) == 1.0
