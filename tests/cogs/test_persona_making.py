"""/persona on the loopback Discord: make, change and delete characters; what was typed is never lost."""

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import Persona
from tests.cogs.persona_steps import CHINESE, PIRATE, WholeCast, buttons, chosen, create, fields, only, shown
from tests.loopback.permissions import EVERYBODY, MANAGE_GUILD
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord


@pytest.fixture
def engine() -> WholeCast:
    return WholeCast()


async def test_create_keeps_a_character_and_offers_to_go_on(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    opened = await loopback.slash(loopback.ada, loopback.room, "persona create")
    assert fields(opened) == {
        "Name": None, "Voice": ["The one in the photo"], "Traits, up to three": [], "Catchphrase": None,
        "Greeting": None,
    }  # fmt: skip
    values = {"Name": "Old *Salt*", "Voice": "Pirate", "Traits, up to three": ["grumpy"], "Catchphrase": "Arr!"}
    summary = shown(await loopback.submit(opened, {**values, "Greeting": "Ahoy\n@everyone"}))
    assert summary.content == (
        "This is a character of yours now:\n"
        "**Old \\*Salt\\***: Pirate, grumpy\nCatchphrase: Arr!\nGreeting: Ahoy @everyone"
    )
    assert buttons(summary) == ["Use it", "Likes, description and picture"]
    kept = await only(bot, loopback.ada)
    assert (kept.name, kept.voice, kept.traits, kept.catchphrase) == ("Old *Salt*", "pirate", ("grumpy",), "Arr!")
    used = await loopback.press(loopback.ada, summary, "Use it")
    assert shown(used).content == "Old \\*Salt\\* is chosen for you alone now."
    assert await chosen(bot, loopback, loopback.ada) == "Old \\*Salt\\*"
    opened = await loopback.press(loopback.ada, summary, "Likes, description and picture")
    values = {
        "Likes": "rum\n\n  sea shanties ", "Description": "Lost a leg.",
        "Talkativeness": "Talkative: often speaks up in a group", "Picture": ("me.jpg", picture()),
    }  # fmt: skip
    done = await loopback.submit(opened, values)
    assert done.kind == "deferred_update"
    await done.more()
    assert summary.content.startswith("Saved.\n")
    assert "Likes: rum, sea shanties\nAbout: Lost a leg.\nTalkative: often speaks up in a group" in summary.content
    kept = await only(bot, loopback.ada)
    assert (kept.likes, kept.description, kept.talkativeness) == (("rum", "sea shanties"), "Lost a leg.", 0.9)
    assert (await bot.house.personas.avatar(kept.id) or b"").startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    ("description", "locale", "name", "voice", "traits"),
    [
        ("a grumpy retired sea captain", "en-US", "The grumpy retired sea captain", "Pirate", ["grumpy"]),
        ("脾气暴躁又害羞的海盗", CHINESE, "脾气暴躁又害羞的海盗", "海盗", ["脾气暴躁", "害羞"]),
        ("x" * 200, "en-US", f"The {'x' * 76}", "The one in the photo", []),
        ("海" * 200, CHINESE, "海" * 80, "照片中的人", []),
    ],
)
async def test_a_description_fills_in_the_form(
    loopback: LoopbackDiscord,
    bot: TalkingPhotosBot,
    description: str,
    locale: str,
    name: str,
    voice: str,
    traits: list[str],
) -> None:
    opened = await loopback.slash(loopback.ada, loopback.room, "persona create", description=description, locale=locale)
    assert list(fields(opened).values()) == [name, [voice], traits, None, None]
    await loopback.submit(opened, {})
    assert (await only(bot, loopback.ada)).description == description


