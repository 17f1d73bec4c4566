"""Commands, menus, buttons and forms on the loopback Discord, with a bot made for that."""

from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest

from tests.loopback.offers import NotOffered
from tests.loopback.permissions import EVERYBODY, MANAGE_GUILD, USE_APPLICATION_COMMANDS
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.small_bot import SmallBot


@pytest.fixture
async def bot(loopback: LoopbackDiscord) -> AsyncIterator[SmallBot]:
    """Give a small bot that is connected; whatever it does must be right in the end, see tests/conftest.py."""
    client = SmallBot()
    async with loopback.connected(client):
        yield client


async def test_a_slash_command_with_every_kind_of_option(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(
        loopback.ada,
        loopback.room,
        "pet feed",
        name="rex",
        kind_of="Hay",
        much=3,
        whom=loopback.ben,
        photo=("a.png", b"123"),
    )
    assert (done.kind, done.ephemeral) == ("message", False)
    assert done.text == "rex eats 3 h of ben with 3 bytes (en-US)"
    assert done.message
    assert done.message.channel is loopback.room
    await loopback.silence(0.05)


async def test_commands_are_known_by_the_names_of_the_users_language(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "宠物 喂", name="rex", kind_of="f", locale="zh-CN")
    assert done.text.endswith("(zh-CN)")
    assert done.label == "/宠物 喂"
    with pytest.raises(NotOffered, match="no command"):
        await loopback.slash(loopback.ada, loopback.room, "宠物 喂", name="rex", kind_of="f")


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({"name": "rex"}, "without"),
        ({"name": "rex", "kind_of": "meat"}, "does not offer"),
        ({"name": "x", "kind_of": "f"}, "does not take"),
        ({"name": "rex", "kind_of": "f", "much": 6}, "does not take"),
        ({"name": "rex", "kind_of": "f", "much": "3"}, "does not take"),
        ({"name": "rex", "kind_of": "f", "colour": "red"}, "no option"),
    ],
)
async def test_options_that_discords_client_would_not_send(
    loopback: LoopbackDiscord, bot: SmallBot, options: dict[str, Any], refusal: str
) -> None:
    with pytest.raises(NotOffered, match=refusal):
        await loopback.slash(loopback.ada, loopback.room, "pet feed", **options)


