"""The captioner's decoder with its cache in one place: captions that are searched for are branches behind one another.

Keys and values of new words go into the next free slots whichever caption they belong to, and a mask shows each word
its own caption, so that nothing is copied when a caption goes on in two ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from bot.runtime.binding import CacheBinding, bias_of
from bot.runtime.session import Session
from bot.vision.captioner import BEAMS, LIKELIEST, MAX_WORDS, NextWords

ROOM = BEAMS * (MAX_WORDS + 1)  # slots: the style word and then as many words as captions may have


class CaptionWriter:
    """Tells which words may follow in captions of a photo; safe to call from several threads."""

    def __init__(self, session: Session) -> None:
        """Take the decoder's session, whose labels carry the words."""
        self.words: list[str] = session.entry.labels["words"]
        self._session = session
        self._idle: list[Branches] = []

    @contextmanager
    def open(self, memory: Mapping[str, np.ndarray]) -> Iterator[NextWords]:
        """Begin captions of a photo, of which ``memory`` is what the encoder made."""
        try:
            branches = self._idle.pop()
        except IndexError:
            branches = Branches(self._session)
        branches.begin(memory)
        try:
            yield branches.next_words
        finally:
            self._idle.append(branches)


class Branches:
    """A buffer of keys and values bound to the decoder, with the captions of one search in it."""

    def __init__(self, session: Session) -> None:
        self._binding = CacheBinding(session, ROOM)
        self._likeliest = min(LIKELIEST, len(session.entry.labels["words"]))
        self._said, self._used = np.zeros(1, np.int64), 0
        self._binding.read("said", self._said)
        self._make_room(1)
        self._seen = np.zeros((1, ROOM), bool)  # slots of each caption of the last call

    def begin(self, memory: Mapping[str, np.ndarray]) -> None:
        """Forget all captions and look at another photo."""
        self._used, self._seen = 0, np.zeros((1, ROOM), bool)
        for kind in ("keys", "values"):
            for layer, part in enumerate(memory[kind]):
                self._binding.read(f"{kind}_{layer}", part)
        self._binding.read("lift", memory["lift"])

    def _make_room(self, count: int) -> None:
        """Bind what goes in and comes out with so many captions."""
        self._ids = np.zeros((1, count), np.int64)
        self._words = np.zeros((count, self._likeliest), np.int64)
        self._log_probs = np.zeros((count, self._likeliest), np.float32)
        self._binding.read("ids", self._ids)
        self._binding.write("words", self._words)
        self._binding.write("log_probs", self._log_probs)

    def next_words(self, ids: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the likeliest next words of captions, good until the next call; see bot.vision.captioner.NextWords."""
        count, start = len(ids), self._used
        self._said[0], self._used = ids.shape[1] - 1, start + count
        self._seen = self._seen[parents]
        self._seen[np.arange(count), np.arange(start, self._used)] = True
        if count != len(self._words):
            self._make_room(count)
        self._ids[0] = ids[:, -1]
        self._binding.read("bias", bias_of(self._seen[:, : self._used]))
        self._binding.run_on(count, self._used)
        return self._words, self._log_probs
