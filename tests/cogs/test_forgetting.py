"""Erasing while things are in the making: nothing of somebody comes back, stays in a file or on a webhook."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import Persona, Scene
from bot.settings import Settings
from bot.store.conversations import Origin
from tests.cogs.scenes import refusal
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

PHOTO = ("me.jpg", picture("red"))
ERASE, STAY_AWAY = "Erase everything", "Erase everything and stay away"


async def forget(loopback: LoopbackDiscord, which: str = ERASE) -> None:
    asked = await loopback.slash(loopback.ada, loopback.room, "privacy forget-me")
    pressed = await loopback.press(loopback.ada, asked.message, which)
    told = await pressed.more()
    assert told
    assert told.content.startswith("I erased ")


async def test_what_was_in_the_making_is_neither_said_nor_stored(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    for which in (ERASE, STAY_AWAY):
        engine.gate.clear()
        looked = engine.looked
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        await loopback.until(lambda: engine.looked > looked)  # noqa: B023 - awaited at once
        await forget(loopback, which)
        engine.gate.set()
        assert "asked me to leave their photos alone" in (await loopback.next_answer()).content
        await loopback.silence(0.1)
    assert (await bot.house.conversations.counts())["conversations"] == 0


async def test_no_file_of_the_database_keeps_what_was_erased(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, settings: Settings
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    opening = await loopback.next_answer()
    await loopback.post(loopback.room, loopback.ada, "my secret zanzibar", reply_to=opening)
    await loopback.next_answer()
    path = Path(settings.database_url.removeprefix("sqlite+aiosqlite:///"))
    files = [path, path.with_name(f"{path.name}-wal")]
    await loopback.until(lambda: any(b"zanzibar" in file.read_bytes() for file in files))
    await forget(loopback)
    assert not any(b"zanzibar" in file.read_bytes() for file in files if file.exists())


async def test_the_webhook_takes_the_face_off_and_other_faces_stay(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    said = await loopback.next_answer()
    (hook,) = loopback.world.webhooks.values()
    assert hook.avatar
    assert said.author.avatar
    await forget(loopback)
    await loopback.until(lambda: hook.avatar is None)
    await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[PHOTO])
    await loopback.next_answer()
    assert hook.avatar
    await forget(loopback)
    assert hook.avatar


@pytest.mark.parametrize("which", [ERASE, STAY_AWAY])
async def test_the_webhook_takes_the_face_off_that_was_shown_but_not_yet_stored(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    store, may_store = bot.house.conversations.start, asyncio.Event()

    async def late(*about: Any, **options: Any) -> Any:
        await may_store.wait()
        return await store(*about, **options)

    monkeypatch.setattr(bot.house.conversations, "start", late)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.next_answer()
    (hook,) = loopback.world.webhooks.values()
    assert hook.avatar
    await forget(loopback, which)
    may_store.set()
    await loopback.until(lambda: hook.avatar is None)
    await loopback.until(lambda: bot.house.desk.waiting == 0)
    assert (await bot.house.conversations.counts())["conversations"] == 0


async def test_the_webhook_takes_the_face_off_also_after_a_restart(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    thread = loopback.world.add_channel("thread", parent=loopback.room)
    async with loopback.running(settings, engine):
        await loopback.post(thread, loopback.ada, loopback.mention, files=[PHOTO])
        await loopback.next_answer(thread)
    (hook,) = loopback.world.webhooks.values()
    assert hook.avatar
    async with loopback.running(settings, engine):
        await forget(loopback)
        assert hook.avatar is None
        await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[PHOTO])
        await loopback.next_answer()
        assert hook.avatar


async def test_the_poster_can_still_delete_what_was_said_of_the_photo(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    said = await loopback.next_answer()
    await forget(loopback)
    refused = await loopback.press(loopback.ben, said, "Delete")
    assert "no longer know this conversation" in await refusal(refused)
    await loopback.press(loopback.ada, said, "Delete")
    await loopback.until(lambda: said.gone)


async def test_a_message_that_was_changed_is_kept_as_it_says_now(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    opening = await loopback.next_answer()
    asked = await loopback.post(loopback.room, loopback.ada, "my secret zanzibar", reply_to=opening)
    answer = await loopback.next_answer()
    await loopback.edit(asked, "my hat")
    await loopback.post(loopback.room, loopback.ada, "hm", reply_to=answer)
    await loopback.next_answer()
    await loopback.until(lambda: bot.house.desk.waiting == 0)
    said = await bot.house.conversations.by_message(opening.id)
    assert said
    assert [turn.text for turn in said.turns if turn.role == "user"] == ["my hat", "hm"]


async def only_known(bot: TalkingPhotosBot, guilds: set[int]) -> None:
    """Wait until conversations of just these servers are stored."""
    async with asyncio.timeout(10):
        while await bot.house.conversations.guilds() != guilds:  # noqa: ASYNC110 - the store has no event
            await asyncio.sleep(0.01)


async def test_what_was_sent_but_not_stored_is_forgotten_with_its_server(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = loopback.world.add_guild("Second", has_bot=False)
    there = loopback.world.add_channel("there", guild=second)
    await loopback.invite_bot(second)
    store, sent = bot.house.conversations.start, set[int]()
    may_store = {second.id: asyncio.Event(), loopback.world.guild_id: asyncio.Event()}

    async def late(scene: Scene, persona: Persona, words: str, origin: Origin, *more: Any, **options: Any) -> None:
        sent.add(origin.channel_id)
        await may_store[origin.guild_id or 0].wait()
        await store(scene, persona, words, origin, *more, **options)

    monkeypatch.setattr(bot.house.conversations, "start", late)
    for channel in (loopback.room, await loopback.open_channel("another"), there):
        await loopback.post(channel, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.until(lambda: len(sent) == 3)
    await loopback.remove_bot()
    await loopback.until(lambda: not bot.get_guild(loopback.world.guild_id))
    await asyncio.sleep(0.1)  # so that it has begun to forget
    may_store[loopback.world.guild_id].set()
    await loopback.until(
        lambda: bot.house.desk.waiting == 1
    )  # what was said is stored, but what another server waits for
    await only_known(bot, set())
    may_store[second.id].set()
    await only_known(bot, {second.id})


async def test_a_server_that_went_while_the_bot_was_away_is_forgotten(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    second = loopback.world.add_guild("Second", has_bot=True)
    there = loopback.world.add_channel("there", guild=second)
    async with loopback.running(settings, engine) as bot:
        for channel in (loopback.room, there):
            await loopback.post(channel, loopback.ada, loopback.mention, files=[PHOTO])
            await loopback.next_answer()
        await loopback.until(lambda: bot.house.desk.waiting == 0)
        assert await bot.house.conversations.guilds() == {loopback.world.guild_id, second.id}
    second.has_bot = False
    async with loopback.running(settings, engine) as bot:
        await only_known(bot, {loopback.world.guild_id})


async def test_a_deleted_photo_takes_its_face_off_the_webhook(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    photo = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.next_answer()
    (hook,) = loopback.world.webhooks.values()
    assert hook.avatar
    await loopback.delete(photo)
    await loopback.until(lambda: hook.avatar is None)
