"""When the bot stops, or something goes away under its hands: what is being done is done, or ended in order."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from bot import client
from bot.client import TalkingPhotosBot
from bot.domain import Reply
from bot.settings import Settings
from tests.cogs.scenes import FreshEngine, begin
from tests.loopback.exchange import PATIENCE
from tests.loopback.server import LoopbackDiscord


class Watched(FreshEngine):
    """Tells how often it was asked to speak, also while it does."""

    begun = 0

    def reply(self, *about: Any, **more: Any) -> Reply:
        self.begun += 1
        return super().reply(*about, **more)


@pytest.mark.parametrize("menu", [False, True])
async def test_what_is_pressed_or_chosen_is_done_before_the_bot_goes(
    loopback: LoopbackDiscord, settings: Settings, menu: bool
) -> None:
    engine = Watched()
    async with loopback.running(settings, engine):
        photo, said = await begin(loopback)
        engine.gate.clear()
        if menu:
            using = asyncio.create_task(loopback.menu(loopback.ben, loopback.room, "Make it talk", photo))
        else:
            before = said.content
            using = asyncio.create_task(loopback.press(loopback.ben, said, "Again"))
            await using
        await loopback.until(lambda: engine.begun == 2)
        threading.Timer(0.3, engine.gate.set).start()
    if menu:
        await loopback.next_answer()
        await using
    else:
        assert said.content != before


async def test_what_takes_too_long_is_stopped_and_named(
    loopback: LoopbackDiscord,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = Watched()
    monkeypatch.setattr(client, "GOODBYE", 0.2)
    with caplog.at_level(logging.WARNING):
        async with loopback.running(settings, engine):
            _, said = await begin(loopback)
            engine.gate.clear()
            await loopback.press(loopback.ben, said, "Again")
            await loopback.until(lambda: engine.begun == 2)
    engine.gate.set()
    assert "Stopped discord-ui-dynamic-item-ReplyButton-reply:again" in caplog.text
    assert "non-checked-in" not in caplog.text


async def test_a_photo_speaks_although_discord_does_not_show_the_typing(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.fail_next("POST", "/typing$", 503)
    _, said = await begin(loopback)
    assert "for the first time" in said.content


@pytest.mark.parametrize("thread", [False, True])
async def test_what_is_stored_while_its_channel_is_deleted_is_forgotten(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch, thread: bool
) -> None:
    sent, gone, stored, start = asyncio.Event(), asyncio.Event(), asyncio.Event(), bot.house.conversations.start

    async def slowly(*about: object, **more: object) -> object:
        sent.set()
        await gone.wait()
        started = await start(*about, **more)  # type: ignore[arg-type]
        stored.set()
        return started

    monkeypatch.setattr(bot.house.conversations, "start", slowly)
    where = await (loopback.start_thread(loopback.room, "short") if thread else loopback.open_channel("short"))
    await begin(loopback, channel=where)
    await sent.wait()
    heard = bot.wait_for("raw_thread_delete" if thread else "guild_channel_delete")
    await loopback.delete_channel(where)
    async with asyncio.timeout(PATIENCE):
        await heard  # from here on the bot forgets at once, unless it knows that it has to wait
        gone.set()
        await stored.wait()
        while (await bot.house.conversations.counts())["conversations"]:  # noqa: ASYNC110 - rows tell of no change
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    assert (await bot.house.conversations.counts())["conversations"] == 0
