"""Opening, migrating and tuning the database."""

import asyncio
import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.domain import BadInput, Conversation, Failure, Person, Persona, Scene, Turn
from bot.store.conversations import Conversations, Origin
from bot.store.database import Database, alembic_config, check
from bot.store.personas import Personas
from bot.store.tables import Base, OptOutRow

# A statement that takes a while before its first row.
SLOW = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 400000) SELECT x FROM n ORDER BY -x"
PIRATE = Persona("pirate", "Captain Barnacle", "pirate")


def differences(connection: Connection) -> list[object]:
    """Return where the tables of a database are not those of the code."""
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_migrations_lead_to_the_tables_the_code_uses(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_makes_the_folder_of_an_sqlite_file(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/new/folder/bot.db")
    await database.close()
    assert (tmp_path / "new/folder/bot.db").is_file()


async def test_whoever_is_cancelled_in_a_transaction_leaves_the_database_free(database: Database) -> None:
    wrote = asyncio.Event()

    async def work() -> None:
        async with database.session() as session:
            session.add(OptOutRow(user_id=1))
            await session.flush()
            wrote.set()
            await session.execute(text(SLOW))

    task = asyncio.create_task(work())
    await wrote.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as kept:  # and with it all that it holds on to
        await task
    async with asyncio.timeout(10), database.session() as session:
        session.add(OptOutRow(user_id=1))
    assert kept.value
    assert (await database.counts())["opt_outs"] == 1


async def test_who_waits_to_write_is_not_overtaken_by_who_comes_later(database: Database) -> None:
    done: list[int] = []
    free = asyncio.Event()

    async def write(number: int) -> None:
        async with database.session() as session:
            session.add(OptOutRow(user_id=number))
            await session.flush()
            await free.wait()
        done.append(number)

    tasks = []
    for number in range(8):
        tasks.append(asyncio.create_task(write(number)))
        await asyncio.sleep(0.02)
    tasks.pop(3).cancel()
    free.set()
    await asyncio.gather(*tasks)
    assert done == [0, 1, 2, 4, 5, 6, 7]
    async with asyncio.timeout(10), database.session() as session:
        session.add(OptOutRow(user_id=3))


async def talk_of_0001(connection: AsyncConnection) -> None:
    """Put a conversation into a database at 0001: an opening, a question, its answer, and the two messages."""
    for statement in (
        "INSERT INTO conversations (id, scene, persona_id, speaker, guild_id, channel_id, photo_message_id, "
        """poster_id, created_at, updated_at) VALUES (7, '{"caption": "a dog", "people": [{"who": "dog"}]}', """
        "'pirate', 0, 1, 2, 3, 4, '2026-01-02 03:04:05', '2026-01-02 03:04:05')",
        "INSERT INTO turns (id, conversation_id, role, text, author, author_id, message_id) VALUES "
        "(9, 7, 'persona', 'Arr!', '', NULL, NULL), (10, 7, 'user', 'Ho?', 'Ada', 5, 100), "
        "(11, 7, 'persona', 'Ho!', '', NULL, 100)",
        "INSERT INTO messages (message_id, conversation_id) VALUES (200, 7), (201, 7)",
    ):
        await connection.exec_driver_sql(statement.replace(":", "\\:") if False else statement)


async def test_a_database_from_before_keeps_its_rows(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0001"))
    async with engine.begin() as connection:
        await talk_of_0001(connection)
    await engine.dispose()

    database = await Database.open(url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    talks = Conversations(database, Personas(database, {"pirate": PIRATE}))
    found = await talks.by_message(201)
    assert found == await talks.by_message(200)
    turns = (Turn("persona", "Arr!"), Turn("user", "Ho?", "Ada"), Turn("persona", "Ho!"))
    assert found == Conversation(7, Scene("a dog", (Person("dog"),)), PIRATE, 0, turns)
    assert await talks.origin(7) == Origin(1, 2, 3, 4)
    assert await talks.said(201) is None  # which of the messages said what was not kept then
    assert await talks.of_photo(3, None) == (found,)
    await talks.forget([3])
    assert not any((await database.counts()).values())
    await database.close()


async def test_going_back_to_0001_keeps_the_talks(url: str) -> None:
    database = await Database.open(url)
    talks = Conversations(database, Personas(database, {"pirate": PIRATE}))
    await talks.start(Scene("a dog", (Person("dog"),)), PIRATE, "Arr!", Origin(1, 2, 3, 4, 5), [200])
    async with database.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(alembic_config(sync), "0001"))
    await database.close()
    database = await Database.open(url)
    talks = Conversations(database, Personas(database, {"pirate": PIRATE}))
    found = await talks.by_message(200)
    assert found is not None
    assert found.turns == (Turn("persona", "Arr!"),)
    await database.close()


async def test_a_migration_that_fails_leaves_everything_as_it_was(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0001"))
        await connection.exec_driver_sql("CREATE TABLE opt_outs (something INTEGER)")  # in the way of 0002
    with pytest.raises(Failure, match="opt_outs"):
        await Database.open(url)
    async with engine.connect() as connection:
        names = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    assert names == {"alembic_version", "conversations", "messages", "turns", "opt_outs"}
    await engine.dispose()


@pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="is about SQLite")
async def test_sqlite_is_tuned(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    async with database.session() as session:
        expected = {
            "journal_mode": "wal",
            "synchronous": 1,
            "foreign_keys": 1,
            "secure_delete": 1,
            "busy_timeout": 30000,
        }
        for pragma, value in expected.items():
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value
    await database.close()


async def test_a_failed_session_leaves_nothing(database: Database) -> None:
    async def fail() -> None:
        async with database.session() as session:
            await session.execute(text("DELETE FROM alembic_version"))
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await fail()
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM alembic_version")) == 1


async def test_times_come_back_in_utc_whatever_their_zone(database: Database) -> None:
    noon = datetime(2026, 11, 30, 12, tzinfo=timezone(timedelta(hours=8)))
    async with database.session() as session:
        session.add(OptOutRow(user_id=5, since=noon))
    async with database.session() as session:
        since = await session.scalar(select(OptOutRow.since))
        assert since == noon
        assert since.tzinfo is UTC
        assert await session.scalar(select(OptOutRow.user_id).where(OptOutRow.since < noon)) is None
    with pytest.raises(StatementError, match="time zone"):
        async with database.session() as session:
            session.add(OptOutRow(user_id=6, since=datetime(2026, 11, 30)))


async def test_a_number_that_was_deleted_is_not_given_again(database: Database) -> None:
    talks = Conversations(database, Personas(database, {"pirate": PIRATE}))
    scene = Scene("a dog", (Person("dog"),))
    first = await talks.start(scene, PIRATE, "Arr!", Origin(1, 2, 3, 4), [200])
    said = await talks.said(200)
    assert said is not None
    await talks.forget([200])
    second = await talks.start(scene, PIRATE, "Yo!", Origin(1, 2, 30, 4), [201])
    await talks.remember(first.id, Turn("user", "Ho?"), Turn("persona", "Ho!"), author_id=5, message_id=6, sent=[202])
    await talks.reword(said.turn_id, "Late.")
    await talks.resent(said.turn_id, [203])
    assert await talks.by_message(201) == second
    assert await talks.by_message(202) is await talks.by_message(203) is None


def test_check_opens_and_counts(tmp_path: Path) -> None:
    checked = check(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    assert checked.endswith("bot.db is up to date, 0 conversations, 0 personas, 0 opt-outs")


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ("nonsense", "DATABASE_URL cannot be used; use sqlite"),
        ("sqlite:///no-async-driver.db", "DATABASE_URL cannot be used; use sqlite"),
        ("nosuch://host/name", "DATABASE_URL cannot be used; use sqlite"),
    ],
)
async def test_an_unusable_url_is_one_sentence(bad: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        await Database.open(bad)


async def test_a_database_that_cannot_be_opened_is_a_failure_without_the_password(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(Failure, match=r"cannot be opened .* check DATABASE_URL"):
        await Database.open(f"sqlite+aiosqlite:///{blocker}/bot.db")
    damaged = tmp_path / "damaged.db"
    damaged.write_text("this is no database " * 100)
    with pytest.raises(Failure, match="file is not a database"):
        await Database.open(f"sqlite+aiosqlite:///{damaged}")
