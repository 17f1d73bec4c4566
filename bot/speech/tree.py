"""The shipped speaker's cache: one buffer in which the prompt is the trunk and all replies are branches.

The graph reads and writes keys and values in place. New tokens go into the next free slots whichever reply they
belong to; a mask shows each the prompt and its own reply. So a prompt is read once for all replies, and beginnings
that replies share are computed once. Chunks of prompts (a scene, a turn) are kept for the next prompt that starts
with them; a chunk is always run by itself, so that a reply does not depend on what was kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from bot.runtime.binding import HIDDEN, CacheBinding, bias_of
from bot.runtime.session import Session
from bot.runtime.spare import Wide, widest

ROPE_BASE = 10000.0
ROOM = 1024  # slots of a buffer at least; memory is only used for those that are filled
KEPT = 8 * 2**20  # bytes of chunks that are kept, about 500 tokens


def turns(positions: int, size: int, base: float = ROPE_BASE) -> tuple[np.ndarray, np.ndarray]:
    """Return cosines and sines (positions, size / 2) by which rotary positions (RoPE) turn keys of ``size``."""
    half = size // 2
    angles = np.arange(positions, dtype=np.float32)[:, None] * np.float32(base) ** -(
        np.arange(half, dtype=np.float32) / half
    )
    return np.cos(angles), np.sin(angles)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a prompt that was read: keys and values (2L, 1, H, T, D) and the logits (V,) behind it."""

    cache: np.ndarray
    logits: np.ndarray

    @property
    def bytes(self) -> int:
        """What it takes to keep this."""
        return self.cache.nbytes + self.logits.nbytes


class TreeModel:
    """Opens prompts on buffers that are used again; safe to call from several threads."""

    def __init__(self, session: Session, vocabulary: int) -> None:
        self._session, self._vocabulary = session, vocabulary
        self._wide: Wide | None = None
        self._idle: defaultdict[Session, list[Tree]] = defaultdict(list)
        self._chunks: OrderedDict[tuple[int, ...], Chunk] = OrderedDict()  # by all ids up to its end; newest last
        self._lock = threading.Lock()

    def widen(self, wide: Wide) -> None:
        """Use a second session from now on while a core is free."""
        self._wide = wide

    @contextmanager
    def open(self, chunks: Sequence[Sequence[int]], room: int) -> Iterator[Tree]:
        """Read a prompt, as far as it is not known, see bot.speech.branches.LanguageModel."""
        with widest(self._session, self._wide) as session:
            tree = self._read(session, chunks, room)
            try:
                yield tree
            finally:
                with self._lock:
                    self._idle[session].append(tree)

    def _read(self, session: Session, chunks: Sequence[Sequence[int]], room: int) -> Tree:
        """Return a buffer of a session with a prompt in it."""
        need = sum(map(len, chunks)) + room
        with self._lock:
            tree = self._idle[session].pop() if self._idle[session] else None
        if tree is None or tree.room < need:
            tree = Tree(session, self._vocabulary, max(ROOM, need))
        tree.clear()
        prefix: tuple[int, ...] = ()
        prefixes = [prefix := (*prefix, *chunk) for chunk in chunks]
        for whole, chunk in zip(prefixes, chunks, strict=True):
            with self._lock:
                known = self._chunks.get(whole)
            if known:
                tree.restore(known)
            else:
                known = tree.read(chunk)
                with self._lock:
                    self._chunks[whole] = known
        self._forget(prefixes)
        return tree

    def _forget(self, used: Sequence[tuple[int, ...]]) -> None:
        """Drop what was not used for longest; a chunk goes before the one that it stands behind."""
        with self._lock:
            for whole in reversed(used):
                if whole in self._chunks:
                    self._chunks.move_to_end(whole)
            while sum(chunk.bytes for chunk in self._chunks.values()) > KEPT:
                self._chunks.popitem(last=False)


class Tree:
    """A buffer of keys and values bound to the session, with a prompt and the beginnings of replies in it."""

    first: np.ndarray

    def __init__(self, session: Session, vocabulary: int, room: int) -> None:
        self.room, self._vocabulary = room, vocabulary
        self._seen = np.zeros((room + 1, room), bool)  # which slots belong to a beginning
        self._binding = CacheBinding(session, room)
        self._cache = self._binding.cache
        for name, table in zip(("cos", "sin"), turns(room, self._cache.shape[-1]), strict=True):
            self._binding.read(name, table)
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._used = self._prompt = self._last_call = 0  # slots, slots of the prompt, beginnings before the last call
        self._depths = [0]  # tokens of prompt and reply by beginning, the bare prompt being the first
        self._seen[:] = False

    def read(self, ids: Sequence[int]) -> Chunk:
        """Put a chunk behind the prompt so far and return it."""
        start, count = self._used, len(ids)
        bias = np.zeros((1, 1, count, start + count), np.float32)
        positions = np.arange(start, start + count)
        self.first = self._run(ids, positions, bias, [count - 1])[0]
        self._lengthen(count)
        return Chunk(self._cache[:, :, :, start : self._used].copy(), self.first)

    def restore(self, chunk: Chunk) -> None:
        """Put a chunk that was read before behind the prompt so far."""
        start, count = self._used, chunk.cache.shape[3]
        self._cache[:, :, :, start : start + count] = chunk.cache
        self.first = chunk.logits
        self._used += count
        self._lengthen(count)

    def grow(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put tokens behind beginnings of the last call, see bot.speech.branches.Branches."""
        before, self._last_call = self._last_call, len(self._depths)
        return self.graft(parents + before, tokens)

    def graft(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put tokens behind any beginnings, see bot.speech.branches.Grafting."""
        first, count = len(self._depths), len(tokens)
        for number, parent in enumerate(parents.tolist(), first):
            self._seen[number] = self._seen[parent]
            self._seen[number, self._prompt + number - 1] = True
            self._depths.append(self._depths[parent] + 1)
        seen = self._seen[first : first + count, : self._used + count]
        return self._run(tokens, np.array(self._depths[first:]) - 1, bias_of(seen), np.arange(count))

    def follow(self, ids: Sequence[int]) -> np.ndarray:
        """Return logits behind each of ids, see bot.speech.branches.Branches."""
        used, places = self._used, np.arange(len(ids))
        bias = np.zeros((1, 1, len(ids), used + len(ids)), np.float32)  # the graph itself hides later ones
        bias[..., self._prompt : used] = HIDDEN
        logits = self._run(ids, self._prompt + places, bias, places)
        self._used = used
        return logits

    def _lengthen(self, count: int) -> None:
        self._prompt += count
        self._depths = [self._prompt]
        self._seen[0, : self._prompt] = True

    def _run(
        self,
        ids: Sequence[int] | np.ndarray,
        positions: np.ndarray,
        bias: np.ndarray,
        wanted: Sequence[int] | np.ndarray,
    ) -> np.ndarray:
        """Run new tokens, bias (1, 1, T, S), in the next slots; return logits (W, V) behind those at ``wanted``."""
        self._used += len(ids)
        logits = np.empty((1, len(wanted), self._vocabulary), np.float32)
        feeds = {
            "ids": np.array(ids, np.int64)[None],
            "positions": np.array(positions, np.int64)[None],
            "bias": np.ascontiguousarray(bias),
            "wanted": np.array(wanted, np.int64),
        }
        for name, array in feeds.items():
            self._binding.read(name, array)
        self._binding.write("logits", logits)
        self._binding.run_on(len(ids), self._used)
        return logits[0]
