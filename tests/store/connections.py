"""Several connections at once."""

import asyncio

from sqlalchemy import text

from bot.store.database import Database


async def open_connections(database: Database, count: int = 4) -> None:
    """Open connections that later sessions find ready; else what is started at once happens one after the other."""
    opened = asyncio.Barrier(count)

    async def use() -> None:
        async with database.session() as session:
            await session.execute(text("SELECT 1"))
            await opened.wait()

    await asyncio.gather(*(use() for _ in range(count)))
