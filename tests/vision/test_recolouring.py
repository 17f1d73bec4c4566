import pytest

from bot.vision.caption_people import people_in_caption
from bot.vision.lexicon import BASIC_COLOURS
from bot.vision.recolouring import recolour, without_guesses

SURELY, PERHAPS = 0.8, 0.35


def colours(word, likely=SURELY):
    """Return what pixels say: one word with some certainty, the rest alike."""
    rest = (1 - likely) / (len(BASIC_COLOURS) - 1)
    return {colour: likely if colour == word else rest for colour in BASIC_COLOURS}


def fix(caption, *pixels):
    """Correct a caption in which the first people named, one each, are seen with these colours."""
    mentions = people_in_caption(caption)
    people = [mention for mention in mentions for _ in range(mention.count)]
    return recolour(caption, mentions, list(zip(people, pixels, strict=False)))


@pytest.mark.parametrize(
    ("caption", "word", "expected"),
    [
        ("a man in a red shirt waves", "blue", "a man in a blue shirt waves"),
        ("a man in a blue shirt waves", "orange", "a man in an orange shirt waves"),
        ("a man in an orange shirt waves", "grey", "a man in a gray shirt waves"),
        ("a man in a dark blue shirt waves", "yellow", "a man in a yellow shirt waves"),
        ("a man in a red and black striped shirt waves", "green", "a man in a green striped shirt waves"),
        ("a man in a red shirt and blue shorts waves", "white", "a man in a white shirt and blue shorts waves"),
        ("a player in white serves a red ball", "red", "a player in red serves a red ball"),
        ("a red bus and a man in a red shirt", "blue", "a red bus and a man in a blue shirt"),
        ("a man in white and black jumps", "red", "a man in red jumps"),
    ],
)
def test_replaces_a_colour_that_pixels_surely_contradict(caption, word, expected):
    assert fix(caption, colours(word)) == expected


@pytest.mark.parametrize(
    ("caption", "word"),
    [
        ("a man in a red shirt waves", "red"),
        ("a man in a grey shirt waves", "grey"),
        ("a man in a navy shirt waves", "black"),
        ("a man in dark clothes waves", "blue"),
        ("a man in a light blue shirt waves", "blue"),
        ("a man in a white and red uniform waves", "red"),
        ("a man in a black jacket and a white shirt waves", "white"),
        ("a man holds a red shirt", "blue"),
        ("a man in red shorts waves", "blue"),
        ("a red dog in a green coat", "blue"),
    ],
)
def test_keeps_what_pixels_allow_and_what_is_not_worn(caption, word):
    assert fix(caption, colours(word)) == caption


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a man in an orange shirt waves", "a man in a shirt waves"),
        ("a man in white clothes waves", "a man in clothes waves"),
        ("a player in white serves a ball", "a player serves a ball"),
        ("a woman dressed in white waves", "a woman waves"),
        ("a woman wearing red and white waves", "a woman waves"),
    ],
)
def test_drops_a_contradicted_colour_when_pixels_are_not_sure(caption, expected):
    assert fix(caption, {**colours("blue", PERHAPS), "orange": 0.01, "white": 0.01, "red": 0.01}) == expected


def test_says_an_unsaid_colour_only_when_sure():
    assert fix("a man in a shirt waves", colours("orange")) == "a man in an orange shirt waves"
    assert fix("men in uniforms", colours("blue")) == "men in uniforms", "not all of them are seen"
    assert fix("a man in a shirt waves", colours("orange", 0.5)) == "a man in a shirt waves"
    assert fix("a man in a striped shirt waves", colours("orange")) == "a man in a striped shirt waves"


def test_each_persons_pixels_speak_for_their_own_garment():
    caption = "a man in a red shirt and a woman in a red dress"
    assert fix(caption, colours("red"), colours("green")) == "a man in a red shirt and a woman in a green dress"
    assert fix(caption, None, colours("green")) == "a man in a red shirt and a woman in a green dress"


def test_a_group_is_corrected_only_when_all_are_seen():
    caption = "two men in red shirts"
    assert fix(caption, colours("blue")) == caption
    assert fix(caption, colours("blue"), colours("blue")) == "two men in blue shirts"
    assert fix(caption, colours("blue"), colours("red")) == caption


def test_several_garments_of_one_person_are_judged_together():
    caption = "a man in a black jacket and a white shirt waves"
    assert fix(caption, colours("red")) == "a man in a red jacket and a shirt waves"


@pytest.mark.parametrize(
    ("caption", "kept"),
    [
        ("a man in a white shirt and red shorts hits a ball", "a man in a white shirt hits a ball"),
        ("a man in a red shirt rides a bike", "a man in a shirt rides a bike"),
        ("a man in an orange shirt rides a red bike", "a man in a shirt rides a red bike"),
        ("a man in red stands on a road", "a man stands on a road"),
        ("a man in a white shirt and a red tie sits", "a man in a white shirt and a red tie sits"),
        ("a red bus is parked on a street", "a red bus is parked on a street"),
    ],
)
def test_colours_that_are_mostly_guessed_are_left_out_of_those_without_a_face(caption, kept):
    assert without_guesses(caption, []) == kept


def test_the_colour_of_somebody_seen_stays():
    caption = "a man in a red shirt rides a bike"
    assert without_guesses(caption, [0]) == caption
    two = "a man in a red shirt and a woman in a pink dress talk"
    assert without_guesses(two, [1]) == "a man in a shirt and a woman in a pink dress talk"
