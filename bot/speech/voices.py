"""The nearest of the 24 voices and 18 traits to a free description, a name or an imported character card.

A voice scores for the words of bot/resources/voices.toml that the text holds (what names the voice counts more
than what goes with it, the beginning of a text more than its end) and for speaking like the voice's frames, by
the cosine of TF-IDF weighted words (Salton and Buckley, 1988). Nothing near means the voice ``self``.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.domain import MAX_TRAITS, TRAITS, VOICES, Persona
from bot.speech.frames import Frames
from bot.speech.personas import load_personas
from bot.speech.safety import unmask

WORDS = Path(__file__).parent.parent / "resources" / "voices.toml"
NAMED, HINTED = 3.0, 1.0
MANNER = 4.0  # times the cosine with the voice's own lines, 0..1
BEGINNING = 160  # characters in which a word counts whole; further on it counts less and less
NEAR = 1.05  # score below which no voice is near: one hint alone does not do
NAME_CHARACTERS = 80
MAX_CHARACTERS = 8000  # a card may be as long as a book
NOT = re.compile(r"\b(?:not|never|isn't|no longer|hates|fears|hunts|unlike) (?:a |an |the |any |really |all )*$")
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
SLOT = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class NearestVoice:
    """A voice and up to three traits with their scores; ``near`` is false when the voice is only a fallback.

    ``score`` and the scores of ``voices`` (best first) have no upper end: 3 is one word that names the voice.
    ``margin`` is the score's lead over the next voice.
    """

    voice: str
    traits: tuple[str, ...]
    near: bool
    score: float
    margin: float
    voices: tuple[tuple[str, float], ...]
    trait_scores: tuple[tuple[str, float], ...]


def nearest_voice(text: str) -> NearestVoice:
    """Return the voice and traits that suit a description, a name or a character card's text of any length."""
    plain = re.sub(r"\s+", " ", unmask(text[:MAX_CHARACTERS]).replace("\u2019", "'"))
    scores = {voice: _spoken(plain, voice) for voice in VOICES}
    held = _held(plain)
    for voice in VOICES:
        scores[voice] += NAMED * held.get(("voices", voice), 0.0) + HINTED * held.get(("hints", voice), 0.0)
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    near = ranked[0][1] >= NEAR
    voice = ranked[0][0] if near else "self"
    manners = {trait: held.get(("traits", trait), 0.0) for trait in TRAITS}
    traits = [(trait, score) for trait, score in sorted(manners.items(), key=lambda item: -item[1]) if score > 0]
    return NearestVoice(
        voice,
        tuple(trait for trait, _ in traits[:MAX_TRAITS]),
        near,
        scores[voice],
        ranked[0][1] - ranked[1][1] if near else 0.0,
        tuple(ranked),
        tuple(traits),
    )


def persona_of(description: str) -> Persona:
    """Return a persona made from a free description: the nearest voice and its traits; ``self`` when none is near."""
    plain = " ".join(description.split())
    nearest = nearest_voice(plain)
    name = "The " + re.sub(r"^(?:an?|the|my|some)\b ", "", plain, flags=re.IGNORECASE)
    return Persona("described", name[:NAME_CHARACTERS], nearest.voice, nearest.traits, description=plain)


def _held(text: str) -> dict[tuple[str, str], float]:
    """Return how many words of each kind and name a text holds, each weighted by where it stands first."""
    first: dict[str, int] = {}
    for match in WORD.finditer(text):
        first.setdefault(match[0], match.start())
    whole, stems, phrases = _words()
    found: dict[str, int] = {phrase: at for phrase in phrases if (at := _find(text, phrase)) >= 0}
    for word, at in first.items():
        for form in {word, word.removesuffix("'s"), word.removesuffix("s")} & whole.keys():
            found[form] = min(at, found.get(form, at))
        for end in range(2, len(word) + 1):
            if (stem := f"{word[:end]}*") in stems:
                found[stem] = min(at, found.get(stem, at))
    total: dict[tuple[str, str], float] = defaultdict(float)
    for word, at in found.items():
        if not NOT.search(text[max(0, at - 30) : at]):
            weight = 1.0 if len(word) > 3 else 0.7
            for one in whole.get(word) or stems.get(word) or phrases[word]:
                total[one] += weight * min(1.0, math.sqrt(BEGINNING / max(1, at)))
    return total


def _find(text: str, phrase: str) -> int:
    """Return where a phrase of whole words begins (its last one whole unless it ends in ``*``), or -1."""
    at = text.find(phrase.rstrip("*"))
    while at >= 0:
        end = at + len(phrase.rstrip("*"))
        if not text[at - 1 : at].isalnum() and (phrase.endswith("*") or not re.match(r"s?[a-z]", text[end:])):
            return at
        at = text.find(phrase.rstrip("*"), at + 1)
    return -1


Places = dict[str, list[tuple[str, str]]]


@lru_cache(maxsize=1)
def _words() -> tuple[Places, Places, Places]:
    """Return the whole words, the stems (with ``*``) and the phrases, each with the kinds and names they speak for."""
    places: tuple[Places, Places, Places] = ({}, {}, {})
    for kind, names in tomllib.loads(WORDS.read_text(encoding="utf-8")).items():
        for name, words in names.items():
            for word in dict.fromkeys(words):
                group = places[2 if WORD.fullmatch(word.rstrip("*")) is None else 1 if word.endswith("*") else 0]
                group.setdefault(word, []).append((kind, name))
    return places


def _spoken(text: str, voice: str) -> float:
    """Return MANNER times the cosine between a text and a voice's lines; ``self`` speaks like everybody."""
    counts = Counter(WORD.findall(text))
    index, weights = _lines()
    mine = {word: (1 + math.log(count)) * weights[word] for word, count in counts.items() if word in weights}
    norm = math.sqrt(sum(value * value for value in mine.values())) or 1.0
    return MANNER * sum(value * index[voice].get(word, 0.0) for word, value in mine.items()) / norm


@lru_cache(maxsize=1)
def _lines() -> tuple[dict[str, dict[str, float]], dict[str, float]]:
    """Return each voice's words as a unit vector, and the weight of each word: 0 when every voice says it."""
    lines = {voice: list(texts) for voice, texts in Frames().lines_by_voice().items()}
    for persona in load_personas().values():
        lines[persona.voice] += [persona.description, persona.catchphrase, persona.greeting, *persona.likes] * 2
    counts = {voice: Counter(WORD.findall(SLOT.sub("", " ".join(texts)).lower())) for voice, texts in lines.items()}
    spoken_by: dict[str, int] = defaultdict(int)
    for words in counts.values():
        for word in words:
            spoken_by[word] += 1
    weights = {word: math.log(len(VOICES) / voices) for word, voices in spoken_by.items()}
    index = {}
    for voice, words in counts.items():
        vector = {word: (1 + math.log(count)) * weights[word] for word, count in words.items()}
        norm = math.sqrt(sum(value * value for value in vector.values())) or 1.0
        index[voice] = {word: value / norm for word, value in vector.items()} if voice != "self" else {}
    return index, weights