async def test_a_refused_form_can_be_mended_without_typing_it_again(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    opened = await loopback.slash(loopback.ada, loopback.room, "persona create")
    typed = {
        "Name": "old salt", "Voice": "Vampire", "Traits, up to three": ["shy", "wise"], "Catchphrase": "Bleh!",
        "Greeting": "Good\nevening",
    }  # fmt: skip
    refused = shown(await loopback.submit(opened, typed))
    assert refused.content == "There is a character called “old salt” already; choose another name."
    assert buttons(refused) == ["Fix it"]
    cancelled = await loopback.press(loopback.ada, refused, "Fix it")
    assert fields(cancelled) == {**typed, "Voice": ["Vampire"]}
    again = await loopback.press(loopback.ada, refused, "Fix it")
    twice = shown(await loopback.submit(again, {"Name": "Discordia"}))
    assert twice.content == "Discord lets no character have 'discord' in its name; choose another name."
    third = await loopback.press(loopback.ada, twice, "Fix it")
    assert fields(third) == {**typed, "Name": "Discordia", "Voice": ["Vampire"]}
    done = await loopback.submit(third, {"Name": "Count"})
    assert done.kind == "update"
    assert done.message is twice
    assert "**Count**: Vampire, shy, wise\nCatchphrase: Bleh!\nGreeting: Good evening" in twice.content
    # The first button still holds what was typed first.
    assert fields(await loopback.press(loopback.ada, refused, "Fix it"))["Name"] == "old salt"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"Likes": "\n".join(str(n) for n in range(11))}, "A character can like at most 10 things; leave some out."),
        ({"Likes": "x" * 61}, "What a character likes is named in at most 60 characters; shorten it."),
        ({"Picture": ("me.png", b"no picture")}, None),
    ],
)
async def test_a_refused_second_form_keeps_what_was_typed(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, wrong: dict[str, str], sentence: str | None
) -> None:
    summary = await create(loopback, loopback.ada, "Old Salt")
    opened = await loopback.press(loopback.ada, summary, "Likes, description and picture")
    typed = {"Description": "Long\nlost.", "Talkativeness": "Quiet: seldom speaks up in a group"}
    pictured = {"Picture": ("me.jpg", picture())}
    done = await loopback.submit(opened, pictured | typed | wrong)
    refused = await done.more()
    assert refused
    assert refused.ephemeral
    assert sentence is None or refused.content == sentence
    assert len(refused.content.split(". ")) == 1
    again = await loopback.press(loopback.ada, refused, "Fix it")
    filled = fields(again)
    assert (filled["Description"], filled["Talkativeness"]) == ("Long\nlost.", [typed["Talkativeness"]])
    assert filled["Likes"] == wrong.get("Likes")
    done = await loopback.submit(again, {"Likes": "rum"})
    assert "Saved.\n" in refused.content
    kept = await only(bot, loopback.ada)
    assert (kept.likes, kept.description, kept.talkativeness) == (("rum",), "Long\nlost.", 0.2)
    # A good picture need not be given again.
    assert (await bot.house.personas.avatar(kept.id) is None) == ("Picture" in wrong)


