"""The loopback Discord refuses what the real one refuses, and notices bad manners."""

from collections.abc import AsyncIterator

import discord
import pytest

from tests.loopback import rules
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    async with LoopbackDiscord() as server:
        yield server


@pytest.fixture
async def channel(loopback: LoopbackDiscord) -> AsyncIterator[discord.TextChannel]:
    """Give the room as discord.py sees it."""
    client = SmallBot()
    async with loopback.connected(client):
        channel = client.get_channel(loopback.room.id)
        assert isinstance(channel, discord.TextChannel)
        yield channel


@pytest.mark.parametrize(("content", "code"), [("x" * 2001, 50035), (" ", 50006)])
async def test_messages_too_long_or_empty_are_refused(channel: discord.TextChannel, content: str, code: int) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await channel.send(content)
    assert refused.value.code == code


async def test_a_reply_to_nothing_is_refused(channel: discord.TextChannel) -> None:
    nothing = discord.MessageReference(message_id=123456789012345678, channel_id=channel.id)
    with pytest.raises(discord.HTTPException, match="Unknown message"):
        await channel.send("hello", reference=nothing)


async def test_a_ping_is_noticed(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    await channel.send("@everyone", allowed_mentions=discord.AllowedMentions.all())
    assert len(loopback.rest.violations) == 1
    assert "may ping people" in loopback.rest.violations[0]


async def test_an_unknown_route_is_noticed(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    with pytest.raises(discord.NotFound):
        await channel.edit(name="other")
    assert any("does not know this route" in fault for fault in loopback.rest.own_faults)


@pytest.mark.skipif(rules.openapi() is None, reason="Discord's API description is not at hand")
async def test_what_the_description_does_not_allow_is_noticed(
    loopback: LoopbackDiscord, channel: discord.TextChannel
) -> None:
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "hi", "tts": "loud", "flavour": "mint", "allowed_mentions": {"parse": []}}
    await channel._state.http.request(route, json=body)
    assert any("tts" in violation for violation in loopback.rest.violations)
    assert any("flavour" in violation for violation in loopback.rest.violations)
