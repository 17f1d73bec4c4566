"""Replying goes on talking with the same person, also after a restart, until it is deleted."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN, NO_PHOTO, PING_ME
from bot.domain import Turn
from bot.settings import Settings
from bot.store.database import Database
from bot.store.tables import ConversationRow, now
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Message

pytestmark = pytest.mark.usefixtures("plain")


async def open_talk(loopback: LoopbackDiscord) -> tuple[Message, Message]:
    """Post a photo for the pirate; return it and the opening."""
    files = [("me.jpg", picture("red"))]
    photo = await loopback.post(loopback.room, loopback.ada, f"{loopback.mention} pirate", files=files)
    return photo, await loopback.next_answer()


@pytest.mark.parametrize("ping", [True, False])
async def test_a_reply_continues_with_the_same_person(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, ping: bool
) -> None:
    _, opening = await open_talk(loopback)
    question = await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=opening, ping=ping)
    answer = await loopback.next_answer()
    assert answer.reply_to is question
    assert answer.content.startswith("**Captain Barnacle:** I am in a red picture and speak to Ben")
    said = opening.content.removeprefix("**Captain Barnacle:** ")
    assert engine.asked[-1] == (Turn("persona", said), Turn("user", "who are you?", "Ben"))


async def test_the_mention_is_no_part_of_what_was_said(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    _, opening = await open_talk(loopback)
    text = f"{loopback.mention} do you know <@{loopback.ada.id}>? <:wink:1234567890123456789>"
    await loopback.post(loopback.room, loopback.ben, text, reply_to=opening)
    await loopback.next_answer()
    assert engine.asked[-1][-1].text == "do you know @Ada? :wink:"


async def test_a_talk_survives_a_restart(loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine) -> None:
    async with loopback.running(settings, engine):
        _, opening = await open_talk(loopback)
    async with loopback.running(settings, FakeEngine()):
        await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=opening)
        said = (await loopback.next_answer()).content
    assert said.startswith("**Captain Barnacle:** I am in a red picture and speak to Ben, who said 'still there?'")


async def test_old_talks_are_deleted_when_the_bot_starts(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine):
        _, opening = await open_talk(loopback)
    database = await Database.open(settings.database_url)
    async with database.session() as session:
        long_ago = now() - timedelta(days=settings.retention_days + 1)
        await session.execute(update(ConversationRow).values(updated_at=long_ago))
    await database.close()
    async with loopback.running(settings, engine):
        await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=opening)
        assert (await loopback.next_answer()).content == FORGOTTEN


async def test_replies_that_come_at_once_are_answered_one_after_the_other(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    _, opening = await open_talk(loopback)
    for text in ("one", "two", "three"):
        await loopback.post(loopback.room, loopback.ben, text, reply_to=opening)
    for _ in range(3):
        await loopback.next_answer()
    assert [len(turns) for turns in engine.asked] == [0, 2, 4, 6]
    assert [turn.text for turn in engine.asked[-1] if turn.role == "user"] == ["one", "two", "three"]


@pytest.mark.parametrize("which", [0, 1], ids=["the photo", "the opening"])
async def test_deleting_a_message_ends_its_talk(loopback: LoopbackDiscord, bot: TalkingPhotosBot, which: int) -> None:
    messages = await open_talk(loopback)
    await loopback.post(loopback.room, loopback.ada, "hm", reply_to=messages[1])
    later = await loopback.next_answer()
    await loopback.delete(messages[which])
    await loopback.post(loopback.room, loopback.ada, "and now?", reply_to=later)
    assert (await loopback.next_answer()).content == FORGOTTEN


async def test_deleting_many_messages_ends_their_talks(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    _, first = await open_talk(loopback)
    _, second = await open_talk(loopback)
    await loopback.post(loopback.room, loopback.ada, "hm", reply_to=first)
    later = await loopback.next_answer()
    await loopback.delete(first, second)
    await loopback.post(loopback.room, loopback.ada, "and now?", reply_to=later)
    assert (await loopback.next_answer()).content == FORGOTTEN


async def test_a_question_deleted_by_its_author_is_forgotten_with_its_answer(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    _, opening = await open_talk(loopback)
    regretted = await loopback.post(loopback.room, loopback.ben, "something embarrassing", reply_to=opening)
    await loopback.next_answer()
    await loopback.delete(regretted)
    await loopback.post(loopback.room, loopback.ben, "hello", reply_to=opening)
    await loopback.next_answer()
    assert [turn.text for turn in engine.asked[-1] if turn.role == "user"] == ["hello"]


async def test_a_photo_as_a_reply_is_answered_by_the_same_persona(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, opening = await open_talk(loopback)
    await loopback.post(
        loopback.room,
        loopback.ben,
        "and this?",
        files=[("b.png", picture("blue", "PNG"))],
        reply_to=opening,
        ping=False,
    )
    assert (await loopback.next_answer()).content.startswith("**Captain Barnacle:** I am in a blue picture")


async def test_a_reply_with_nothing_to_answer(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    _, opening = await open_talk(loopback)
    await loopback.post(loopback.room, loopback.ben, "", reply_to=opening)  # a sticker
    await loopback.silence()
    await loopback.post(loopback.room, loopback.ben, "", files=[("notes.txt", b"text")], reply_to=opening)
    assert (await loopback.next_answer()).content == NO_PHOTO


async def test_without_the_content_intent_replies_have_to_ping(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    loopback.gateway.allowed = 0
    listening = settings.model_copy(update={"channels": frozenset({loopback.room.id})})
    async with loopback.running(listening, engine, read_content=False):
        await loopback.post(loopback.room, loopback.ada, files=[("me.jpg", picture("red"))])
        await loopback.silence()
        _, opening = await open_talk(loopback)
        await loopback.post(loopback.room, loopback.ben, "hi", reply_to=opening, ping=False)
        assert (await loopback.next_answer()).content == PING_ME
        await loopback.post(loopback.room, loopback.ben, "hi", reply_to=opening)
        assert "who said 'hi'" in (await loopback.next_answer()).content
