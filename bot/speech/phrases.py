"""Which words have followed which in a voice: n-grams of the hand-written lines, which keep the speaker on its feet.

A small language model strays into words that never stood together. While it writes, continuations that none of
the voice's own lines has after the same two or three tokens cost some of their probability, so that it goes on in
attested phrases, crosses from one line into another where they touch, and leaves them where it is sure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from tokenizers import Tokenizer

from bot.speech.frame_files import variants
from bot.speech.prompt import PAD, reply_part

ORDERS = (3, 4)  # tokens of an n-gram, the continuation included
ENDERS = frozenset(".!?")


class Phrases:
    """Continuation tables of one voice: the tokens that follow the last two and the last three ones."""

    def __init__(self, lines: Iterable[str], tokenizer: Tokenizer) -> None:
        """Read the n-grams of lines with slots, all variants of each."""
        pad: int = tokenizer.token_to_id(PAD) or 0
        self._before = [pad] * max(ORDERS)
        self._enders = {i for i in range(tokenizer.get_vocab_size()) if tokenizer.decode([i]).strip()[-1:] in ENDERS}
        tables: list[dict[tuple[int, ...], set[int]]] = [defaultdict(set) for _ in ORDERS]
        starters: set[int] = set()
        texts = [reply_part(text) for line in lines for text in variants(line)]
        for encoding in tokenizer.encode_batch(texts, add_special_tokens=False):
            ids = [*self._before[:-1], *encoding.ids]
            for order, table in zip(ORDERS, tables, strict=True):
                for end in range(len(self._before), len(ids)):
                    table[tuple(ids[end - order + 1 : end])].add(ids[end])
            starters |= {after for one, after in pairwise(ids) if one in self._enders}
        self._tables = [{context: _array(found) for context, found in table.items()} for table in tables]
        self._starters = _array(starters)

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
                known = table.get(tuple(context[1 - order :]))
                if context[-1] in self._enders:
                    known = self._starters
                if known is not None and penalty:  # an unseen context tells nothing
                    kept = scores[row, known].copy()
                    scores[row] -= penalty
                    scores[row, known] = kept


def _array(ids: set[int]) -> np.ndarray:
    return np.fromiter(sorted(ids), np.int64, len(ids))
