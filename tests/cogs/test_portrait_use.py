"""Portraits as the pictures of characters: given by a button under one, or drawn to suit by /portrait use."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from bot.client import TalkingPhotosBot
from bot.cogs.portraits import seed_of
from bot.domain import Persona
from bot.portrait.wishes import Wish
from tests.cogs.persona_steps import PIRATE, WholeCast, create, only
from tests.cogs.portrait_steps import ANOTHER, GIVE, draw, told
from tests.cogs.scenes import begin
from tests.loopback.exchange import Exchange
from tests.loopback.messages import Message
from tests.loopback.permissions import EVERYBODY, MANAGE_GUILD
from tests.loopback.server import LoopbackDiscord

USE, MENU = "portrait use", "Your own and this server's characters"


@pytest.fixture
def engine() -> WholeCast:
    return WholeCast()


async def give(loopback: LoopbackDiscord, portrait: Message, name: str) -> Exchange:
    """Let Ada make a portrait the picture of one of her characters."""
    return await loopback.select(loopback.ada, await told(loopback, loopback.ada, portrait, GIVE), MENU, name)


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two pictures have the same colour in the middle, as nearly as a JPEG keeps it."""
    colours = [Image.open(BytesIO(data)).convert("RGB").resize((3, 3)).getpixel((1, 1)) for data in (one, other)]
    return all(abs(first - second) < 6 for first, second in zip(*colours, strict=True))


async def test_a_portrait_becomes_the_picture_of_a_character_of_ones_own(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    await create(loopback, loopback.ben, "Bens Secret")
    portrait = await draw(loopback, seed=5)
    refused = await loopback.press(loopback.ben, portrait, GIVE)
    assert refused.text.startswith("These buttons are somebody else's")
    asked = await told(loopback, loopback.ada, portrait, GIVE)
    assert asked.content == "Whose picture shall seed 5 be?"
    [menu] = [part for row in asked.components for part in row["components"]]
    assert [option["label"] for option in menu["options"]] == ["Old Salt · Pirate, grumpy, shy"]
    chosen = await loopback.select(loopback.ada, asked, MENU, menu["options"][0]["value"])
    assert chosen.text == "This is the picture of Old Salt now."
    assert alike(await picture_of(bot, loopback), portrait.files[0].data)
    _, said = await begin(loopback, "as Old Salt")
    assert said.author.name == "Old Salt"
    assert said.author.avatar == await picture_of(bot, loopback)


async def picture_of(bot: TalkingPhotosBot, loopback: LoopbackDiscord) -> bytes:
    """Return the picture of Ada's only character."""
    picture = await bot.house.personas.avatar((await only(bot, loopback.ada)).id)
    assert picture
    return picture


async def test_what_is_made_the_picture_is_the_face_that_is_shown_now(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    portrait = await draw(loopback, seed=5)
    await (await loopback.press(loopback.ada, portrait, ANOTHER)).more()
    await give(loopback, portrait, (await only(bot, loopback.ada)).id)
    assert alike(await picture_of(bot, loopback), portrait.files[0].data)


async def test_who_has_no_character_is_told_to_make_one_and_can_then_use_it(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    portrait = await draw(loopback)
    refused = await told(loopback, loopback.ada, portrait, GIVE)
    assert refused.content == "You have no character of your own yet; make one with /persona create."
    await create(loopback, loopback.ada, "Late Comer")
    done = await give(loopback, portrait, (await only(bot, loopback.ada)).id)
    assert done.text == "This is the picture of Late Comer now."


async def test_a_character_of_the_server_is_offered_to_those_who_may_change_it(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    mascot = Persona("x", "Mascot")
    own = await bot.house.personas.add(mascot, owner_id=loopback.ben.id, guild_id=loopback.world.guild_id)
    portrait = await draw(loopback)
    assert (await told(loopback, loopback.ada, portrait, GIVE)).content.startswith("You have no character")
    loopback.world.permissions[loopback.ada] = EVERYBODY | MANAGE_GUILD
    asked = await told(loopback, loopback.ada, portrait, GIVE)
    loopback.world.permissions[loopback.ada] = EVERYBODY
    refused = await loopback.select(loopback.ada, asked, MENU, own.persona.id)
    assert refused.text.startswith("Only whoever made Mascot")
    assert await bot.house.personas.avatar(own.persona.id) is None


async def test_a_character_that_was_deleted_meanwhile_gets_no_picture(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    salt = await only(bot, loopback.ada)
    asked = await told(loopback, loopback.ada, await draw(loopback), GIVE)
    await bot.house.personas.remove(salt.id)
    refused = await loopback.select(loopback.ada, asked, MENU, salt.id)
    assert refused.text == "That character is gone; make a new one."


async def test_use_draws_a_face_that_suits_a_character_and_makes_it_its_picture(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    granny = Persona("x", "Granny Rosehip", "grandma", ("cheerful",), description="An old lady who laughs a lot.")
    own = await bot.house.personas.add(granny, owner_id=loopback.ada.id)
    asked = await loopback.slash(loopback.ada, loopback.room, USE, persona="Granny Rosehip")
    assert asked.ephemeral
    seed = seed_of(own.persona.id)
    assert engine.drawn == [(Wish("senior", "female", "happy"), seed)]
    assert asked.text == (
        "This is the picture of Granny Rosehip now.\n"
        f"Drawn by my own model; nobody real: senior, female, happy · seed {seed}\n"
        "Give another seed or other words for another face."
    )
    [file] = asked.files
    assert file.data.startswith(b"\x89PNG")
    assert file.description == "A face drawn by a model, of nobody real: senior, female, happy."
    assert alike(await picture_of(bot, loopback), file.data)
    shown = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="Granny Rosehip")
    assert alike(shown.files[0].data, file.data)


async def test_use_draws_the_same_face_again_and_another_one_by_what_is_asked_for(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    salt = await only(bot, loopback.ada)
    more: list[dict[str, Any]] = [
        {}, {}, {"seed": 9}, {"description": "a happy girl"}, {"description": "a happy girl", "mood": "neutral"},
    ]  # fmt: skip
    for options in more:
        await loopback.slash(loopback.ada, loopback.room, USE, persona="Old Salt", **options)
    first, again, seeded, described, decided = engine.drawn
    assert first == again == (seeded[0], seed_of(salt.id))
    assert seeded[1] == 9
    assert described[0] == Wish("child", "female", "happy")
    assert decided[0] == Wish("child", "female", "neutral")
    assert seed_of("own-1") != seed_of("own-2")


async def test_use_refuses_what_is_built_in_or_somebody_elses(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    refused = await loopback.slash(loopback.ada, loopback.room, USE, persona="pirate")
    assert refused.text.startswith(f"{PIRATE} is built in and stays as it is; make your own with /persona create")
    mascot = Persona("x", "Mascot")
    await bot.house.personas.add(mascot, owner_id=loopback.ben.id, guild_id=loopback.world.guild_id)
    refused = await loopback.slash(loopback.ada, loopback.room, USE, persona="Mascot")
    assert refused.text.startswith("Only whoever made Mascot")
    refused = await loopback.slash(loopback.ada, loopback.room, USE, persona="Nobody At All")
    assert refused.ephemeral
    assert engine.drawn == []


async def test_use_completes_the_characters_of_ones_own(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await create(loopback, loopback.ada, "Old Salt")
    offered = await loopback.complete(loopback.ada, loopback.room, USE, focused="persona", typed="")
    assert [name for name, _id in offered] == ["Old Salt · Pirate, grumpy, shy"]
