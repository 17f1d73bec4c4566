"""The word lists behind the caption grammar: nouns by class, adjectives and verb forms.

The lists are data (bot/resources/lexicons/*.txt); this module reads them once and derives plurals and
verb forms by the regular spelling rules of English, with the irregular ones written out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

LEXICONS = Path(__file__).parent.parent / "resources" / "lexicons"
VOCABULARY = LEXICONS.parent / "vocabulary.txt"
NounClass = Literal["person", "animal", "garment", "hair", "body", "vehicle", "place", "thing", "unknown"]

IRREGULAR_PLURALS = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "persons": "person", "wives": "wife",
    "mice": "mouse", "geese": "goose", "calves": "calf", "wolves": "wolf", "oxen": "ox", "feet": "foot",
    "teeth": "tooth", "knives": "knife", "leaves": "leaf", "loaves": "loaf", "shelves": "shelf", "scarves": "scarf",
    "halves": "half", "gentlemen": "gentleman", "firemen": "fireman", "fishermen": "fisherman", "snowmen": "snowman",
    "policemen": "policeman", "businessmen": "businessman", "tomatoes": "tomato", "potatoes": "potato",
    "oxes": "ox", "buses": "bus", "babies": "baby", "ladies": "lady", "puppies": "puppy", "ponies": "pony",
    "taxes": "tax", "taxis": "taxi", "skis": "ski", "selfies": "selfie", "cookies": "cookie", "ties": "tie",
    "hoodies": "hoodie", "beanies": "beanie", "onesies": "onesie", "smoothies": "smoothie", "brownies": "brownie",
    "pies": "pie", "movies": "movie", "zombies": "zombie", "dominoes": "domino", "volcanoes": "volcano",
}  # fmt: skip
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
           "several": 4, "many": 4, "few": 3, "multiple": 4, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6}  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """Every list, ready for look-up. Nouns are singular and may hold several words."""

    people: dict[str, tuple[str, str]]
    animals: dict[str, str]
    garments: dict[str, bool]
    """garment -> whether it is plural by nature."""
    hair: frozenset[str]
    body: frozenset[str]
    places: dict[str, str]
    """place -> the preposition one uses for being there."""
    vehicles: frozenset[str]
    things: frozenset[str]
    colors: frozenset[str]
    adjectives: frozenset[str]
    third: dict[str, str]
    gerunds: dict[str, str]
    participles: dict[str, str]
    bases: frozenset[str]

    def classify(self, words: tuple[str, ...]) -> tuple[int, NounClass, str, bool]:
        """Find the longest known noun that ends ``words``: (length, class, singular, is plural).

        An unknown last word is its own noun of class "unknown".
        """
        for size in range(min(3, len(words)), 0, -1):
            tail = words[-size:]
            for noun, plural in ((" ".join(tail), False), (" ".join((*tail[:-1], singular(tail[-1]))), True)):
                kind = self.kind(noun)
                if kind != "unknown":
                    return size, kind, noun, plural and noun != " ".join(tail)
        return 1, "unknown", singular(words[-1]), is_plural(words[-1])

    def kind(self, noun: str) -> NounClass:
        """Return the class of a singular noun."""
        if noun in self.garments:
            return "garment"
        if noun in self.people:
            return "person"
        if noun in self.animals:
            return "animal"
        if noun in self.hair:
            return "hair"
        if noun in self.body:
            return "body"
        if noun in self.vehicles:
            return "vehicle"
        if noun in self.places:
            return "place"
        return "thing" if noun in self.things else "unknown"


def singular(word: str) -> str:
    """Return the singular of a noun; words that are not plural come back unchanged."""
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    if not word.endswith("s") or word.endswith(("ss", "us", "is")) or len(word) < 4:
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zes")):
        return word[:-2]
    return word[:-1]


def is_plural(word: str) -> bool:
    """Tell whether a noun looks plural."""
    return singular(word) != word


def third_person(base: str) -> str:
    """Return the third person singular of a verb: carry -> carries."""
    if base in {"have", "be"}:
        return {"have": "has", "be": "is"}[base]
    if base.endswith(("s", "sh", "ch", "x", "z", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def gerund(base: str) -> str:
    """Return the -ing form of a verb: lie -> lying, run -> running, ride -> riding."""
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")) and base != "be":
        return base[:-1] + "ing"
    return (base + base[-1] if _doubles(base) else base) + "ing"


def past_participle(base: str) -> str:
    """Return the regular -ed form of a verb."""
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return (base + base[-1] if _doubles(base) else base) + "ed"


def _doubles(base: str) -> bool:
    """Tell whether the last consonant doubles: short final syllable, one vowel, stressed."""
    base = base.replace("qu", "qw")  # squatting: the u is no vowel there
    if len(base) < 3 or base[-1] in "aeiouwxy" or base[-2] not in "aeiou" or base[-3] in "aeiou":
        return base in {"qwit", "eqwip"}
    syllables = sum(1 for i, c in enumerate(base) if c in "aeiouy" and (i == 0 or base[i - 1] not in "aeiouy"))
    return syllables == 1 or base in {"begin", "unzip", "unplug", "untrim", "commit", "unpin", "forget"}


def article(phrase: str) -> str:
    """Return ``a`` or ``an`` for a phrase by its first sound."""
    word = phrase.lower()
    if word.startswith(("uni", "use", "ukulele", "euro", "one", "ufo")) and not word.startswith("unin"):
        return "a"
    return "an" if word[:1] in "aeiou" or word.startswith(("hour", "honest", "x-ray", "mp3")) else "a"


@lru_cache(maxsize=1)
def _word_sets() -> dict[str, frozenset[str]]:
    pairs = (line.split(": ", 1) for line in _lines("words"))
    return {name: frozenset(word.replace("_", " ") for word in words.split()) for name, words in pairs}


def word_set(name: str) -> frozenset[str]:
    """Return one named set of words.txt."""
    return _word_sets()[name]


@lru_cache(maxsize=1)
def vocabulary() -> frozenset[str]:
    """Return every word of our own texts, in lower case (``python -m models.data.vocabulary`` lists them)."""
    return frozenset(VOCABULARY.read_text(encoding="utf-8").split())


@lru_cache(maxsize=1)
def alike() -> tuple[frozenset[str], ...]:
    """Return the groups of nouns that may name the same thing (bike, bicycle)."""
    return tuple(frozenset(line.split()) for line in _lines("alike"))


def _lines(name: str) -> list[str]:
    text = (LEXICONS / f"{name}.txt").read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """Read and cache all word lists."""
    people = {(f := line.split())[0]: (f[1], f[2]) for line in _lines("people")}
    animals = {(f := line.split())[0]: f[1] for line in _lines("animals")}
    places = {(f := line.rsplit(" ", 1))[0]: f[1] for line in _lines("places")}
    garments = {line.rstrip("+"): line.endswith("+") for line in _lines("garments")}
    adjective_lines = _lines("adjectives")
    colors = frozenset(adjective_lines[adjective_lines.index("colors") + 1].split())
    adjectives = frozenset(adjective_lines[adjective_lines.index("others") + 1].split()) | colors
    verbs = [line.split() for line in _lines("verbs")]
    participles = {verb[1] if len(verb) > 1 else past_participle(verb[0]): verb[0] for verb in verbs}
    return Lexicon(
        people=people, animals=animals, garments=garments, hair=frozenset(_lines("hair")),
        body=frozenset(_lines("body")), places=places, vehicles=frozenset(_lines("vehicles")),
        things=frozenset(_lines("things")), colors=colors, adjectives=adjectives,
        third={third_person(verb[0]): verb[0] for verb in verbs},
        gerunds={gerund(verb[0]): verb[0] for verb in verbs},
        participles=participles, bases=frozenset(verb[0] for verb in verbs),
    )  # fmt: skip
