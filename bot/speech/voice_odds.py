"""How much a text sounds like a voice: naive Bayes log-odds of its words, learnt from the authored corpus.

The table bot/resources/voice_words.json is made by ``python -m models.data.voice_words``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

TABLE = Path(__file__).parent.parent / "resources" / "voice_words.json"
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")
CAPITALS, EMOJI = re.compile(r"\b[A-Z]{3,}\b"), re.compile(r"[\U0001f300-\U0001faff\u2600-\u27bf]")
SCALE = 100  # odds are stored in hundredths of a nat
SHORT = 10  # words; a shorter text is taken to be as long, so that one word does not decide
MOST = 1.0


def cues(text: str) -> list[str]:
    """Return the words of a text in lower case, and signs for shouting, exclaiming, emoji and a small start."""
    signs = ["<!>"] * text.count("!") + ["<?>"] * text.count("?")
    signs += ["<caps>"] * len(CAPITALS.findall(text))
    signs += ["<emoji>"] if not text.isascii() and EMOJI.search(text) else []
    signs += ["<small>"] if text[:1].islower() else []
    return WORD.findall(text.lower()) + signs


def voice_odds(text: str, voice: str) -> float:
    """Return the mean log-odds, in nats a word, that a text is this voice's rather than anyone's: -1 to 1."""
    words = cues(text)
    table = _tables().get(voice, {})
    total = sum(table.get(word, 0) for word in words) / SCALE
    return max(-MOST, min(MOST, total / max(len(words), SHORT)))


def likeliest(text: str, voices: Sequence[str]) -> str:
    """Return the voice that a text sounds most like."""
    return max(voices, key=lambda voice: sum(_tables()[voice].get(word, 0) for word in cues(text)))


@lru_cache(maxsize=1)
def _tables() -> dict[str, dict[str, int]]:
    tables: dict[str, dict[str, int]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return tables
