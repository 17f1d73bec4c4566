"""The bot's process, as the driver sees it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
LOOKS = 5
# What Python, aiohttp, asyncio and SQLAlchemy say of what was not closed, ended or awaited.
UNCLOSED = ("ResourceWarning", "never awaited", "non-checked-in", "Unclosed", "was destroyed but", "never retrieved")


class Child:
    """Asks the bot's process how it is, and stops it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self.last: dict[str, Any] = {}

    async def state(self) -> dict[str, Any]:
        """Return how it is, at the leanest of several moments: photos that are being looked at do not count."""
        return min([await self._look() for _ in range(LOOKS)], key=lambda look: look["rss_mb"])

    async def _look(self) -> dict[str, Any]:
        await asyncio.sleep(0.1)
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        return await self._line()

    async def stop(self) -> None:
        """Ask it to stop, and read its last words."""
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self.last = await self._line()
        assert self._process.stdin
        self._process.stdin.close()
        code = await asyncio.wait_for(self._process.wait(), PATIENCE)
        self.last |= {"exit_code": code, "goodbye_s": time.monotonic() - begun}

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.returncode is None

    @property
    def unclosed(self) -> list[str]:
        """What it left open, as far as anything said so."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line for line in lines if any(sign in line for sign in UNCLOSED)]

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        if not line:
            tail = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise RuntimeError(f"the bot's process is gone:\n{tail}")
        return dict(json.loads(line))


@asynccontextmanager
async def child(at: str, database: str, channels: set[int], engine: str, log: Path) -> AsyncIterator[Child]:
    """Run the bot in a process of its own, which is killed in the end if it has not stopped."""
    options = ["--at", at, "--database", database, "--channels", ",".join(map(str, channels)), "--engine", engine]
    warn = ["-W", "always::ResourceWarning", "-W", "always::RuntimeWarning"]
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *warn,
            *("-m", "tests.soak.subject", *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            cwd=ROOT,
        )
        try:
            yield Child(process, log)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
