"""The words the bot may use: every word of our own texts, for the ranker's check of broken words.

    python -m models.data.vocabulary        writes bot/resources/vocabulary.txt

A sampled word that stands in none of the corpus, the dialogues, the frames, the intents and the lexicons
is most likely two words run together. Captions are left out: their typing errors are not ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bot.speech.frames import FRAMES
from bot.speech.intents import INTENTS
from bot.speech.lexicon import LEXICONS, VOCABULARY, gerund, lexicon, past_participle, third_person
from models.data.corpus import CORPUS

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")


def words(folder: Path = CORPUS) -> set[str]:
    """Return the lower-case words of all our texts and the regular forms of the lexicon's verbs and nouns."""
    found = {word for path in _sources(folder) for word in WORD.findall(path.read_text(encoding="utf-8").lower())}
    lex = lexicon()
    for base in lex.bases:
        found |= {third_person(base), gerund(base), past_participle(base)}
    for noun in (*lex.animals, *lex.garments, *lex.places, *lex.things, *lex.vehicles, *lex.people):
        found |= {f"{noun.split()[-1]}s"}
    return {word for word in found if len(word) > 1 or word in {"a", "i", "o"}}


def _sources(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*.txt"))
    yield from sorted(FRAMES.rglob("*.txt"))
    yield from sorted(LEXICONS.glob("*.txt"))
    yield INTENTS


def main() -> None:
    """Write the list."""
    found = sorted(words())
    VOCABULARY.write_text("\n".join(found) + "\n", encoding="utf-8")
    print(f"{len(found)} words -> {VOCABULARY}")


if __name__ == "__main__":
    main()
