"""What a user message is about: one of the frames' intents, or ``other``.

Multinomial naive Bayes over word and character n-grams, trained at load (a few milliseconds) from
bot/resources/intents.toml, after a few rules for what must never be missed. Nothing is learnt at run time.
Reference: McCallum and Nigam, A Comparison of Event Models for Naive Bayes Text Classification, 1998.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path

INTENTS = Path(__file__).parent.parent / "resources" / "intents.toml"


@lru_cache(maxsize=1)
def intent_messages(path: Path = INTENTS) -> dict[str, tuple[str, ...]]:
    """Return the example messages of every intent, ``other`` among them."""
    return {name: tuple(messages) for name, messages in tomllib.loads(path.read_text(encoding="utf-8")).items()}
