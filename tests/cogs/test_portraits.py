"""/portrait draw on the loopback Discord: faces of nobody, who sees them, and how they speak."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.client import TalkingPhotosBot
from bot.portrait.wishes import AGES, GENDERS, MOODS, Wish
from bot.settings import Settings
from bot.ui import portrait_panel
from bot.ui import portrait_words as words
from tests.cogs.persona_steps import CHINESE, WholeCast, buttons, create, only
from tests.cogs.portrait_steps import ANOTHER, DRAW, GIVE, draw, told
from tests.loopback.permissions import EVERYBODY, SEND_MESSAGES
from tests.loopback.server import LoopbackDiscord

USE = "portrait use"
LEFT_ALONE = "Whoever posted that photo asked me to leave their photos alone."


@pytest.fixture
def engine() -> WholeCast:
    return WholeCast()


def test_every_wish_has_a_word() -> None:
    assert (tuple(words.AGE_WORDS), set(words.GENDER_WORDS), tuple(words.MOOD_WORDS)) == (AGES, set(GENDERS), MOODS)


async def test_a_portrait_says_that_nobody_is_real_what_it_shows_and_how_it_is_drawn_again(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    message = await draw(loopback, description="a cheerful old man", seed=7)
    [first, hint] = message.content.split("\n")
    assert first == "Drawn by my own model; nobody real: senior, male, happy · seed 7"
    assert hint == "-# Reply to it and it speaks; **Make it talk** under Apps in its menu does the same."
    [file] = message.files
    assert file.name == "portrait.png"
    assert file.data.startswith(b"\x89PNG")
    assert file.description == "A face drawn by a model, of nobody real: senior, male, happy."
    assert buttons(message) == [ANOTHER, GIVE]


async def test_the_same_wish_and_seed_are_the_same_face_and_another_of_either_is_not(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    wish: dict[str, Any] = {"mood": "neutral", "age": "adult", "look": "male", "seed": 7}
    others: list[dict[str, Any]] = [{"seed": 8}, {"mood": "happy"}, {"age": "child"}, {"look": "female"}]
    faces = [(await draw(loopback, **wish | other)).files[0].data for other in ({}, {}, *others)]
    assert faces[0] == faces[1]
    assert len(set(faces)) == 5


async def test_options_go_before_the_description_and_what_neither_says_is_left_to_the_seed(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    await draw(loopback, description="a cheerful old man", look="female", seed=0)
    await draw(loopback, description="a cheerful old man", mood="neutral", age="young adult", seed=2**31 - 1)
    await draw(loopback, seed=3)
    assert engine.drawn == [
        (Wish("senior", "female", "happy"), 0),
        (Wish("young adult", "male", "neutral"), 2**31 - 1),
        (Wish(), 3),
    ]


async def test_without_a_seed_chance_decides(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    for _ in range(3):
        assert re.search(r"seed \d+$", (await draw(loopback)).content.split("\n")[0])
    assert len({seed for _wish, seed in engine.drawn}) == 3


async def test_words_that_say_nothing_about_a_face_are_told_so(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    rest = "-# I can be asked for an age, female or male, and calm or happy; the rest is left to chance."
    assert rest in (await draw(loopback, description="a dragon on a bicycle")).content.split("\n")
    assert rest not in (await draw(loopback, description="an old dragon on a bicycle")).content
    assert rest not in (await draw(loopback)).content


@pytest.mark.parametrize("why", ["never", "paused", "may not write"])
async def test_only_the_user_sees_it_where_the_bot_is_to_be_silent_or_the_user_is(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, why: str
) -> None:
    owner = loopback.world.owner
    if why == "never":
        await loopback.slash(owner, loopback.room, "photos listen", mode="never")
    elif why == "paused":
        await loopback.slash(owner, loopback.room, "photos pause", **{"for": 15})  # type: ignore[arg-type]
    else:
        loopback.world.permissions[loopback.ada] = EVERYBODY & ~SEND_MESSAGES
    asked = await loopback.slash(loopback.ada, loopback.room, DRAW, seed=1)
    assert asked.ephemeral
    assert asked.text.startswith("Drawn by my own model")
    assert "menu" not in asked.text  # there is none to what only its user sees
    pressed = await loopback.press(loopback.ada, asked.messages[0], ANOTHER)
    assert await pressed.more() is asked.messages[0]
    assert not asked.text.endswith("seed 1")


async def test_another_is_not_drawn_for_everybody_once_the_bot_is_to_be_silent(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    message = await draw(loopback, seed=1)
    await loopback.slash(loopback.world.owner, loopback.room, "photos listen", mode="never")
    refused = await told(loopback, loopback.ada, message, ANOTHER)
    assert refused.content.startswith("I am asked to be silent here")
    assert len(engine.drawn) == 1


@pytest.mark.parametrize("how", ["menu", "reply", "reply without a ping"])
async def test_a_portrait_speaks_and_goes_on_talking(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, how: str
) -> None:
    portrait = await draw(loopback)
    if how == "menu":
        await loopback.menu(loopback.ben, loopback.room, "Make it talk", portrait)
    else:
        await loopback.post(loopback.room, loopback.ben, "hello you", reply_to=portrait, ping=how == "reply")
    said = await loopback.next_answer()
    assert "speak for the first time" in said.content
    assert said.author.avatar
    await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=said)
    assert "to Ben, who said 'who are you?'" in (await loopback.next_answer()).content


async def test_who_asked_for_a_portrait_may_delete_what_it_says_and_have_it_left_alone(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    portrait = await draw(loopback)
    await loopback.menu(loopback.ben, loopback.room, "Make it talk", portrait)
    said = await loopback.next_answer()
    assert said.content.partition("\n")[0].endswith(f"<@{loopback.ada.id}>")
    await (await loopback.press(loopback.ada, said, "Delete")).more()
    assert said.gone
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-out")
    for entry in ("Make it talk", "Who is in this?", "Make it smile"):
        asked = await loopback.menu(loopback.ben, loopback.room, entry, portrait)
        assert (asked.text, asked.ephemeral) == (LEFT_ALONE, True)
    await loopback.post(loopback.room, loopback.ben, "hello you", reply_to=portrait)
    assert (await loopback.next_answer()).content == LEFT_ALONE


async def test_another_takes_the_place_of_a_face_for_its_owner_alone(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    message = await draw(loopback, age="teen", seed=1)
    before = message.files[0].data
    refused = await loopback.press(loopback.ben, message, ANOTHER)
    assert (refused.ephemeral, refused.text[:38]) == (True, "These buttons are somebody else's; use")
    for count in (2, 3):
        assert await (await loopback.press(loopback.ada, message, ANOTHER)).more() is message
        assert len(engine.drawn) == count
        wish, seed = engine.drawn[-1]
        assert wish == Wish(age="teen")
        assert message.content.split("\n")[0].endswith(f"seed {seed}")
        [file] = message.files
        assert file.data != before
        assert file.description
        assert buttons(message) == [ANOTHER, GIVE]


async def test_a_portrait_that_is_deleted_while_another_is_drawn_is_told_in_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    message = await draw(loopback)
    engine.gate.clear()
    pressed = await loopback.press(loopback.ada, message, ANOTHER)
    await loopback.delete(message)
    engine.gate.set()
    refused = await pressed.more()
    assert refused
    assert (refused.content, refused.ephemeral) == ("That picture was deleted in the meantime.", True)


async def test_a_failure_is_told_to_its_user_alone_and_leaves_nothing_behind(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast
) -> None:
    engine.broken = True
    asked = await loopback.slash(loopback.ada, loopback.room, DRAW)
    assert asked.message
    assert asked.message.gone
    failed = await asked.more()
    assert failed
    assert (failed.ephemeral, failed.content[:34]) == (True, "Something went wrong on my side an")
    await create(loopback, loopback.ada, "Old Salt")
    asked = await loopback.slash(loopback.ada, loopback.room, USE, persona="Old Salt")
    assert asked.text.startswith("Something went wrong on my side")
    assert await bot.house.personas.avatar((await only(bot, loopback.ada)).id) is None


async def test_who_draws_too_soon_is_asked_to_wait(
    loopback: LoopbackDiscord, settings: Settings, engine: WholeCast
) -> None:
    async with loopback.running(settings.model_copy(update={"cooldown": 60.0}), engine):
        message = await draw(loopback)
        asked = await loopback.slash(loopback.ada, loopback.room, DRAW)
        assert (asked.ephemeral, asked.text[:22]) == (True, "One at a time, please:")
        assert (await told(loopback, loopback.ada, message, ANOTHER)).content.startswith("One at a time, please:")
    assert len(engine.drawn) == 1


async def test_a_flood_of_portraits_is_refused_in_one_sentence(
    loopback: LoopbackDiscord, settings: Settings, engine: WholeCast
) -> None:
    async with loopback.running(settings.model_copy(update={"queue_limit": 1}), engine) as running:
        with running.house.desk.seat(1):
            asked = await loopback.slash(loopback.ada, loopback.room, DRAW)
            refused = await asked.more()
        assert refused
        assert refused.content.startswith("I have more photos than I can answer right now")
        assert asked.message
        assert asked.message.gone


async def test_the_buttons_go_before_they_stop_working(
    loopback: LoopbackDiscord, settings: Settings, engine: WholeCast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portrait_panel, "PRESSABLE", 0.3)
    async with loopback.running(settings, engine):
        message = await draw(loopback)
        await loopback.until(lambda: not message.components)
        assert message.files
        monkeypatch.setattr(portrait_panel, "PRESSABLE", 4.0)  # long enough for a press in between
        message = await draw(loopback)
        pressed = await loopback.press(loopback.ada, message, ANOTHER)
        await pressed.more()
        await loopback.until(lambda: not message.components)
        # By then Discord may no longer know the command that the picture answered, but the press is younger.
        method, path = loopback.rest.requests[-1]
        assert (method, pressed.token in path) == ("PATCH", True)


async def test_portraits_are_drawn_in_direct_messages_and_speak_there(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    direct = loopback.world.direct(loopback.ada)
    asked = await loopback.slash(loopback.ada, direct, DRAW, description="a calm woman")
    assert "female, calm" in asked.text
    await loopback.post(direct, loopback.ada, "hello", reply_to=asked.messages[0])
    assert "for the first time" in (await loopback.next_answer(direct)).content


@pytest.mark.parametrize("where", ["server", "friends"])
async def test_where_only_the_user_installed_the_bot_portraits_are_drawn_and_speak(
    loopback: LoopbackDiscord, settings: Settings, engine: WholeCast, where: str
) -> None:
    foreign = loopback.world.add_guild("Abroad", has_bot=False)
    private = loopback.world.private(loopback.ada, loopback.ben)
    place = private if where == "friends" else loopback.world.add_channel("abroad", guild=foreign)
    async with loopback.running(settings, engine):
        asked = await loopback.slash(loopback.ada, place, DRAW, installed="user", seed=4)
        assert not asked.ephemeral
        [message] = asked.messages
        assert message.content.endswith("-# Open its menu, choose Apps, then **Make it talk**, and it speaks.")
        assert await (await loopback.press(loopback.ada, message, ANOTHER)).more() is message
        talk = await loopback.menu(loopback.ada, place, "Make it talk", message, installed="user")
        assert "for the first time" in talk.text


async def test_portraits_speak_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: WholeCast) -> None:
    loopback.world.guild.locale = CHINESE
    loopback.ada.locale = CHINESE
    asked = await loopback.slash(loopback.ada, loopback.room, "肖像 画", 描述="快乐的老爷爷", 种子=3)
    assert engine.drawn == [(Wish("senior", "male", "happy"), 3)]
    assert asked.text.split("\n")[0] == "由我自己的模型画出，并非真人：老年人、男性、开心 · 种子 3"
    assert not asked.files[0].description.isascii()  # type: ignore[union-attr]
    asked = await loopback.slash(loopback.ada, loopback.room, "肖像 选用", 角色="pirate")
    assert "/角色 创建" in asked.text


async def test_a_portrait_is_not_kept(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await draw(loopback)
    assert not any((await bot.house.conversations.counts()).values())
