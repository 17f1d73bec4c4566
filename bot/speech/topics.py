"""What a photo is about: the topics of bot/resources/frames/topics.toml whose words its caption names."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from bot.domain import ANIMALS, Scene
from bot.speech.grammar import parse
from bot.speech.lexicon import singular

TOPICS = Path(__file__).parent.parent / "resources" / "frames" / "topics.toml"


@lru_cache(maxsize=4096)
def topics_of(scene: Scene) -> frozenset[str]:
    """Return the topics that suit the scene's first person: a person's, an animal's or nobody's."""
    who = scene.people[0].who
    kind = "animal" if who in ANIMALS else "nobody" if who == "nobody" else "human"
    parsed = parse(scene.caption)
    heads = {head for phrase in parsed.phrases for head in (phrase.head, *phrase.head.split())}
    words = {form for head in heads for form in (head, singular(head))} | {verb.base for verb in parsed.verbs}
    own = {who} if who in {"dog", "cat"} else set()
    return frozenset(topic for topic, triggers in _topics()[kind].items() if (words | own) & triggers)


@lru_cache(maxsize=1)
def _topics() -> dict[str, dict[str, frozenset[str]]]:
    table = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    return {kind: {topic: frozenset(words) for topic, words in topics.items()} for kind, topics in table.items()}
