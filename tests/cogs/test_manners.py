"""Cooldowns, the bound of the queue, missing permissions, broken connections."""

import asyncio

import pytest

from bot.client import TalkingPhotosBot
from bot.settings import Settings
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import READ_MESSAGE_HISTORY, SEND_MESSAGES

pytestmark = pytest.mark.usefixtures("plain")

PHOTO = ("me.jpg", picture("red"))


async def test_a_user_waits_between_two_answers_and_is_told_once(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings.model_copy(update={"cooldown": 30.0}), engine):
        for _ in range(3):
            await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        said = {(await loopback.next_answer()).content for _ in range(2)}
        assert any("I can answer you again in 30 s." in text for text in said)
        assert any("red picture" in text for text in said)
        await loopback.silence()
        await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[PHOTO])
        assert "red picture" in (await loopback.next_answer()).content


async def test_more_than_the_queue_holds_is_told_to_come_back(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    engine.gate.clear()
    async with loopback.running(settings.model_copy(update={"queue_limit": 2}), engine):
        for _ in range(3):
            await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        assert "try again in a minute" in (await loopback.next_answer()).content
        engine.gate.set()
        for _ in range(2):
            assert "red picture" in (await loopback.next_answer()).content
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        assert "red picture" in (await loopback.next_answer()).content


async def test_the_answer_in_the_making_is_still_given_when_the_bot_stops(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine):
        engine.gate.clear()
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        await loopback.until(lambda: engine.looked)
        asyncio.get_running_loop().call_later(0.2, engine.gate.set)
    assert "red picture" in (await loopback.next_answer()).content


@pytest.mark.parametrize(
    ("denied", "name"), [(SEND_MESSAGES, "Send Messages"), (READ_MESSAGE_HISTORY, "Read Message History")]
)
async def test_a_missing_permission_is_named_in_the_log_and_in_private(
    loopback: LoopbackDiscord,
    settings: Settings,
    engine: FakeEngine,
    caplog: pytest.LogCaptureFixture,
    denied: int,
    name: str,
) -> None:
    closed = loopback.world.add_channel("closed", denied=denied)
    async with loopback.running(settings, engine):
        await loopback.post(closed, loopback.ada, loopback.mention, files=[PHOTO])
        told = await loopback.next_answer(loopback.world.direct(loopback.ada))
    assert told.content == f"I cannot answer in #closed in Loopback: I lack the permission {name} there."
    assert f"I lack the permission {name} in #closed in Loopback (channel {closed.id})." in caplog.text


async def test_a_dropped_connection_is_resumed_without_losing_a_message(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await loopback.gateway.drop()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    assert "red picture" in (await loopback.next_answer()).content
    assert (loopback.gateway.identified, loopback.gateway.resumed) == (1, 1)


async def test_a_refused_resume_leads_to_a_new_session(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.gateway.may_resume = False
    await loopback.gateway.drop()
    await loopback.until(lambda: loopback.gateway.identified == 2)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    assert "red picture" in (await loopback.next_answer()).content
    await loopback.silence()


async def test_a_message_deleted_before_it_was_answered_gets_no_answer(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    engine.gate.clear()
    posted = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.until(lambda: engine.looked)
    heard = asyncio.create_task(bot.wait_for("raw_message_delete"))
    await loopback.delete(posted)
    await heard
    engine.gate.set()
    await loopback.silence()


async def test_a_message_that_vanished_unnoticed_is_answered_without_a_link(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    engine.gate.clear()
    posted = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.until(lambda: engine.looked)
    del loopback.room.messages[posted.id]
    engine.gate.set()
    answer = await loopback.next_answer()
    assert "red picture" in answer.content
    assert answer.reply_to is None
