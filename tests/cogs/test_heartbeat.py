"""Under full load the event loop is never late, so Discord hears the heartbeats of the gateway on time.

LOAD_SECONDS=60 python -m pytest tests/cogs/test_heartbeat.py measures for a minute each.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import discord.gateway
import numpy as np
import pytest

from bot.cogs.engine import Engine
from bot.domain import Reply, Scene
from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE
from bot.settings import Settings
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

SECONDS = float(os.environ.get("LOAD_SECONDS", "5"))
CHANNELS = 8
TICK = 0.01
INTERVAL = 0.25  # of heartbeats; Discord asks for one in 41 seconds
MOST = 0.1  # seconds that 99 of 100 ticks and heartbeats may be late


class BusyEngine(FakeEngine):
    """Burns processor time, with and without Python's lock."""

    def look(self, data: bytes) -> Scene:
        burn(0.06)
        return super().look(data)

    def reply(self, *args: object, **options: object) -> Reply:
        burn(0.06)
        return super().reply(*args, **options)  # type: ignore[arg-type]


def burn(seconds: float) -> None:
    """Count in Python for half of the processor time, multiply matrices for the other."""
    count, matrix, begun = 0, np.ones((200, 200), np.float32), time.thread_time()
    while time.thread_time() < begun + seconds / 2:
        count += sum(range(100))
    while time.thread_time() < begun + seconds:
        matrix = matrix @ matrix * 0.005


@pytest.fixture(params=["fake", "real"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "fake":
        return BusyEngine()
    if not (SHIPPED_BUNDLE / MANIFEST).is_file():
        pytest.skip("there is no bundle of models")
    from bot.app import TalkingPhotos

    return TalkingPhotos(provider="cpu")


@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float]]:
    """Let the gateway's heart beat fast; give when each beat was sent and how long its answer took."""
    heard: list[tuple[float, float]] = []

    class Heart(discord.gateway.KeepAliveHandler):
        def __init__(self, **options: object) -> None:
            super().__init__(**{**options, "interval": INTERVAL})  # type: ignore[arg-type]

        def ack(self) -> None:
            super().ack()
            heard.append((self._last_send, self.latency))

    monkeypatch.setattr(discord.gateway, "KeepAliveHandler", Heart)
    return heard


async def lateness(seconds: float) -> list[float]:
    """Return by how much each tick of a clock in the event loop was late."""
    late, end = [], time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        await asyncio.sleep(TICK)
        late.append(time.perf_counter() - begun - TICK)
    return late


def p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99))


async def test_the_event_loop_is_never_late_under_full_load(
    loopback: LoopbackDiscord, settings: Settings, engine: Engine, beats: list[tuple[float, float]], tmp_path: Path
) -> None:
    photo = [("me.jpg", picture("red"))]
    answered = 0

    async def keep_asking(number: int) -> None:
        nonlocal answered
        channel = loopback.world.add_channel(f"room-{number}")
        while not measuring.done():
            await loopback.post(channel, loopback.ada, loopback.mention, files=photo)
            await loopback.next_answer()
            answered += 1

    async with loopback.running(settings, engine) as bot:
        measuring = asyncio.create_task(lateness(SECONDS))
        asking = asyncio.gather(*(keep_asking(number) for number in range(CHANNELS)))
        late = await measuring
        waiting = bot.house.desk.waiting
        sent = len(beats)
        await asking
    gaps = np.diff([when for when, _ in beats[:sent]])
    answers = [took for _, took in beats[:sent]]
    print(
        f"\n{type(engine).__name__}, {SECONDS:.0f} s, {answered} answers: a tick is late by p50 {np.median(late) * 1e3:.1f}, "
        f"p99 {p99(late) * 1e3:.1f}, at most {max(late) * 1e3:.1f} ms; {sent} heartbeats, answered after p99 "
        f"{p99(answers) * 1e3:.1f} ms, p99 of the gaps {p99(gaps) * 1e3:.0f} ms"
    )
    assert waiting >= CHANNELS / 2  # there was a full load
    assert answered > CHANNELS
    assert p99(late) <= MOST
    assert sent >= 0.7 * SECONDS / INTERVAL
    assert p99(answers) <= MOST
    assert p99(gaps) <= INTERVAL + MOST
