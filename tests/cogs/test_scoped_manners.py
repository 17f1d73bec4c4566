"""Which photos are answered where, how often, for whom, and how channels share the engine."""

from __future__ import annotations

from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import LEFT_ALONE, YOU_LEFT
from bot.domain import Scene
from bot.settings import Settings
from tests.cogs.scenes import PHOTO, begin, words
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.messages import Message
from tests.loopback.pictures import picture
from tests.loopback.places import Channel
from tests.loopback.server import LoopbackDiscord

BLUE = ("b.png", picture("blue", "PNG"))


async def photos(loopback: LoopbackDiscord, channel: Channel, command: str, **options: Any) -> None:
    """Let the owner of the server decide something for a channel."""
    done = await loopback.slash(loopback.world.owner, channel, f"photos {command}", **options)
    assert done.ephemeral


async def unasked(loopback: LoopbackDiscord, where: Channel | None = None) -> Message:
    """Let Ada post a photo without mentioning anybody."""
    return await loopback.post(where or loopback.room, loopback.ada, "my holiday", files=[PHOTO])


async def answered(loopback: LoopbackDiscord, where: Channel) -> None:
    """Check that the next answer is about a photo, in a channel."""
    assert "red picture" in words(await loopback.next_answer(where))


async def test_the_narrower_scope_decides_which_photos_are_answered(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    other = loopback.world.add_channel("other")
    thread = loopback.world.add_channel("thread", parent=loopback.room)
    async with loopback.running(settings, engine):
        await photos(loopback, loopback.room, "listen", mode="every", where="server")
        for place in (loopback.room, other, thread):
            await unasked(loopback, place)
            await answered(loopback, place)
        await photos(loopback, loopback.room, "listen", mode="mentions")
        for place in (loopback.room, thread):
            await unasked(loopback, place)
        await loopback.silence(0.1)
        await begin(loopback, channel=thread)
        await photos(loopback, thread, "listen", mode="every")
        await unasked(loopback, thread)
        await answered(loopback, thread)
        await photos(loopback, loopback.room, "reset")
        await unasked(loopback)
        await answered(loopback, loopback.room)


async def test_where_every_photo_is_answered_words_and_spoilers_are_left_alone(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await photos(loopback, loopback.room, "listen", mode="every")
    await loopback.post(loopback.room, loopback.ada, "only words")
    await loopback.post(loopback.room, loopback.ada, files=[("notes.txt", b"text")])
    await loopback.post(loopback.room, loopback.ada, files=[("SPOILER_me.jpg", PHOTO[1])])
    await loopback.silence()
    await loopback.post(loopback.room, loopback.ada, files=[("SPOILER_me.jpg", PHOTO[1]), BLUE])
    assert "blue picture" in words(await loopback.next_answer())
    await loopback.silence(0.05)


async def test_never_means_never_and_a_narrower_scope_may_lift_it(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    other = loopback.world.add_channel("other")
    async with loopback.running(settings, engine):
        _, answer = await begin(loopback)
        await photos(loopback, other, "listen", mode="mentions")
        await photos(loopback, loopback.room, "listen", mode="never", where="server")
        await unasked(loopback)
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=answer)
        await loopback.silence()
        await begin(loopback, channel=other)


async def test_a_pause_silences_everything_until_it_is_taken_back(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await photos(loopback, loopback.room, "listen", mode="every")
    _, answer = await begin(loopback)
    await photos(loopback, loopback.room, "pause", **{"for": "1 hour"})
    await unasked(loopback)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=answer)
    await loopback.silence()
    await photos(loopback, loopback.room, "resume")
    await unasked(loopback)
    await answered(loopback, loopback.room)


async def test_a_channel_may_have_a_pause_between_answers(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    other = loopback.world.add_channel("other")
    async with loopback.running(settings, engine):
        await photos(loopback, loopback.room, "cooldown", seconds=60)
        await photos(loopback, loopback.room, "listen", mode="every")
        await unasked(loopback)
        await answered(loopback, loopback.room)
        await unasked(loopback)  # nobody waits for an answer to this
        await loopback.silence(0.1)
        asked = await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[PHOTO])
        told = await loopback.next_answer()
        assert told.reply_to is asked
        assert told.content.startswith("This channel has a pause between answers: I can answer here again in ")
        await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[PHOTO])
        await loopback.silence(0.1)  # told once
        await begin(loopback, channel=other, author=loopback.ben)


async def test_an_age_restricted_channel_is_answered_only_when_asked(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    adults = loopback.world.add_channel("adults", nsfw=True)
    thread = loopback.world.add_channel("thread", parent=adults)
    async with loopback.running(settings, engine):
        await photos(loopback, loopback.room, "listen", mode="every", where="server")
        await photos(loopback, adults, "listen", mode="every")
        for place in (adults, thread):
            await unasked(loopback, place)
        await loopback.silence()
        _, answer = await begin(loopback, channel=adults)
        await loopback.post(adults, loopback.ben, "hello", reply_to=answer)
        assert "who said 'hello'" in words(await loopback.next_answer(adults))
        await begin(loopback, channel=thread)


async def test_somebody_who_opted_out_is_told_so_only_when_they_ask(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    await photos(loopback, loopback.room, "listen", mode="every")
    _, answer = await begin(loopback, author=loopback.ben)
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-out")
    photo = await unasked(loopback)
    await loopback.post(loopback.room, loopback.ada, "hello", reply_to=answer)
    await loopback.silence()
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    assert (await loopback.next_answer()).content == YOU_LEFT
    await loopback.post(loopback.room, loopback.ben, loopback.mention, reply_to=photo)
    assert (await loopback.next_answer()).content == LEFT_ALONE
    assert (engine.looked, len(engine.asked)) == (1, 1)
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-in")
    await unasked(loopback)
    await answered(loopback, loopback.room)


async def test_a_flood_in_one_channel_delays_another_by_one_piece_of_work_at_most(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = loopback.world.add_channel("other")
    seen: list[str] = []
    look = engine.look

    def watched(data: bytes) -> Scene:
        scene = look(data)
        seen.append(scene.caption)
        return scene

    monkeypatch.setattr(engine, "look", watched)
    engine.gate.clear()
    one_worker = settings.model_copy(update={"workers": 1})  # of two, either may be the first to have looked
    async with loopback.running(one_worker, engine) as bot:
        run, queued = bot.house.desk.run, []

        async def counted(work: Any, *, lane: int = 0, ticket: int | None = None) -> Any:
            queued.append(lane)
            return await run(work, lane=lane, ticket=ticket)

        monkeypatch.setattr(bot.house.desk, "run", counted)
        for _ in range(6):
            await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        await loopback.until(lambda: len(queued) == 6 and seen)
        await loopback.post(other, loopback.ben, loopback.mention, files=[BLUE])
        await loopback.until(lambda: len(queued) == 7)
        engine.gate.set()
        for _ in range(7):
            await loopback.next_answer()
    assert queued == [loopback.room.id] * 6 + [other.id]
    assert len(seen) == 7
    assert "a blue picture" in seen[1:3]


async def test_more_than_the_queue_holds_is_told_so_and_forgotten(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    engine.gate.clear()
    async with loopback.running(settings.model_copy(update={"queue_limit": 3}), engine) as bot:
        for _ in range(5):
            await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
        for _ in range(2):
            assert "try again in a minute" in (await loopback.next_answer()).content
        engine.gate.set()
        for _ in range(3):
            await answered(loopback, loopback.room)
        await loopback.until(lambda: bot.house.desk.waiting == 0)
        await loopback.silence(0.05)


@pytest.mark.parametrize("running", [True, False], ids=["being answered", "waiting"])
async def test_a_message_deleted_while_it_waits_gets_no_answer(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, running: bool
) -> None:
    engine.gate.clear()
    first = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.until(lambda: engine.looked)
    second = await loopback.post(loopback.room, loopback.ben, loopback.mention, files=[BLUE])
    await loopback.until(lambda: bot.house.desk.waiting == 2)
    await loopback.delete(first if running else second)
    await loopback.until(lambda: bot.house.desk.waiting == 1)
    engine.gate.set()
    assert ("blue" if running else "red") in words(await loopback.next_answer())
    await loopback.until(lambda: bot.house.desk.waiting == 0)
    await loopback.silence(0.05)
    assert (await bot.house.conversations.counts())["conversations"] == 1


async def test_a_question_deleted_while_it_waits_gets_no_answer(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    _, answer = await begin(loopback)
    engine.gate.clear()
    asked = await loopback.post(loopback.room, loopback.ben, "something embarrassing", reply_to=answer)
    await loopback.until(lambda: bot.house.desk.waiting == 1)
    await loopback.delete(asked)
    await loopback.until(lambda: bot.house.desk.waiting == 0)
    engine.gate.set()
    await loopback.silence(0.1)
    await loopback.post(loopback.room, loopback.ben, "hello", reply_to=answer)
    assert "who said 'hello', in a self voice, after 2 turns" in words(await loopback.next_answer())
