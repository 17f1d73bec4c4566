"""What somebody wishes a drawn face to be: its age group, how it is read as female or male, and its mood."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bot.domain import Persona
from bot.vision.face_labels import HEADS

AGES = ("child", "teen", "young adult", "adult", "senior")
GROUP_OF_BAND = (0, 0, 1, 2, 2, 3, 3, 4, 4)  # which of AGES each of the face reader's bands belongs to
GENDERS = HEADS["gender"]
MOODS = ("neutral", "happy")
CONDITIONS = {"age": AGES, "gender": GENDERS, "mood": MOODS}  # in the order of the generator's input
LEAST_YEARS = (10, 20, 40, 60)  # from which the second and each later group begins, as FairFace's bands do
YEARS = re.compile(r"\b(\d{1,3})(?:[ -]*years?\b|[ -]*y/?o\b|\s*岁)")
AGE_SHARES = (0.06, 0.1, 0.34, 0.34, 0.16)  # of faces whose age nobody wished

WORDS = Path(__file__).parent.parent / "resources" / "wishes.toml"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a face shall be; what is None is left to the seed."""

    age: str | None = None
    gender: str | None = None
    mood: str | None = None

    def decided(self, seed: int) -> Wish:
        """Return the wish with nothing left open; the same seed decides alike."""
        dice = np.random.default_rng((seed, 1))
        age, gender, mood = dice.choice(len(AGES), p=AGE_SHARES), dice.integers(2), dice.integers(2)
        return Wish(self.age or AGES[age], self.gender or GENDERS[gender], self.mood or MOODS[mood])

    def over(self, other: Wish) -> Wish:
        """Return this wish, with what it leaves open as ``other`` has it."""
        return Wish(self.age or other.age, self.gender or other.gender, self.mood or other.mood)

    def numbers(self) -> list[int]:
        """Return the conditions (3,) of a wish that leaves nothing open, as the generator takes them."""
        return [labels.index(getattr(self, name)) for name, labels in CONDITIONS.items()]


def wish_in(text: str) -> Wish:
    """Return what a description wishes, "a cheerful old man": of each kind the word that stands first in it."""
    plain = text.casefold()
    found = Wish(**{field.name: _first(plain, field.name) for field in fields(Wish)})
    return replace(found, age=_aged(int(years[1]))) if (years := YEARS.search(plain)) else found


def _aged(years: int) -> str:
    """Return the group of an age in years."""
    return AGES[sum(years >= least for least in LEAST_YEARS)]


def wish_of(persona: Persona) -> Wish:
    """Return the face that suits a character: by its name and description, else by its voice and traits."""
    told = wish_in(f"{persona.name}. {persona.description}")
    manners = Wish(mood=wish_in(" ".join(persona.traits)).mood)
    return told.over(manners).over(_of_voices().get(persona.voice, Wish()))


def _first(text: str, kind: str) -> str | None:
    """Return the label of a kind whose word stands first in a text; of words that begin alike the longest counts."""
    found = [(match.start(), -len(word), label) for word, (pattern, label) in _patterns(kind).items()
             if (match := pattern.search(text))]  # fmt: skip
    return min(found)[2] if found else None


@lru_cache(maxsize=len(CONDITIONS))
def _patterns(kind: str) -> dict[str, tuple[re.Pattern[str], str]]:
    """Return how each word of a kind is found, and its label. Chinese words stand without spaces around them."""
    labels: dict[str, list[str]] = _words()[kind]
    return {
        word: (re.compile(rf"\b{re.escape(word)}s?\b" if word.isascii() else re.escape(word)), label)
        for label, words in labels.items()
        for word in words
    }


@lru_cache(maxsize=1)
def _of_voices() -> dict[str, Wish]:
    return {voice: Wish(**wish) for voice, wish in _words()["voices"].items()}


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, Any]]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
