"""The database: opened once at start, migrated to the newest tables, closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, CursorResult, Result, event, func, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.domain import BadInput, Failure
from bot.store.tables import Base

MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """An open database; ``session()`` is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> Database:
        """Open the database at ``url`` and migrate it, creating an SQLite file and its folder if need be.

        Raises BadInput when the URL cannot be used, Failure when the database does not answer.
        """
        engine = _create_engine(url)
        try:
            _make_folder(engine.url)
            async with engine.begin() as connection:
                await connection.run_sync(migrate)
        except (SQLAlchemyError, CommandError, OSError) as error:
            await engine.dispose()
            why = str(error).splitlines()[0]
            raise Failure(f"The database {engine.url!r} cannot be opened ({why}); check DATABASE_URL.") from error
        return cls(engine)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose work is committed at the end, or undone when anything fails."""
        async with self._sessions.begin() as session:
            yield session

    async def counts(self) -> dict[str, int]:
        """Return how many rows every table holds."""
        async with self.session() as session:
            return {
                table.name: await session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }

    async def guilds(self) -> set[int]:
        """Return the ids of all servers that any row is about."""
        columns = [table.c.guild_id for table in Base.metadata.sorted_tables if "guild_id" in table.c]
        async with self.session() as session:
            found = [await session.scalars(select(column).distinct()) for column in columns]
            return {guild for scalars in found for guild in scalars if guild}

    async def scrub(self) -> None:
        """Take what was deleted out of SQLite's write-ahead log, too, as far as nobody still reads it."""
        if self.engine.dialect.name == "sqlite":
            async with self.engine.connect() as connection:
                free = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await free.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


def check(url: str) -> str:
    """Open and migrate the database at ``url`` and say what it holds; raise as ``Database.open`` does."""

    async def count() -> str:
        database = await Database.open(url)
        try:
            counts = await database.counts()
            held = ", ".join(
                f"{counts[name]} {name.replace('_', '-')}" for name in ("conversations", "personas", "opt_outs")
            )
            return f"{database.engine.url!r} is up to date, {held}"
        finally:
            await database.close()

    return asyncio.run(count())


def changed(result: Result[Any]) -> int:
    """Return how many rows a statement changed."""
    return result.rowcount if isinstance(result, CursorResult) else 0


def migrate(connection: Connection) -> None:
    """Bring the tables of an open connection to the newest version."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # else every change of a table would be one of its own
    command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> Config:
    """Return what alembic's commands need to work on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _create_engine(url: str) -> AsyncEngine:
    """Create the engine, with SQLite tuned for one writer and many readers."""
    advice = "use sqlite+aiosqlite:///data/talking-photos.db or postgresql+asyncpg://user:password@host/name"
    try:
        parsed = make_url(url)
        # Errors would otherwise quote the values of a statement, and those are people's words.
        engine = create_async_engine(parsed, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise BadInput(f"DATABASE_URL needs the package {error.name}: pip install {error.name}.") from None
    except (ArgumentError, NoSuchModuleError, SQLAlchemyError):
        raise BadInput(f"DATABASE_URL cannot be used; {advice}.") from None
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _tune_sqlite)
    return engine


def _make_folder(url: URL) -> None:
    """Create the folder an SQLite file is to lie in."""
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


def _tune_sqlite(connection: Any, _record: Any) -> None:
    """Switch on write-ahead logging, cascading deletes, and overwriting of what is deleted."""
    cursor = connection.cursor()
    # With write-ahead logging, NORMAL cannot damage the file; a power cut may lose the last sentences.
    # There is one writer at a time, and on a busy machine several of them wait in no order, some for seconds.
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "busy_timeout=30000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
