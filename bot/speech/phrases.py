"""Which words have followed which in a voice: n-grams of the hand-written lines, which keep the speaker on its feet.

A small language model strays into words that never stood together. While it writes, continuations that none of
the voice's own lines has after the same two or three tokens cost some of their probability, so that it goes on in
attested phrases, crosses from one line into another where they touch, and leaves them where it is sure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from tokenizers import Tokenizer

from bot.speech.frame_files import variants
from bot.speech.prompt import PAD, reply_part

ORDERS = (3, 4)  # tokens of an n-gram, the continuation included
LONGEST = max(ORDERS)
ENDERS = frozenset(".!?")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
ALL = 128  # variants of a line whose sentences are known


class PhraseBook:
    """Reads lines into phrases; what a line holds is kept, since the same lines come again and again.

    It is kept small, as arrays, for there are some 17,000 lines: the tokens of its variants one behind the other,
    padding before each, and its sentences by their hashes.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._size = tokenizer.get_vocab_size()
        self._pad: int = tokenizer.token_to_id(PAD) or 0
        may_end = [i for word, i in tokenizer.get_vocab().items() if not ENDERS.isdisjoint(word)]
        words = tokenizer.decode_batch([[i] for i in may_end])
        self._ends = np.zeros(self._size, bool)  # by token: whether it ends a sentence
        self._ends[[i for i, word in zip(may_end, words, strict=True) if word.strip()[-1:] in ENDERS]] = True
        self._tokens: dict[str, np.ndarray] = {}
        self._sentences: dict[str, np.ndarray] = {}

    def phrases(self, lines: Iterable[str]) -> Phrases:
        """Return the n-grams of lines with slots and alternatives."""
        lines = list(lines)
        self._read([line for line in dict.fromkeys(lines) if line not in self._tokens])
        tokens = np.concatenate([np.zeros(0, np.int64), *(self._tokens[line] for line in lines)])
        sentences = np.concatenate([np.zeros(0, np.int64), *(self._sentences[line] for line in lines)])
        return Phrases(tokens, sentences, self._pad, self._ends)

    def _read(self, lines: Sequence[str]) -> None:
        """Read lines that are new: all their variants at once, which the tokenizer does without holding Python up."""
        texts = [variants(line) for line in lines]
        parts = [reply_part(text) for several in texts for text in several]
        encodings = iter(self._tokenizer.encode_batch_fast(parts, add_special_tokens=False))
        before = [self._pad] * (LONGEST - 1)
        small = np.uint16 if self._size <= 2**16 else np.int32
        for line, several in zip(lines, texts, strict=True):
            tokens = [token for _ in several for token in (*before, *next(encodings).ids)]
            sentences = {hash(sentence) for text in variants(line, ALL) for sentence in SENTENCE.split(text)}
            self._sentences[line] = np.array([*sentences], np.int64)
            self._tokens[line] = np.array(tokens, small)  # last: other threads look for it here


class Phrases:
    """What follows the last two and the last three tokens in some lines of a voice."""

    def __init__(self, tokens: np.ndarray, sentences: np.ndarray, pad: int, ends: np.ndarray) -> None:
        """Take tokens (T,) of lines, padding before each, hashes of their sentences, and what ends a sentence."""
        self._sentences, self._pad, self._ends = frozenset(sentences.tolist()), pad, ends
        tokens = tokens.astype(np.int64)
        self._tables = [_Table(tokens, order, len(ends), pad) for order in ORDERS]
        self._starters = np.unique(tokens[1:][ends[tokens[:-1]]])
        self._found: dict[tuple[int, ...], tuple[np.ndarray, ...]] = {}

    def penalise(
        self, scores: np.ndarray, reply: int, written: Sequence[Sequence[int]], penalties: Sequence[float]
    ) -> None:
        """Lower, in place, the scores (B, V) of tokens that follow in none of the lines what was written.

        ``reply`` is the reply marker, ``written`` the tokens of each row behind it; ``penalties`` are nats for each
        of ORDERS. Behind the end of a sentence all that ever began one may follow.
        """
        known = [self._followers(reply, ids) for ids in written]
        flat, size = scores.reshape(-1), scores.shape[1]
        for order, penalty in enumerate(penalties):
            rows = [i for i, tables in enumerate(known) if len(tables[order])]  # an unseen context tells nothing
            if rows and penalty:
                lost = np.zeros((len(known), 1), scores.dtype)
                lost[rows] = penalty
                spared = np.concatenate([i * size + known[i][order] for i in rows])
                kept = flat[spared]
                scores -= lost
                flat[spared] = kept

    def certain(self, reply: int, written: Sequence[int]) -> int | None:
        """Return the token that alone follows in the lines what was written behind the reply marker, if so.

        Behind what no line has, or behind the end of a sentence, nothing is certain.
        """
        if self._ends[written[-1] if written else reply]:
            return None
        found = reversed(self._followers(reply, written))  # the longest context that is known
        known: list[int] = next((tokens.tolist() for tokens in found if len(tokens)), [])
        return known[0] if len(known) == 1 else None

    def _followers(self, reply: int, written: Sequence[int]) -> tuple[np.ndarray, ...]:
        """Return for each of ORDERS the tokens that follow in some line; what was looked up is kept."""
        last = tuple(written[-LONGEST:])
        if last not in self._found:
            context = [*[self._pad] * LONGEST, reply, *last]
            ended = self._ends[context[-1]]
            self._found[last] = tuple(self._starters if ended else table.after(context) for table in self._tables)
        return self._found[last]

    def attested(self, text: str) -> float:
        """Return the share of a text's words, slots unfilled, that stand in sentences of the lines, 0..1."""
        lengths = [(len(sentence.split()), hash(sentence) in self._sentences) for sentence in SENTENCE.split(text)]
        return sum(words for words, known in lengths if known) / max(1, sum(words for words, _ in lengths))


class _Table:
    """Continuations by context: sorted context numbers, and for each a span of the continuations."""

    def __init__(self, tokens: np.ndarray, order: int, size: int, pad: int) -> None:
        self._length, self._size = order - 1, size
        numbers = _numbers(np.lib.stride_tricks.sliding_window_view(tokens, order), size) if len(tokens) else tokens
        grams = np.sort(numbers[tokens[order - 1 :] != pad])  # those that end in padding lie across two lines
        grams = grams[np.flatnonzero(np.diff(grams, prepend=-1))]
        contexts = grams // size
        starts = np.flatnonzero(np.diff(contexts, prepend=-1))
        self._contexts, self._next = contexts[starts], grams % size
        self._starts = np.append(starts, len(grams))

    def after(self, context: Sequence[int]) -> np.ndarray:
        """Return the tokens that follow the last tokens of a context; none behind an unknown one."""
        number = 0
        for token in context[-self._length :]:
            number = number * self._size + token
        at = int(self._contexts.searchsorted(number))
        known = at < len(self._contexts) and self._contexts[at] == number
        return self._next[self._starts[at] : self._starts[at + 1]] if known else self._next[:0]


def _numbers(runs: np.ndarray, size: int) -> np.ndarray:
    """Return runs of tokens (N, order) int64, each as one number to the base ``size``."""
    number = runs[:, 0]
    for i in range(1, runs.shape[1]):
        number = number * size + runs[:, i]
    return number
