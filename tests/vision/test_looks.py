"""Captions whose hair and beards the face reader corrects, and portraits in its words."""

from dataclasses import replace

import pytest

from bot.domain import FaceReading, Person
from bot.vision.looks import correct_looks, hair_words, portrait_caption

READING = FaceReading("30-39", 0.8, "male", 0.95, "happy", 0.9, "none", 0.9)


@pytest.mark.parametrize(
    ("caption", "seen", "corrected"),
    [
        (
            "an older man with a white beard and a cap takes a photo",
            {"facial_hair": "none"},
            "an older man with a cap takes a photo",
        ),
        (
            "a man with glasses, short dark hair and a beard who looks up",
            {"facial_hair": "none", "hair_length": "bald"},
            "a man with glasses and a bald head who looks up",
        ),
        ("a bearded man eats a sandwich", {"facial_hair": "none"}, "a man eats a sandwich"),
        ("a man with short dark hair smiles", {"hair_colour": "blond"}, "a man with short blond hair smiles"),
        ("a man with short dark hair smiles", {"hair_length": "long"}, "a man with long dark hair smiles"),
        ("a man with long dark hair smiles", {"hair_length": "medium"}, "a man with dark hair smiles"),
        ("a dark haired woman eats", {"hair_colour": "grey"}, "a grey haired woman eats"),
        ("a man with short dark hair smiles", {"hair_colour": "brown", "hair_length": "short"}, None),
        ("a man with a white beard and white hair", {"hair_colour": "grey"}, None),
        ("a man with short dark hair and a beard smiles", {}, None),
        ("a smiling old man sits", {"expression": "sad"}, "an old man sits"),
        ("a smiling man sits", {"expression": "unclear"}, None),
        ("a red bus with short people and dark windows", {"hair_colour": "blond", "facial_hair": "none"}, None),
    ],
)
def test_what_the_reader_is_sure_of_overrules_the_caption(
    caption: str, seen: dict[str, str], corrected: str | None
) -> None:
    assert correct_looks(caption, replace(READING, **seen)) == (corrected or caption)  # type: ignore[arg-type]


def test_a_portrait_is_described_by_its_face() -> None:
    man = Person("man", "adult", "happy")
    bearded = replace(READING, hair_length="short", hair_colour="black", facial_hair="beard", strength="strong")
    told = portrait_caption(man, bearded)
    assert told == "a close portrait of a man with short dark hair and a beard who smiles broadly"
    old = replace(READING, hair_length="bald", hair_colour="grey", facial_hair="mustache", strength="slight")
    told = portrait_caption(replace(man, age="senior", wears=("glasses",)), old, grey=True)
    assert told == (
        "a close black and white portrait of an older man with a bald head, glasses and a grey mustache who smiles"
    )


def test_a_portrait_says_nothing_that_is_unclear() -> None:
    person = Person("person", "child", "unclear")
    assert portrait_caption(person, READING) == "a close portrait of a small child"
    assert hair_words(READING) == ""
