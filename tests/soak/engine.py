"""The fake engine of the soak: it sees two people in wide pictures, takes its time, and keeps no lists."""

from __future__ import annotations

import itertools
import time
from collections import deque
from typing import Any

from bot.domain import Box, Person, Reply, Scene
from bot.vision.photo import decode
from tests.loopback.fake_engine import FakeEngine

WORK = 0.004  # seconds that seeing and speaking take at least
PAIR = (
    Person("man", "senior", "happy", "left", Box(2, 2, 20, 20), 0.9, ("glasses",)),
    Person("woman", "adult", "happy", "right", Box(30, 2, 20, 20), 0.9),
)


class SoakEngine(FakeEngine):
    """Numbers what it says, so that no two answers are the same."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.recent = deque(maxlen=1), deque(maxlen=1)  # type: ignore[assignment]
        self._takes = itertools.count(1)

    def look(self, data: bytes) -> Scene:
        photo = decode(data)
        time.sleep(WORK)
        return Scene("a red picture", PAIR if photo.width > 1.5 * photo.height else PAIR[1:])

    def reply(self, *about: Any, **more: Any) -> Reply:
        said = super().reply(*about, **more)
        time.sleep(WORK)
        return Reply(f"{said.text} Take {next(self._takes)}.", said.source, said.timings_ms)
