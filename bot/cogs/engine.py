"""The engine as the Discord side sees it, and the desk where messages wait for it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from bot.domain import BadInput, Box, Persona, Reply, Scene, Turn
from bot.portrait.pictures import Drawing
from bot.portrait.wishes import Wish
from bot.runtime import metrics
from bot.runtime.threads import worker_threads

T = TypeVar("T")


class Engine(Protocol):
    """What sees, speaks and draws. Every call keeps a processor busy, and several threads may call."""

    @property
    def personas(self) -> Mapping[str, Persona]:
        """The personas by id."""

    @property
    def provider(self) -> str:
        """Where the models run: "CPU", "CUDA" or "TensorRT"."""

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

    def draw(self, wish: Wish, seed: int) -> Drawing:
        """Return somebody who does not exist; the same wish and seed, 0 to 2**31 - 1, draw the same face."""

    def morph(self, data: bytes, change: str, box: Box | None = None) -> bytes:
        """Return a GIF of a face in a photo that changes and changes back: in a person's box, else the largest.

        Raises BadInput when it is no photo or has no such face.
        """


class Busy(BadInput):
    """Too many messages wait already."""


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work that waits for its turn."""

    work: Callable[[], Any]
    done: asyncio.Future[Any]
    ticket: int | None
    since: float

    def run(self) -> Any:
        """Do the work, in a thread of the engine."""
        begun = time.perf_counter()
        metrics.WAIT.observe(begun - self.since)
        try:
            return self.work()
        finally:
            metrics.WORK.observe(time.perf_counter() - begun)


class Desk:
    """Hands work to the engine a few pieces at a time, off the event loop, each lane in turn.

    Whoever wants work done first takes a seat; there are ``seats`` of them, so that a flood of photos is refused
    instead of filling the memory. A lane is a channel: a busy one does not keep the others waiting, leaves a quarter
    of the seats to them, and only gets a second worker while no other lane waits. ``recent_ms`` are what the latest
    pieces of work took, waiting included.
    """

    def __init__(self, engine: Engine, seats: int, workers: int = 1) -> None:
        self.engine = engine
        self.recent_ms: deque[float] = deque(maxlen=200)
        self._seats = seats
        self._taken: Counter[int] = Counter()  # how many seats each lane holds
        self._lanes: OrderedDict[int, deque[Job]] = OrderedDict()
        self._workers = workers
        self._at_work: Counter[int] = Counter()  # how many workers each lane has
        self._moved = time.monotonic()  # when work was last begun by an idle engine, or ended
        self._threads = worker_threads(workers, "engine")
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many messages wait for an answer or are being answered."""
        return self._taken.total()

    @property
    def stuck_for(self) -> float:
        """For how many seconds the engine has been at work without ending any; 0 while it is idle."""
        return time.monotonic() - self._moved if self._at_work else 0.0

    @contextmanager
    def seat(self, lane: int = 0) -> Iterator[None]:
        """Hold a seat; raise Busy when all are taken, or all that one lane may have."""
        if self.waiting >= self._seats or self._taken[lane] >= self._seats - self._seats // 4:
            metrics.REFUSED.inc()
            raise Busy("I have more photos than I can answer right now; try again in a minute.")
        self._taken[lane] += 1
        metrics.WAITING.set(self.waiting)
        try:
            yield
        finally:
            self._taken[lane] -= 1
            self._taken += Counter()  # drops the lanes that hold none
            metrics.WAITING.set(self.waiting)

    async def run(self, work: Callable[[], T], *, lane: int = 0, ticket: int | None = None) -> T:
        """Run ``work`` when its lane's turn comes and return what it returns.

        A cancelled caller loses its turn; so does whoever waits with a ``ticket`` (of a message) that is dropped.
        """
        job = Job(work, asyncio.get_running_loop().create_future(), ticket, time.perf_counter())
        if self._closed:  # the bot is stopping, and nobody will be answered any more
            job.done.cancel()
        self._lanes.setdefault(lane, deque()).append(job)
        self._start_next()
        result: T = await job.done
        self.recent_ms.append(1000 * (time.perf_counter() - job.since))
        return result

    def drop(self, tickets: Collection[int]) -> None:
        """Cancel whoever waits with one of these tickets; what is at work already runs to its end."""
        for jobs in self._lanes.values():
            for job in jobs:
                if job.ticket in tickets:
                    job.done.cancel()

    def _start_next(self) -> None:
        """Start the first piece of the lanes whose turn it is, as long as a worker is free."""
        while self._lanes and self._at_work.total() < self._workers:
            lane = next((lane for lane in self._lanes if lane not in self._at_work), next(iter(self._lanes)))
            jobs = self._lanes.pop(lane)
            job = jobs.popleft()
            if jobs:
                self._lanes[lane] = jobs  # behind all others
            if not job.done.done():
                if not self._at_work:
                    self._moved = time.monotonic()
                self._at_work[lane] += 1
                metrics.WORKING.set(self._at_work.total())
                running = asyncio.get_running_loop().run_in_executor(self._threads, job.run)
                running.add_done_callback(partial(self._finish, lane, job.done))

    def _finish(self, lane: int, done: asyncio.Future[Any], ran: asyncio.Future[Any]) -> None:
        """Hand on what a piece of work returned or raised, and start the next."""
        self._at_work[lane] -= 1
        self._at_work += Counter()  # forgets lanes without workers
        self._moved = time.monotonic()
        metrics.WORKING.set(self._at_work.total())
        if not ran.cancelled():
            if error := ran.exception():
                metrics.ERRORS.labels(type(error).__name__).inc()
            if not done.done():  # somebody still waits for it
                if error:
                    done.set_exception(error)
                else:
                    done.set_result(ran.result())
        self._start_next()

    def close(self) -> None:
        """Drop what still waits and what comes later; what runs now runs to its end."""
        self._closed = True
        for jobs in self._lanes.values():
            for job in jobs:
                job.done.cancel()
        self._lanes.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)
