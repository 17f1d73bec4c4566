"""Whether a text is one of a voice's filled frames, word for word, be it with a lead before or a tail behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np

from bot.speech.facts import Facts
from bot.speech.filling import fill, usable
from bot.speech.frame_files import Extra, Frame, is_variant, variants, vary

CLOSE = 0.3  # share of a text's word triples by which it may be a frame's
ALL = 128  # variants of a lead or tail


class KnownLines:
    """A voice's frames by their word triples, and its leads and tails.

    A triple is kept as its hash, for all voices together have a quarter of a million of them: a chance meeting of
    two does no harm, since what is found is compared word for word.
    """

    def __init__(self, voice: str, frames: Sequence[Frame], leads: Sequence[Extra], tails: Sequence[Extra]) -> None:
        self._voice, self._frames = voice, frames
        self._leads = tuple(f"{text} " for extra in leads for text in variants(extra.text, ALL))
        self._tails = tuple(f" {text}" for extra in tails for text in variants(extra.text, ALL))
        triples = [triples_of(vary(frame.text)) for frame in frames]
        hashes = np.fromiter(chain.from_iterable(triples), np.int64)
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._places = np.repeat(np.arange(len(frames), dtype=np.uint16), [len(several) for several in triples])[order]

    def holds(self, text: str, facts: Facts) -> bool:
        """Tell whether a text is one of the frames filled with these facts, dressed or not."""
        return any(
            usable(frame, facts) and is_variant(one, fill(frame.text, facts, self._voice))
            for one in {text, *self._undressed(text)}
            for frame in self._close(one)
        )

    def _close(self, text: str) -> list[Frame]:
        """Return the frames that share enough triples with a text."""
        triples = np.fromiter(triples_of(text), np.int64)
        starts, ends = (np.searchsorted(self._hashes, triples, side).tolist() for side in ("left", "right"))
        found = [self._places[start:end] for start, end in zip(starts, ends, strict=True) if start < end]
        if not found:
            return []
        shared = np.bincount(np.concatenate(found))
        return [self._frames[i] for i in np.flatnonzero((shared > 0) & (shared >= CLOSE * len(triples))).tolist()]

    def _undressed(self, text: str) -> Iterator[str]:
        """Yield a text without each lead and each tail that it has."""
        if text.startswith(self._leads):
            yield from (text[len(lead) :] for lead in self._leads if text.startswith(lead) and text != lead)
        if text.endswith(self._tails):
            yield from (text[: -len(tail)] for tail in self._tails if text.endswith(tail) and text != tail)


def triples_of(text: str) -> set[int]:
    """Return the runs of three words of a text in lower case, by their hashes."""
    words = text.lower().split()
    return set(map(hash, zip(words, words[1:], words[2:], strict=False)))
