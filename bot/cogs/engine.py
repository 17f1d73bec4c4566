"""The engine as the Discord side sees it, and the desk where messages wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Protocol, TypeVar

from bot.domain import BadInput, Persona, Reply, Scene, Turn

T = TypeVar("T")


class Engine(Protocol):
    """What sees and speaks. Both calls keep a processor busy for about a second."""

    @property
    def personas(self) -> Mapping[str, Persona]:
        """The personas by id."""

    def look(self, data: bytes) -> Scene:
        """Return what the file of a photo shows; raise BadInput when it is no photo."""

    def reply(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn] = (),
        *,
        speaker: int = 0,
        seed: int | None = None,
        recent: Collection[str] = (),
    ) -> Reply:
        """Return the next words of the person in the photo; ``recent`` are lines not to be repeated."""


class Busy(BadInput):
    """Too many messages wait already."""


class Desk:
    """Hands work to the engine one piece at a time, off the event loop.

    Whoever wants work done first takes a seat; there are ``seats`` of them, so that a flood of photos
    is refused instead of filling the memory.
    """

    def __init__(self, engine: Engine, seats: int) -> None:
        self.engine = engine
        self._seats = seats
        self._taken = 0
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold a seat; raise Busy when all are taken."""
        if self._taken >= self._seats:
            raise Busy("I have more photos than I can answer right now; try again in a minute.")
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """Run ``work`` when its turn comes and return what it returns."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    def close(self) -> None:
        """Drop what still waits; what runs now runs to its end."""
        self._worker.shutdown(wait=False, cancel_futures=True)
