"""What is asked about goes while the answer is in the making: whoever still waits is told, and nothing is kept."""

from __future__ import annotations

import asyncio

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN, HINT, YOU_LEFT
from bot.cogs.standing import ERASED
from tests.cogs.scenes import FAMILY, PHOTO, PIRATE, FreshEngine, ask, begin, name, spoken
from tests.loopback.exchange import Exchange
from tests.loopback.people import User
from tests.loopback.server import LoopbackDiscord

ERASE, STAY_AWAY = "Erase everything", "Erase everything and stay away"


@pytest.fixture
def engine() -> FreshEngine:
    return FreshEngine()


async def at_work(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    """Wait until the engine is held up by its gate."""
    await loopback.until(lambda: bot.house.desk.stuck_for)


async def heard(loopback: LoopbackDiscord) -> None:
    """Wait until the bot has heard all that happened so far: it hears of it in order."""
    await loopback.slash(loopback.ben, loopback.room, "status")


async def nothing_kept(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    """Wait until no conversation is stored."""
    async with asyncio.timeout(10):
        while (await bot.house.conversations.counts())["conversations"]:  # noqa: ASYNC110 - the store has no event
            await asyncio.sleep(0.01)


async def forget(loopback: LoopbackDiscord, user: User, which: str = ERASE) -> None:
    asked = await loopback.slash(user, loopback.room, "privacy forget-me")
    pressed = await loopback.press(user, asked.message, which)
    assert await pressed.more()


@pytest.mark.parametrize("what", ["photo", "opening", "poster"])
async def test_who_waits_for_an_answer_is_told_when_what_it_is_about_goes(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine, what: str
) -> None:
    photo, opening = await begin(loopback)
    engine.gate.clear()
    asked = [await loopback.post(loopback.room, loopback.ben, text, reply_to=opening) for text in ("one", "two")]
    await at_work(loopback, bot)
    if what == "poster":
        await forget(loopback, loopback.ada)
    else:
        await loopback.delete(photo if what == "photo" else opening)
    await nothing_kept(loopback, bot)
    engine.gate.set()
    told = [await loopback.next_answer() for _ in asked]
    assert {(message.content, message.reply_to) for message in told} == {(FORGOTTEN, question) for question in asked}
    await loopback.silence(0.1)
    await nothing_kept(loopback, bot)


async def test_who_takes_the_question_back_is_told_nothing(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    photo, opening = await begin(loopback)
    engine.gate.clear()
    asked = await loopback.post(loopback.room, loopback.ben, "hello?", reply_to=opening)
    await at_work(loopback, bot)
    await loopback.delete(photo, asked)
    await nothing_kept(loopback, bot)
    engine.gate.set()
    await loopback.silence()


@pytest.mark.parametrize(("which", "told"), [(ERASE, ERASED), (STAY_AWAY, YOU_LEFT)])
async def test_who_is_erased_while_waiting_gets_no_answer_but_the_reason(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine, which: str, told: str
) -> None:
    _, opening = await begin(loopback)
    engine.gate.clear()
    await loopback.post(loopback.room, loopback.ben, "my secret", reply_to=opening)
    await at_work(loopback, bot)
    await forget(loopback, loopback.ben, which)
    engine.gate.set()
    assert (await loopback.next_answer()).content == told
    await loopback.silence(0.1)
    assert (await bot.house.conversations.counts())["turns"] == 1


async def test_a_mention_goes_on_with_nothing_that_was_deleted(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    photo, _ = await begin(loopback)
    engine.gate.clear()
    await loopback.post(loopback.room, loopback.ben, f"{loopback.mention} hello?")
    await at_work(loopback, bot)
    await loopback.delete(photo)
    await nothing_kept(loopback, bot)
    engine.gate.set()
    assert (await loopback.next_answer()).content == HINT


@pytest.mark.parametrize("waits", [True, False])
async def test_who_asked_about_anothers_photo_is_told_when_it_is_deleted(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine, waits: bool
) -> None:
    engine.gate.clear()
    if waits:  # in line behind another photo
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    photo = await loopback.post(loopback.room, loopback.ada, "look", files=[PHOTO])
    asked = await loopback.post(loopback.room, loopback.ben, loopback.mention, reply_to=photo)
    await at_work(loopback, bot)
    await loopback.until(lambda: bot.house.desk.waiting == 1 + waits and loopback.rest.downloads == 1 + waits)
    await heard(loopback)
    await loopback.delete(photo)
    await heard(loopback)
    engine.gate.set()
    told = [await loopback.next_answer() for _ in range(1 + waits)]
    assert [(message.content, message.reply_to) for message in told if not message.webhook_id] == [(FORGOTTEN, asked)]
    await loopback.until(lambda: bot.house.desk.waiting == 0)  # what was said is stored
    assert (await bot.house.conversations.counts())["conversations"] == waits


@pytest.mark.parametrize("waits", [True, False])
async def test_a_photo_that_is_deleted_before_the_menu_made_it_talk_is_told_of(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine, waits: bool
) -> None:
    engine.gate.clear()
    if waits:
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    photo = await loopback.post(loopback.room, loopback.ada, "look", files=[PHOTO])
    used = asyncio.create_task(loopback.menu(loopback.ben, loopback.room, "Make it talk", photo))
    await at_work(loopback, bot)
    await loopback.until(lambda: bot.house.desk.waiting == 1 + waits and loopback.rest.downloads == 1 + waits)
    await heard(loopback)
    await loopback.delete(photo)
    await heard(loopback)
    engine.gate.set()
    told: Exchange = await used
    assert (told.text, told.ephemeral) == (FORGOTTEN, True)
    for _ in range(waits):
        await loopback.next_answer()
    await loopback.silence(0.1)
    await loopback.until(lambda: bot.house.desk.waiting == 0)  # what was said is stored
    assert (await bot.house.conversations.counts())["conversations"] == waits


async def test_nobody_else_speaks_about_a_photo_that_is_deleted_meanwhile(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    photo, opening = await begin(loopback)
    menu = await loopback.press(loopback.ben, opening, "Someone else")
    engine.gate.clear()
    chosen = await loopback.select(loopback.ben, menu.messages[0], "Who shall speak?", "the dog")
    await at_work(loopback, bot)
    await loopback.delete(photo)
    await nothing_kept(loopback, bot)
    engine.gate.set()
    told = await chosen.more()
    assert told
    assert (told.content, told.ephemeral) == (FORGOTTEN, True)
    await loopback.silence(0.1)
    await nothing_kept(loopback, bot)


async def test_a_channel_that_goes_while_a_photo_is_answered_is_no_failure(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine, caplog: pytest.LogCaptureFixture
) -> None:
    thread = await loopback.start_thread(loopback.room, "short-lived")
    for place in (await loopback.open_channel("short-lived"), thread):
        engine.gate.clear()
        await loopback.post(place, loopback.ada, loopback.mention, files=[PHOTO])
        await at_work(loopback, bot)
        await loopback.delete_channel(place)
        engine.gate.set()
        await loopback.until(lambda: bot.house.desk.waiting == 0)
    assert not [record.getMessage() for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    await nothing_kept(loopback, bot)


async def test_what_a_deleted_webhook_said_goes_when_it_is_said_anew(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, opening = await begin(loopback)
    loopback.world.webhooks.clear()
    await loopback.press(loopback.ada, opening, "Someone else")
    now = await loopback.next_answer()
    assert name(now) == PIRATE
    await loopback.until(lambda: opening.gone)
    assert "who said 'hm'" in spoken(await ask(loopback, now))
