"""How long a call takes once it is warm."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

WARM_UP = 5  # calls


def milliseconds(call: Callable[[], object], rounds: int = 60) -> float:
    """Return the median time of ``call`` over ``rounds``, after a warm-up."""
    times = []
    for _ in range(WARM_UP + rounds):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times[WARM_UP:])
