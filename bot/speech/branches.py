"""How a language model goes on from a prompt in several ways at once: the seam between sampling and networks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, runtime_checkable

import numpy as np

Cache = dict[str, np.ndarray]  # past_k_0, past_v_0, ... each (B, H, P, D) float32


class Branches(Protocol):
    """A prompt that was read, and different beginnings of replies behind it. V is the vocabulary's size."""

    first: np.ndarray  # logits (V,) of what follows the prompt

    def grow(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put one token behind some of the beginnings and return the logits (W, V) of what follows.

        ``parents`` (W,) says which beginning of the last call each token (W,) continues, 0 being the bare prompt
        before the first call; beginnings that are not named are left.
        """
        ...

    def follow(self, ids: Sequence[int]) -> np.ndarray:
        """Return the logits (T, V) behind each of ids (T,) after the bare prompt; grows nothing."""
        ...


@runtime_checkable
class Grafting(Branches, Protocol):
    """Branches that may grow anywhere."""

    def graft(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put each token (W,) behind the beginning of that number and return the logits (W, V) of what follows.

        The bare prompt is 0, and every token of every call makes the next one; those of this call may stand behind
        one another.
        """
        ...


class LanguageModel(Protocol):
    """Opens prompts; safe to call from several threads."""

    def open(self, chunks: Sequence[Sequence[int]], room: int) -> AbstractContextManager[Branches]:
        """Read a prompt, given in chunks that other prompts may share, with room for so many tokens behind it."""
        ...


class GraphRunner(Protocol):
    """What is needed of a bot.runtime.session.Session or models.speaker.EagerSession."""

    input_shapes: dict[str, list[Any]]

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph once and return every output by name."""
        ...


class PlainModel:
    """A network in plain operators: ids (B, T) and a cache go in, logits (B, T, V) and a longer cache come out."""

    def __init__(self, session: GraphRunner) -> None:
        self._session = session
        self._empty: Cache = {
            name: np.zeros((1, shape[1], 0, shape[3]), np.float32)
            for name, shape in session.input_shapes.items()
            if name.startswith("past_")
        }

    @contextmanager
    def open(self, chunks: Sequence[Sequence[int]], room: int) -> Iterator[PlainBranches]:
        """Read the prompt; the cache grows as it is needed."""
        branches = PlainBranches(self._session, self._empty)
        branches.first = branches.step([[i for chunk in chunks for i in chunk]])[0, -1]
        yield branches


class PlainBranches:
    """Keeps a row of the cache for every beginning."""

    first: np.ndarray

    def __init__(self, session: GraphRunner, cache: Cache) -> None:
        self._session, self._cache = session, cache

    def grow(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put tokens behind beginnings, see Branches."""
        self._cache = {name: value[parents] for name, value in self._cache.items()}
        return self.step(tokens[:, None])[:, -1]

    def follow(self, ids: Sequence[int]) -> np.ndarray:
        """Return logits behind each of ids, see Branches."""
        return PlainBranches(self._session, self._cache).step([ids])[0]

    def step(self, ids: Any) -> np.ndarray:
        """Run ids (B, T) behind the cache and return logits (B, T, V)."""
        outputs = self._session.run({"ids": np.array(ids, np.int64), **self._cache})
        self._cache = {name: outputs[name.replace("past_", "present_")] for name in self._cache}
        return outputs["logits"]
