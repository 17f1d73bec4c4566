"""Webhooks, edits, files and components on the loopback Discord, with a bot made for that."""

from collections.abc import AsyncIterator
from io import BytesIO

import discord
import pytest
from discord import ui

from tests.loopback.permissions import MANAGE_MESSAGES, MANAGE_WEBHOOKS
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot

PNG = picture("red", "PNG")


@pytest.fixture
async def bot(loopback: LoopbackDiscord) -> AsyncIterator[SmallBot]:
    client = SmallBot()
    async with loopback.connected(client):
        yield client


@pytest.fixture
def channel(loopback: LoopbackDiscord, bot: SmallBot) -> discord.TextChannel:
    found = bot.get_channel(loopback.room.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_webhook_speaks_with_its_own_name_and_face(
    loopback: LoopbackDiscord, bot: SmallBot, channel: discord.TextChannel
) -> None:
    hook = await channel.create_webhook(name="Talking Photos", avatar=PNG)
    sent = await hook.send("Hello", username="Captain", wait=True)
    heard = await loopback.next_answer(loopback.room)
    assert (heard.author.name, heard.author.avatar, heard.webhook_id) == ("Captain", PNG, hook.id)
    await loopback.until(lambda: bot.seen)
    assert (bot.seen[0].author.name, bot.seen[0].author.bot, bot.seen[0].webhook_id) == ("Captain", True, hook.id)
    await hook.edit(avatar=picture("blue", "PNG"))
    await hook.send("Bye")
    later = await loopback.next_answer()
    assert later.author.name == "Talking Photos"
    assert later.author.avatar != heard.author.avatar
    await sent.edit(content="Hello again", allowed_mentions=discord.AllowedMentions.none())
    assert heard.content == "Hello again"
    await sent.delete()
    assert heard.gone
    await loopback.until(lambda: bot.events == ["edit Hello again", "delete"])


async def test_the_picture_of_an_avatar_url_is_that_of_the_moment(
    loopback: LoopbackDiscord, channel: discord.TextChannel
) -> None:
    posted = await loopback.post(loopback.room, loopback.ada, files=[("me.png", PNG)])
    url = posted.files[0].payload(loopback.gateway.cdn)["url"]
    hook = await channel.create_webhook(name="x")
    await hook.send("Hello", avatar_url=url)
    assert (await loopback.next_answer()).author.avatar == PNG


@pytest.mark.parametrize("name", ["Clyde", "my discord bot", "x" * 81])
async def test_names_that_webhooks_may_not_have(
    loopback: LoopbackDiscord, channel: discord.TextChannel, name: str
) -> None:
    with pytest.raises(discord.HTTPException) as refused:
        await channel.create_webhook(name=name)
    assert refused.value.code == 50035
    hook = await channel.create_webhook(name="x")
    with pytest.raises(discord.HTTPException):
        await hook.send("Hello", username=name)
    assert len(loopback.rest.violations) >= 2
    loopback.rest.violations.clear()


async def test_a_channel_takes_fifteen_webhooks(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    for number in range(15):
        loopback.world.add_webhook(loopback.room, f"hook {number}", loopback.ada)
    assert len(await channel.webhooks()) == 15
    with pytest.raises(discord.HTTPException) as refused:
        await channel.create_webhook(name="one more")
    assert refused.value.code == 30007


async def test_webhooks_need_a_permission(loopback: LoopbackDiscord) -> None:
    closed = loopback.world.add_channel("closed", denied=MANAGE_WEBHOOKS | MANAGE_MESSAGES)
    client = SmallBot()
    async with loopback.connected(client):
        channel = client.get_channel(closed.id)
        assert isinstance(channel, discord.TextChannel)
        assert not channel.permissions_for(channel.guild.me).manage_webhooks
        with pytest.raises(discord.Forbidden):
            await channel.create_webhook(name="x")
        posted = await loopback.post(closed, loopback.ada, "hi")
        with pytest.raises(discord.Forbidden):
            await channel.get_partial_message(posted.id).delete()


async def test_a_webhook_that_was_deleted_is_unknown(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    hook = await channel.create_webhook(name="x")
    del loopback.world.webhooks[hook.id]
    with pytest.raises(discord.NotFound) as refused:
        await hook.send("Hello")
    assert refused.value.code == 10015


async def test_an_avatar_that_is_no_picture(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    route = discord.http.Route("POST", "/channels/{channel_id}/webhooks", channel_id=channel.id)
    with pytest.raises(discord.HTTPException, match="Invalid image data"):
        await channel._state.http.request(route, json={"name": "x", "avatar": "data:image/png;base64,aGVsbG8="})
    loopback.rest.violations.clear()


async def test_files_are_kept_replaced_and_removed(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    sent = await channel.send("Look", files=[discord.File(BytesIO(b"1\r\n--2"), "a.txt", description="text")])
    said = await loopback.next_answer()
    assert [(file.name, file.data, file.description) for file in said.files] == [("a.txt", b"1\r\n--2", "text")]
    none = discord.AllowedMentions.none()
    await sent.add_files(discord.File(BytesIO(b"2"), "b.txt"))
    assert [file.name for file in said.files] == ["a.txt", "b.txt"]
    await sent.edit(content="Gone", attachments=[], allowed_mentions=none)
    assert said.files == ()
    with pytest.raises(discord.HTTPException):
        await channel.send("Large", file=discord.File(BytesIO(bytes(10 * 2**20 + 1)), "c.bin"))
    loopback.rest.violations.clear()


async def test_others_messages_are_deleted_with_permission_and_never_edited(
    loopback: LoopbackDiscord, channel: discord.TextChannel
) -> None:
    posted = await loopback.post(loopback.room, loopback.ada, "hi")
    message = channel.get_partial_message(posted.id)
    with pytest.raises(discord.Forbidden):
        await message.edit(content="mine", allowed_mentions=discord.AllowedMentions.none())
    with pytest.raises(discord.Forbidden):
        await message.delete()
    loopback.world.guild.bot_permissions |= MANAGE_MESSAGES
    await message.delete()
    assert posted.gone


def row(*parts: dict[str, object]) -> list[dict[str, object]]:
    return [{"type": 1, "components": list(parts)}]


def button(**more: object) -> dict[str, object]:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": "go", **more}


def select(**more: object) -> dict[str, object]:
    return {"type": 3, "custom_id": "who", "options": [{"label": "A", "value": "a"}], **more}


@pytest.mark.parametrize(
    "components",
    [
        [part for number in range(6) for part in row(button(custom_id=str(number)))],
        row(*(button(custom_id=str(number)) for number in range(6))),
        row(button(), select()),
        row(button(), button()),
        row(button(custom_id="x" * 101)),
        row(button(label="x" * 81)),
        row(button(label="")),
        row(button(style=5)),
        row(select(options=[])),
        row(select(options=[{"label": str(number), "value": str(number)} for number in range(26)])),
        row(select(options=[{"label": "x" * 101, "value": "a"}])),
        row(select(options=[{"label": "a", "value": "a", "description": "x" * 101}])),
        row(select(options=[{"label": "a", "value": "a"}, {"label": "b", "value": "a"}])),
        row(select(max_values=2)),
        row(),
        [{"type": 10, "content": "a text without the flag"}],
    ],
)
async def test_components_that_are_refused(
    loopback: LoopbackDiscord, channel: discord.TextChannel, components: list[dict[str, object]]
) -> None:
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"content": "hi", "components": components, "allowed_mentions": {"parse": []}}
    with pytest.raises(discord.HTTPException) as refused:
        await channel._state.http.request(route, json=body)
    assert refused.value.code == 50035
    assert loopback.rest.violations
    loopback.rest.violations.clear()


@pytest.mark.parametrize(
    ("components", "content"),
    [
        ([{"type": 10, "content": "x"}] * 41, None),
        ([{"type": 10, "content": "x" * 2001}] * 2, None),
        ([{"type": 10, "content": "x"}], "and content"),
        ([{"type": 12, "items": [{"media": {"url": "attachment://missing.png"}}]}], None),
        ([], None),
    ],
)
async def test_layouts_that_are_refused(
    loopback: LoopbackDiscord,
    channel: discord.TextChannel,
    components: list[dict[str, object]],
    content: str | None,
) -> None:
    route = discord.http.Route("POST", "/channels/{channel_id}/messages", channel_id=channel.id)
    body = {"components": components, "flags": 1 << 15, "allowed_mentions": {"parse": []}}
    with pytest.raises(discord.HTTPException):
        await channel._state.http.request(route, json=body if content is None else {**body, "content": content})
    loopback.rest.violations.clear()


async def test_a_layout_with_pictures(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Section(ui.TextDisplay("A face"), accessory=ui.Thumbnail("attachment://a.png")))
    view.add_item(ui.MediaGallery(discord.MediaGalleryItem("attachment://a.png")))
    view.add_item(ui.Separator())
    await channel.send(view=view, file=discord.File(BytesIO(PNG), "a.png"))
    said = await loopback.next_answer()
    assert said.text == "A face"
    assert str(said.files[0].id) == said.components[1]["items"][0]["media"]["attachment_id"]


async def test_faults_of_webhooks_are_survived(loopback: LoopbackDiscord, channel: discord.TextChannel) -> None:
    hook = await channel.create_webhook(name="x")
    loopback.fail_next("POST", r"/webhooks/\d+/", 429)
    await hook.send("Hello")
    loopback.fail_next("POST", r"/webhooks/\d+/", 503)
    await hook.send("Hello")
    assert [(await loopback.next_answer()).content for _ in range(2)] == ["Hello", "Hello"]
