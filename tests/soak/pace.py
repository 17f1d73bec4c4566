"""How far the soak is, how many things may be in the making at once, and when everybody has to pause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Pace:
    """Counts the messages up to ``goal``, for so many ``seconds`` at most.

    ``most`` acts run at once, fewer than the bot lets wait.
    """

    def __init__(self, goal: int, most: int, seconds: float) -> None:
        self.goal = goal
        self._end = time.monotonic() + seconds
        self.posted = 0
        self._most = most
        self._acts = asyncio.Semaphore(most)
        self._alone = asyncio.Lock()
        self._hands = 0  # interactions that are not answered yet
        self._hands_free = asyncio.Event()
        self._hands_free.set()
        self._hands_may = asyncio.Event()
        self._hands_may.set()

    @property
    def over(self) -> bool:
        """Whether enough was posted, or the time is over."""
        return self.posted >= self.goal or time.monotonic() > self._end

    @asynccontextmanager
    async def act(self) -> AsyncIterator[None]:
        """Do something while others do something, too."""
        async with self._alone:  # lets whoever wants to be alone in between
            await self._acts.acquire()
        try:
            yield
        finally:
            self._acts.release()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Do something while everybody else pauses."""
        async with self._alone:
            for _ in range(self._most):
                await self._acts.acquire()
            try:
                yield
            finally:
                for _ in range(self._most):
                    self._acts.release()

    @asynccontextmanager
    async def hand(self) -> AsyncIterator[None]:
        """Use a button or a command, which Discord wants answered within three seconds."""
        await self._hands_may.wait()
        self._hands += 1
        self._hands_free.clear()
        try:
            yield
        finally:
            self._hands -= 1
            if not self._hands:
                self._hands_free.set()

    @asynccontextmanager
    async def hands_off(self) -> AsyncIterator[None]:
        """Let nobody use a button or a command, as the connection is about to break."""
        self._hands_may.clear()
        await self._hands_free.wait()
        try:
            yield
        finally:
            self._hands_may.set()
