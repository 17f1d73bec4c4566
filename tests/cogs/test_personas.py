"""/persona on the loopback Discord: look at characters, choose, make, change and delete them, in two languages."""

import re

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import TRAITS, VOICES, Persona
from bot.speech.personas import load_personas
from bot.ui import persona_words as words
from tests.loopback.exchange import Exchange
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.messages import Message
from tests.loopback.offers import NotOffered
from tests.loopback.permissions import EVERYBODY, MANAGE_CHANNELS, MANAGE_GUILD
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord
from tests.loopback.world import Channel, User

PIRATE = "Captain Maribel Saltmarrow"
CHINESE = "zh-CN"


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.personas = load_personas()
    return engine


async def create(
    loopback: LoopbackDiscord, user: User, name: str, *, channel: Channel | None = None, server: bool = False
) -> Message:
    """Let somebody make a character, and return the summary with its buttons."""
    opened = await loopback.slash(user, channel or loopback.room, "persona create", server=server)
    done = await loopback.submit(opened, {"Name": name, "Voice": "Pirate", "Traits, up to three": ["grumpy", "shy"]})
    return shown(done)


def shown(exchange: Exchange) -> Message:
    """Return the message of an answer that only its user sees."""
    assert exchange.ephemeral, exchange.label
    message = exchange.messages[-1]
    assert len(message.content) <= 2000
    return message


def buttons(message: Message) -> list[str]:
    """Return what can be pressed under a message."""
    return [part["label"] for row in message.components for part in row["components"] if not part.get("disabled")]


def fields(opened: Exchange) -> dict[str, object]:
    """Return what stands in a form that was opened, by label."""
    assert opened.modal
    result: dict[str, object] = {}
    for label in opened.modal["components"]:
        part = label["component"]
        chosen = [option["label"] for option in part.get("options", []) if option.get("default")]
        result[label["label"]] = chosen if "options" in part else part.get("value")
    return result


async def only(bot: TalkingPhotosBot, user: User, guild_id: int | None = None) -> Persona:
    """Return the one character that somebody can choose besides the built-in ones."""
    personas = bot.house.personas
    [persona] = [one for key, one in (await personas.visible(guild_id, user.id)).items() if key not in personas.built_in]
    return persona


async def chosen(bot: TalkingPhotosBot, loopback: LoopbackDiscord, user: User, channel: Channel | None = None) -> str:
    """Return the name of who speaks to somebody, as the command says it."""
    text = (await loopback.slash(user, channel or loopback.room, "persona list")).text
    return text.split(" speaks here now.")[0]


async def test_the_list_has_everybody_on_pages(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    await create(loopback, loopback.ada, "Old Salt")
    await create(loopback, loopback.ada, "Mascot", server=True)
    await create(loopback, loopback.ben, "Bens Secret")
    for number in range(40):
        one = Persona("x", f"Somebody of the server, number {number}")
        await bot.house.personas.add(one, owner_id=loopback.ben.id, guild_id=loopback.world.guild_id)
    message = shown(await loopback.slash(loopback.ada, loopback.room, "persona list"))
    assert message.content.startswith("The One in the Photo speaks here now.\n\n__Yours__\n**Old Salt**: Pirate, ")
    assert message.content.index("__This server's__\n**Mascot**") > message.content.index("Old Salt")
    assert buttons(message) == ["More"]
    pages = [message.content]
    while "More" in buttons(message):
        pages.append((await loopback.press(loopback.ada, message, "More")).text)
    assert pages[1].startswith("__This server's__\n")
    whole = "\n".join(pages)
    assert all(whole.count(f"**{persona.name}**: ") == 1 for persona in load_personas().values())
    assert "Bens Secret" not in whole
    assert all(len(page) < 2000 for page in pages)
    assert buttons(message) == ["Back"]
    assert (await loopback.press(loopback.ada, message, "Back")).text == pages[-2]


async def test_who_has_no_character_is_told_how_to_make_one(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.world.direct(loopback.ada), "persona list")
    assert "__Yours__\nNone yet; make one with /persona create." in done.text
    assert "This server's" not in done.text


async def test_show_tells_all_of_a_character(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="pirate")
    assert shown(done).content == (
        f"**{PIRATE}**: Pirate\nCatchphrase: Arr, and that's the truth of it!\n"
        "Greeting: Ahoy! State yer business and hide yer biscuits.\n"
        "Likes: brass buttons, a following wind, biscuits that were somebody else's\n"
        "About: A captain between ships who treats every photo as a port worth plundering.\n"
        "Built in.\nNot chosen here."
    )
    assert not done.files


async def test_show_finds_by_name_and_says_what_it_does_not_find(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="captain maribel SALTMARROW")
    assert PIRATE in done.text
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="pirat")
    assert shown(done).content == "There is no persona 'pirat'; did you mean pirate?"


