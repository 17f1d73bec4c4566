"""``python -m tests.soak.subject``: the bot by itself in a process, so that what is measured of it is the bot's.

It is pointed at a loopback Discord of another process and started as ``talking-photos run`` starts it. Every line
on its standard input is answered with one line of JSON: how it is. SIGTERM stops it, and a last line tells what it
left.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import json
import logging
import os
import sys
import time
from collections import Counter
from typing import Any

import yarl

from bot import client
from bot.runtime import logs
from bot.runtime.memory import share_heap
from bot.settings import Settings
from bot.ui.base import Panel
from tests.loopback.rest import API
from tests.loopback.server import TOKEN, LoopbackDiscord
from tests.soak.engine import SoakEngine

TICK = 0.02  # seconds between two looks at the clock
SEATS = 20  # messages that may wait; the acts of the soak need no more, only its floods do
PANELS = 60.0  # seconds that menus nobody uses are kept; the bot keeps them for 15 minutes, about as long as this takes


class Pulse:
    """How late the event loop is, in milliseconds."""

    def __init__(self) -> None:
        self._late: Counter[int] = Counter()

    async def beat(self) -> None:
        """Look at the clock again and again."""
        while True:
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            self._late[round(1000 * (time.perf_counter() - due))] += 1

    def late(self, share: float) -> int:
        """Return how late ``share`` of the beats were at most."""
        left = share * self._late.total()
        for milliseconds, count in sorted(self._late.items()):
            left -= count
            if left <= 0:
                return milliseconds
        return 0


class Tally(logging.Handler):
    """Counts what is logged as a warning or worse, by its template."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.counts: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        error = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
        self.counts[f"{record.levelname} {record.name}: {str(record.msg)[:100]}{error}"] += 1


def state(pulse: Pulse) -> dict[str, Any]:
    """Return how the process is."""
    gc.collect()
    before = resident()
    ctypes.CDLL(None).malloc_trim(0)  # photos come and go by the megabyte; what counts is what is still held
    return {
        "rss_mb": resident(),
        "rss_untrimmed_mb": before,
        "open_files": len(os.listdir("/proc/self/fd")),
        "tasks": len(asyncio.all_tasks()),
        "late_p99_ms": pulse.late(0.99),
        "late_max_ms": pulse.late(1.0),
        "cpu_s": time.process_time(),
    }


def resident() -> float:
    """Return the megabytes of memory the process has."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def tell(what: dict[str, Any]) -> None:
    """Write one line of JSON."""
    print(json.dumps(what), flush=True)


async def answer_questions(pulse: Pulse) -> None:
    """Answer every line with how the process is."""
    lines = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    try:
        while await lines.readline():
            tell(state(pulse))
    finally:
        transport.close()


async def live(settings: Settings, engine: Any, tally: Tally) -> None:
    """Run the bot until it is stopped, and tell what it left."""
    pulse = Pulse()
    before = state(pulse)
    helpers = [asyncio.create_task(pulse.beat()), asyncio.create_task(answer_questions(pulse))]
    await client.run_bot(settings, engine)
    last = state(pulse)
    others = asyncio.all_tasks() - {*helpers, asyncio.current_task()}  # type: ignore[arg-type]
    left = [f"{task.get_name()} {getattr(task.get_coro(), '__qualname__', '')}" for task in others]
    for helper in helpers:
        helper.cancel()
    await asyncio.wait(helpers)
    # The input pipe was opened after the first look, so its end does not count.
    last |= {"tasks_left": left, "files_left": len(os.listdir("/proc/self/fd")) - before["open_files"]}
    tell(last | {"log": tally.counts})


async def _no_pause(self: object, shard_id: int | None, *, initial: bool = False) -> None:
    """Identify at once: the loopback Discord does not mind."""


def main() -> None:
    """Point discord.py at the loopback Discord and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.subject")
    parser.add_argument("--at", required=True, help="host and port of the loopback Discord")
    parser.add_argument("--database", required=True)
    parser.add_argument("--channels", required=True, help="ids of channels where every photo is answered")
    parser.add_argument("--engine", choices=["fake", "real"], default="fake")
    wanted = parser.parse_args()
    share_heap()
    logs.set_up("text")
    tally = Tally()
    logging.getLogger().addHandler(tally)
    logging.getLogger().setLevel(logging.WARNING)
    LoopbackDiscord._point_at(
        f"http://{wanted.at}{API}", yarl.URL(f"ws://{wanted.at}/gateway/"), f"http://{wanted.at}/cdn"
    )
    client.TalkingPhotosBot.before_identify_hook = _no_pause  # type: ignore[method-assign, assignment]
    Panel.__init__.__kwdefaults__["timeout"] = PANELS  # type: ignore[index]
    settings = Settings(
        _env_file=None,
        discord_token=TOKEN,
        cooldown=0,
        queue_limit=SEATS,
        database_url=wanted.database,
        channels=wanted.channels,
    )
    asyncio.run(live(settings, engine_of(wanted.engine), tally))


def engine_of(kind: str) -> Any:
    """Return the engine of the soak, or the shipped models."""
    if kind == "fake":
        return SoakEngine()
    from bot.app import TalkingPhotos  # loading onnxruntime takes its time

    engine = TalkingPhotos(provider="cpu")
    engine.warm_up()
    return engine


if __name__ == "__main__":
    main()
