import pytest

from bot.vision.caption_people import people_in_caption, tokens_of
from bot.vision.clothes import garments_in_caption


def worn(caption):
    """Return (who wears it, colours, noun) of each garment, in words."""
    words = [token.text for token in tokens_of(caption)]
    return [
        (
            " and ".join(owner.noun for owner in garment.owners),
            " ".join(words[i] for i in garment.colours),
            words[garment.noun] if garment.noun is not None else None,
        )
        for garment in garments_in_caption(words, people_in_caption(caption))
    ]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a man in a red shirt and blue shorts hits a ball", [("man", "red", "shirt")]),
        ("a woman wearing a dark blue jacket sits", [("woman", "dark blue", "jacket")]),
        ("a girl in a red and white striped dress runs", [("girl", "red and white", "dress")]),
        ("a boy in a shirt eats", [("boy", "", "shirt")]),
        ("a man in a white football jersey runs", [("man", "white", "jersey")]),
        ("a player in white serves", [("player", "white", None)]),
        ("a batter in blue and white swings", [("batter", "blue and white", None)]),
        ("two men in dark suits shake hands", [("men", "dark", "suits")]),
        ("a man and a woman in black clothes pose", [("man and woman", "black", "clothes")]),
        (
            "a boy in a red jacket and a kid in a blue sweater pose",
            [("boy", "red", "jacket"), ("kid", "blue", "sweater")],
        ),
        ("a man wearing a hat and a green shirt waves", [("man", "green", "shirt")]),
        ("a man in a black jacket and a white shirt", [("man", "black", "jacket"), ("man", "white", "shirt")]),
    ],
)
def test_finds_who_wears_what(caption, expected):
    assert worn(caption) == expected


@pytest.mark.parametrize(
    "caption",
    [
        "a man holds a red shirt",
        "a dog in a red jacket runs",
        "a man next to a dog in a red jacket",
        "a red shirt hangs on a wall",
        "a man in white shorts runs",
        "a man in red shoes and white socks",
        "a bird in white water",
        "a red cat sits on top of a white car",
        "a man with a white beard and a cap",
        "a yellow sign in black and white",
        "a baseball game in a blue stadium",
        "",
    ],
)
def test_leaves_out_what_nobody_wears_above_the_waist(caption):
    assert worn(caption) == []
