"""What the machine around the bot may ask: /healthz and /metrics on a loopback port."""

import re
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.health import HOST, STUCK
from bot.domain import Failure
from bot.settings import Settings
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord


@pytest.fixture
def settings(settings: Settings) -> Settings:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return settings.model_copy(update={"health_port": free.getsockname()[1]})


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(browser: aiohttp.ClientSession, settings: Settings, page: str) -> tuple[int, str]:
    async with browser.get(f"http://{HOST}:{settings.health_port}/{page}") as answer:
        return answer.status, await answer.text()


def value(page: str, name: str, **labels: str) -> float:
    """Return a number of the metrics, 0 if it is not there."""
    wanted = {f'{key}="{text}"' for key, text in labels.items()}
    for line in page.splitlines():
        found = re.fullmatch(rf"{name}(?:{{(.*)}})? (\S+)", line)
        if found and wanted <= set((found[1] or "").split(",")):
            return float(found[2])
    return 0.0


async def test_a_connected_bot_is_well(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, settings: Settings, browser: aiohttp.ClientSession
) -> None:
    assert await ask(browser, settings, "healthz") == (200, "I am well.\n")


async def test_a_broken_connection_is_told_until_it_stands_again(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, settings: Settings, browser: aiohttp.ClientSession
) -> None:
    bot.dispatch("shard_disconnect", 0)
    await loopback.silence(0.05)
    assert await ask(browser, settings, "healthz") == (
        503,
        "The connection to Discord is broken; I try again by myself.\n",
    )
    bot.dispatch("shard_resumed", 0)
    await loopback.silence(0.05)
    assert (await ask(browser, settings, "healthz"))[0] == 200


async def test_an_engine_that_hangs_is_told(
    loopback: LoopbackDiscord,
    bot: TalkingPhotosBot,
    settings: Settings,
    engine: FakeEngine,
    browser: aiohttp.ClientSession,
) -> None:
    engine.gate.clear()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", picture())])
    await loopback.until(lambda: engine.looked)
    assert (await ask(browser, settings, "healthz"))[0] == 200
    bot.house.desk._moved -= STUCK + 1
    status, told = await ask(browser, settings, "healthz")
    engine.gate.set()
    await loopback.next_answer()
    assert status == 503
    assert re.fullmatch(r"The engine has worked for 6\d s without a result; restart me\.\n", told)
    assert (await ask(browser, settings, "healthz"))[0] == 200


async def test_metrics_count_work_requests_and_errors_and_name_nobody(
    loopback: LoopbackDiscord,
    bot: TalkingPhotosBot,
    settings: Settings,
    engine: FakeEngine,
    browser: aiohttp.ClientSession,
) -> None:
    before = (await ask(browser, settings, "metrics"))[1]
    await loopback.post(loopback.room, loopback.ada, f"{loopback.mention} sesame", files=[("me.jpg", picture())])
    await loopback.next_answer()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", b"Dear photo")])
    await loopback.next_answer()
    status, page = await ask(browser, settings, "metrics")
    assert status == 200

    def grown(name: str, **labels: str) -> float:
        return value(page, name, **labels) - value(before, name, **labels)

    assert grown("talking_photos_work_seconds_count") == 2
    assert grown("talking_photos_errors_total", kind="BadInput") == 1
    assert grown("talking_photos_discord_requests_total", method="POST", status="200") >= 2
    assert value(page, "talking_photos_waiting") == 0
    assert value(page, "process_resident_memory_bytes") > 10**7
    for secret in ("sesame", str(loopback.ada.id), str(loopback.room.id), "Loopback"):
        assert secret not in page


async def test_no_port_means_no_pages(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine, browser: aiohttp.ClientSession
) -> None:
    async with loopback.running(settings.model_copy(update={"health_port": 0}), engine):
        with pytest.raises(aiohttp.ClientConnectorError):
            await ask(browser, settings, "healthz")


async def test_the_port_is_free_again_when_the_bot_is_closed(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine, browser: aiohttp.ClientSession
) -> None:
    for _ in range(2):
        async with loopback.running(settings, engine):
            assert (await ask(browser, settings, "healthz"))[0] == 200


async def test_a_port_that_is_taken_is_one_sentence(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    with socket.socket() as other:
        other.bind((HOST, settings.health_port))
        other.listen()
        with pytest.raises(Failure, match=rf"^Port {settings.health_port} of HEALTH_PORT cannot be used .*\.$"):
            async with loopback.running(settings, engine):
                pass