async def test_unknown_commands_and_half_commands_are_not_offered(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    for typed in ("pet", "pet sell", "cat", "pet feed twice"):
        with pytest.raises(NotOffered):
            await loopback.slash(loopback.ada, loopback.room, typed)
    photo = await loopback.post(loopback.room, loopback.ada, "hi")
    with pytest.raises(NotOffered):
        await loopback.menu(loopback.ada, loopback.room, "Kick it", photo)


async def test_completion_offers_what_the_bot_says(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    offered = await loopback.complete(loopback.ada, loopback.room, "pet feed", focused="name", typed="r")
    assert offered == [("Rex", "rex"), ("Rover", "rover")]
    with pytest.raises(NotOffered, match="does not complete"):
        await loopback.complete(loopback.ada, loopback.room, "pet feed", focused="kind_of", typed="r")


async def test_commands_follow_permissions(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    with pytest.raises(NotOffered, match="Ada lacks the permissions"):
        await loopback.slash(loopback.ada, loopback.room, "name")


async def test_deferred_answers_and_what_follows(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "pet think")
    assert (done.kind, done.ephemeral, done.text) == ("deferred", True, "Thought.")
    more = await done.more()
    assert more
    assert (more.content, more.ephemeral) == ("More 0.", True)
    assert [message.content for message in done.messages] == ["Thought.", "More 0."]
    assert bot.seen == []
    gone = await loopback.slash(loopback.ada, loopback.room, "pet think", how="forget")
    assert gone.message
    assert gone.message.gone


async def test_files_of_an_answer_are_kept(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "pet think", how="file")
    [file] = done.files
    assert (file.name, file.description) == ("a.txt", "words")
    assert b"SmallBot" in file.data


async def test_a_message_menu_and_a_layout(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    photo = await loopback.post(loopback.room, loopback.ben, "look", files=[("me.jpg", picture())])
    done = await loopback.menu(loopback.ada, loopback.room, "Pat it", photo)
    assert done.text.startswith("Patted ben: look [")
    assert not done.text.endswith("[0]")
    other = await loopback.menu(loopback.ada, loopback.room, "摸摸它", photo, locale="zh-CN")
    assert other.label == "摸摸它"


async def test_buttons_and_menus_under_a_message(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    fed = await loopback.slash(loopback.ada, loopback.room, "pet feed", name="rex", kind_of="f")
    assert fed.message
    pressed = await loopback.press(loopback.ben, fed.message, "Again")
    assert (pressed.kind, pressed.text) == ("update", "Again, 1 times.")
    assert pressed.message is fed.message
    await loopback.press(loopback.ben, fed.message, "again:1")
    assert fed.message.content == "Again, 2 times."
    with pytest.raises(NotOffered, match="no menu"):
        await loopback.select(loopback.ben, fed.message, "Who?", "Ann")
    fresh = await loopback.slash(loopback.ada, loopback.room, "pet feed", name="rex", kind_of="f")
    assert fresh.message
    for wrong in (["Ann", "Bob"], "Cleo"):
        with pytest.raises(NotOffered):
            await loopback.select(loopback.ben, fresh.message, "Who?", wrong)
    chosen = await loopback.select(loopback.ben, fresh.message, "Who?", "Ann")
    assert chosen.kind == "deferred_update"
    said = await chosen.more()
    assert said
    assert (said.content, said.only_for) == ("You want ann.", loopback.ben)


async def test_a_dynamic_button_survives_a_restart(loopback: LoopbackDiscord) -> None:
    async with loopback.connected(SmallBot()):
        fed = await loopback.slash(loopback.ada, loopback.room, "pet feed", name="rex", kind_of="f")
    assert fed.message
    async with loopback.connected(SmallBot()):
        assert (await loopback.press(loopback.ada, fed.message, "Again")).text == "Again, 1 times."


async def test_a_form_is_filled_in(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    opened = await loopback.slash(loopback.ada, loopback.room, "name")
    assert opened.kind == "modal"
    assert opened.modal
    values = {"Name": "Rex", "Voice": "pirate", "Mood": "wild", "Traits": ["grumpy", "old"], "Avatar": ("a.png", b"12")}
    done = await loopback.submit(opened, values)
    assert (done.text, done.ephemeral) == ("Rex; pirate; wild; g; o; a.png of 2 bytes", True)


@pytest.mark.parametrize(
    "values",
    [
        {"Voice": "pirate"},
        {"Name": "A much too long name", "Voice": "pirate"},
        {"Name": "Rex"},
        {"Name": "Rex", "Voice": "opera"},
        {"Name": "Rex", "Voice": "plain", "Traits": ["grumpy", "silly", "old"]},
        {"Name": "Rex", "Voice": "plain", "Avatar": [("a.png", b""), ("b.png", b"")]},
        {"Name": "Rex", "Voice": "plain", "Height": "tall"},
    ],
)
async def test_forms_that_discords_client_would_not_send(
    loopback: LoopbackDiscord, bot: SmallBot, values: dict[str, Any]
) -> None:
    loopback.world.admins.add(loopback.ada)
    opened = await loopback.slash(loopback.ada, loopback.room, "name")
    with pytest.raises(NotOffered):
        await loopback.submit(opened, values)


async def test_nobody_presses_what_only_somebody_else_sees(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    secret = await loopback.slash(loopback.ada, loopback.room, "pet think")
    assert secret.message
    with pytest.raises(NotOffered, match="Ben does not see"):
        await loopback.menu(loopback.ben, loopback.room, "Pat it", secret.message)


async def test_who_may_not_use_commands_is_not_offered_any(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    loopback.world.permissions[loopback.ben] = EVERYBODY & ~USE_APPLICATION_COMMANDS
    with pytest.raises(NotOffered, match="may not use commands"):
        await loopback.slash(loopback.ben, loopback.room, "pet think")


async def test_rate_limits_and_server_errors_of_interactions_are_survived(
    loopback: LoopbackDiscord, bot: SmallBot
) -> None:
    loopback.fail_next("POST", "/callback$", 429)
    assert (await loopback.slash(loopback.ada, loopback.room, "slow")).text == "At last."
    loopback.fail_next("PATCH", "/messages/@original$", 502)
    assert (await loopback.slash(loopback.ada, loopback.room, "pet think")).text == "Thought."


async def test_requests_are_counted(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    before = sum(loopback.rest.operations.values())
    await loopback.slash(loopback.ada, loopback.room, "slow")
    assert sum(loopback.rest.operations.values()) == before + 1
    assert loopback.rest.report() == f"{before + 1} REST requests checked, 0 violations"


async def test_follow_ups_and_answers_can_be_edited_and_deleted(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    @bot.tree.command(description="Change your mind.")
    async def waver(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("first", ephemeral=True)
        second = await interaction.followup.send("second", ephemeral=True, wait=True)
        await second.edit(content="third")
        await interaction.edit_original_response(content="fourth")
        await second.delete()

    await bot.tree.sync()
    done = await loopback.slash(loopback.ada, loopback.room, "waver")
    seen = [await done.more() for _ in range(4)]
    assert [message.text if message else None for message in seen[:3]] == ["third", "third", "fourth"]
    assert seen[3] is None
    assert [message.gone for message in done.messages] == [False, True]


async def test_a_deferred_answer_may_be_mended_after_a_refusal(bot: SmallBot, loopback: LoopbackDiscord) -> None:
    @bot.tree.command(description="Say too much.")
    async def mend(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        try:
            await interaction.edit_original_response(content="x" * 2001)
        except discord.HTTPException:
            await interaction.edit_original_response(content="x")

    await bot.tree.sync()
    done = await loopback.slash(loopback.ada, loopback.room, "mend")
    assert done.text == "x"
    assert any("2000 or fewer" in violation for violation in loopback.rest.violations)
    loopback.rest.violations.clear()


async def test_people_can_be_chosen_in_a_menu(loopback: LoopbackDiscord, bot: SmallBot) -> None:
    class Friend(discord.ui.UserSelect[Any]):
        async def callback(self, interaction: discord.Interaction) -> None:
            await interaction.response.send_message(f"Your friend is {self.values[0].name}.", ephemeral=True)

    view = discord.ui.View()
    view.add_item(Friend(placeholder="Who?"))
    channel = bot.get_channel(loopback.room.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.send("Choose.", view=view)
    said = await loopback.next_answer()
    done = await loopback.select(loopback.ada, said, "Who?", loopback.ben)
    assert done.text == "Your friend is ben."
