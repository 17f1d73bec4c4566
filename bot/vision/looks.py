"""Hair, beard and the like: where the face reader is sure it corrects a caption, or describes a portrait alone.

Labels that the reader is not sure of are "unclear" (thresholds stand in the bundle's manifest) and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain import FaceReading, Person
from bot.vision.rewording import without

LOOKS = ("facial_hair", "headwear", "hair_length", "hair_colour", "eyes")  # fields of a reading
SURE_MOOD = 0.6  # probability of another expression that takes a smile back
LENGTHS = ("short", "long", "medium", "shoulder-length")
# A hair colour of the reader -> the words that say it; the first one is ours
COLOURS: dict[str, tuple[str, ...]] = {
    "black": ("dark", "black"),
    "brown": ("brown", "dark", "light brown", "auburn", "reddish"),
    "blond": ("blond", "blonde", "golden", "light", "fair"),
    "grey": ("grey", "gray", "white", "silver"),
    "white": ("white", "grey", "gray", "silver"),
}
COLOUR_WORDS = tuple({word for words in COLOURS.values() for word in words} | {"red"})
FACIAL_HAIR = ("stubble", "mustache", "goatee", "beard")
_HAIR = re.compile(r"\b(?P<words>(?:[a-z-]+ ){0,3}?(?:[a-z-]+))[ -](?P<noun>hair|haired)\b")
_SMILING = re.compile(r"\ba (smiling|laughing|happy) (?=(?P<next>[a-z]))")
_BEARD = rf"(?:[a-z]+ ){{0,3}}?(?:{'|'.join(FACIAL_HAIR)})"

MOODS: dict[str, tuple[str, str]] = {  # what an expression does, slight or plain
    "happy": ("smiles", "smiles broadly"),
    "neutral": ("has a calm face", "has a calm face"),
    "sad": ("looks serious", "looks sad"),
    "angry": ("has a stern look", "looks angry"),
    "surprised": ("looks surprised", "looks surprised"),
    "disgusted": ("makes a face", "makes a face"),
    "scared": ("looks worried", "looks scared"),
}
NOUNS: dict[str, tuple[str, str, str]] = {  # by age: male, female, unclear
    "baby": ("a baby", "a baby", "a baby"),
    "child": ("a little boy", "a little girl", "a small child"),
    "teen": ("a teenage boy", "a teenage girl", "a teenager"),
    "young": ("a young man", "a young woman", "a young person"),
    "adult": ("a man", "a woman", "a person"),
    "senior": ("an older man", "an older woman", "an older person"),
}


def portrait_caption(person: Person, reading: FaceReading, *, grey: bool = False) -> str:
    """Return a caption of a photo that a face fills, from the face alone: "a close portrait of a man who smiles"."""
    age = "young" if person.age == "adult" and reading.age_band == "20-29" else person.age
    gender = {"man": 0, "boy": 0, "woman": 1, "girl": 1}.get(person.who, 2)
    traits = list(_traits(person, reading))
    who = NOUNS[age][gender] + (f" with {_listed(traits)}" if traits else "")
    mood = MOODS.get(person.expression)
    photo = "a close black and white portrait" if grey else "a close portrait"
    return f"{photo} of {who}" + (f" who {mood[reading.strength in ('clear', 'strong')]}" if mood else "")


def correct_looks(caption: str, reading: FaceReading) -> str:
    """Correct what a caption that names one person says about hair, beard and a smile."""
    if reading.expression not in ("happy", "unclear") and reading.expression_score >= SURE_MOOD:
        caption = _SMILING.sub(lambda found: "an " if found["next"] in "aeiou" else "a ", caption)
    if reading.facial_hair == "none":
        caption = re.sub(r"\bbearded ", "", without(caption, _BEARD))
    return _HAIR.sub(lambda found: _hair(found, reading), caption)


def hair_words(reading: FaceReading) -> str:
    """Return length and colour of the hair as the reader is sure of them, "" for neither."""
    length = reading.hair_length if reading.hair_length in ("short", "long") else ""
    colour = COLOURS.get(reading.hair_colour, ("",))[0]
    return f"{length} {colour}".strip()


def _hair(found: re.Match[str], reading: FaceReading) -> str:
    """Return the hair of a caption with the words that the reader denies replaced."""
    if found["noun"] == "hair" and reading.hair_length == "bald":
        return _after_preposition(found["words"], "a bald head")
    words = [_truth(word, reading) for word in found["words"].split()]
    return " ".join(word for word in words if word) + found[0][len(found["words"]) :]


def _truth(word: str, reading: FaceReading) -> str:
    """Return the word itself, or what the reader says instead: "" for a medium length, which nobody says."""
    if word in LENGTHS and reading.hair_length in ("short", "medium", "long") and word != reading.hair_length:
        return "" if reading.hair_length == "medium" else reading.hair_length
    known = COLOURS.get(reading.hair_colour)
    return known[0] if known and word in COLOUR_WORDS and word not in known else word


def _after_preposition(words: str, instead: str) -> str:
    """Replace what stands after "with" or "and" among ``words``; without either all that describes hair."""
    parts = words.split()
    tie = max((i for i, word in enumerate(parts) if word in ("with", "and", "his", "her", "a")), default=-1)
    return " ".join([*parts[: tie + 1], instead])


def _traits(person: Person, reading: FaceReading) -> Sequence[str]:
    """Return what a face has and wears, as noun phrases, as far as the reader is sure."""
    traits = []
    if reading.hair_length == "bald" and person.age != "baby":
        traits.append("a bald head")
    elif reading.hair_length not in ("unclear", "covered", "bald") and hair_words(reading):
        traits.append(f"{hair_words(reading)} hair")
    if person.wears:
        traits += person.wears
    if reading.facial_hair in FACIAL_HAIR and person.who in ("man", "person"):
        shade = reading.hair_colour if reading.hair_colour in ("grey", "white") else ""
        kind = f"{shade} {reading.facial_hair}".strip()
        traits.append(kind if kind.endswith("stubble") else f"a {kind}")
    if reading.headwear in ("hat", "cap", "scarf"):
        traits.append(f"a {reading.headwear}" + (" around the head" if reading.headwear == "scarf" else ""))
    if reading.eyes == "closed":
        traits.append("closed eyes")
    return traits


def _listed(things: Sequence[str]) -> str:
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
