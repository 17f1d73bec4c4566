"""A second pair of hands while a core is free: what can be done beside something else is, unless all cores are busy."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from bot.runtime.session import Session
from bot.runtime.threads import worker_threads

T = TypeVar("T")


class SpareCores:
    """Counts the cores at work; more threads than cores would only keep each other and the event loop waiting."""

    def __init__(self, cores: int) -> None:
        self._free = cores
        self._lock = threading.Lock()
        self._threads = worker_threads(max(1, cores), "aside")

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count the calling thread's core as taken."""
        with self._lock:
            self._free -= 1
        try:
            yield
        finally:
            with self._lock:
                self._free += 1

    def aside(self, work: Callable[[], T]) -> Callable[[], T]:
        """Begin work on a core that is free and return what waits for its result.

        Where none is free, the work is done when its result is asked for.
        """
        with self._lock:
            if self._free <= 0:
                return work
            self._free -= 1
        return self._threads.submit(self._run, work).result

    @contextmanager
    def borrowed(self) -> Iterator[bool]:
        """Take a second core for the calling thread if one is free, and tell whether there was one."""
        with self._lock:
            free = self._free > 0
            self._free -= free
        try:
            yield free
        finally:
            with self._lock:
                self._free += free

    def _run(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            with self._lock:
                self._free += 1


@dataclass(frozen=True, slots=True)
class Wide:
    """A model once more, on two threads, for when a core is free: ``borrowed`` takes one if so and tells."""

    session: Session
    borrowed: Callable[[], AbstractContextManager[bool]]


@contextmanager
def widest(session: Session, wide: Wide | None) -> Iterator[Session]:
    """Yield the session of two threads, with a core for the second, or the plain one where there is none free."""
    if wide is None:
        yield session
        return
    with wide.borrowed() as free:
        yield wide.session if free else session
