"""What descriptions and characters wish a face to be."""

import pytest

from bot.domain import Persona
from bot.portrait.wishes import AGES, GENDERS, MOODS, Wish, wish_in, wish_of
from bot.speech.personas import load_personas


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cheerful old man", Wish("senior", "male", "happy")),
        ("A grumpy 25 year old woman", Wish("young adult", "female", "neutral")),
        ("a 7-year-old", Wish("child")),
        ("62岁的女人", Wish("senior", "female")),
        ("开心的老爷爷", Wish("senior", "male", "happy")),
        ("a grandmother who misses her husband", Wish("senior", "female")),
        ("a toaster", Wish()),
        ("", Wish()),
        ("a womanly manner of speaking", Wish()),
    ],
)
def test_descriptions_are_read(text: str, expected: Wish) -> None:
    assert wish_in(text) == expected


def test_a_character_looks_as_it_is_described_else_as_its_manner_and_voice() -> None:
    described = Persona("a", "Captain Ann", "pirate", ("grumpy",), description="A woman of 80 years, always laughing.")
    assert wish_of(described) == Wish("senior", "female", "happy")
    assert wish_of(Persona("b", "Ann", "pirate", ("grumpy",))) == Wish("adult", None, "neutral")
    assert wish_of(Persona("c", "Ann", "grandma")) == Wish("senior", "female", "happy")


def test_every_built_in_voice_but_self_says_at_least_age_and_mood() -> None:
    for persona in load_personas().values():
        wish = wish_of(persona)
        assert persona.voice == "self" or (wish.age and wish.mood), persona.id


def test_what_is_open_is_decided_by_the_seed_alone() -> None:
    seeds = range(200)
    decided = [Wish().decided(seed) for seed in seeds]
    assert decided == [Wish().decided(seed) for seed in seeds]
    assert {wish.age for wish in decided} == set(AGES)
    assert {wish.gender for wish in decided} == set(GENDERS)
    assert {wish.mood for wish in decided} == set(MOODS)
    asked = Wish("teen", mood="happy").decided(3)
    assert (asked.age, asked.mood, asked.gender) == ("teen", "happy", Wish().decided(3).gender)


def test_conditions_are_numbers_in_the_generators_order() -> None:
    assert Wish("senior", "female", "happy").numbers() == [4, GENDERS.index("female"), 1]
