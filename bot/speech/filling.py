"""Put the facts of a scene into the slots of a text, be it a hand-written frame or one the speaker wrote.

The speaker writes slot tokens where a fact belongs (as in delexicalised generation, Wen et al. 2015), so what it
says of a garment, thing or place is what the scene holds, in the right number and with the right article.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from bot.speech.facts import Facts
from bot.speech.frame_files import SLOT, Frame, singular_wording, slots_of
from bot.speech.grammar import PREPOSITIONS
from bot.speech.lexicon import article

PLACE_SLOTS = frozenset({"place", "the_place", "at_place"})
THING_SLOTS = frozenset({"thing", "the_thing", "a_thing"})
FAMILIES = (
    frozenset({"wear", "this_wear", "a_wear"}), THING_SLOTS, PLACE_SLOTS, frozenset({"vehicle", "the_vehicle"}),
    frozenset({"animal", "the_animal", "a_animal"}),
)  # fmt: skip
MY = {"queen": "our", "pirate": "me"}  # how these voices say it


def usable(frame: Frame, facts: Facts) -> bool:
    """Whether the facts fill every slot of a frame and their number agrees with its wording."""
    return _agrees(frame, facts) and fillable(frame.slots, facts)


def usable_frames(frames: Iterable[Frame], facts: Facts) -> list[Frame]:
    """Return the usable ones of frames; slots that many of them have are looked at once."""
    filled: dict[frozenset[str], bool] = {}
    found = []
    for frame in frames:
        if frame.slots not in filled:
            filled[frame.slots] = fillable(frame.slots, facts)
        if filled[frame.slots] and _agrees(frame, facts):
            found.append(frame)
    return found


def _agrees(frame: Frame, facts: Facts) -> bool:
    """Whether the wording of a frame suits the number of its garment and does not say its place twice."""
    if "doing" in frame.slots and _says_place_twice(frame.text, facts):
        return False
    return not (facts.wear_plural and frame.singular_wear)


def fits_wording(text: str, facts: Facts) -> bool:
    """Whether the facts fill a text with slots, as ``usable`` tells of a frame."""
    slots = slots_of(text)
    if "doing" in slots and _says_place_twice(text, facts):
        return False
    return not (facts.wear_plural and singular_wording(text, slots)) and fillable(slots, facts)


def fillable(slots: Collection[str], facts: Facts) -> bool:
    """Whether the facts fill these slots side by side."""
    names = set(slots)
    if not names <= slot_values(facts).keys():
        return False
    if "doing" in names and names & PLACE_SLOTS and not _without_place(facts):
        return False
    if "doing" in names and names & THING_SLOTS and facts.thing.rsplit(" ", 1)[-1] in facts.doing.split():
        return False  # a ball, hitting a ball
    return not (names & PLACE_SLOTS and names & THING_SLOTS and facts.thing and facts.thing == facts.place)


def _says_place_twice(text: str, facts: Facts) -> bool:
    """Whether a text names right after the doing the place that the doing names: walking on a beach on the beach."""
    head = facts.place.rsplit(" ", 1)[-1]
    return bool(head) and head in facts.doing and re.search(rf"{{doing}}[ \w]* {re.escape(head)}\b", text) is not None


@lru_cache(maxsize=512)
def slot_rules(facts: Facts) -> Mapping[str, frozenset[str]]:
    """Return every slot these facts fill and, for each, the slots that may not follow it in the same text."""
    rules = {}
    for slot in slot_values(facts):
        family = next((one for one in FAMILIES if slot in one), frozenset({slot}))
        clashing = {other for other in slot_values(facts) if not fillable({slot, other}, facts)}
        rules[slot] = family | clashing
    return rules


def fill(text: str, facts: Facts, voice: str = "self") -> str:
    """Put the facts into the slots of ``text``; articles follow the sound of what is put in, ``my`` the voice.

    Every slot must be fillable (see ``usable``), else KeyError.
    """
    slots = slots_of(text)
    if not slots:
        return text
    values = slot_values(facts)
    if "doing" in slots and slots & PLACE_SLOTS:
        values = {**values, "doing": _without_place(facts)}

    def put(match: re.Match[str]) -> str:
        before, name = match.groups()
        value = values[name]
        if voice in MY and name in {"doing", "the_other"}:
            value = re.sub(
                r"\bmy(self)?\b",
                lambda my: "ourself" if my[1] and voice == "queen" else MY[voice] + (my[1] or ""),
                value,
            )
        if voice == "queen" and name == "the_other":
            value = re.sub(r"\bme\b", "us", value)
        if before:
            return f"{_article(before, value)} {value}"
        start = match.start() == 0 or re.search(r"[.!?][\"')]* $", text[: match.start()]) is not None
        return value[0].upper() + value[1:] if start else value

    return SLOT.sub(put, text)


def unfill(text: str, facts: Facts) -> str:
    """Return a text with slots where it first names each of the facts, the longest wordings first.

    The inverse of ``fill`` but for small things (capitals, ``a {wear}``); it makes authored replies and earlier
    turns look as the speaker writes them.
    """
    for slot, value in _wordings(facts):
        taken = slots_of(text)
        if value in text and fillable({*taken, slot}, facts):
            text = re.sub(rf"(?<![\w{{'-]){re.escape(value)}(?![\w}}'-]*[\w}}])", f"{{{slot}}}", text, count=1)
    return text


@lru_cache(maxsize=512)
def _wordings(facts: Facts) -> tuple[tuple[str, str], ...]:
    found = [(slot, value) for slot, value in slot_values(facts).items() if len(value) > 2]
    return tuple(sorted(found, key=lambda item: (-len(item[1]), item[0])))


def _article(before: str, value: str) -> str:
    word = article(value)
    return word.capitalize() if before == "A" else word


@lru_cache(maxsize=512)
def slot_values(facts: Facts) -> Mapping[str, str]:
    """Return what each slot becomes."""
    return facts.slots()


def _without_place(facts: Facts) -> str:
    """Return the doing without the place it names, for texts that name the place themselves."""
    at = facts.doing.find(facts.place) if facts.place else -1
    if at < 0:
        return facts.doing
    words = facts.doing[:at].split()
    while words and words[-1] not in PREPOSITIONS and words[-1] not in {"of", "front"}:
        words.pop()
    while words and (words[-1] in PREPOSITIONS or words[-1] in {"front", "top", "next"}):
        words.pop()
    return " ".join(words)
