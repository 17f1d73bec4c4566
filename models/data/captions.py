"""Captions as training data: words, vocabulary, concepts and mirrored captions."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from bot.vision.captioner import COMMA, END, FUNCTION_WORDS, MAX_WORDS, SPECIALS, UNKNOWN
from models.train.run import need

NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
DIGITS = {str(number): word for number, word in enumerate(NUMBERS, 2)}
# Besides function words, these say too little about what is seen to be concepts; sides change when mirrored.
VAGUE = """
back top side sits stands something someone look looks set ready left right seen view close camera picture fills
"""
SIDES = {"left": "right", "right": "left", "leftmost": "rightmost", "rightmost": "leftmost"}


def to_words(caption: str) -> list[str]:
    """Split a caption into lower-case words and commas; other punctuation goes, small numbers are spelled."""
    tokens = re.findall(r"[a-z0-9]+(?:[-'][a-z0-9]+)*|,", caption.lower().replace("’", "'"))
    words = [DIGITS.get(token, token) for token in tokens]
    while words and words[-1] == COMMA:
        words.pop()
    return words


def mirrored(words: Sequence[str]) -> list[str]:
    """Return the caption of the mirrored photo: left and right change places."""
    return [SIDES.get(word, word) for word in words]


def coco_captions(folder: Path) -> list[list[str]]:
    """Return the words of every COCO caption in ``folder``/coco-captions.txt.gz."""
    path = need(Path(folder) / "coco-captions.txt.gz", "COCO val2017 captions, one a line")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [to_words(line) for line in lines]


class Vocabulary:
    """Words with ids; the special words of bot/vision/captioner.py come first."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self.ids = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def count(cls, captions: Iterable[Sequence[str]], least: int) -> Vocabulary:
        """Take every word seen at least ``least`` times, the most frequent first."""
        counts = Counter(word for caption in captions for word in caption)
        return cls([*SPECIALS, *(word for word, n in counts.most_common() if n >= least)])

    def encode(self, words: Sequence[str], style: int) -> list[int]:
        """Return style, words, END; unseen words become UNKNOWN, which no one learns to say."""
        return [style, *(self.ids.get(word, UNKNOWN) for word in words[:MAX_WORDS]), END]

    def concepts(self, captions: Iterable[Sequence[str]], number: int, least: int) -> list[int]:
        """Return ids of the most frequent words that say something about a photo."""
        counts = Counter(word for caption in captions for word in set(caption))
        skip = {*FUNCTION_WORDS, *VAGUE.split()}
        kept = [word for word, n in counts.most_common() if n >= least and word not in skip and word in self.ids]
        return [self.ids[word] for word in kept[:number]]
