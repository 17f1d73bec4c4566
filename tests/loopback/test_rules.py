"""What the loopback Discord notices of a bot's answers, commands and forms: every rule can fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import app_commands

from tests.loopback import commands, exchange, modals
from tests.loopback.pictures import picture
from tests.loopback.rules import Malformed
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot


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


async def test_an_answer_that_comes_too_late(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    loopback.rest.interactions.deadline = 0.1
    done = await loopback.slash(loopback.ada, loopback.room, "slow", seconds=0.2)
    assert done.kind == "late"
    assert done.messages == []
    assert "later than 0.1 s" in loopback.rest.violations[0]
    assert "Unknown interaction" in loopback.rest.refusals[0]


async def test_no_answer_at_all(loopback: LoopbackDiscord, bot: SmallBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "PATIENCE", 0.1)
    with pytest.raises(AssertionError, match="never answered /slow"):
        await loopback.slash(loopback.ada, loopback.room, "slow", seconds=1.0)
    assert loopback.rest.violations == ["/slow was never answered"]


async def test_a_double_answer(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    await loopback.slash(loopback.ada, loopback.room, "slow", twice=True)
    await loopback.until(lambda: loopback.rest.violations)
    assert loopback.rest.violations == ["/slow was answered twice"]
    assert "already been acknowledged" in loopback.rest.refusals[0]


async def test_a_token_that_has_expired(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    loopback.rest.interactions.token_life = 0.0
    photo = await loopback.post(loopback.room, loopback.ada, "!")
    await loopback.menu(loopback.ada, loopback.room, "Pat it", photo)
    await loopback.until(lambda: loopback.rest.violations)
    assert "expired" in loopback.rest.violations[0]


async def test_a_follow_up_that_is_not_as_secret_as_the_bot_thinks(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "pet think", how="followup")
    assert done.message
    assert (done.text, done.message.ephemeral) == ("Thought.", False)
    assert "shown to everybody" in loopback.rest.violations[0]


@pytest.mark.parametrize(("installed", "violations"), [("guild", 0), ("both", 0), ("user", 1)])
async def test_where_the_bot_is_no_member_five_follow_ups_are_allowed(
    loopback: LoopbackDiscord, bot: SmallBot, installed: str, violations: int
) -> None:
    photo = await loopback.post(loopback.room, loopback.ada, "!!!!!!")
    done = await loopback.menu(loopback.ada, loopback.room, "Pat it", photo, installed=installed)
    for _ in range(5):
        await done.more()
    await loopback.until(
        lambda: (
            len(loopback.rest.violations) == violations
            and any(path.endswith("/callback") for _, path in loopback.rest.requests)
        )
    )
    assert len([line for line in loopback.rest.violations if "more than 5 follow-ups" in line]) == violations


async def test_an_answer_with_a_ping_or_a_wrong_button_is_noticed(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    @bot.tree.command(description="Ping everybody.")
    async def ping(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("@everyone", allowed_mentions=discord.AllowedMentions.all())

    @bot.tree.command(description="Say too much.")
    async def shout(interaction: discord.Interaction) -> None:
        try:
            await interaction.response.send_message("x" * 2001)
        except discord.HTTPException:
            await interaction.response.send_message("x")

    await bot.tree.sync()
    await loopback.slash(loopback.ada, loopback.room, "ping")
    assert "may ping people" in loopback.rest.violations[0]
    assert (await loopback.slash(loopback.ada, loopback.room, "shout")).text == "x"
    assert any("2000 or fewer" in violation for violation in loopback.rest.violations)


async def test_completion_with_too_many_choices(
    loopback: LoopbackDiscord, bot: SmallBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    @bot.tree.command(description="Choose.")
    async def choose(interaction: discord.Interaction, one: str) -> None:
        await interaction.response.send_message(one)

    @choose.autocomplete("one")
    async def many(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{count} {typed}", value=str(count)) for count in range(26)]

    await bot.tree.sync()
    monkeypatch.setattr(exchange, "PATIENCE", 0.3)
    with pytest.raises(AssertionError, match="never answered"):
        await loopback.complete(loopback.ada, loopback.room, "choose", focused="one")
    assert any("25 or fewer" in violation for violation in loopback.rest.violations)


def chat(name: str = "pet", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "A pet", "type": 1, **more}


def option(name: str = "kind", kind: int = 3, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "An option", "type": kind, **more}


def menu(name: str) -> dict[str, Any]:
    return {"name": name, "type": 3}


CHOICE = {"name": "Fish", "value": "f"}


@pytest.mark.parametrize(
    "registered",
    [
        [chat("Pet")],
        [chat("pet food")],
        [chat("")],
        [chat("x" * 33)],
        [chat(name_localizations={"zh-CN": "两 个"})],
        [chat(name_localizations={"xx": "pet"})],
        [chat(description="")],
        [chat(description="x" * 101)],
        [chat(description_localizations={"zh-CN": "x" * 101})],
        [chat(), chat()],
        [chat(f"pet{count}") for count in range(101)],
        [menu(f"Pet {count}") for count in range(6)],
        [menu("x" * 33)],
        [{**menu("Pet"), "description": "A pet"}],
        [chat(options=[option(f"o{count}") for count in range(26)])],
        [chat(options=[option(), option()])],
        [chat(options=[option("a"), option("b", required=True)])],
        [chat(options=[option("a"), option("b", 1)])],
        [chat(options=[option("a", 2, options=[option("b", 2)])])],
        [chat(options=[option("a", 1, options=[option("b", 1)])])],
        [chat(options=[option(choices=[CHOICE] * 26)])],
        [chat(options=[option(choices=[CHOICE], autocomplete=True)])],
        [chat(options=[option(choices=[{"name": "x" * 101, "value": "f"}])])],
        [chat(options=[option(choices=[{"name": "x", "value": "f" * 101}])])],
        [
            chat(
                options=[
                    option(f"o{count}", choices=[{"name": "x" * 100, "value": "f" * 100}] * 2) for count in range(20)
                ]
            )
        ],
        [chat(default_member_permissions="many")],
        [chat(contexts=[0, 3])],
        [chat(contexts=[0, 0])],
        [chat(integration_types=[2])],
    ],
)
def test_commands_that_are_refused(registered: list[dict[str, Any]]) -> None:
    with pytest.raises(Malformed):
        commands.check(registered)


def test_commands_that_are_registered() -> None:
    inner = option("feed", 1, options=[option("name", required=True, autocomplete=True), option(choices=[CHOICE])])
    group = option("more", 2, options=[option("walk", 1)])
    places: dict[str, Any] = {"contexts": [0, 1, 2], "integration_types": [0, 1], "default_member_permissions": 32}
    translated: dict[str, Any] = {
        "name_localizations": {"zh-CN": "宠物"},
        "description_localizations": {"zh-CN": "一只宠物"},
    }
    commands.check([chat(options=[inner, group], **places, **translated), menu("Make it talk"), chat("pet-2")])


async def test_a_refused_command_is_noticed(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    route = discord.http.Route("PUT", "/applications/{app}/commands", app=bot.application_id)
    with pytest.raises(discord.HTTPException, match="name is invalid"):
        await bot.http.request(route, json=[chat("Pet")])
    assert loopback.rest.violations


def field(kind: int = 4, **more: Any) -> dict[str, Any]:
    return {"type": kind, "custom_id": "field", **({"style": 1} if kind == 4 else {}), **more}


def label(component: dict[str, Any], text: str = "Name", **more: Any) -> dict[str, Any]:
    return {"type": 18, "label": text, "component": component, **more}


OPTIONS = [{"label": "a", "value": "a"}, {"label": "b", "value": "b"}]


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "x" * 46},
        {"title": ""},
        {"custom_id": "x" * 101},
        {"components": []},
        {"components": [label(field(custom_id=str(count))) for count in range(6)]},
        {"components": [label(field(), "x" * 46)]},
        {"components": [label(field(), description="x" * 101)]},
        {"components": [label(field()), label(field())]},
        {"components": [field()]},
        {"components": [label(field(min_length=5, max_length=4))]},
        {"components": [label(field(max_length=4001))]},
        {"components": [label(field(max_length=4, value="Robert"))]},
        {"components": [label(field(placeholder="x" * 101))]},
        {"components": [label(field(3, options=[]))]},
        {"components": [label(field(21, options=OPTIONS[:1]))]},
        {"components": [label(field(22, options=[{"label": str(count), "value": str(count)} for count in range(11)]))]},
    ],
)
def test_forms_that_are_refused(changes: dict[str, Any]) -> None:
    whole = {"title": "Name it", "custom_id": "form", "components": [label(field())]}
    modals.check(whole)
    with pytest.raises(Malformed):
        modals.check({**whole, **changes})


async def test_a_form_cannot_answer_a_form_and_only_buttons_change_messages(
    loopback: LoopbackDiscord, bot: SmallBot
) -> None:
    @bot.tree.command(description="Answer wrongly.")
    async def wrong(interaction: discord.Interaction) -> None:
        route = discord.http.Route("POST", f"/interactions/{interaction.id}/{interaction.token}/callback")
        with pytest.raises(discord.HTTPException, match="cannot answer"):
            await bot.http.request(route, json={"type": 7, "data": {"content": "x", "allowed_mentions": {"parse": []}}})
        await interaction.response.send_message("right")

    await bot.tree.sync()
    assert (await loopback.slash(loopback.ada, loopback.room, "wrong")).text == "right"


async def test_files_of_commands_can_be_read_but_not_those_of_deleted_messages(
    loopback: LoopbackDiscord, bot: SmallBot
) -> None:
    posted = await loopback.post(loopback.room, loopback.ada, files=[("a.png", picture())])
    await loopback.until(lambda: bot.seen)
    attachment = bot.seen[0].attachments[0]
    assert await attachment.read() == posted.files[0].data
    await loopback.delete(posted)
    with pytest.raises(discord.NotFound):
        await attachment.read()
