import pytest

from bot.domain import MAX_PEOPLE, NOBODY
from bot.vision.caption_people import infer_people, people_in_caption


def named(caption):
    return [(m.who, m.count) for m in people_in_caption(caption)]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a man in a red jacket skis down a slope", [("man", 1)]),
        ("two women sit on a bench", [("woman", 2)]),
        ("a group of people pose for a photo", [("person", 3)]),
        ("a couple of men sit near a couple", [("man", 2), ("person", 2)]),
        ("a man and two dogs", [("man", 1), ("dog", 2)]),
        ("2 zebras standing in the grass", [("animal", 2)]),
        ("a bride and groom cut a cake", [("woman", 1), ("man", 1)]),
        ("a baby elephant drinks", [("animal", 1)]),
        ("a baby girl sleeps", [("girl", 1)]),
        ("a male tennis player serves", [("man", 1)]),
        ("a giraffe stands next to another", [("animal", 1), ("animal", 1)]),
        ("a herd of sheep", [("animal", 3)]),
        ("a person's hand holds a phone", [("person", 1)]),
        ("a dog runs while the dog barks", [("dog", 1)]),
    ],
)
def test_counts_who_is_named(caption, expected):
    assert named(caption) == expected


@pytest.mark.parametrize(
    "caption",
    [
        "a hot dog with mustard on a plate",
        "a brown teddy bear sits on a bed",
        "a statue of a man on a horse in a square",
        "a dog bed in a corner",
        "a women's restroom sign",
        "a plate of food on a wooden table",
        "vegetables crowd a blue plate",
        "",
    ],
)
def test_things_are_nobody(caption):
    assert people_in_caption(caption) == []
    assert infer_people(caption) == (NOBODY,)


@pytest.mark.parametrize(
    ("caption", "text"),
    [
        ("a smiling woman holds a cake", "woman, adult, happy, center"),
        ("an old man frowns", "man, senior, sad, center"),
        ("a player swings his bat", "man, adult, unclear, center"),
        ("a child hugs her dog", "girl, child, unclear, center"),
        ("a teenage boy on the left holds a board", "boy, teen, unclear, left"),
        ("a distant figure walks", "person, adult, unclear, far"),
        ("a happy dog runs", "dog, -, happy, center"),
        ("a cat sleeps", "cat, -, neutral, center"),
        ("a toddler eats", "baby, baby, unclear, center"),
    ],
)
def test_describes_them_as_the_caption_does(caption, text):
    assert infer_people(caption)[0].as_text() == text


def test_moods_and_places_stay_with_their_noun():
    man, woman = infer_people("a man on the left and a laughing woman on the right")
    assert (man.where, man.expression) == ("left", "unclear")
    assert (woman.where, woman.expression) == ("right", "happy")


def test_never_more_than_the_scene_holds():
    assert len(infer_people("nine men and ten dogs")) == MAX_PEOPLE


def test_group_is_not_exact():
    assert [m.exact for m in people_in_caption("a group of boys and two men")] == [False, True]


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("two old men play chess in a park", [("man", "senior"), ("man", "senior")]),
        ("a statue of a man on a horse in a square", [("nobody", "-")]),
        ("a teenage girl and her dog on a couch", [("girl", "teen"), ("dog", "-")]),
        ("a stuffed elephant on a bed", [("nobody", "-")]),
        ("a bowl of fruit on a table", [("nobody", "-")]),
    ],
)
def test_everybody_alive_is_named_with_an_age(caption: str, expected: list[tuple[str, str]]) -> None:
    assert [(person.who, person.age) for person in infer_people(caption)] == expected
