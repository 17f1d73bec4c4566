"""Starting and stopping the bot, and one sentence for everything that keeps it from starting."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bot.client import PERMISSIONS, run_bot
from bot.domain import BadInput, Failure
from bot.settings import Settings
from bot.store.conversations import Conversations
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.permissions import INVITED
from tests.loopback.pictures import picture
from tests.loopback.server import TOKEN, LoopbackDiscord

ROOT = Path(__file__).parent.parent


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None, discord_token=TOKEN, cooldown=0, database_url=f"sqlite+aiosqlite:///{tmp_path}/bot.db"
    )


async def test_a_missing_token_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(BadInput, match=r"DISCORD_TOKEN is not set; copy .* into \.env"):
        await run_bot(settings.model_copy(update={"discord_token": None}), FakeEngine())


async def test_a_wrong_token_is_one_sentence(loopback: LoopbackDiscord, settings: Settings) -> None:
    loopback.gateway.token = "another-token"
    with pytest.raises(BadInput, match=r"Discord refuses the DISCORD_TOKEN; make a new one"):
        await run_bot(settings, FakeEngine())


async def test_no_network_is_one_sentence(settings: Settings) -> None:
    async with LoopbackDiscord() as server:
        await server.unplug()
        with pytest.raises(Failure, match=r"Discord cannot be reached \(.*\); check the network"):
            await run_bot(settings, FakeEngine())


async def test_an_unknown_default_persona_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(BadInput, match="DEFAULT_PERSONA cannot be used: There is no persona 'nobody'"):
        await run_bot(settings.model_copy(update={"default_persona": "nobody"}), FakeEngine())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_at_a_signal(loopback: LoopbackDiscord, settings: Settings, number: signal.Signals) -> None:
    running = asyncio.create_task(run_bot(settings, FakeEngine()))
    await loopback.until(lambda: loopback.gateway.identified)
    os.kill(os.getpid(), number)
    await asyncio.wait_for(running, 20)


async def test_stopping_waits_for_the_daily_deletion(
    loopback: LoopbackDiscord, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, deleted = asyncio.Event(), []

    async def slow(self: Conversations, days: int) -> int:
        begun.set()
        await asyncio.sleep(0.2)
        deleted.append(days)
        return 0

    monkeypatch.setattr(Conversations, "purge", slow)
    running = asyncio.create_task(run_bot(settings, FakeEngine()))
    await asyncio.wait_for(begun.wait(), 20)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    assert deleted == [settings.retention_days]


async def test_without_the_content_intent_it_says_so_and_answers_mentions(
    loopback: LoopbackDiscord, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    loopback.gateway.allowed = 0
    running = asyncio.create_task(run_bot(settings, FakeEngine()))
    await loopback.until(lambda: loopback.gateway.identified)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("me.jpg", picture("red"))])
    assert "red picture" in (await loopback.next_answer()).content
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(running, 20)
    warnings = [
        record.message for record in caplog.records if record.name == "bot.client" and record.levelname == "WARNING"
    ]
    assert len(warnings) == 1
    assert warnings[0].startswith("The Message Content Intent is off, so I answer only mentions")


async def test_a_channel_of_the_settings_that_does_not_exist_is_named(
    loopback: LoopbackDiscord, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    listening = settings.model_copy(update={"channels": frozenset({4242, loopback.room.id})})
    async with loopback.running(listening, FakeEngine()):
        await loopback.until(lambda: "4242" in caplog.text)
    assert "I cannot see channel 4242 of CHANNELS" in caplog.text
    assert f"I cannot see channel {loopback.room.id}" not in caplog.text


def test_the_invite_of_the_docs_asks_for_what_the_bot_needs_and_the_tests_grant_no_more() -> None:
    assert PERMISSIONS.value == INVITED
    for page in ("README.md", "docs/discord-setup.md"):
        assert f"permissions={PERMISSIONS.value}" in (ROOT / page).read_text(encoding="utf-8")
