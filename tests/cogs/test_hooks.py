"""Speaking through webhooks, tried by a bare client on the loopback Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import discord
import pytest

from bot.cogs.hooks import HOOK_NAME, Avatar, Hooks, NoHook
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import MANAGE_WEBHOOKS, Channel, Message

RED, BLUE = picture("red"), picture("blue")


@asynccontextmanager
async def started(loopback: LoopbackDiscord) -> AsyncIterator[discord.Client]:
    client = discord.Client(
        intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=True),
        member_cache_flags=discord.MemberCacheFlags.none(),
        max_messages=None,
        guild_ready_timeout=0.05,
    )
    async with loopback.connected(client):
        yield client


@pytest.fixture
def thread(loopback: LoopbackDiscord) -> Channel:
    return loopback.world.add_channel("a thread", parent=loopback.room)


@pytest.fixture
async def client(loopback: LoopbackDiscord, thread: Channel) -> AsyncIterator[discord.Client]:
    async with started(loopback) as running:
        yield running


@pytest.fixture
def hooks(client: discord.Client) -> Hooks:
    return Hooks(client, patience=0.2)


def place(client: discord.Client, channel: Channel) -> discord.abc.Messageable:
    found = client.get_channel(channel.id) or client.get_guild(channel.guild_id or 0).get_thread(channel.id)  # type: ignore[union-attr]
    assert isinstance(found, discord.abc.Messageable)
    return found


def shown(data: bytes | None, key: str = "") -> Avatar:
    async def read() -> bytes | None:
        return data

    return Avatar(key or str(hash(data)), read)


def asked(loopback: LoopbackDiscord, method: str, ending: str) -> int:
    return sum(verb == method and path.endswith(ending) for verb, path in loopback.rest.requests)


def pictures_set(loopback: LoopbackDiscord) -> int:
    return sum(verb == "PATCH" and path.startswith("/webhooks/") for verb, path in loopback.rest.requests)


Say = Callable[..., Awaitable[Message]]


@pytest.fixture
def say(loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks) -> Say:
    """Say something short in a channel and return it as the server has it."""

    async def speak(
        text: str = "Arr!", name: str = "Barnacle", avatar: Avatar | None = None, where: Channel | None = None
    ) -> Message:
        sent = await hooks.send(place(client, where or loopback.room), text, name=name, avatar=avatar)
        found = loopback.world.find(sent[-1].id)
        assert found
        return found

    return speak


async def real(client: discord.Client, message: Message) -> discord.Message:
    return await place(client, message.channel).fetch_message(message.id)


async def test_one_webhook_is_made_and_used_again(loopback: LoopbackDiscord, say: Say) -> None:
    first = await say("Arr!", "Barnacle")
    second = await say("Beep.", "Unit 7")
    assert [(message.author.name, message.content) for message in (first, second)] == [
        ("Barnacle", "Arr!"), ("Unit 7", "Beep."),
    ]  # fmt: skip
    assert first.webhook_id == second.webhook_id
    assert [hook.name for hook in loopback.world.webhooks.values()] == [HOOK_NAME]
    assert asked(loopback, "GET", "/webhooks") == 1


async def test_after_a_restart_the_webhook_is_found_again(
    loopback: LoopbackDiscord, say: Say, client: discord.Client
) -> None:
    loopback.world.add_webhook(loopback.room, "GitHub", loopback.ada)
    loopback.world.add_webhook(loopback.room, HOOK_NAME, loopback.other_bot)
    before = await say()
    again = Hooks(client)
    assert not again.is_ours(before.webhook_id or 0)
    sent = await again.send(place(client, loopback.room), "Back.", name="Barnacle", avatar=None)
    assert sent[0].webhook_id == before.webhook_id
    assert again.is_ours(before.webhook_id or 0)
    assert len(loopback.world.webhooks) == 3


async def test_a_deleted_webhook_is_replaced(loopback: LoopbackDiscord, say: Say) -> None:
    first = await say(avatar=shown(RED))
    loopback.world.webhooks.clear()
    second = await say("Still here.", avatar=shown(RED))
    assert second.content == "Still here."
    assert second.author.avatar == RED
    assert second.webhook_id != first.webhook_id


async def test_a_webhook_deleted_within_a_long_text_loses_none_of_it(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    await say()
    told = loopback.rest.posting.told

    def delete_after_first(entry: Any) -> None:
        told(entry)
        if len(loopback.room.messages) == 2:
            loopback.world.webhooks.clear()

    loopback.rest.posting.told = delete_after_first
    text = " ".join(f"Sentence {i}." for i in range(200))
    sent = await hooks.send(place(client, loopback.room), text, name="Barnacle", avatar=None)
    assert [message.webhook_id == sent[0].webhook_id for message in sent] == [True, False]
    assert " ".join(message.content for message in sent) == text


async def test_a_webhook_moved_elsewhere_does_not_speak_there(
    loopback: LoopbackDiscord, thread: Channel, say: Say
) -> None:
    elsewhere = loopback.world.add_channel("elsewhere")
    for where in (loopback.room, thread):
        before = await say()
        loopback.world.webhooks[before.webhook_id or 0].channel = elsewhere
        assert (await say("Here!", where=where)).channel is where
    assert elsewhere.messages == {}


async def test_without_the_permission_there_is_no_webhook(loopback: LoopbackDiscord) -> None:
    loopback.room.denied = MANAGE_WEBHOOKS
    async with started(loopback) as client:
        with pytest.raises(NoHook, match="Manage Webhooks"):
            await Hooks(client).send(place(client, loopback.room), "Arr!", name="Barnacle", avatar=None)
    assert asked(loopback, "GET", "/webhooks") == asked(loopback, "POST", "/webhooks") == 0


async def test_a_full_channel_is_not_asked_again_at_once(loopback: LoopbackDiscord, say: Say) -> None:
    for number in range(15):
        loopback.world.add_webhook(loopback.room, f"Hook {number}", loopback.ada)
    for _ in range(2):
        with pytest.raises(NoHook, match=r"Maximum number of webhooks|no room"):
            await say()
    assert asked(loopback, "POST", "/webhooks") == 1


async def test_direct_messages_have_no_webhooks(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks
) -> None:
    heard = asyncio.create_task(client.wait_for("message", timeout=10))
    await asyncio.sleep(0)
    await loopback.post(loopback.world.direct(loopback.ada), loopback.ada, "hi")
    with pytest.raises(NoHook):
        await hooks.send((await heard).channel, "Arr!", name="Barnacle", avatar=None)


async def test_a_thread_is_spoken_in_through_its_parents_webhook(
    loopback: LoopbackDiscord, thread: Channel, say: Say
) -> None:
    outside, inside = await say(), await say("In here.", where=thread)
    assert inside.channel is thread
    assert inside.webhook_id == outside.webhook_id
    assert len(loopback.world.webhooks) == 1


async def test_a_webhook_deleted_while_a_thread_goes_on_is_replaced(
    loopback: LoopbackDiscord, thread: Channel, say: Say
) -> None:
    await say(where=thread)
    loopback.world.webhooks.clear()
    assert (await say("Still here.", where=thread)).channel is thread


async def test_the_picture_is_set_only_when_it_changes(loopback: LoopbackDiscord, say: Say) -> None:
    faces = [(await say(avatar=shown(face))).author.avatar for face in (RED, RED, BLUE, BLUE, RED)]
    assert faces == [RED, RED, BLUE, BLUE, RED]
    assert pictures_set(loopback) == 3


async def test_without_a_picture_of_its_own_a_message_shows_the_bots(
    loopback: LoopbackDiscord, client: discord.Client, say: Say
) -> None:
    await say(avatar=shown(RED))
    plain = await say()
    assert client.user
    assert plain.author.avatar_url == client.user.default_avatar.url
    assert plain.author.avatar is None  # not the face of whoever spoke before
    assert (await say(avatar=shown(RED))).author.avatar == RED
    assert pictures_set(loopback) == 1


async def broken() -> bytes:
    raise RuntimeError("the photo is gone")


async def nothing() -> None:
    return None


async def slow() -> bytes:
    await asyncio.sleep(30)
    return RED


async def no_picture() -> bytes:
    return b"this is no picture"


@pytest.mark.parametrize("read", [broken, nothing, slow, no_picture])
async def test_a_picture_that_cannot_be_read_does_not_hold_up_the_words(
    read: Callable[[], Awaitable[bytes | None]], say: Say
) -> None:
    await say(avatar=shown(RED))
    async with asyncio.timeout(5):
        message = await say("Arr!", avatar=Avatar("other", read))
    assert message.content == "Arr!"
    assert message.author.avatar is None


async def test_a_picture_that_comes_late_is_read_again_the_next_time(say: Say) -> None:
    await say(avatar=Avatar("late", slow))
    assert (await say(avatar=shown(BLUE, "late"))).author.avatar == BLUE


@pytest.mark.parametrize("status", [403, 429, 500])
async def test_a_picture_that_discord_refuses_does_not_hold_up_the_words(
    status: int, loopback: LoopbackDiscord, say: Say
) -> None:
    await say(avatar=shown(RED))
    loopback.fail_next("PATCH", r"/webhooks/\d+$", status)
    loopback.rest.faults[-1].retry_after = 30
    async with asyncio.timeout(5):
        message = await say("Arr!", "Unit 7", avatar=shown(BLUE))
        assert message.author.avatar is None
        later = await say("Beep.", "Unit 7", avatar=shown(BLUE))
    assert later.author.avatar is None
    assert pictures_set(loopback) == 2  # none while Discord wants a rest


async def test_who_spoke_before_a_refusal_keeps_the_picture(loopback: LoopbackDiscord, say: Say) -> None:
    await say(avatar=shown(RED))
    loopback.fail_next("PATCH", r"/webhooks/\d+$", 403)
    await say("Beep.", "Unit 7", avatar=shown(BLUE))
    assert (await say(avatar=shown(RED))).author.avatar == RED
    assert pictures_set(loopback) == 2


async def test_a_picture_set_late_is_there_for_the_next_message(loopback: LoopbackDiscord, say: Say) -> None:
    loopback.fail_next("PATCH", r"/webhooks/\d+$", 429)
    loopback.rest.faults[-1].retry_after = 0.5
    assert (await say(avatar=shown(BLUE))).author.avatar is None
    assert (await say(avatar=shown(RED))).author.avatar is None  # left alone until the change is over
    await loopback.until(lambda: any(hook.avatar for hook in loopback.world.webhooks.values()))
    await asyncio.sleep(0.1)
    assert (await say(avatar=shown(BLUE))).author.avatar == BLUE
    assert pictures_set(loopback) == 2


async def test_two_who_speak_at_once_keep_their_own_pictures(loopback: LoopbackDiscord, say: Say) -> None:
    faces = {"Red": RED, "Blue": BLUE, "Green": picture("green"), "Nobody": None}
    said = await asyncio.gather(
        *(say("Me!", name, avatar=shown(face) if face else None) for name, face in faces.items())
    )
    assert {message.author.name: message.author.avatar for message in said} == faces
    assert len(loopback.world.webhooks) == 1


async def test_a_long_text_is_split_with_the_buttons_and_files_under_its_end(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks
) -> None:
    text = " ".join(f"Sentence {i}." for i in range(200))
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Again", custom_id="again"))
    file = discord.File(BytesIO(RED), "me.jpg")
    sent = await hooks.send(
        place(client, loopback.room), text, name="Barnacle", avatar=shown(RED), view=view, files=[file]
    )
    said = [loopback.world.find(message.id) for message in sent]
    assert " ".join(message.content for message in said if message) == text
    assert [bool(message and message.components) for message in said] == [False, True]
    assert [len(message.files) for message in said if message] == [0, 1]
    assert all(message and message.author.avatar == RED for message in said)


async def test_a_file_survives_the_replacing_of_a_webhook(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    await say()
    loopback.world.webhooks.clear()
    file = discord.File(BytesIO(RED), "me.jpg")
    [sent] = await hooks.send(place(client, loopback.room), "", name="Barnacle", avatar=None, files=[file])
    message = loopback.world.find(sent.id)
    assert message
    assert message.files[0].data == RED


async def test_messages_are_deleted_even_in_threads_and_after_a_restart(
    loopback: LoopbackDiscord, thread: Channel, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    for where in (loopback.room, thread):
        for mine in (hooks, Hooks(client)):
            message = await say("Arr!", where=where)
            assert await mine.delete(await real(client, message))
            assert message.gone


async def test_deleting_what_is_gone_already_is_no_failure(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    message = await say()
    there = await real(client, message)
    await loopback.delete(message)
    assert await hooks.delete(there)


async def test_messages_of_others_and_of_deleted_webhooks_are_left_alone(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    old = await real(client, await say())
    loopback.world.webhooks.clear()
    assert not await hooks.delete(old)
    assert not hooks.is_ours(old.webhook_id or 0)
    foreign = await real(client, await loopback.post(loopback.room, loopback.ada, "hi", webhook=True))
    person = await real(client, await loopback.post(loopback.room, loopback.ada, "hi"))
    for message in (foreign, person):
        assert not await hooks.delete(message)


async def test_own_messages_are_recognised_and_no_others(
    loopback: LoopbackDiscord, client: discord.Client, hooks: Hooks, say: Say
) -> None:
    ours = await real(client, await say())
    foreign = await real(client, await loopback.post(loopback.room, loopback.ada, "hi", webhook=True))
    person = await real(client, await loopback.post(loopback.room, loopback.ada, "hi"))
    for mine in (hooks, Hooks(client)):
        assert [await mine.owns(message) for message in (ours, foreign, person)] == [True, False, False]


async def test_only_so_many_channels_are_remembered(loopback: LoopbackDiscord) -> None:
    rooms = [loopback.room, loopback.world.add_channel("other")]
    async with started(loopback) as client:
        hooks = Hooks(client, remembered=1)
        sent = [
            (await hooks.send(place(client, room), "Arr!", name="Barnacle", avatar=None))[0].webhook_id
            for room in (*rooms, rooms[0])
        ]
    assert sent[0] == sent[2] != sent[1]
    assert asked(loopback, "GET", "/webhooks") == 3


async def test_a_reserved_name_is_taken(say: Say) -> None:
    assert (await say("Arr!", "Clyde of Discord")).author.name == "C\u200alyde of D\u200aiscord"
