"""Buttons pressed while something else happens: another press, a deletion, a long text, words still being sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN
from tests.cogs.scenes import PIRATE, FreshEngine, ask, begin, name, spoken
from tests.loopback.permissions import MANAGE_WEBHOOKS
from tests.loopback.server import LoopbackDiscord

MEANWHILE = "That reply was deleted or replaced in the meantime."
BUILT_IN = "The characters I came with"


@pytest.fixture
def engine() -> FreshEngine:
    return FreshEngine()


async def test_two_who_press_again_at_once_leave_one_message_and_one_memory(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, opening = await begin(loopback)
    engine.gate.clear()
    first = await loopback.press(loopback.ada, opening, "Again")
    second = await loopback.press(loopback.ben, opening, "Again")
    engine.gate.set()
    await first.more()
    await second.more()
    await ask(loopback, opening)
    assert engine.asked[-1][0].text == spoken(opening)
    await loopback.silence(0.05)


async def test_two_who_press_someone_else_at_once_leave_one_character_who_knows_it(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, opening = await begin(loopback)
    engine.gate.clear()
    await loopback.press(loopback.ada, opening, "Someone else")
    await loopback.press(loopback.ben, opening, "Someone else")
    engine.gate.set()
    now = await loopback.next_answer() if either == "webhook" else opening
    await asyncio.sleep(0.3)
    await loopback.silence(0.05)
    later = await ask(loopback, now)
    assert later.content != FORGOTTEN
    assert name(later) == PIRATE
    assert engine.asked[-1][0].text == spoken(now)


async def test_again_on_a_reply_that_is_deleted_meanwhile_is_no_failure(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine, caplog: pytest.LogCaptureFixture
) -> None:
    _, opening = await begin(loopback)
    engine.gate.clear()
    pressed = await loopback.press(loopback.ben, opening, "Again")
    await loopback.press(loopback.ada, opening, "Delete")
    await loopback.until(lambda: opening.gone)
    engine.gate.set()
    told = await pressed.more()
    assert told
    assert (told.content, told.ephemeral) == (MEANWHILE, True)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("button", ["Someone else", "Persona"])
async def test_another_character_does_not_speak_for_a_reply_that_is_deleted_meanwhile(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine, button: str
) -> None:
    _, opening = await begin(loopback)
    engine.gate.clear()
    pressed = await loopback.press(loopback.ben, opening, button)
    if button == "Persona":
        pressed = await loopback.select(loopback.ben, pressed.messages[0], BUILT_IN, PIRATE)
    await loopback.press(loopback.ada, opening, "Delete")
    await loopback.until(lambda: opening.gone)
    engine.gate.set()
    told = await pressed.more()
    assert told
    assert (told.content, told.ephemeral) == (MEANWHILE, True)
    await loopback.silence(0.05)


async def test_buttons_work_under_a_webhook_that_was_deleted(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    _, opening = await begin(loopback)
    loopback.world.webhooks.clear()
    await (await loopback.press(loopback.ada, opening, "Again")).more()
    await loopback.press(loopback.ada, opening, "Someone else")
    now = await loopback.next_answer()
    assert name(now) == PIRATE
    assert "who said 'hm'" in spoken(await ask(loopback, now))


async def test_where_the_identity_changed_a_character_takes_over_in_the_new_one(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, opening = await begin(loopback)
    await loopback.slash(loopback.world.owner, loopback.room, "photos identity", kind="plain")
    await loopback.press(loopback.ada, opening, "Someone else")
    now = await loopback.next_answer()
    await loopback.until(lambda: opening.gone)
    assert now.author is loopback.world.bot
    assert name(now) == PIRATE


async def test_all_messages_of_a_long_text_give_way_to_other_words(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.long = True
    await begin(loopback)
    last = await loopback.next_answer()
    engine.long = False
    await loopback.press(loopback.ada, last, "Someone else")
    now = await loopback.next_answer()
    await loopback.until(lambda: last.gone)
    assert name(now) == PIRATE
    assert "who said 'hm'" in spoken(await ask(loopback, now))


async def test_a_button_pressed_before_the_talk_is_stored_waits_for_it(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, sent = bot.house.conversations.start, asyncio.Event()

    async def slowly(*about: Any, **more: Any) -> Any:
        await asyncio.wait_for(sent.wait(), 10)
        await asyncio.sleep(0.1)
        return await start(*about, **more)

    monkeypatch.setattr(bot.house.conversations, "start", slowly)
    _, opening = await begin(loopback)
    asyncio.get_running_loop().call_later(0.05, sent.set)
    pressed = await loopback.press(loopback.ada, opening, "Again")
    assert await pressed.more() is opening


async def test_a_button_is_acknowledged_in_time_however_long_the_channel_is_busy(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, stored = bot.house.conversations.start, asyncio.Event()

    async def slowly(*about: Any, **more: Any) -> Any:
        await asyncio.wait_for(stored.wait(), 10)
        return await start(*about, **more)

    monkeypatch.setattr(bot.house.conversations, "start", slowly)
    monkeypatch.setattr("bot.cogs.replies.SOON", 0.05)
    _, opening = await begin(loopback)
    pressed = await loopback.press(loopback.ben, opening, "Delete")
    assert pressed.kind == "deferred_update"
    stored.set()
    told = await pressed.more()
    assert told
    assert told.content.startswith("Only who posted the photo or asked")
    assert told.ephemeral


async def test_what_is_said_anew_twice_is_said_by_whoever_took_over(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    loopback.room.denied |= MANAGE_WEBHOOKS
    await loopback.change_channel(loopback.room)
    _, opening = await begin(loopback)
    await (await loopback.press(loopback.ada, opening, "Someone else")).more()
    assert name(opening) == PIRATE
    await (await loopback.press(loopback.ada, opening, "Again")).more()
    assert name(opening) == PIRATE
