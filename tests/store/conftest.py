"""An empty database for every test: an SQLite file, or the PostgreSQL of TEST_DATABASE_URL."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.store.database import Database


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Give the URL of a database that is empty; of a server's, only one named as a test's is emptied."""
    url = os.environ.get("TEST_DATABASE_URL")
    if not url:
        yield f"sqlite+aiosqlite:///{tmp_path}/bot.db"
        return
    assert "test" in (make_url(url).database or ""), "TEST_DATABASE_URL must name a database with 'test' in its name"
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    yield url


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = await Database.open(url)
    yield database
    await database.close()
