"""Opening, migrating and tuning the database."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from bot.domain import BadInput, Failure
from bot.store.database import Database, check
from bot.store.tables import Base


async def test_migrations_lead_to_the_tables_the_code_uses(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/new/folder/bot.db")

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_sqlite_is_tuned(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    async with database.session() as session:
        expected = {
            "journal_mode": "wal",
            "synchronous": 1,
            "foreign_keys": 1,
            "secure_delete": 1,
            "busy_timeout": 5000,
        }
        for pragma, value in expected.items():
            assert await session.scalar(text(f"PRAGMA {pragma}")) == value
    await database.close()


async def test_a_failed_session_leaves_nothing(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite+aiosqlite:///{tmp_path}/bot.db")

    async def fail() -> None:
        async with database.session() as session:
            await session.execute(text("DELETE FROM alembic_version"))
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        await fail()
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    await database.close()


def test_check_opens_and_counts(tmp_path: Path) -> None:
    assert check(f"sqlite+aiosqlite:///{tmp_path}/bot.db").endswith("bot.db is up to date, 0 conversations")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("nonsense", "DATABASE_URL cannot be used; use sqlite"),
        ("sqlite:///no-async-driver.db", "DATABASE_URL cannot be used; use sqlite"),
        ("nosuch://host/name", "DATABASE_URL cannot be used; use sqlite"),
    ],
)
async def test_an_unusable_url_is_one_sentence(url: str, expected: str) -> None:
    with pytest.raises(BadInput, match=expected):
        await Database.open(url)


async def test_a_database_that_cannot_be_opened_is_a_failure_without_the_password(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(Failure, match=r"cannot be opened .* check DATABASE_URL"):
        await Database.open(f"sqlite+aiosqlite:///{blocker}/bot.db")
    damaged = tmp_path / "damaged.db"
    damaged.write_text("this is no database " * 100)
    with pytest.raises(Failure, match="file is not a database"):
        await Database.open(f"sqlite+aiosqlite:///{damaged}")
