"""What is remembered, for how long, and what is forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.domain import NOBODY, Box, Conversation, Person, Persona, Scene, Turn
from bot.store.conversations import MAX_TURNS, Conversations, Origin, Question
from bot.store.database import Database
from bot.store.personas import Personas
from bot.store.tables import ConversationRow, now

PIRATE = Persona("pirate", "Captain Barnacle", "pirate")
WOMAN = Person("woman", "adult", "happy", "left", Box(1.5, 2, 30, 40), 0.93, ("red hat", "glasses"))
SCENE = Scene("a woman in a red hat", (WOMAN, Person("dog", score=0.5)))
KNIGHT = Persona("knight", "Sir Squeaks", "knight")
HERE = Origin(guild_id=1, channel_id=2, photo_message_id=3, poster_id=4, photo_id=31)


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database, Personas(database, {"pirate": PIRATE, "knight": KNIGHT}))


async def say(conversations: Conversations, talk: Conversation, number: int) -> None:
    """Let Ada ask something and the persona answer."""
    question, answer = Turn("user", f"question {number}", "Ada"), Turn("persona", f"answer {number}")
    await conversations.remember(talk.id, question, answer, author_id=5, message_id=1000 + number, sent=[2000 + number])


async def test_a_conversation_comes_back_as_it_was(conversations: Conversations) -> None:
    started = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10, 11], speaker=1)
    assert started.turns == (Turn("persona", "Arr!"),)
    assert await conversations.by_message(10) == await conversations.by_message(11) == started
    assert await conversations.by_message(12) is None


async def test_scenes_without_anybody_are_kept_too(conversations: Conversations) -> None:
    scene = Scene("an empty beach", (NOBODY,))
    await conversations.start(scene, PIRATE, "Quiet here.", HERE, [10])
    found = await conversations.by_message(10)
    assert found is not None
    assert found.scene == scene


async def test_every_message_of_a_talk_leads_to_it_with_the_newest_turns(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    for number in range(MAX_TURNS):
        await say(conversations, talk, number)
    found = await conversations.by_message(10)
    assert found is not None
    assert found == await conversations.by_message(2000)
    assert len(found.turns) == MAX_TURNS
    assert found.turns[-2:] == (
        Turn("user", f"question {MAX_TURNS - 1}", "Ada"),
        Turn("persona", f"answer {MAX_TURNS - 1}"),
    )


async def test_turns_of_other_talks_are_not_counted(conversations: Conversations) -> None:
    first = await conversations.start(SCENE, PIRATE, "First!", HERE, [10])
    second = await conversations.start(SCENE, PIRATE, "Second!", HERE, [20])
    for number in range(MAX_TURNS):
        await say(conversations, second, number)
    assert await conversations.by_message(10) == first


async def test_a_persona_that_is_gone_speaks_on_under_its_id(database: Database, conversations: Conversations) -> None:
    await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    found = await Conversations(database, Personas(database, {})).by_message(10)
    assert found is not None
    assert found.persona == Persona("pirate", "pirate", "self")


async def test_a_persona_that_is_gone_leaves_the_word_to_the_person_in_the_photo(database: Database) -> None:
    itself = Persona("self", "The One in the Photo")
    personas = Personas(database, {"self": itself})
    own = await personas.add(Persona("", "Captain Sock", "pirate"), owner_id=4)
    talks = Conversations(database, personas)
    await talks.start(SCENE, own.persona, "Sock ahoy!", HERE, [10])
    found = await talks.by_message(10)
    assert found is not None
    assert found.persona == own.persona
    await personas.remove(own.persona.id)
    assert await talks.by_message(10) == replace(found, persona=itself)


async def test_a_talk_deleted_meanwhile_is_not_brought_back(database: Database, conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await conversations.forget([10])
    await say(conversations, talk, 1)
    assert set((await database.counts()).values()) == {0}


@pytest.mark.parametrize("deleted", [3, 10], ids=["photo", "opening"])
async def test_deleting_a_photo_or_an_opening_deletes_the_whole_talk(
    database: Database, conversations: Conversations, deleted: int
) -> None:
    other = await conversations.start(SCENE, PIRATE, "Other!", replace(HERE, photo_message_id=99), [20])
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await conversations.forget([deleted, 123456])
    assert await conversations.by_message(20) == other
    held = {name: count for name, count in (await database.counts()).items() if count}
    assert held == {"conversations": 1, "messages": 1, "turns": 1}


async def test_deleting_a_users_message_deletes_it_and_its_answer(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await say(conversations, talk, 2)
    await conversations.forget([1001])
    found = await conversations.by_message(2001)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!", "question 2", "answer 2"]


async def test_deleting_an_answer_deletes_it_with_its_question_only(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await say(conversations, talk, 2)
    await conversations.forget([2001])
    assert await conversations.by_message(2001) is None
    found = await conversations.by_message(10)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!", "question 2", "answer 2"]


async def test_deleting_the_only_words_of_a_talk_deletes_it(database: Database, conversations: Conversations) -> None:
    asked = Question("who are you?", "Ben", 7, 900)
    await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10], asked=asked)
    await conversations.forget([10])
    assert set((await database.counts()).values()) == {0}


async def test_recent_lines_are_the_personas_own_of_one_channel(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await conversations.start(SCENE, PIRATE, "Elsewhere!", replace(HERE, channel_id=77), [20])
    assert await conversations.recent(2) == ("answer 1", "Arr!")
    assert await conversations.recent(2, limit=1) == ("answer 1",)


async def test_purge_deletes_what_nobody_continued(database: Database, conversations: Conversations) -> None:
    old = await conversations.start(SCENE, PIRATE, "Old!", HERE, [10])
    continued = await conversations.start(SCENE, PIRATE, "Continued!", HERE, [20])
    async with database.session() as session:
        await session.execute(update(ConversationRow).values(updated_at=now() - timedelta(days=31)))
    await say(conversations, continued, 1)
    assert await conversations.purge(30) == 1
    assert await conversations.by_message(10) is None
    assert await conversations.by_message(20) is not None
    assert old.id != continued.id


async def test_a_talk_is_found_by_its_number_and_knows_its_photo(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    assert await conversations.by_id(talk.id) == talk
    assert await conversations.origin(talk.id) == HERE
    assert await conversations.by_id(talk.id + 1) is None
    assert await conversations.origin(talk.id + 1) is None


async def test_what_was_said_comes_back_with_what_led_to_it(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await say(conversations, talk, 2)
    opening, answer = await conversations.said(10), await conversations.said(2001)
    assert opening is not None
    assert (opening.conversation, opening.asker_id, opening.origin) == (replace(talk, turns=()), None, HERE)
    assert answer is not None
    assert answer.conversation.turns == (Turn("persona", "Arr!"), Turn("user", "question 1", "Ada"))
    assert answer.asker_id == 5
    assert await conversations.said(99) is None


async def test_an_opening_may_answer_somebody(conversations: Conversations) -> None:
    asked = Question("And you, dog?", "Ada", 5, 1000)
    talk = await conversations.start(SCENE, PIRATE, "Woof!", HERE, [10], speaker=1, asked=asked)
    assert talk.turns == (Turn("user", "And you, dog?", "Ada"), Turn("persona", "Woof!"))
    assert await conversations.by_message(10) == talk
    said = await conversations.said(10)
    assert said is not None
    assert (said.asker_id, said.conversation.turns) == (5, talk.turns[:1])
    await conversations.forget([1000])
    assert await conversations.by_message(10) == replace(talk, turns=())
    assert await conversations.said(10) is None


async def test_what_dropped_out_of_the_talk_cannot_be_said_again(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    for number in range(MAX_TURNS // 2):
        await say(conversations, talk, number)
    assert await conversations.said(10) is None
    assert await conversations.by_message(10) is not None


async def test_an_answer_said_anew_takes_the_old_ones_place(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await say(conversations, talk, 2)
    said = await conversations.said(2001)
    assert said is not None
    await conversations.reword(said.turn_id, "Other words.")
    found = await conversations.by_id(talk.id)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!", "question 1", "Other words.", "question 2", "answer 2"]
    assert found.persona == PIRATE
    await conversations.reword(said.turn_id, "By my sword.", KNIGHT)
    found = await conversations.by_id(talk.id)
    assert found is not None
    assert (found.persona, found.turns[2].text) == (KNIGHT, "By my sword.")


async def test_an_answer_sent_anew_is_found_by_its_new_messages_and_outlives_the_old_ones(
    conversations: Conversations,
) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    before = await conversations.said(2001)
    assert before is not None
    await conversations.resent(before.turn_id, [3001, 3002])
    await conversations.forget([2001])
    assert await conversations.said(3001) == await conversations.said(3002) == before
    assert await conversations.by_message(2001) is None
    await conversations.forget([3002])
    assert await conversations.said(3001) is None
    found = await conversations.by_id(talk.id)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!"]


async def test_everyone_of_a_photo_comes_with_their_newest_talk_the_last_to_speak_first(
    conversations: Conversations,
) -> None:
    await conversations.start(SCENE, PIRATE, "First!", HERE, [10])
    woman = await conversations.start(SCENE, KNIGHT, "Once more!", HERE, [11])
    dog = await conversations.start(SCENE, PIRATE, "Woof!", HERE, [12], speaker=1)
    other = await conversations.start(SCENE, PIRATE, "Other!", replace(HERE, photo_id=32), [20])
    assert await conversations.of_photo(3, 31) == (dog, woman)
    assert await conversations.of_photo(3, 32) == (other,)
    assert await conversations.of_photo(3, None) == await conversations.of_photo(4, 31) == ()
    await say(conversations, woman, 1)
    assert [talk.id for talk in await conversations.of_photo(3, 31)] == [woman.id, dog.id]


async def test_the_latest_photo_of_a_channel_is_the_one_talked_about_last(
    database: Database, conversations: Conversations
) -> None:
    old = await conversations.start(SCENE, PIRATE, "Old!", HERE, [10])
    dog = await conversations.start(SCENE, PIRATE, "Old dog!", HERE, [11], speaker=1)
    new = await conversations.start(SCENE, PIRATE, "New!", replace(HERE, photo_message_id=33), [20])
    await conversations.start(SCENE, PIRATE, "Elsewhere!", replace(HERE, channel_id=77), [30])
    assert await conversations.latest(2, timedelta(minutes=5)) == (new,)
    await say(conversations, old, 1)
    assert [talk.id for talk in await conversations.latest(2, timedelta(minutes=5))] == [old.id, dog.id]
    async with database.session() as session:
        await session.execute(update(ConversationRow).values(updated_at=now() - timedelta(minutes=6)))
    assert await conversations.latest(2, timedelta(minutes=5)) == ()
    assert await conversations.latest(2, timedelta(minutes=7)) != ()


async def test_channels_and_servers_take_their_talks_along(database: Database, conversations: Conversations) -> None:
    await conversations.start(SCENE, PIRATE, "Here!", HERE, [10])
    await conversations.start(SCENE, PIRATE, "Same server!", replace(HERE, channel_id=8), [11])
    await conversations.start(SCENE, PIRATE, "Elsewhere!", replace(HERE, guild_id=7, channel_id=9), [12])
    assert await conversations.forget_channel(2) == 1
    assert (await conversations.counts())["conversations"] == 2
    assert await conversations.forget_guild(1) == 1
    held = {name: count for name, count in (await database.counts()).items() if count}
    assert held == {"conversations": 1, "messages": 1, "turns": 1}


async def test_words_no_database_takes_are_left_out(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr\x00!", HERE, [10])
    question, answer = Turn("user", "Ho\ud800?", "A\x00da"), Turn("persona", "Ho\x00!")
    await conversations.remember(talk.id, question, answer, author_id=5, message_id=6, sent=[11])
    found = await conversations.by_id(talk.id)
    assert found is not None
    assert found.turns == (Turn("persona", "Arr!"), Turn("user", "Ho?", "Ada"), Turn("persona", "Ho!"))
