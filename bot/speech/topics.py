"""What a photo is about: the topics of bot/resources/frames/topics.toml whose words its caption names."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

from bot.domain import ANIMALS, Scene
from bot.speech.facts import read_facts
from bot.speech.grammar import parse
from bot.speech.lexicon import singular

TOPICS = Path(__file__).parent.parent / "resources" / "frames" / "topics.toml"


SPECIES = ("dog", "cat", "horse", "cow", "sheep", "bird", "elephant", "giraffe", "zebra", "bear")
VIEWS = ("portrait", "selfie")
ROOMS = ("kitchen", "bathroom")
BALL_GAMES = frozenset({"baseball", "batting", "pitching"})
WHOLE = frozenset({"teddy bear", "traffic light", "street sign"})  # no bear, light or street


@lru_cache(maxsize=512)
def topics_of(scene: Scene) -> frozenset[str]:
    """Return the topics that suit the scene's first person: a person's, an animal's or nobody's."""
    who = scene.people[0].who
    kind = "animal" if who in ANIMALS else "nobody" if who == "nobody" else "human"
    parsed = parse(scene.caption)
    heads = [head for phrase in parsed.phrases for head in _names(phrase.head)]
    words = [*heads, *(verb.base for verb in parsed.verbs), *({who} & {"dog", "cat"})]
    words += [view for view in VIEWS if view in scene.caption]  # the grammar reads past `a close portrait of`
    found = {topic for topic, triggers in _topics()[kind].items() if triggers & set(words)}
    if found & BALL_GAMES:
        found.discard("food")  # home plate
    if set(ROOMS) <= found:  # a kitchen has a sink, too
        found -= {room for room in ROOMS if room not in words}
    if kind == "animal":
        triggers = _topics()[kind]
        own = who if who in SPECIES else next((s for word in heads for s in SPECIES if word in triggers[s]), "")
        found -= set(SPECIES) - {own}
        if not read_facts(scene).wear:  # the rider's coat is not the horse's
            found.discard("dressed")
    return frozenset(found)


def _names(head: str) -> set[str]:
    """Return what a head noun may be called: itself, its last words, and these in the singular."""
    names = {head} if singular(head) in WHOLE else {head, *head.split()}
    return names | {singular(name) for name in names}


@lru_cache(maxsize=1)
def _topics() -> dict[str, dict[str, frozenset[str]]]:
    table = tomllib.loads(TOPICS.read_text(encoding="utf-8"))
    return {kind: {topic: frozenset(words) for topic, words in topics.items()} for kind, topics in table.items()}
