"""Alembic is only asked where there is something to migrate."""

import pytest
from alembic import command

from bot.domain import Failure
from bot.store.database import Database


async def test_a_database_that_is_up_to_date_is_opened_without_alembic(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await Database.open(url)).close()
    monkeypatch.setattr(command, "upgrade", lambda *_: pytest.fail("alembic was asked"))
    database = await Database.open(url)
    assert not any((await database.counts()).values())
    await database.close()


async def test_a_database_of_a_later_version_is_refused(url: str) -> None:
    database = await Database.open(url)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await database.close()
    with pytest.raises(Failure, match="9999"):
        await Database.open(url)