async def test_a_character_of_the_server_needs_manage_server(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona create", server=True)
    assert shown(done).content == (
        "Characters of the server need the permission Manage Server; leave out the option server to make your own."
    )
    done = await loopback.slash(loopback.ada, loopback.world.direct(loopback.ada), "persona create", server=True)
    assert done.text.startswith("There is no server here; ")
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    opened = await loopback.slash(loopback.ada, loopback.room, "persona create", server=True)
    del loopback.world.permissions[loopback.ada]
    refused = shown(await loopback.submit(opened, {"Name": "Mascot", "Catchphrase": "Go!"}))
    assert refused.content.startswith("Characters of the server need the permission")
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    again = await loopback.press(loopback.ada, refused, "Fix it")
    await loopback.submit(again, {})
    assert refused.content.startswith("This is a character of the server now:\n**Mascot**")
    assert (await only(bot, loopback.ben, loopback.world.guild_id)).catchphrase == "Go!"


async def test_edit_opens_both_forms_as_they_are_now(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    panel = shown(await loopback.slash(loopback.ada, loopback.room, "persona edit", persona="Old Salt"))
    assert buttons(panel) == ["Name, voice and sayings", "Likes, description and picture", "Use it"]
    first = await loopback.press(loopback.ada, panel, "Name, voice and sayings")
    assert fields(first) == {
        "Name": "Old Salt", "Voice": ["Pirate"], "Traits, up to three": ["grumpy", "shy"], "Catchphrase": None,
        "Greeting": None,
    }  # fmt: skip
    second = await loopback.press(loopback.ada, panel, "Likes, description and picture")
    assert fields(second)["Talkativeness"] == ["Normal"]
    done = await loopback.submit(first, {"Name": "New Salt", "Traits, up to three": []})
    assert (done.kind, done.message) == ("update", panel)
    await loopback.submit(second, {"Description": "Both forms were open at once."})
    assert panel.content == "Saved.\n**New Salt**: Pirate\nAbout: Both forms were open at once."
    kept = await only(bot, loopback.ada)
    assert (kept.name, kept.traits, kept.description) == ("New Salt", (), "Both forms were open at once.")


async def test_what_a_form_does_not_change_stays_as_it_is(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    before = Persona("x", "Odd", "poet", ("wise", "shy"), "A\n\nB", "c", "d\ne", ("f", "g"), "", 0.3, 0.37)
    own = await bot.house.personas.add(before, owner_id=loopback.ada.id)
    panel = shown(await loopback.slash(loopback.ada, loopback.room, "persona edit", persona=own.persona.id))
    for which in ("Name, voice and sayings", "Likes, description and picture"):
        await loopback.submit(await loopback.press(loopback.ada, panel, which), {})
    assert await only(bot, loopback.ada) == own.persona


async def test_delete_asks_and_then_deletes(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    await loopback.slash(loopback.ada, loopback.room, "persona use", persona="Old Salt")
    asked = shown(await loopback.slash(loopback.ada, loopback.room, "persona delete", persona="Old Salt"))
    assert asked.content == "Shall I delete Old Salt? It cannot be brought back."
    await loopback.press(loopback.ada, asked, "Keep it")
    assert (asked.content, asked.components) == ("Old Salt stays.", [])
    assert await only(bot, loopback.ada)
    asked = shown(await loopback.slash(loopback.ada, loopback.room, "persona delete", persona="Old Salt"))
    await loopback.press(loopback.ada, asked, "Delete it")
    assert (asked.content, asked.components) == ("Old Salt is deleted.", [])
    assert await chosen(bot, loopback, loopback.ada) == "The One in the Photo"


async def test_buttons_about_a_character_that_is_gone_say_so(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    summary = await create(loopback, loopback.ada, "Old Salt")
    opened = await loopback.press(loopback.ada, summary, "Likes, description and picture")
    await bot.house.personas.remove((await only(bot, loopback.ada)).id)
    gone = "That character is gone; make a new one."
    for button in ("Use it", "Likes, description and picture"):
        assert (await loopback.press(loopback.ada, summary, button)).text == gone
    assert (await loopback.submit(opened, {"Likes": "rum"})).text == gone


@pytest.mark.parametrize("command", ["edit", "delete"])
async def test_only_owner_and_managers_change_a_character(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, command: str
) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    await create(loopback, loopback.ada, "Mascot", server=True)
    await create(loopback, loopback.ada, "Secret")
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", persona="Mascot")
    assert shown(done).content == (
        "Only whoever made Mascot, or somebody with the permission Manage Server, may change it."
    )
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", persona="Secret")
    assert done.text.startswith("There is no persona 'Secret'; ")
    done = await loopback.slash(loopback.ada, loopback.room, f"persona {command}", persona="pirate")
    assert shown(done).content == (
        f"{PIRATE} is built in and stays as it is; make your own with /persona create, or export and import this one."
    )
    loopback.world.permissions[loopback.ben] = EVERYBODY | MANAGE_GUILD
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", persona="Mascot")
    assert buttons(shown(done))
    del loopback.world.permissions[loopback.ben]
    button = "Delete it" if command == "delete" else "Name, voice and sayings"
    pressed = await loopback.press(loopback.ben, shown(done), button)
    assert shown(pressed).content.startswith("Only whoever made Mascot")
    assert len(await bot.house.personas.visible(loopback.world.guild_id, loopback.ben.id)) == 25
