"""The database: opened once at start, migrated to the newest tables, closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, CursorResult, Result, event, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from bot.domain import BadInput, Failure
from bot.store.tables import Base

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")
MIGRATIONS = Path(__file__).parent / "migrations"
NEWEST = max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


class Session(AsyncSession):
    """A session whose statements run to their end, also where the task that wants them is cancelled meanwhile.

    SQLite's connection, cut off in the middle of one, would keep the file locked until Python collects what is left.
    SQLite has one writer at a time, and lets those who wait try again and again in no order; ``turns`` brings order.
    """

    def __init__(self, *about: Any, turns: asyncio.Lock | None = None, **more: Any) -> None:
        super().__init__(*about, **more)
        self._turns, self._turn = turns, False

    async def take_turn(self) -> None:
        """Wait until nobody else writes, before the first statement that does."""
        if self._turns and not self._turn:
            await self._turns.acquire()
            self._turn = True

    def end_turn(self) -> None:
        """Let the next one write."""
        if self._turns and self._turn:
            self._turn = False
            self._turns.release()

    async def execute(self, statement: Any, *values: Any, **more: Any) -> Any:
        """Run a statement."""
        if statement.is_dml:
            await self.take_turn()
        return await _whole(super().execute(statement, *values, **more))

    async def scalar(self, *statement: Any, **more: Any) -> Any:
        """Return the first value of a statement."""
        return await _whole(super().scalar(*statement, **more))

    async def scalars(self, *statement: Any, **more: Any) -> Any:
        """Return the first value of every row of a statement."""
        return await _whole(super().scalars(*statement, **more))

    async def get(self, *which: Any, **more: Any) -> Any:
        """Return a row by its key."""
        return await _whole(super().get(*which, **more))

    async def flush(self, *objects: Any) -> None:
        """Write what was added."""
        await self.take_turn()
        await _whole(super().flush(*objects))


async def _whole(work: Coroutine[Any, Any, T]) -> T:
    """Do something to its end; a cancellation waits for that."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        task.exception()  # retrieved, so that nobody misses it
        raise cancelled
    return task.result()


class Database:
    """An open database; ``session()`` is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        turns = asyncio.Lock() if engine.dialect.name == "sqlite" else None
        self._sessions = async_sessionmaker(engine, class_=Session, expire_on_commit=False, turns=turns)

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
        except (SQLAlchemyError, Failure, OSError) as error:
            await engine.dispose()
            why = str(error).splitlines()[0]
            raise Failure(f"The database {engine.url!r} cannot be opened ({why}); check DATABASE_URL.") from error
        return cls(engine)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Give a session whose work is committed at the end, or undone when anything fails."""
        session: Session | None = None
        try:
            async with self._sessions.begin() as session:
                yield session
                if session.new or session.dirty or session.deleted:
                    await session.take_turn()
        finally:
            if session:
                session.end_turn()

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
    if _version(connection) == NEWEST:
        return  # alembic takes a fifth of a second to import, and mostly there is nothing for it to do
    from alembic import command
    from alembic.util import CommandError

    try:
        command.upgrade(alembic_config(connection), "head")
    except CommandError as error:
        raise Failure(str(error)) from error


def _version(connection: Connection) -> str | None:
    """Return the number of the last migration that was run on a database, None on a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.scalar(text("SELECT version_num FROM alembic_version"))


def alembic_config(connection: Connection) -> Config:
    """Return what alembic's commands need to work on an open connection."""
    from alembic.config import Config

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
