"""What must not be said: blocked words, links, mentions and code, whoever typed them first."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

BLOCKLIST = Path(__file__).parent.parent / "resources" / "blocklist.txt"
LOOK_ALIKES = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
SPELT_OUT = re.compile(r"\b(?:[a-z][ ._*-]){2,}[a-z]\b")
MARKUP = re.compile(
    r"https?:|www\.|\b\w+\.(?:com|net|org|gg|io|ru|xyz|me|ly|co)\b|@\w|<[@#:a]|`|\|\||\[[^\]]*\]\(|#\d{4}\b",
    re.IGNORECASE,
)


def is_blocked(text: str) -> bool:
    """Tell whether a text holds a blocked word, also with digits for letters or letters stretched or spelt out."""
    plain = text.lower()
    spelt = (re.sub(r"[ ._*-]", "", run) for run in SPELT_OUT.findall(plain))
    return any(map(_has_blocked_word, {plain, _undisguise(plain)})) or any(map(_stems().search, spelt))


def has_markup(text: str) -> bool:
    """Tell whether a text holds a link, a mention, an emoji code, code or hidden text."""
    return MARKUP.search(text) is not None


def is_safe(text: str) -> bool:
    """Tell whether a text may be posted."""
    return not has_markup(text) and not is_blocked(text)


def _undisguise(text: str) -> str:
    """Undo look-alikes inside words and letters repeated three times or more."""
    swapped = re.sub(r"\S*[a-z]\S*", lambda word: word[0].translate(LOOK_ALIKES), text)
    return re.sub(r"(.)\1{2,}", r"\1", swapped)


@lru_cache(maxsize=1)
def _blocked() -> tuple[str, ...]:
    lines = (line.strip() for line in BLOCKLIST.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=1)
def _by_kind() -> tuple[frozenset[str], tuple[str, ...], tuple[str, ...]]:
    """Return whole words, beginnings and phrases of several words."""
    words = frozenset(word for word in _blocked() if " " not in word and not word.endswith("*"))
    beginnings = tuple(word.rstrip("*") for word in _blocked() if " " not in word and word.endswith("*"))
    return words, beginnings, tuple(word.rstrip("*") for word in _blocked() if " " in word)


def _has_blocked_word(text: str) -> bool:
    words, _, phrases = _by_kind()
    said = re.findall(r"[a-z]+", text)
    line = f" {' '.join(said)} "
    return not words.isdisjoint(said) or any(map(_starts_blocked, said)) or any(f" {one}" in line for one in phrases)


@lru_cache(maxsize=65536)
def _starts_blocked(word: str) -> bool:
    return word.startswith(_by_kind()[1])


@lru_cache(maxsize=1)
def _stems() -> re.Pattern[str]:
    """Match anywhere inside a word spelt out letter by letter."""
    return re.compile("|".join(re.escape(word.rstrip("*")) for word in _blocked() if len(word) > 2))
