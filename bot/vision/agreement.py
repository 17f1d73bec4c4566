"""Make faces and caption tell one story: who of the caption has which face, and what both say together.

The face reader is believed where it is sure, the caption where it is not; what a face corrects is then
corrected in the caption as well (bot/vision/rewording.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from bot.domain import MAX_PEOPLE, Age, FaceReading, Person, Who
from bot.vision import lexicon
from bot.vision.caption_people import Mention
from bot.vision.colours import Colours
from bot.vision.face_reader import age_of

# Probabilities from which a reading overrules the caption. Measured on labelled photos: genders read below
# 0.9 are right three times in four, no better than a caption; whoever reads as young is young, while one
# in six who read as grown are not.
SURE_GENDER = 0.9
SURE_YOUNG, SURE_GROWN = 0.35, 0.75
SURE_EYEWEAR = 0.7
MAX_PHRASES = 4  # of the caption that faces are matched with; more would only cost time
# What leaving a face without words costs, where 1 is a face of the other gender: as long as somebody the
# caption counts has no face, and as long as only "some men" may have more.
LEFT_OUT, LEFT_OUT_OF_MANY = 2.0, 0.5

Way = tuple[int | None, ...]  # for each face the index of its noun phrase
YOUNG: frozenset[Age] = frozenset({"baby", "child"})
GROWN: frozenset[Age] = frozenset({"adult", "senior"})
_MIDDLE_AGED = frozenset({"40-49", "50-59"})


@dataclass(frozen=True)
class Seen:
    """A face as a person of its own (box in pixels of the original photo) and the reading behind it."""

    person: Person
    reading: FaceReading
    colours: Colours | None = None  # of the garment below the face


def match(seen: Sequence[Seen], mentions: Sequence[Mention]) -> list[Mention | None]:
    """Return for each face, the largest first, the noun phrase it belongs to, or None.

    Of all ways to hand the caption's people to the largest faces the one with the fewest contradictions
    is taken; among equals the larger face gets who is named first.
    """
    faces = seen[:MAX_PEOPLE]
    human = [mention for mention in mentions if mention.human][:MAX_PHRASES]
    room = [mention.count if mention.exact else max(mention.count, len(faces)) for mention in human]
    against = [[_contradictions(face, mention) for mention in human] for face in faces]
    sizes = [face.person.box.h if face.person.box else 1.0 for face in faces]
    ways = [
        way
        for way in product([*range(len(human)), None], repeat=len(faces))
        if all(way.count(i) <= places for i, places in enumerate(room))
    ]
    best = min(ways, key=lambda way: _cost(way, human, room, against, sizes))
    return [None if i is None else human[i] for i in best] + [None] * (len(seen) - len(faces))


def _cost(
    way: Way,
    human: Sequence[Mention],
    room: Sequence[int],
    against: Sequence[Sequence[float]],
    sizes: Sequence[float],
) -> float:
    """Weigh a way: contradictions, faces left out though somebody is named, large faces left out for small ones."""
    given = {face: phrase for face, phrase in enumerate(way) if phrase is not None}
    left_out = [face for face, phrase in enumerate(way) if phrase is None]
    idle = [(mention.exact, places - way.count(i)) for i, (mention, places) in enumerate(zip(human, room, strict=True))]
    cost = sum(against[face][phrase] for face, phrase in given.items())
    cost += LEFT_OUT * min(len(left_out), sum(places for exact, places in idle if exact))
    cost += LEFT_OUT_OF_MANY * min(len(left_out), sum(places for exact, places in idle if not exact))
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
