"""Which words have followed which in a voice: n-grams of the hand-written lines, which keep the speaker on its feet.

A small language model strays into words that never stood together. While it writes, continuations that none of
the voice's own lines has after the same two or three tokens cost some of their probability, so that it goes on in
attested phrases, crosses from one line into another where they touch, and leaves them where it is sure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from tokenizers import Tokenizer

from bot.speech.frame_files import variants
from bot.speech.prompt import PAD, reply_part

ORDERS = (3, 4)  # tokens of an n-gram, the continuation included
ENDERS = frozenset(".!?")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
ALL = 128  # variants of a line whose sentences are known


class PhraseBook:
    """Reads lines into phrases; a line's tokens are kept, since the same lines come again and again."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._size = tokenizer.get_vocab_size()
        self._before: list[int] = [tokenizer.token_to_id(PAD) or 0] * max(ORDERS)
        words = tokenizer.decode_batch([[i] for i in range(self._size)])
        self._enders = frozenset(i for i, word in enumerate(words) if word.strip()[-1:] in ENDERS)
        self._known: dict[str, tuple[list[np.ndarray], frozenset[str]]] = {}

    def phrases(self, lines: Iterable[str]) -> Phrases:
        """Return the n-grams of lines with slots and alternatives."""
        read = [self._read(line) for line in lines]
        sentences = frozenset[str]().union(*(sentences for _, sentences in read))
        return Phrases([ids for rows, _ in read for ids in rows], sentences, self._size, self._enders, self._before)

    def _read(self, line: str) -> tuple[list[np.ndarray], frozenset[str]]:
        """Return the tokens of a line's variants, the reply marker the fourth, and all its sentences."""
        if line not in self._known:
            texts = [reply_part(text) for text in variants(line)]
            encodings = self._tokenizer.encode_batch(texts, add_special_tokens=False)
            rows = [np.array([*self._before[:-1], *one.ids], np.int32) for one in encodings]
            sentences = frozenset(sentence for text in variants(line, ALL) for sentence in SENTENCE.split(text))
            self._known[line] = rows, sentences
        return self._known[line]


class Phrases:
    """What follows the last two and the last three tokens in some lines of a voice."""

    def __init__(
        self,
        rows: Sequence[np.ndarray],
        sentences: frozenset[str],
        size: int,
        enders: frozenset[int],
        before: list[int],
    ) -> None:
        """Take tokens and sentences of lines, the vocabulary's size, tokens that end sentences and the padding."""
        self._sentences, self._enders, self._before = sentences, enders, before
        self._tables = [_Table(rows, order, size) for order in ORDERS]
        starters = {after for ids in rows for one, after in pairwise(ids.tolist()) if one in enders}
        self._starters = np.array(sorted(starters), np.int64)

    def penalise(
        self, scores: np.ndarray, reply: int, written: Sequence[Sequence[int]], penalties: Sequence[float]
    ) -> None:
        """Lower, in place, the scores (B, V) of tokens that follow in none of the lines what was written.

        ``reply`` is the reply marker, ``written`` the tokens of each row behind it; ``penalties`` are nats for each
        of ORDERS. Behind the end of a sentence all that ever began one may follow.
        """
        for row, ids in enumerate(written):
            context = [*self._before, reply, *ids]
            for order, table, penalty in zip(ORDERS, self._tables, penalties, strict=True):
                known = self._starters if context[-1] in self._enders else table.after(context[1 - order :])
                if len(known) and penalty:  # an unseen context tells nothing
                    kept = scores[row, known].copy()
                    scores[row] -= penalty
                    scores[row, known] = kept

    def attested(self, text: str) -> float:
        """Return the share of a text's words, slots unfilled, that stand in sentences of the lines, 0..1."""
        lengths = [(len(sentence.split()), sentence in self._sentences) for sentence in SENTENCE.split(text)]
        return sum(words for words, known in lengths if known) / max(1, sum(words for words, _ in lengths))


class _Table:
    """Continuations by context: sorted context numbers, and for each a span of the continuations."""

    def __init__(self, rows: Sequence[np.ndarray], order: int, size: int) -> None:
        self._size = size
        none = np.zeros(0, np.int64)
        grams = np.unique(np.concatenate([none, *(_numbers(ids, order, size) for ids in rows)]))
        self._contexts, self._starts = np.unique(grams // size, return_index=True)
        self._next = (grams % size).astype(np.int32)

    def after(self, context: Sequence[int]) -> np.ndarray:
        """Return the tokens that follow ``context`` (order - 1 tokens); none when it is unknown."""
        number = int(_numbers(np.array(context, np.int64), len(context), self._size)[0])
        at = int(np.searchsorted(self._contexts, number))
        if at == len(self._contexts) or self._contexts[at] != number:
            return self._next[:0]
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._next)
        return self._next[self._starts[at] : end]


def _numbers(ids: np.ndarray, order: int, size: int) -> np.ndarray:
    """Return the runs of ``order`` tokens (T,) int64 of ids, each as one number to the base ``size``."""
    count = len(ids) - order + 1
    number = np.zeros(count, np.int64)
    for shift in range(order):
        number = number * size + ids[shift : shift + count].astype(np.int64)
    return number
