"""Who answers next in a photo of several."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from bot.domain import Person, Persona
from bot.speech.turn_taking import Seat, who_answers

ONE = Persona("self", "The One in the Photo")
SEATS = [
    Seat(Person("woman", "adult", "happy", "left"), Persona("queen", "Queen Philippa", "queen")),
    Seat(
        Person("man", "adult", "happy", "right"), Persona("pirate", "Captain Saltmarrow", "pirate", talkativeness=0.9)
    ),
    Seat(Person("dog", "-", "neutral", "center"), Persona("quiet", "Mister Shade", "vampire", talkativeness=0.1)),
]


def answers(text: str, replied_to: int | None = 0) -> tuple[int, ...]:
    return who_answers(text, SEATS, replied_to, random.Random(1))


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("what do you think, Saltmarrow?", 1),
        ("PHILIPPA!", 0),
        ("and what does the dog say?", 2),
        ("hey puppy", 2),
        ("you on the right, who are you?", 1),
        ("is that the lady of the house?", 0),
        ("who are you?", 0),
        ("I have a dog too", 0),  # spoken about, not to
        ("the captain again", 0),  # a title names nobody
        ("category error", 0),
    ],
)
def test_the_one_named_answers_else_the_one_replied_to(text: str, place: int) -> None:
    assert answers(text) == (place,)


def test_a_shared_name_names_nobody() -> None:
    seats = [Seat(seat.person, ONE) for seat in SEATS]
    assert who_answers("hello photo", seats, 1, random.Random(0)) == (1,)


def test_everybody_is_asked() -> None:
    assert answers("what do you all think?") == (0, 1, 2)
    assert who_answers("what do you all think?", SEATS[:1], 0, random.Random(0)) == (0,)


def test_without_name_or_reply_the_talkative_answer_more_often() -> None:
    rng = random.Random(0)
    counts = Counter(who_answers("hello", SEATS, None, rng)[0] for _ in range(600))
    assert counts[1] > counts[0] > counts[2] > 0


def test_of_several_named_one_of_them_answers() -> None:
    rng = random.Random(0)
    assert {who_answers("the dog or the man?", SEATS, None, rng)[0] for _ in range(60)} == {1, 2}


def test_who_has_not_spoken_yet_answers_only_when_named() -> None:
    seats = [replace(seat, silent=place != 2) for place, seat in enumerate(SEATS)]
    rng = random.Random(0)
    assert {who_answers("hello", seats, None, rng) for _ in range(60)} == {(2,)}
    assert who_answers("hello Saltmarrow", seats, None, rng) == (1,)


def test_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody"):
        who_answers("hello", [], None, random.Random(0))