async def test_show_tells_who_made_it_where_it_is_chosen_and_its_picture(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    summary = await create(loopback, loopback.ada, "Mascot", server=True)
    opened = await loopback.press(loopback.ada, summary, "Likes, description and picture")
    await (await loopback.submit(opened, {"Picture": ("me.png", picture("blue", "PNG"))})).more()
    for scope in ("me", "server"):
        await loopback.slash(loopback.ada, loopback.room, "persona use", persona="Mascot", scope=scope)
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="Mascot")
    assert f"Made for this server by <@{loopback.ada.id}>.\nChosen for this server, you alone." in shown(done).content
    [file] = done.files
    assert file.name == "character.jpg"
    assert file.data.startswith(b"\xff\xd8")
    assert file.description == "Mascot"
    other = await loopback.slash(loopback.ben, loopback.room, "persona show", persona="Mascot")
    assert other.text.endswith("Chosen for this server.")


async def test_use_says_what_holds_and_what_overrides_it(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    thread = loopback.world.add_channel("a thread", parent=loopback.room)

    async def use(persona: str, scope: str | None = None, channel: Channel = loopback.room) -> str:
        options = {"persona": persona} | ({"scope": scope} if scope else {})
        return shown(await loopback.slash(loopback.ada, channel, "persona use", **options)).content

    assert await use("pirate", "server") == f"{PIRATE} is chosen for this server now."
    vampire, wizard = load_personas()["vampire"].name, load_personas()["wizard"].name
    assert await use("vampire", "here") == f"{vampire} is chosen for this channel now."
    assert await use("pirate", "server") == (
        f"{PIRATE} is chosen for this server now, but for this channel it is {vampire}."
    )
    assert await use("wizard") == f"{wizard} is chosen for you alone now."
    assert await use("vampire", "here") == (
        f"{vampire} is chosen for this channel now, but for you alone it is {wizard}."
    )
    assert await chosen(bot, loopback, loopback.ada) == wizard
    assert await chosen(bot, loopback, loopback.ben) == vampire
    assert await use("pirate", "here", thread) == (
        f"{PIRATE} is chosen for this thread now, but for you alone it is {wizard}."
    )
    assert await chosen(bot, loopback, loopback.ben, thread) == PIRATE
    assert await chosen(bot, loopback, loopback.ben) == vampire


async def test_reset_says_who_speaks_then(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    for persona, scope in (("pirate", "server"), ("vampire", "me")):
        await loopback.slash(loopback.ada, loopback.room, "persona use", persona=persona, scope=scope)
    done = await loopback.slash(loopback.ada, loopback.room, "persona reset")
    assert shown(done).content == (
        f"Nobody is chosen for you alone any more; {PIRATE} speaks, as chosen for this server."
    )
    done = await loopback.slash(loopback.ada, loopback.room, "persona reset", scope="server")
    assert shown(done).content == (
        "Nobody is chosen for this server any more; The One in the Photo speaks by default."
    )


@pytest.mark.parametrize("command", ["use", "reset"])
async def test_choosing_for_others_needs_permissions(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, command: str
) -> None:
    who = {"persona": "pirate"} if command == "use" else {}
    for scope, permission in (("here", "Manage Channels"), ("server", "Manage Server")):
        done = await loopback.slash(loopback.ada, loopback.room, f"persona {command}", scope=scope, **who)
        assert f"needs the permission {permission}; choose for yourself instead." in shown(done).content
    loopback.world.permissions[loopback.ben] = EVERYBODY | MANAGE_CHANNELS
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", scope="here", **who)
    assert "chosen for this channel" in done.text
    done = await loopback.slash(loopback.ben, loopback.room, f"persona {command}", scope="server", **who)
    assert "needs the permission Manage Server" in done.text
    assert await chosen(bot, loopback, loopback.ada) == (PIRATE if command == "use" else "The One in the Photo")


async def test_in_direct_messages_one_chooses_for_oneself(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    direct = loopback.world.direct(loopback.ada)
    done = await loopback.slash(loopback.ada, direct, "persona use", persona="pirate", scope="here")
    assert done.text == "Here you can choose only for yourself; leave out the scope."
    done = await loopback.slash(loopback.ada, direct, "persona use", persona="pirate")
    assert done.text == f"{PIRATE} is chosen for you alone now."
    assert await chosen(bot, loopback, loopback.ada, direct) == PIRATE
    assert await chosen(bot, loopback, loopback.ada) == "The One in the Photo"


async def test_the_app_of_a_user_can_choose_where_the_bot_is_not(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    channel = loopback.world.private(loopback.ada, loopback.ben)
    done = await loopback.slash(loopback.ada, channel, "persona use", persona="pirate", installed="user")
    assert done.text == f"{PIRATE} is chosen for you alone now."


async def test_create_keeps_a_character_and_offers_to_go_on(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    opened = await loopback.slash(loopback.ada, loopback.room, "persona create")
    assert fields(opened) == {
        "Name": None, "Voice": ["The one in the photo"], "Traits, up to three": [], "Catchphrase": None, "Greeting": None,
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
        ("海" * 200, CHINESE, "海" * 100, "照片中的人", []),
    ],
)
async def test_a_description_fills_in_the_form(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, description: str, locale: str, name: str, voice: str, traits: list[str]
) -> None:
    opened = await loopback.slash(
        loopback.ada, loopback.room, "persona create", description=description, locale=locale
    )
    assert list(fields(opened).values()) == [name, [voice], traits, None, None]
    if len(name) <= 80:
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
    assert refused.content == "There is a character called 'old salt' already; choose another name."
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
        "Characters of the server need the permission Manage Server; leave out server for one of yours."
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
        "Only who made Mascot, or somebody with the permission Manage Server, may change it."
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
    assert shown(pressed).content.startswith("Only who made Mascot")
    assert len(await bot.house.personas.visible(loopback.world.guild_id, loopback.ben.id)) == 25


async def test_completion_offers_own_ones_first_and_finds_any_part(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    await create(loopback, loopback.ada, "Mascot", server=True)
    await create(loopback, loopback.ada, "Old Salt")
    await create(loopback, loopback.ben, "Bens")

    async def offered(command: str, typed: str, user: User = loopback.ada, locale: str = "en-US") -> list[str]:
        found = await loopback.complete(user, loopback.room, command, focused="persona", typed=typed, locale=locale)
        return [name for name, _ in found]

    everybody = await offered("persona use", "")
    assert everybody[:2] == ["Old Salt · Pirate, grumpy, shy", "Mascot · Pirate, grumpy, shy"]
    assert len(everybody) == 25
    assert await offered("persona show", " PIRAT") == [*everybody[:2], f"{PIRATE} · Pirate"]
    assert await offered("persona export", "maribel") == [f"{PIRATE} · Pirate"]
    assert await offered("persona use", "海盗", locale=CHINESE) == [
        "Old Salt · 海盗、脾气暴躁、害羞", "Mascot · 海盗、脾气暴躁、害羞", f"{PIRATE} · 海盗",
    ]  # fmt: skip
    assert await offered("persona edit", "") == everybody[:2]
    assert await offered("persona delete", "", loopback.ben) == ["Bens · Pirate, grumpy, shy"]
    assert await offered("persona use", "nobody is called so") == []
    [(_, value)] = await loopback.complete(
        loopback.ada, loopback.room, "persona use", focused="persona", typed="old salt"
    )
    done = await loopback.slash(loopback.ada, loopback.room, "persona use", persona=value)
    assert done.text == "Old Salt is chosen for you alone now."


async def test_long_and_formatted_texts_neither_break_nor_format_anything(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    texts = {"description": "_*~" * 600, "catchphrase": "||x" * 60, "greeting": "> # " * 99}
    wild = Persona("x", "_*" * 40, "commentator", ("sentimental", "rebellious", "suspicious"), **texts)
    for number in range(25):
        name = f"{number:02}" + "_*" * 39
        await bot.house.personas.add(Persona("x", name, wild.voice, wild.traits, **texts), owner_id=loopback.ada.id)
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="00" + "_*" * 39)
    assert not re.search(r"(?<!\\)[_~|>#]", shown(done).content.replace("**", "", 2).split("\n")[3])
    message = shown(await loopback.slash(loopback.ada, loopback.room, "persona list"))
    while "More" in buttons(message):
        await loopback.press(loopback.ada, message, "More")
        assert len(message.content) < 2000
    offered = await loopback.complete(loopback.ada, loopback.room, "persona use", focused="persona")
    assert all(len(name) <= 100 for name, _ in offered)


async def test_all_of_it_in_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    ada, room = loopback.ada, loopback.room
    loopback.world.permissions[ada] = EVERYBODY | MANAGE_GUILD
    ada.locale = CHINESE
    opened = await loopback.slash(ada, room, "角色 创建", 描述="脾气暴躁的海盗", 服务器=True)
    assert opened.modal
    assert opened.modal["title"] == "这是谁？"
    assert list(fields(opened)) == ["名字", "说话风格", "性格，最多三个", "口头禅", "开场白"]
    voices = opened.modal["components"][1]["component"]["options"]
    traits = opened.modal["components"][2]["component"]["options"]
    assert {option["label"] for option in voices} >= {"海盗", "吸血鬼"}
    for option in (*voices, *traits):
        assert re.fullmatch(r"[\u4e00-\u9fff]+", option["label"]), option
    refused = shown(await loopback.submit(opened, {"名字": PIRATE}))
    assert buttons(refused) == ["修改"]
    again = await loopback.press(ada, refused, "修改")
    await loopback.submit(again, {"名字": "老船长", "口头禅": "啊哈！"})
    assert refused.content == "它现在是本服务器的角色：\n**老船长**：海盗、脾气暴躁\n口头禅：啊哈！\n简介：脾气暴躁的海盗"
    assert buttons(refused) == ["选用", "喜好、描述和头像"]
    done = await loopback.slash(ada, room, "角色 选用", 角色="老船长", 范围="整个服务器")
    assert done.text == "本服务器现在选用老船长。"
    done = await loopback.slash(ada, room, "角色 查看", 角色="老船长")
    assert done.text.endswith(f"由 <@{ada.id}> 为本服务器创建。\n已选用于：本服务器。")
    done = await loopback.slash(ada, room, "角色 列表")
    assert done.text.startswith("现在这里由老船长说话。\n\n__你的角色__\n还没有；用 /角色 创建 来创建一个。")
    panel = shown(await loopback.slash(ada, room, "角色 编辑", 角色="老船长"))
    assert buttons(panel) == ["名字、风格和台词", "喜好、描述和头像", "选用"]
    details = await loopback.press(ada, panel, "喜好、描述和头像")
    assert fields(details)["健谈程度"] == ["一般"]
    await loopback.submit(details, {"喜好": "朗姆酒\n大海"})
    assert panel.content.startswith("已保存。\n")
    assert "喜好：朗姆酒、大海" in panel.content
    done = await loopback.slash(ada, room, "角色 重置", 范围="整个服务器")
    assert done.text == "本服务器不再选用任何角色；现在默认由The One in the Photo说话。"
    asked = shown(await loopback.slash(ada, room, "角色 删除", 角色="老船长"))
    assert asked.content == "要删除老船长吗？删除后无法恢复。"
    await loopback.press(ada, asked, "删除")
    assert asked.content == "老船长已删除。"
    done = await loopback.slash(ada, loopback.world.direct(ada), "角色 选用", 角色="pirate", 范围="此处")
    assert done.text == "在这里你只能为自己选择；请不要填写范围。"


async def test_every_voice_and_trait_has_a_name() -> None:
    assert set(words.VOICES) == set(VOICES)
    assert set(words.TRAITS) == set(TRAITS)
    assert len(set(words.VOICES.values())) == len(VOICES)


async def test_the_buttons_of_somebody_else_do_nothing(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    summary = await create(loopback, loopback.ada, "Old Salt")
    with pytest.raises(NotOffered, match="does not see"):
        await loopback.press(loopback.ben, summary, "Use it")
