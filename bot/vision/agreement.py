"""Make faces and caption tell one story: who of the caption has which face, and what both say together.

The face reader is believed where it is sure, the caption where it is not; what a face corrects is then
corrected in the caption as well (bot/vision/rewording.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from bot.domain import MAX_PEOPLE, Age, FaceReading, Person, Who
from bot.vision import lexicon
from bot.vision.caption_people import Mention
from bot.vision.face_reader import age_of

# Probabilities from which a reading overrules the caption. Measured on labelled photos: genders read below
# 0.9 are right three times in four, no better than a caption; whoever reads as young is young, while one
# in six who read as grown are not.
SURE_GENDER = 0.9
SURE_YOUNG, SURE_GROWN = 0.35, 0.75
SURE_EYEWEAR = 0.7
MAX_SLOTS = 5  # people of the caption that faces are matched with; more would only cost time
# What leaving a face without words costs, where 1 is a face of the other gender: as long as somebody the
# caption counts has no face, and as long as only "some men" may have more.
LEFT_OUT, LEFT_OUT_OF_MANY = 2.0, 0.5

Way = tuple[int | None, ...]  # for each face its slot
YOUNG: frozenset[Age] = frozenset({"baby", "child"})
GROWN: frozenset[Age] = frozenset({"adult", "senior"})
_MIDDLE_AGED = frozenset({"40-49", "50-59"})


@dataclass(frozen=True)
class Seen:
    """A face as a person of its own (box in pixels of the original photo) and the reading behind it."""

    person: Person
    reading: FaceReading


def match(seen: Sequence[Seen], mentions: Sequence[Mention]) -> list[Mention | None]:
    """Return for each face, the largest first, the noun phrase it belongs to, or None.

    Of all ways to hand the caption's people to the largest faces the one with the fewest contradictions
    is taken; among equals the larger face gets who is named first.
    """
    faces = seen[:MAX_PEOPLE]
    human = [m for m in mentions if m.human]
    slots = [m for m in human for _ in range(m.count if m.exact else max(m.count, len(faces)))][:MAX_SLOTS]
    against = [[_contradictions(face, slot) for slot in slots] for face in faces]
    sizes = [face.person.box.h if face.person.box else 1.0 for face in faces]
    best = min(_ways(len(faces), len(slots)), key=lambda way: _cost(way, against, slots, sizes))
    return [None if slot is None else slots[slot] for slot in best] + [None] * (len(seen) - len(faces))


def _ways(faces: int, slots: int) -> Iterator[Way]:
    """Yield every way to give each face a slot of its own or none, early slots first."""
    for way in product([*range(slots), None], repeat=faces):
        taken = [slot for slot in way if slot is not None]
        if len(taken) == len(set(taken)):
            yield way


def _cost(way: Way, against: Sequence[Sequence[float]], slots: Sequence[Mention], sizes: Sequence[float]) -> float:
    """Weigh a way: contradictions, faces left out though somebody is named, large faces left out for small ones."""
    given = {face: slot for face, slot in enumerate(way) if slot is not None}
    cost = sum(against[face][slot] for face, slot in given.items())
    left_out = [face for face in range(len(way)) if face not in given]
    idle = [slot for i, slot in enumerate(slots) if i not in given.values()]
    cost += LEFT_OUT * min(len(left_out), sum(slot.exact for slot in idle))
    cost += LEFT_OUT_OF_MANY * min(len(left_out), sum(not slot.exact for slot in idle))
    for face in left_out:
        smaller = [sizes[other] / sizes[face] for other in given if other > face]
        cost += 2 * (1 - min(smaller, default=1.0))
    return cost


def ages_differ(one: Age, other: Age) -> bool:
    """Tell whether two ages cannot be the same person: young and grown, or baby and teen."""
    pair = {one, other}
    return bool(pair & YOUNG and pair & GROWN) or pair == {"baby", "teen"}


def fuse(seen: Seen, mention: Mention | None) -> Person:
    """Return the person a face and its words in the caption make together."""
    face, reading = seen.person, seen.reading
    if mention is None:
        return face
    gender = _gender(reading, mention)
    age = _age(reading, mention)
    who = _who(lexicon.NOUNS[mention.noun].who, age, gender)
    # A mood the caption says aloud cannot be taken back, so it wins.
    said = mention.expression != "unclear"
    expression = mention.expression if said else face.expression
    return replace(face, who=who, age=age, expression=expression, wears=mention.wears or face.wears)


def eyewear(reading: FaceReading) -> tuple[str, ...]:
    """Return what a face surely wears on its eyes."""
    sure = reading.glasses != "none" and reading.glasses_score >= SURE_EYEWEAR
    return (reading.glasses,) if sure else ()


def _gender(reading: FaceReading, mention: Mention) -> lexicon.Gender | None:
    """Weigh the gender read against the one said."""
    said = lexicon.gender_of(mention.who)
    if reading.gender == "unclear" or (said and reading.gender_score < SURE_GENDER):
        return said
    return reading.gender


def _who(said: Who, age: Age, gender: lexicon.Gender | None) -> Who:
    """Name someone by age and gender, near to the noun said: a teenager may be a man, a baby a boy."""
    if age == "baby" and (said not in {"boy", "girl"} or not gender):
        return "baby"
    if not gender:
        return "person"
    if age == "teen" and said in {"man", "woman"}:
        return lexicon.gendered("person", "adult", gender)
    return lexicon.gendered("person", "child" if age == "baby" else age, gender)


def _age(reading: FaceReading, mention: Mention) -> Age:
    """Weigh the age read against the age said; words like "player" say nothing about age."""
    read = age_of(reading)
    said = lexicon.NOUNS[mention.noun]
    if mention.age == "senior" and (reading.age_band in _MIDDLE_AGED or (read not in YOUNG and not _sure_age(reading))):
        return "senior"
    if mention.age == "baby" and read == "child":
        return "baby"
    telling = said.who != "person" or said.age != "adult"
    if telling and ages_differ(read, mention.age) and not _sure_age(reading):
        return mention.age
    return read


def _sure_age(reading: FaceReading) -> bool:
    """Tell whether an age read may overrule the caption."""
    return reading.age_score >= (SURE_YOUNG if age_of(reading) in YOUNG else SURE_GROWN)


def _contradictions(seen: Seen, mention: Mention) -> float:
    """Weigh what speaks against a face being the one a noun phrase names."""
    said, read = lexicon.gender_of(mention.who), seen.reading.gender
    against = seen.reading.gender_score if said and read not in (said, "unclear") else 0.0
    if lexicon.NOUNS[mention.noun].who != "person" or mention.age != "adult":
        against += ages_differ(age_of(seen.reading), mention.age)
        against += 0.5 * (mention.age == "senior" and age_of(seen.reading) in {"teen", "adult"})
    places = {mention.where, seen.person.where}
    against += 0.5 * (places == {"left", "right"})
    return against + 1.5 * (mention.where == "far" and seen.person.where != "far")
