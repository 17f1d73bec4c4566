"""A loopback Discord with the bot on it, for every test of the cogs."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.client import TalkingPhotosBot
from bot.settings import Settings
from bot.store.database import check
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.permissions import MANAGE_WEBHOOKS
from tests.loopback.server import TOKEN, LoopbackDiscord


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated database without rows; copying it is quicker than migrating for every test."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    check(f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    path = shutil.copy(empty_database, tmp_path / "bot.db")
    return Settings(_env_file=None, discord_token=TOKEN, cooldown=0, database_url=f"sqlite+aiosqlite:///{path}")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def bot(loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine) -> AsyncIterator[TalkingPhotosBot]:
    async with loopback.running(settings, engine) as running:
        yield running


@pytest.fixture
def plain(loopback: LoopbackDiscord) -> None:
    """Forbid webhooks in the room, so that characters speak in plain messages of the bot."""
    loopback.room.denied |= MANAGE_WEBHOOKS


@pytest.fixture(params=["webhook", "plain"])
def either(request: pytest.FixtureRequest, loopback: LoopbackDiscord) -> str:
    """Run a test once with characters on the webhook, and once with plain replies."""
    if request.param == "plain":
        loopback.room.denied |= MANAGE_WEBHOOKS
    kind: str = request.param
    return kind
