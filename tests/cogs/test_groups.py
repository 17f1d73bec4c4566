"""Who of a photo answers, what a mention without a reply goes on with, and what is deleted with what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN, HINT
from bot.domain import Persona
from bot.settings import Settings
from bot.store.database import Database
from bot.store.tables import ConversationRow, now
from tests.cogs.scenes import FAMILY, PHOTO, SELF, FreshEngine, begin, leads_to, words
from tests.loopback.messages import Message
from tests.loopback.pictures import picture
from tests.loopback.places import Channel
from tests.loopback.server import LoopbackDiscord

WOMAN, MAN, DOG = SELF, f"{SELF} (the man)", f"{SELF} (the dog)"


@pytest.fixture
def engine() -> FreshEngine:
    engine = FreshEngine()
    engine.people = FAMILY
    return engine


async def ask(loopback: LoopbackDiscord, text: str, message: Message | None, *, channel: Channel | None = None) -> str:
    """Let Ben say something, and return who answers."""
    where = channel or loopback.room
    asked = await loopback.post(where, loopback.ben, text, reply_to=message)
    answer = await loopback.next_answer(where)
    assert leads_to(answer, asked)
    return answer.author.name


async def kept(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> tuple[int, int]:
    """Return how many conversations and messages are remembered when nobody is being answered."""
    await loopback.until(lambda: bot.house.desk.waiting == 0)
    counts = await bot.house.conversations.counts()
    return counts["conversations"], counts["messages"]


async def test_who_is_named_answers_else_who_is_replied_to(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, woman = await begin(loopback)
    assert await ask(loopback, "how are you?", woman) == WOMAN
    assert await ask(loopback, "and what does the man say?", woman) == MAN
    man = list(loopback.room.messages.values())[-1]
    assert engine.asked[-1][-1].text == "and what does the man say?"
    assert await ask(loopback, "really?", man) == MAN
    assert [turn.role for turn in engine.asked[-1]] == ["user", "persona", "user"]
    assert await ask(loopback, "hey dog, is that true?", man) == DOG
    assert await ask(loopback, "the one on the left, please", man) == WOMAN
    await loopback.silence(0.05)


async def test_everyone_answers_when_everyone_is_asked(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, woman = await begin(loopback)
    question = await loopback.post(loopback.room, loopback.ben, "what do all of you think?", reply_to=woman)
    said = [await loopback.next_answer() for _ in range(3)]
    assert [answer.author.name for answer in said] == [WOMAN, MAN, DOG]
    assert all(leads_to(answer, question) for answer in said)
    for answer in said:  # each of them has a talk of their own now
        assert await ask(loopback, "thank you", answer) == answer.author.name
        assert engine.asked[-1][-2].text == words(answer)
    await loopback.silence(0.05)


async def test_a_mention_without_a_reply_goes_on_with_the_last_photo(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    await begin(loopback)
    _, blue = await begin(loopback, file=("b.png", picture("blue", "PNG")))
    asked = await loopback.post(loopback.room, loopback.ben, f"{loopback.mention} how are you?")
    answer = await loopback.next_answer()
    assert leads_to(answer, asked)
    assert "blue picture and speak to Ben, who said 'how are you?'" in words(answer)
    assert [turn.text for turn in engine.asked[-1]] == [words(blue), "how are you?"]
    assert await ask(loopback, f"{loopback.mention} and the dog?", None) == DOG
    await loopback.post(loopback.room, loopback.ben, "nobody is meant")
    await loopback.silence(0.05)


async def test_among_those_who_have_spoken_the_talkative_answer_a_mention(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    quiet = replace(engine.personas["self"], talkativeness=0.0)
    chatty = replace(engine.personas["pirate"], talkativeness=1.0)
    bot.house.personas.built_in = engine.personas = {"self": quiet, "pirate": chatty}
    _, woman = await begin(loopback)
    await ask(loopback, "hey dog, hello", woman)
    dog = list(loopback.room.messages.values())[-1]
    menu = await loopback.press(loopback.ben, dog, "Persona")
    await loopback.select(loopback.ben, menu.messages[0], "The characters I came with", chatty.name)
    await loopback.next_answer()
    names = [await ask(loopback, f"{loopback.mention} and now?", None) for _ in range(4)]
    assert names.count(f"{chatty.name} (the dog)") >= 3  # 0.01 against 1


async def test_a_photo_talked_about_long_ago_is_not_gone_on_with(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    other = loopback.world.add_channel("other")
    async with loopback.running(settings, engine):
        await begin(loopback)
        await loopback.post(other, loopback.ben, f"{loopback.mention} hello?")
        assert (await loopback.next_answer(other)).content == HINT
        database = await Database.open(settings.database_url)
        async with database.session() as session:
            await session.execute(update(ConversationRow).values(updated_at=now() - timedelta(minutes=16)))
        await database.close()
        await loopback.post(loopback.room, loopback.ben, f"{loopback.mention} hello?")
        assert (await loopback.next_answer(loopback.room)).content == HINT


async def test_a_mention_in_a_thread_goes_on_with_what_is_there(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    thread = loopback.world.add_channel("thread", parent=loopback.room)
    async with loopback.running(settings, engine):
        await begin(loopback)
        await loopback.post(thread, loopback.ben, f"{loopback.mention} hello?")
        assert (await loopback.next_answer(thread)).content == HINT
        await begin(loopback, channel=thread, file=("b.png", picture("blue", "PNG")))
        await loopback.post(thread, loopback.ben, f"{loopback.mention} hello?")
        assert "blue picture" in words(await loopback.next_answer(thread))


async def test_a_poster_who_opted_out_is_not_talked_about_any_more(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, answer = await begin(loopback)
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-out")
    for text, target in (("still there?", answer), (f"{loopback.mention} still there?", None)):
        await loopback.post(loopback.room, loopback.ben, text, reply_to=target)
        told = (await loopback.next_answer()).content
        assert told == "Whoever posted that photo asked me to leave their photos alone."


async def test_a_character_that_was_deleted_gives_way_to_the_one_in_the_photo(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    own = await bot.house.personas.add(Persona("new", "Old Salt", "pirate"), owner_id=loopback.ada.id)
    _, answer = await begin(loopback, "as Old Salt")
    assert answer.author.name == "Old Salt"
    await bot.house.personas.remove(own.persona.id)
    assert await ask(loopback, "still there?", answer) == SELF


@pytest.mark.parametrize("what", ["photo", "opening"])
async def test_a_talk_goes_with_what_began_it(loopback: LoopbackDiscord, bot: TalkingPhotosBot, what: str) -> None:
    photo, opening = await begin(loopback)
    await ask(loopback, "hello", opening)
    answer = list(loopback.room.messages.values())[-1]
    assert await kept(loopback, bot) == (1, 2)
    await loopback.delete(photo if what == "photo" else opening)
    await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=answer)
    assert (await loopback.next_answer()).content == FORGOTTEN
    assert await kept(loopback, bot) == (0, 0)


async def test_a_deleted_answer_takes_its_question_along_and_the_talk_goes_on(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, opening = await begin(loopback)
    await ask(loopback, "hello", opening)
    await loopback.delete(list(loopback.room.messages.values())[-1])
    await ask(loopback, "still there?", opening)
    assert [turn.text for turn in engine.asked[-1]] == [words(opening), "still there?"]
    assert await kept(loopback, bot) == (1, 2)


async def test_a_deleted_photo_takes_the_talks_of_everyone_in_it(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    photo, opening = await begin(loopback)
    await ask(loopback, "hey dog, hello", opening)
    assert await kept(loopback, bot) == (2, 2)
    await loopback.delete(photo)
    await loopback.post(loopback.room, loopback.ben, f"{loopback.mention} still there?")
    assert (await loopback.next_answer()).content == HINT
    assert await kept(loopback, bot) == (0, 0)


@pytest.mark.parametrize("what", ["thread", "channel", "server"])
async def test_talks_and_settings_go_with_their_place(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine, what: str
) -> None:
    thread = loopback.world.add_channel("thread", parent=loopback.room)
    other = loopback.world.add_channel("other")
    olga = loopback.world.owner
    async with loopback.running(settings, engine) as bot:
        for place in (loopback.room, thread, other):
            await begin(loopback, channel=place)
            await loopback.slash(olga, place, "photos listen", mode="every")
        if what == "server":
            await loopback.remove_bot()
        else:
            await loopback.delete_channel(thread if what == "thread" else loopback.room)
        left = {"thread": 2, "channel": 1, "server": 0}[what]

        async def counts() -> tuple[int, int]:
            rows = await bot.house.conversations.counts()
            return rows["conversations"], rows["scopes"]

        for _ in range(100):
            if await counts() == (left, left):
                break
            await loopback.silence(0.02)
        assert await counts() == (left, left)


async def test_two_photos_of_one_message_are_two_groups(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO, ("b.png", picture("blue", "PNG"))])
    red, blue = [await loopback.next_answer() for _ in range(2)]
    assert await ask(loopback, "hey dog, hello", red) == DOG
    assert "red picture" in words(list(loopback.room.messages.values())[-1])
    assert await ask(loopback, "hey dog, hello", blue) == DOG
    dog = list(loopback.room.messages.values())[-1]
    assert "blue picture" in words(dog)
    asked = await loopback.press(loopback.ben, red, "Someone else")
    await loopback.select(loopback.ben, asked.messages[0], "Who shall speak?", "Everyone, one after the other")
    assert (await loopback.next_answer()).author.name == MAN
    await loopback.silence(0.05)
