"""Topics: what a photo is about, by its caption and its speaker."""

from __future__ import annotations

import pytest

from bot.domain import NOBODY, Person, Scene
from bot.speech.topics import topics_of

MAN, DOG = Person("man", "adult", "happy", "center"), Person("dog", "-", "neutral", "center")


@pytest.mark.parametrize(
    ("caption", "speaker", "topics"),
    [
        ("a man swings a tennis racket over a net", MAN, {"tennis", "clay"}),
        ("a man rides a wave on a surfboard", MAN, {"surfing"}),
        ("a man walks two dogs in a park", MAN, {"dog", "grass"}),
        ("a brown dog sleeps on a sofa", DOG, {"dog", "bed", "sleep"}),
        ("two pizzas on a table", NOBODY, {"pizza"}),
        ("a man stands still", MAN, set()),
        ("a close portrait of a man with short dark hair", MAN, {"portrait", "hair"}),
        ("a portrait of a man", MAN, {"portrait"}),
        ("a batter waits at the plate", MAN, {"baseball", "batting"}),
        ("a brown dog sits next to a teddy bear and a cat", DOG, {"dog", "toy"}),
        ("a man in a white shirt rides a horse", Person("animal", "-", "neutral", "center"), {"horse"}),
        ("a kitchen with black cabinets and a white sink", NOBODY, {"kitchen"}),
        ("a traffic light hangs on a pole", NOBODY, {"sign"}),
    ],
)
def test_topics(caption: str, speaker: Person, topics: set[str]) -> None:
    assert topics_of(Scene(caption, (speaker,))) == topics
