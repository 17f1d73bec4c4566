"""Threads, servers, private channels, languages and connections on the loopback Discord."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest

from tests.loopback.gateway import Session
from tests.loopback.offers import NotOffered
from tests.loopback.permissions import (
    EVERYBODY,
    MANAGE_MESSAGES,
    MANAGE_WEBHOOKS,
    SEND_MESSAGES_IN_THREADS,
    USE_EXTERNAL_APPS,
)
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot

NONE = discord.AllowedMentions.none()


@pytest.fixture
async def bot(loopback: LoopbackDiscord) -> AsyncIterator[SmallBot]:
    client = SmallBot()
    async with loopback.connected(client):
        yield client


async def test_messages_and_webhooks_in_threads(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    opened = await loopback.post(loopback.room, loopback.ada, "let us talk")
    thread = await loopback.start_thread(loopback.room, "talk", message=opened)
    await loopback.post(thread, loopback.ada, "hello")
    await loopback.until(lambda: len(bot.seen) == 2)
    seen = bot.seen[1].channel
    assert isinstance(seen, discord.Thread)
    assert (seen.id, seen.parent_id) == (opened.id, loopback.room.id)
    await seen.send("hi")
    assert (await loopback.next_answer(thread)).content == "hi"
    assert isinstance(seen.parent, discord.TextChannel)
    hook = await seen.parent.create_webhook(name="x")
    sent = await hook.send("I am here", thread=seen, wait=True)
    said = await loopback.next_answer(thread)
    await sent.edit(content="I am there", allowed_mentions=NONE)
    assert said.content == "I am there"
    with pytest.raises(discord.NotFound):
        await hook.delete_message(said.id)
    await hook.delete_message(said.id, thread=seen)
    used = await loopback.slash(loopback.ada, thread, "pet think")
    assert used.message
    assert used.message.channel is thread
    await loopback.delete_channel(thread)
    await loopback.until(lambda: "thread deleted" in bot.events)
    with pytest.raises(discord.NotFound):
        await seen.send("gone?")


async def test_threads_that_were_there_before_and_other_channels_threads(loopback: LoopbackDiscord) -> None:
    thread = loopback.world.add_channel("old talk", parent=loopback.room)
    other = loopback.world.add_channel("other")
    client = SmallBot()
    async with loopback.connected(client):
        assert isinstance(client.get_channel(thread.id), discord.Thread)
        channel = client.get_channel(other.id)
        assert isinstance(channel, discord.TextChannel)
        hook = await channel.create_webhook(name="x")
        with pytest.raises(discord.NotFound):
            await hook.send("lost", thread=discord.Object(thread.id))


async def test_threads_have_a_permission_of_their_own(loopback: LoopbackDiscord) -> None:
    closed = loopback.world.add_channel("closed", denied=SEND_MESSAGES_IN_THREADS)
    thread = loopback.world.add_channel("talk", parent=closed)
    client = SmallBot()
    async with loopback.connected(client):
        for place, allowed in ((closed, True), (thread, False)):
            channel = client.get_channel(place.id)
            assert isinstance(channel, discord.TextChannel | discord.Thread)
            assert channel.permissions_for(channel.guild.me).send_messages_in_threads is False
            if allowed:
                await channel.send("hi")
            else:
                with pytest.raises(discord.Forbidden):
                    await channel.send("hi")


async def test_a_deleted_channel_takes_everything_with_it(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    channel = bot.get_channel(loopback.room.id)
    assert isinstance(channel, discord.TextChannel)
    hook = await channel.create_webhook(name="x")
    posted = await loopback.post(loopback.room, loopback.ada, "hi")
    await loopback.delete_channel(loopback.room)
    await loopback.until(lambda: "channel photos deleted" in bot.events)
    assert posted.gone
    with pytest.raises(discord.NotFound, match="Unknown Webhook"):
        await hook.send("hi")


async def test_leaving_and_joining_servers(loopback: LoopbackDiscord) -> None:
    second = loopback.world.add_guild("Second", locale="zh-CN")
    there = loopback.world.add_channel("there", guild=second, nsfw=True)
    client = SmallBot()
    async with loopback.connected(client):
        assert {guild.name for guild in client.guilds} == {"Loopback", "Second"}
        channel = client.get_channel(there.id)
        assert isinstance(channel, discord.TextChannel)
        assert channel.is_nsfw()
        assert channel.guild.preferred_locale is discord.Locale.chinese
        await loopback.remove_bot(second)
        await loopback.until(lambda: "removed from Second" in client.events)
        with pytest.raises(discord.Forbidden):
            await channel.send("hi")
        await loopback.post(there, loopback.ada, "nobody hears this")
        await loopback.invite_bot(second)
        await loopback.until(lambda: "joined Second" in client.events)
        await channel.send("hi")
        assert client.seen == [] or client.seen[0].content == "hi"


async def test_languages_of_people_and_servers(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    await loopback.set_locale("zh-CN")
    lin = loopback.add_user("Lin", locale="zh-CN")
    done = await loopback.slash(lin, loopback.room, "宠物 喂", name="rex", kind_of="Fish")
    assert done.text.endswith("(zh-CN)")
    guild = bot.get_guild(loopback.world.guild_id)
    assert guild
    await loopback.until(lambda: guild.preferred_locale is discord.Locale.chinese)


async def test_where_only_the_user_has_the_bot(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    far = loopback.world.add_guild("Far away", has_bot=False)
    places = [loopback.world.add_channel("far", guild=far), loopback.world.private(loopback.ada, loopback.ben)]
    places.append(loopback.world.private(loopback.ada, loopback.ben, loopback.world.owner))
    for place in places:
        photo = await loopback.post(place, loopback.ben, "look", files=[("a.png", picture())])
        with pytest.raises(NotOffered):
            await loopback.menu(loopback.ada, place, "Pat it", photo)
        with pytest.raises(NotOffered, match="not there"):
            await loopback.slash(loopback.ada, place, "pet think", installed="user")
        done = await loopback.menu(loopback.ada, place, "Pat it", photo, installed="user")
        assert done.text.startswith("Patted ben: look [")
        assert not done.ephemeral
    assert bot.seen == []


async def test_where_apps_of_users_are_not_welcome_answers_are_secret(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    far = loopback.world.add_guild("Far away", has_bot=False)
    far.permissions[loopback.ada] = EVERYBODY & ~USE_EXTERNAL_APPS
    place = loopback.world.add_channel("far", guild=far)
    photo = await loopback.post(place, loopback.ben, "look", files=[("a.png", picture())])
    assert (await loopback.menu(loopback.ada, place, "Pat it", photo, installed="user")).ephemeral


async def test_direct_messages_with_the_bot(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    direct = loopback.world.direct(loopback.ada)
    loopback.world.permissions[loopback.ada] = 0
    fed = await loopback.slash(loopback.ada, direct, "slow")
    assert fed.message
    assert fed.message.channel is direct
    await loopback.until(lambda: bot.seen)
    assert isinstance(bot.seen[0].channel, discord.DMChannel)
    with pytest.raises(discord.HTTPException):
        await bot.http.create_webhook(direct.id, name="x")


async def test_the_connection_breaks_while_somebody_uses_a_command(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    await loopback.gateway.drop()
    assert (await loopback.slash(loopback.ada, loopback.room, "slow")).text == "At last."
    assert (loopback.gateway.identified, loopback.gateway.resumed) == (1, 1)
    loopback.gateway.may_resume = False
    await loopback.gateway.drop()
    await loopback.until(lambda: loopback.gateway.identified == 2)
    assert (await loopback.slash(loopback.ada, loopback.room, "slow")).text == "At last."


class SlowSocket:
    """A socket while whose first frame is sent something else happens."""

    closed = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.numbers: list[int | None] = []

    async def send_str(self, frame: str) -> None:
        self.numbers.append(json.loads(frame)["s"])
        if len(self.numbers) == 1:
            await self.session.dispatch("MESSAGE_CREATE", {})


async def test_what_happens_while_a_session_resumes_comes_after_what_it_missed(loopback: LoopbackDiscord) -> None:
    gateway, session = loopback.gateway, Session(0)
    gateway.sessions.append(session)
    for _ in range(4):
        await session.dispatch("MESSAGE_CREATE", {})
    socket: Any = SlowSocket(session)
    await gateway._resume(socket, {"session_id": session.id, "token": gateway.token, "seq": 1})
    gateway.sessions.remove(session)
    assert socket.numbers == [2, 3, 4, 5, 6]


async def test_without_the_content_intent_menus_still_show_the_message(loopback: LoopbackDiscord) -> None:
    loopback.gateway.allowed = 0
    client = SmallBot(content=False)
    async with loopback.connected(client):
        photo = await loopback.post(loopback.room, loopback.ben, "look", files=[("a.png", picture())])
        await loopback.until(lambda: client.seen)
        assert client.seen[0].content == ""
        assert client.seen[0].attachments == []
        assert (await loopback.menu(loopback.ada, loopback.room, "Pat it", photo)).text.startswith("Patted ben: look [")


async def test_channels_come_and_change_while_the_bot_runs(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    place = await loopback.open_channel("new")
    await loopback.until(lambda: bot.get_channel(place.id))
    channel = bot.get_channel(place.id)
    assert isinstance(channel, discord.TextChannel)
    hook = await channel.create_webhook(name="x")
    await loopback.change_channel(place, denied=MANAGE_WEBHOOKS, nsfw=True)
    await loopback.until(channel.is_nsfw)
    with pytest.raises(discord.Forbidden):
        await bot.fetch_webhook(hook.id)
    await hook.send("still works with its token")
    assert (await loopback.next_answer(place)).webhook_id == hook.id


async def test_permissions_granted_before_login_are_seen_as_roles(loopback: LoopbackDiscord) -> None:
    mia = loopback.add_user("Mia", permissions=EVERYBODY | MANAGE_MESSAGES)
    client = SmallBot()
    async with loopback.connected(client):
        for user in (mia, loopback.ada):
            await loopback.post(loopback.room, user, "hi")
        await loopback.until(lambda: len(client.seen) == 2)
        authors = [message.author for message in client.seen]
        assert all(isinstance(author, discord.Member) for author in authors)
        assert [author.guild_permissions.manage_messages for author in authors] == [True, False]  # type: ignore[union-attr]


async def test_many_messages_are_deleted_at_once(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    gone: list[int] = []

    @bot.listen()
    async def on_raw_bulk_message_delete(payload: discord.RawBulkMessageDeleteEvent) -> None:
        gone.extend(payload.message_ids)

    posted = [await loopback.post(loopback.room, loopback.ada, "hi") for _ in range(3)]
    await loopback.delete(*posted)
    await loopback.until(lambda: sorted(gone) == [message.id for message in posted])
