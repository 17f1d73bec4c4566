"""What the machine could do at best: memory bandwidth, and which part of it the speaker's step uses."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bot.runtime.session import Session, available_cores

BYTES = 192 * 2**20  # of an array, many times what any cache holds
ROUNDS = 5
STAT = Path("/proc/stat")


@contextmanager
def pinned(cores: int) -> Iterator[int]:
    """Let this process and those that it starts use so many cores at most; yield how many they are.

    Where a system knows no affinity (macOS) all cores stay in use.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield available_cores()
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield available_cores()
    finally:
        os.sched_setaffinity(0, before)


def bandwidth(threads: int, size: int = BYTES) -> dict[str, float]:
    """Return bytes a second that ``threads`` threads read, and read and write while they copy; the best of some rounds.

    A copy counts what it reads and what it writes.
    """
    sources = [np.ones(size // threads, np.uint8) for _ in range(threads)]
    targets = [np.zeros_like(source) for source in sources]
    with ThreadPoolExecutor(threads) as pool:

        def fastest(work: Callable[[int], object], moved: int) -> float:
            times = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                list(pool.map(work, range(threads)))
                times.append(time.perf_counter() - begun)
            return moved / min(times)

        total = sum(source.nbytes for source in sources)
        return {
            "read": fastest(lambda i: sources[i].max(), total),
            "copy": fastest(lambda i: np.copyto(targets[i], sources[i]), 2 * total),
        }


class Bystanders:
    """Tells how many cores other programs kept busy since this was made; Linux only."""

    def __init__(self) -> None:
        self._begun, self._busy, self._own = time.monotonic(), _busy_seconds(), _own_seconds()

    def cores(self) -> float:
        """Return the mean so far, 0 where a system does not tell."""
        others = _busy_seconds() - self._busy - (_own_seconds() - self._own)
        return max(0.0, others / max(time.monotonic() - self._begun, 1e-9))


def _busy_seconds() -> float:
    """Return the processor time of all programs of this machine, and of other machines that took it from this one."""
    if not STAT.exists():
        return _own_seconds()
    user, nice, system, _, _, *interrupts = STAT.read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]
    return sum(map(int, (user, nice, system, *interrupts))) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(os.times()[:4])


def step_bytes(session: Session, seen: int) -> int:
    """Return what a step of the speaker must read: every weight once, and keys and values of ``seen`` tokens."""
    pasts: Sequence[list[int]] = [shape for name, shape in session.input_shapes.items() if name.startswith("past_")]
    cache = sum(shape[1] * shape[3] * 4 * seen for shape in pasts)
    return int(session.entry.path.stat().st_size + cache)
