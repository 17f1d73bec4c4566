"""Smaller limits and refusals of the loopback Discord: each of them can fail."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import discord
import pytest
from discord.http import Route

from tests.loopback import components, modals, offers, rules, webhooks
from tests.loopback.exchange import COMMAND, Exchange
from tests.loopback.messages import File
from tests.loopback.offers import NotOffered
from tests.loopback.rest import Fault, faulty
from tests.loopback.rules import Malformed, Refused
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot
from tests.loopback.transcript import drawn
from tests.loopback.world import READ_MESSAGE_HISTORY, SEND_MESSAGES, VIEW_CHANNEL

NONE: dict[str, Any] = {"parse": []}


@pytest.fixture
async def loopback() -> AsyncIterator[LoopbackDiscord]:
    """Give a Discord whose complaints are the point of the test."""
    async with LoopbackDiscord() as server:
        yield server


@pytest.fixture
async def bot(loopback: LoopbackDiscord) -> AsyncIterator[SmallBot]:
    client = SmallBot()
    async with loopback.connected(client):
        yield client


@pytest.mark.parametrize(
    "part",
    [
        {"type": 3, "custom_id": "a", "options": [{"label": "a", "value": "a"}], "min_values": 2},
        {"type": 3, "custom_id": "a", "options": [{"label": c, "value": c, "default": True} for c in "ab"]},
        {"type": 5, "custom_id": "a", "max_values": 26},
        {"type": 5, "custom_id": "a", "placeholder": "x" * 151},
        {"type": 9, "components": [], "accessory": {"type": 2, "style": 1, "label": "a", "custom_id": "b"}},
        {"type": 12, "items": []},
        {"type": 12, "items": [{"media": {"url": "https://example.org/a.png"}}] * 11},
    ],
)
def test_controls_and_pictures_that_are_refused(part: dict[str, Any]) -> None:
    layout = part["type"] > 8
    whole = [part] if layout else [{"type": 1, "components": [part]}]
    with pytest.raises(Malformed):
        components.check_message({"components": whole, "content": "", "flags": 1 << 15 if layout else 0})


@pytest.mark.parametrize("name", ["everyone", " here ", "", "   "])
def test_names_that_mean_something_else(name: str) -> None:
    with pytest.raises(Malformed):
        webhooks.check_name(name)


def test_avatars_of_ten_megabytes() -> None:
    data = discord.utils._bytes_to_base64_data(b"\x89PNG\r\n\x1a\n" + bytes(10 * 2**20))
    with pytest.raises(Malformed, match="larger"):
        webhooks.picture(data)


async def post(bot: SmallBot, channel_id: int, body: dict[str, Any], *files: bytes) -> Any:
    parts = [discord.File(BytesIO(data), f"{number}.txt") for number, data in enumerate(files)]
    if not parts:
        return await bot.http.request(Route("POST", "/channels/{id}/messages", id=channel_id), json=body)
    with discord.http.handle_message_parameters(content="x", files=parts) as params:
        return await bot.http.send_message(channel_id, params=params)


async def test_too_many_and_too_large_files(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    for files, refusal in (([b"x"] * 11, "10 files"), ([bytes(9 * 2**20)] * 3, "too large")):
        with pytest.raises(discord.HTTPException, match=refusal):
            await post(bot, loopback.room.id, {}, *files)
    assert len(loopback.rest.violations) >= 2


async def test_an_edit_cannot_keep_files_that_are_not_there(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    sent = await post(bot, loopback.room.id, {"content": "hi", "allowed_mentions": NONE})
    route = Route("PATCH", "/channels/{id}/messages/{message}", id=loopback.room.id, message=sent["id"])
    with pytest.raises(discord.HTTPException, match="has not"):
        await bot.http.request(route, json={"attachments": [{"id": "1234567890123456789"}]})
    with pytest.raises(discord.HTTPException, match="empty message"):
        await bot.http.request(route, json={"content": "", "allowed_mentions": NONE})


async def test_places_where_the_bot_may_not_look_or_write(loopback: LoopbackDiscord) -> None:
    bits = {"unseen": VIEW_CHANNEL, "silent": SEND_MESSAGES, "without past": READ_MESSAGE_HISTORY}
    places = {name: loopback.world.add_channel(name, denied=bit) for name, bit in bits.items()}
    posted = {name: await loopback.post(place, loopback.ada, "hi") for name, place in places.items()}
    client = SmallBot()
    async with loopback.connected(client):
        for name, code in (("unseen", 50001), ("silent", 50013), ("without past", 160002)):
            reply = {"message_id": str(posted[name].id)}
            body = {"content": "hi", "allowed_mentions": NONE, "message_reference": reply}
            with pytest.raises(discord.Forbidden) as refused:
                await post(client, places[name].id, body)
            assert refused.value.code == code
        for route in (
            Route("GET", "/channels/{id}/messages/{m}", id=loopback.room.id, m=posted["silent"].id),
            Route("GET", "/channels/{id}", id=1234567890123456789),
            Route("GET", "/webhooks/{id}/{t}", id=1234567890123456789, t="wrong"),
        ):
            with pytest.raises(discord.NotFound):
                await client.http.request(route)
        with pytest.raises(discord.HTTPException):
            await client.http.start_private_message(loopback.other_bot.id)
    assert loopback.rest.violations == []


async def test_foreign_and_wrong_webhooks(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    hook = loopback.world.add_webhook(loopback.room, "of Ada", loopback.ada)
    other = loopback.world.add_webhook(loopback.room, "of another bot", loopback.other_bot)
    shown = await bot.http.channel_webhooks(loopback.room.id)
    assert [("token" in one) for one in shown] == [True, False]
    button = {"type": 1, "components": [{"type": 2, "style": 1, "label": "a", "custom_id": "a"}]}
    body = {"content": "x", "components": [button], "allowed_mentions": NONE}
    with pytest.raises(discord.HTTPException, match="application itself"):
        await bot.http.request(Route("POST", "/webhooks/{id}/{t}", id=hook.id, t=hook.token), json=body)
    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.request(Route("POST", "/webhooks/{id}/{t}", id=other.id, t="wrong"), json={"content": "x"})
    assert refused.value.code == 50027
    thread = await loopback.start_thread(loopback.room, "talk")
    with pytest.raises(discord.HTTPException) as refused:
        await bot.http.create_webhook(thread.id, name="x")
    assert refused.value.code == 50024


async def test_interactions_that_do_not_exist_or_are_not_answered_yet(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    asked = Exchange(COMMAND, loopback.ada, loopback.room, "en-US", {}, {"type": 1}, "/test")
    loopback.rest.interactions.open(asked)
    body = {"content": "x", "allowed_mentions": NONE}
    app = loopback.world.bot.id
    with pytest.raises(discord.NotFound, match="Unknown Webhook"):
        await bot.http.request(Route("POST", "/webhooks/{app}/{t}", app=app, t=asked.token), json=body)
    assert loopback.rest.violations == ["/test was continued before it was answered"]
    with pytest.raises(discord.NotFound, match="Unknown Webhook"):
        await bot.http.request(Route("POST", "/webhooks/{app}/{t}", app=app, t="unknown"), json=body)
    route = Route("POST", "/interactions/{i}/{t}/callback", i=app, t=asked.token)
    with pytest.raises(discord.NotFound, match="Unknown interaction"):
        await bot.http.request(route, json={"type": 4, "data": body})
    await bot.http.request(
        Route("POST", "/interactions/{i}/{t}/callback", i=asked.id, t=asked.token), json={"type": 4, "data": body}
    )
    with pytest.raises(discord.NotFound, match="Unknown Message"):
        await bot.http.request(Route("GET", "/webhooks/{app}/{t}/messages/{m}", app=app, t=asked.token, m=app))
    again = await bot.http.request(Route("GET", "/webhooks/{app}/{t}/messages/@original", app=app, t=asked.token))
    assert again["content"] == "x"


async def test_commands_of_somebody_else(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    with pytest.raises(discord.Forbidden):
        await bot.http.get_global_commands(loopback.room.id)
    with pytest.raises(discord.Forbidden):
        await bot.http.get_guild_commands(loopback.world.bot.id, loopback.room.id)


async def test_commands_of_one_server_are_only_there(loopback: LoopbackDiscord) -> None:
    second = loopback.world.add_guild("Second")
    there = loopback.world.add_channel("there", guild=second)
    client = SmallBot()
    async with loopback.connected(client):

        @client.tree.command(description="Only here.", guild=discord.Object(second.id))
        async def local(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("here")

        await client.tree.sync(guild=discord.Object(second.id))
        assert (await loopback.slash(loopback.ada, there, "local")).text == "here"
        with pytest.raises(NotOffered, match="no command"):
            await loopback.slash(loopback.ada, loopback.room, "local")


async def test_buttons_that_cannot_be_pressed(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    buttons = [
        {"type": 2, "style": 1, "label": "Off", "custom_id": "off", "disabled": True},
        {"type": 2, "style": 5, "label": "Link", "url": "https://example.org"},
        {"type": 2, "style": 1, "emoji": {"name": "🗑️", "id": None}, "custom_id": "bin"},
    ]
    row = [{"type": 1, "components": buttons}]
    await post(bot, loopback.room.id, {"content": "hi", "components": row, "allowed_mentions": NONE})
    said = await loopback.next_answer()
    assert list(drawn(said.components)) == ["[Off] (off) [Link] [🗑️]"]
    for which in ("Off", "Link", "Other"):
        with pytest.raises(NotOffered):
            await loopback.press(loopback.ada, said, which)
    await loopback.delete(said)
    with pytest.raises(NotOffered, match="deleted"):
        await loopback.press(loopback.ada, said, "🗑️")


async def test_there_is_no_form_to_send(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    with pytest.raises(NotOffered, match="opened no form"):
        await loopback.submit(await loopback.slash(loopback.ada, loopback.room, "slow"), {})


async def test_waiting_for_what_does_not_come(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "pet think")
    with pytest.raises(AssertionError, match="More 0"):
        await done.nothing_more()
    await done.nothing_more(0.05)


@pytest.mark.parametrize(
    ("changes", "installed", "place"),
    [
        ({"contexts": [1]}, "guild", "room"),
        ({"contexts": [0]}, "guild", "direct"),
        ({"integration_types": [1]}, "guild", "room"),
        ({"integration_types": [0]}, "both", "room"),
        ({"nsfw": True}, "guild", "room"),
        ({"default_member_permissions": "0"}, "guild", "room"),
    ],
)
def test_places_where_a_command_is_not_offered(changes: dict[str, Any], installed: str, place: str) -> None:
    server = LoopbackDiscord()
    command = {"name": "pet", "contexts": None, "integration_types": [0, 1], "default_member_permissions": None}
    channel = server.room if place == "room" else server.world.direct(server.ada)
    offers.check_place(command, server.ada, channel, installed)
    with pytest.raises(NotOffered):
        offers.check_place({**command, **changes}, server.ada, channel, installed)
    server.world.admins.add(server.ada)
    if "default_member_permissions" in changes:
        offers.check_place({**command, **changes}, server.ada, channel, installed)


@pytest.mark.parametrize(("kind", "value"), [(5, "yes"), (6, "Ada"), (7, "room"), (10, "1.5"), (3, 4)])
def test_values_of_the_wrong_kind(kind: int, value: object) -> None:
    path = [{"name": "pet", "type": 1, "options": [{"name": "it", "type": kind}]}]
    with pytest.raises(NotOffered):
        offers.fill(path, {"it": value}, "en-US")


def test_a_channel_and_a_check_box_are_sent_with_what_belongs_to_them() -> None:
    server = LoopbackDiscord()
    path = [{"name": "pet", "type": 1, "id": "1", "options": [{"name": "it", "type": 7}]}]
    choice = offers.fill(path, {"it": server.room}, "en-US")
    assert choice.data()["resolved"]["channels"][str(server.room.id)]["name"] == "photos"
    box = {"type": 18, "id": 1, "label": "Sure?", "component": {"type": 23, "id": 2, "custom_id": "sure"}}
    row = {"type": 4, "id": 4, "custom_id": "old", "label": "Old", "required": False, "style": 1}
    form = {"title": "t", "custom_id": "f", "components": [box, {"type": 1, "id": 3, "components": [row]}]}
    sent = modals.Filling(form, {"Sure?": True, "Old": "way"}).answer()["components"]
    assert sent[0]["component"]["value"] is True
    assert sent[1]["components"][0]["value"] == "way"


def test_layouts_are_drawn_line_by_line() -> None:
    files = (File("a.png", b""),)
    media = {"url": "attachment://a.png"}
    button = {"type": 2, "style": 1, "label": "Go", "custom_id": "go"}
    parts = [
        {"type": 9, "components": [{"type": 10, "content": "one\ntwo"}], "accessory": {"type": 11, "media": media}},
        {"type": 9, "components": [{"type": 10, "content": "three"}], "accessory": button},
        {"type": 17, "components": [{"type": 12, "items": [{"media": media}]}, {"type": 13, "file": media}]},
    ]
    shown = components.shown(parts, files, "http://cdn")
    assert list(drawn(shown)) == ["one", "two", "[a.png]", "three", "[Go]", "[a.png]", "[a.png]"]
    ids = [part["id"] for part in components.walk(shown)]
    assert len(set(ids)) == len(ids)


def test_operations_have_names_without_the_description() -> None:
    path = "/webhooks/1234567890123/interaction-token-1234567890123/messages/@original"
    assert rules.template("PATCH", path) == "PATCH /webhooks/{id}/{token}/messages/@original"


def test_rate_limits_say_when_to_come_back() -> None:
    limited = faulty(Fault("POST", "x", 429, 0.5))
    assert (limited.status, limited.headers["Retry-After"]) == (429, "1")
    assert faulty(Fault("POST", "x", 503)).status == 503


def test_a_mistake_of_the_bot_is_told_apart_from_bad_luck() -> None:
    assert Malformed("x").status == 400
    assert not isinstance(Refused(404, 10008, "Unknown Message"), Malformed)
