"""How long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Collects milliseconds by stage: ``with stopwatch("detect"): ...``; a stage may run repeatedly."""

    def __init__(self) -> None:
        self.timings_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time spent inside the block to ``stage``."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.add({stage: (time.perf_counter() - started) * 1000})

    def add(self, timings_ms: Mapping[str, float]) -> None:
        """Add the stages of another measurement."""
        for stage, spent in timings_ms.items():
            self.timings_ms[stage] = self.timings_ms.get(stage, 0.0) + spent

    @property
    def total_ms(self) -> float:
        """The sum of all stages in milliseconds."""
        return sum(self.timings_ms.values())
