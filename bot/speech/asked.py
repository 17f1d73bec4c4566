"""What a user's message is about: a noun phrase that an answer may take up, turned to the speaker's side."""

from __future__ import annotations

import re
from functools import lru_cache

from bot.speech.grammar import CLOSED
from bot.speech.intents import normalise
from bot.speech.lexicon import is_plural, lexicon, singular, vocabulary, word_set
from bot.speech.safety import is_safe

TURNED = {"your": "my", "my": "your", "our": "your", "this": "that", "these": "those"}
OWN = {
    "queen": {"my": "our"},
    "pirate": {"my": "me", "your": "yer"},
    "bard": {"your": "thy"},
    "knight": {"your": "thy"},
}
DETERMINERS = frozenset({"the", "a", "an", "his", "her", "their", "that", "those", *TURNED})
MOST_WORDS = 3  # of a phrase, without its determiner
NOUNS = frozenset({"thing", "place", "animal", "garment", "vehicle", "person"})
VAGUE = frozenset(
    [
        "thing",
        "things",
        "one",
        "way",
        "time",
        "lot",
        "bit",
        "kind",
        "sort",
        "day",
        "today",
        "tomorrow",
        "yesterday",
        "it",
        "that",
        "this",
        "same",
        "other",
        "first",
        "last",
        "next",
        "someone",
        "something",
        "anything",
        "everything",
        "nothing",
        "everyone",
        "anyone",
        "people",
        "man",
        "woman",
        "guy",
        "photo",
        "picture",
    ]
)
MASS = frozenset(
    [
        "pizza",
        "coffee",
        "tea",
        "cheese",
        "chocolate",
        "pasta",
        "soup",
        "rice",
        "bread",
        "juice",
        "water",
        "milk",
        "ice",
        "snow",
        "rain",
        "music",
        "art",
        "math",
        "homework",
        "football",
        "soccer",
        "baseball",
        "tennis",
        "basketball",
        "chess",
        "school",
        "work",
        "breakfast",
        "lunch",
        "dinner",
    ]
)
DESCRIBING = re.compile(r"(?:est|ly|ful|ous|able|ing|ed|y)$")
PRONOUNS = frozenset(["i", "you", "he", "she", "we", "they", "me", "him", "us", "them"])
WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[.,!?]")


def asked_about(message: str, voice: str = "self") -> str:
    """Return the last noun phrase of a message that is safe to take up (``your dog`` as ``my dog``), or nothing.

    Only words of our own vocabulary are taken up, so nobody can put words into the persona's mouth.
    """
    words = WORD.findall(normalise(message))
    found, i = "", 0
    while i < len(words):
        word, before = words[i], words[i - 1] if i else ""
        phrase = _phrase(words[i + 1 : i + 1 + MOST_WORDS]) if word in DETERMINERS else []
        if phrase:
            turned = TURNED.get(word, word)
            found = " ".join([OWN.get(voice, {}).get(turned, turned), *phrase])
        elif _bare(word, before):
            found = word
        i += 1 + len(phrase)
    return found if found and is_safe(found) else ""


def _phrase(words: list[str]) -> list[str]:
    """Return the longest beginning of ``words`` that ends in a noun, with describing words before it."""
    taken: list[str] = []
    noun = 0
    for word in words:
        verb = bool(taken) and _is_verb(word) and word not in lexicon().adjectives  # the race: a noun where one must be
        if verb or word in _no_phrase() or word not in vocabulary():
            break
        taken.append(word)
        if _is_noun(word):
            noun = len(taken)
    return taken[:noun]


def _bare(word: str, before: str) -> bool:
    """Tell whether a word may stand without a determiner: ``kites``, ``pizza``."""
    known = lexicon().kind(singular(word)) in {"thing", "animal", "vehicle"} and word not in VAGUE
    return (known and is_plural(word) and not _is_verb(word) and before not in lexicon().adjectives) or word in MASS


def _is_noun(word: str) -> bool:
    lex = lexicon()
    if lex.kind(word) in NOUNS or lex.kind(singular(word)) in NOUNS:
        return True
    return word not in lex.adjectives and DESCRIBING.search(word) is None


def _is_verb(word: str) -> bool:
    lex = lexicon()
    return word in lex.bases or word in lex.third or word in lex.gerunds or word in lex.participles


@lru_cache(maxsize=1)
def _no_phrase() -> frozenset[str]:
    """Return the words that end a phrase and are no part of it."""
    return VAGUE | CLOSED | PRONOUNS | word_set("to_be") | word_set("auxiliaries") | word_set("no_nouns")
