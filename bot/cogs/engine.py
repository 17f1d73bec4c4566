"""The engine as the Discord side sees it, and the desk where messages wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, TypeVar

from bot.domain import BadInput, Persona, Reply, Scene, Turn

T = TypeVar("T")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Engine(Protocol):
    """What sees and speaks. Both calls keep a processor busy for about a second."""

    @property
    def personas(self) -> Mapping[str, Persona]:
        """The personas by id."""

    @property
    def provider(self) -> str:
        """Where the models run: "CPU" or "CUDA"."""

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
    """Hands work to the engine one piece at a time, off the event loop, each lane in turn.

    Whoever wants work done first takes a seat; there are ``seats`` of them, so that a flood of photos is refused
    instead of filling the memory. A lane is a channel: a busy one does not keep the others waiting.
    ``recent_ms`` are what the latest pieces of work took, waiting included.
    """

    def __init__(self, engine: Engine, seats: int) -> None:
        self.engine = engine
        self.recent_ms: deque[float] = deque(maxlen=200)
        self._seats = seats
        self._taken = 0
        self._lanes: OrderedDict[int, deque[Job]] = OrderedDict()
        self._running = False
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")

    @property
    def waiting(self) -> int:
        """How many messages wait for an answer or are being answered."""
        return self._taken

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

    async def run(self, work: Callable[[], T], *, lane: int = 0) -> T:
        """Run ``work`` when its lane's turn comes and return what it returns; a cancelled caller loses its turn."""
        begun = time.perf_counter()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._lanes.setdefault(lane, deque()).append((work, done))
        self._start_next()
        result: T = await done
        self.recent_ms.append(1000 * (time.perf_counter() - begun))
        return result

    def _start_next(self) -> None:
        """Start the first piece of the lane whose turn it is, unless the engine is at work."""
        while self._lanes and not self._running:
            lane, jobs = self._lanes.popitem(last=False)
            work, done = jobs.popleft()
            if jobs:
                self._lanes[lane] = jobs  # behind all others
            if not done.done():
                self._running = True
                asyncio.get_running_loop().run_in_executor(self._worker, work).add_done_callback(
                    partial(self._finish, done)
                )

    def _finish(self, done: asyncio.Future[Any], ran: asyncio.Future[Any]) -> None:
        """Hand on what a piece of work returned or raised, and start the next."""
        self._running = False
        if not ran.cancelled() and not done.done():
            if error := ran.exception():
                done.set_exception(error)
            else:
                done.set_result(ran.result())
        elif not ran.cancelled():
            ran.exception()  # nobody waits for it any more
        self._start_next()

    def close(self) -> None:
        """Drop what still waits; what runs now runs to its end."""
        for jobs in self._lanes.values():
            for _, done in jobs:
                done.cancel()
        self._lanes.clear()
        self._worker.shutdown(wait=False, cancel_futures=True)
