"""Get ready quickly: several things at a time, and no search for garbage among what is there to stay.

Modules, models and lines are some hundred thousand objects, of which hardly any is dropped, yet the garbage
collector looks through all of them again and again while they are made.
"""

from __future__ import annotations

import atexit
import gc
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")
U = TypeVar("U")


@contextmanager
def here_to_stay() -> Iterator[None]:
    """Let the garbage collector rest, and from then on leave in peace what was made meanwhile."""
    awake = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if awake:
            gc.enable()


def begin(work: Callable[[], T]) -> Callable[[], T]:
    """Begin work in a thread of its own and return what waits for its result or raises its error."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="startup")
    done = thread.submit(work)
    thread.shutdown(wait=False)  # it ends with its work
    return done.result


def at_once(here: Callable[[], T], aside: Callable[[], U]) -> tuple[T, U]:
    """Do two things at the same time, the first of them in this thread, and return the results of both."""
    result_aside = begin(aside)
    return here(), result_aside()


def later(seconds: float, work: Callable[[], object]) -> None:
    """Do work in a thread of its own after some time, unless the process has ended by then.

    A process that ends in the middle of it waits for its end: ONNX Runtime aborts when it is torn down while a
    thread loads a model.
    """

    def do() -> None:
        try:
            work()
        except Exception:
            log.exception("What was to be done later failed.")
        finally:
            atexit.unregister(stop)

    def stop() -> None:
        timer.cancel()
        timer.join()

    timer = threading.Timer(seconds, do)
    timer.daemon = True  # or the end of the process would wait for its beginning, too
    atexit.register(stop)
    timer.start()
