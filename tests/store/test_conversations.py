"""What is remembered, for how long, and what is forgotten."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from bot.domain import NOBODY, Box, Conversation, Person, Persona, Scene, Turn
from bot.store.conversations import MAX_TURNS, Conversations, Origin
from bot.store.database import Database
from bot.store.tables import Base, ConversationRow, now

PIRATE = Persona("pirate", "Captain Barnacle", "pirate")
WOMAN = Person("woman", "adult", "happy", "left", Box(1.5, 2, 30, 40), 0.93, ("red hat", "glasses"))
SCENE = Scene("a woman in a red hat", (WOMAN, Person("dog", score=0.5)))
HERE = Origin(guild_id=1, channel_id=2, photo_message_id=3, poster_id=4)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    yield database
    await database.close()


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database, {"pirate": PIRATE})


async def say(conversations: Conversations, talk: Conversation, number: int) -> None:
    """Let Ada ask something and the persona answer."""
    question, answer = Turn("user", f"question {number}", "Ada"), Turn("persona", f"answer {number}")
    await conversations.remember(talk.id, question, answer, author_id=5, message_id=1000 + number, sent=[2000 + number])


async def count(database: Database) -> dict[str, int]:
    """Return how many rows every table has."""
    async with database.session() as session:
        return {
            table.name: await session.scalar(select(func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


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
    found = await Conversations(database, {}).by_message(10)
    assert found is not None
    assert found.persona == Persona("pirate", "pirate", "self")


async def test_a_talk_deleted_meanwhile_is_not_brought_back(database: Database, conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await conversations.forget([10])
    await say(conversations, talk, 1)
    assert set((await count(database)).values()) == {0}


@pytest.mark.parametrize("deleted", [3, 10, 2001], ids=["photo", "opening", "later answer"])
async def test_deleting_a_photo_or_an_answer_deletes_the_whole_talk(
    database: Database, conversations: Conversations, deleted: int
) -> None:
    other = await conversations.start(SCENE, PIRATE, "Other!", replace(HERE, photo_message_id=99), [20])
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await conversations.forget([deleted, 123456])
    assert await conversations.by_message(20) == other
    assert await count(database) == {"conversations": 1, "messages": 1, "turns": 1}


async def test_deleting_a_users_message_deletes_it_and_its_answer(conversations: Conversations) -> None:
    talk = await conversations.start(SCENE, PIRATE, "Arr!", HERE, [10])
    await say(conversations, talk, 1)
    await say(conversations, talk, 2)
    await conversations.forget([1001])
    found = await conversations.by_message(2001)
    assert found is not None
    assert [turn.text for turn in found.turns] == ["Arr!", "question 2", "answer 2"]


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


async def test_no_photo_and_no_words_beyond_the_turns_are_stored() -> None:
    columns = {f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.columns}
    assert {name for name in columns if column_is_free_text(name)} == {"turns.text", "turns.author"}


def column_is_free_text(name: str) -> bool:
    table, column = name.split(".")
    return str(Base.metadata.tables[table].c[column].type).startswith(("TEXT", "VARCHAR")) and column not in {
        "persona_id",
        "role",
    }
