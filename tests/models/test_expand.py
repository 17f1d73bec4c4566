"""Expansion gives endless, deterministic, grounded pairs in the shape of real scenes."""

from __future__ import annotations

from itertools import islice

from bot.domain import Person, Scene
from bot.speech.facts import read_facts
from models.data.expand import expand

SCENES = [
    Scene("a man in a red jacket skis down a snowy slope", (Person("man", "adult", "happy", "center"),)),
    Scene(
        "a man in a black suit and a woman in a white dress dance at a wedding",
        (Person("man", "adult", "happy", "left"), Person("woman", "adult", "neutral", "right")),
    ),
    Scene("a brown dog sleeps on a sofa", (Person("dog", "-", "unclear", "center"),)),
]


def test_deterministic_and_endless() -> None:
    first, again = (list(islice(expand(SCENES, seed=4), 300)) for _ in range(2))
    assert first == again
    assert first != list(islice(expand(SCENES, seed=5), 300))


def test_shape_of_the_stream() -> None:
    pairs = list(islice(expand(SCENES, seed=1), 3000))
    openings = sum(not pair.turns for pair in pairs) / len(pairs)
    assert 0.55 < openings < 0.8
    assert {pair.scene.people[0].who for pair in pairs} == {"man", "woman", "dog"}
    assert all(pair.turns[0].role == "persona" and pair.turns[-1].role == "user" for pair in pairs if pair.turns)
    assert all(pair.reply not in {turn.text for turn in pair.turns} for pair in pairs)
    assert len({pair.reply for pair in pairs}) > 1200


def test_most_replies_name_a_fact() -> None:
    openings = [pair for pair in islice(expand(SCENES, seed=2), 1000) if not pair.turns]
    named = [pair for pair in openings if any(v in pair.reply for v in read_facts(pair.scene).slots().values())]
    assert len(named) / len(openings) > 0.6  # others name the topic in words of their own
