"""The menu of a message: let it talk, tell who is in it; where the bot is, and where only a user installed it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.client import TalkingPhotosBot
from bot.settings import Settings
from tests.cogs.scenes import BUTTONS, FAMILY, PHOTO, PIRATE, SELF, FreshEngine, begin, labels, leads_to, words
from tests.loopback.messages import Message
from tests.loopback.permissions import EVERYBODY, SEND_MESSAGES, USE_EXTERNAL_APPS
from tests.loopback.pictures import picture
from tests.loopback.places import Channel
from tests.loopback.server import LoopbackDiscord

TALK, WHO = "Make it talk", "Who is in this?"
NO_PHOTO = "There is no photo in that message; choose one with a JPEG, PNG, WebP, GIF or HEIC."
BLUE, DAMAGED, HIDDEN = ("b.png", picture("blue", "PNG")), ("bad.jpg", b"no photo"), ("SPOILER_me.jpg", PHOTO[1])


@pytest.fixture
def engine() -> FreshEngine:
    return FreshEngine()


@pytest.fixture(params=["server", "two friends", "three friends"])
def abroad(request: pytest.FixtureRequest, loopback: LoopbackDiscord) -> Channel:
    """Return a channel where the bot is not, of a server or of friends."""
    if request.param == "server":
        return loopback.world.add_channel("abroad", guild=loopback.world.add_guild("Abroad", has_bot=False))
    friends = (loopback.ada, loopback.ben, loopback.world.owner)
    return loopback.world.private(*friends[: 2 if request.param == "two friends" else 3])


async def post(loopback: LoopbackDiscord, *files: tuple[str, bytes], channel: Channel | None = None) -> Message:
    """Let Ada post photos without asking for anything."""
    return await loopback.post(channel or loopback.room, loopback.ada, "my holiday", files=files)


async def test_every_photo_of_a_message_talks_and_only_they_are_left_to_see(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    photo = await post(loopback, PHOTO, ("notes.txt", b"text"), BLUE)
    asked = await loopback.menu(loopback.ben, loopback.room, TALK, photo)
    assert asked.ephemeral
    assert asked.message
    assert asked.message.gone
    red, blue = [await loopback.next_answer(loopback.room) for _ in range(2)]
    assert ("red picture" in words(red), "blue picture" in words(blue)) == (True, True)
    assert leads_to(red, photo)
    assert (red.author.name, labels(red)) == (SELF, BUTTONS)
    await loopback.post(loopback.room, loopback.ben, "hm", reply_to=blue)
    assert "who said 'hm'" in words(await loopback.next_answer())


async def test_the_character_chosen_for_the_place_speaks(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.slash(loopback.world.owner, loopback.room, "persona use", persona="pirate", scope="here")
    await loopback.menu(loopback.ben, loopback.room, TALK, await post(loopback, PHOTO))
    assert (await loopback.next_answer()).author.name == PIRATE


async def test_a_spoilered_photo_talks_when_asked_for_and_keeps_its_face_hidden(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await loopback.menu(loopback.ben, loopback.room, TALK, await post(loopback, HIDDEN))
    answer = await loopback.next_answer()
    assert "red picture" in words(answer)
    assert answer.author.avatar_url


@pytest.mark.parametrize("entry", [TALK, WHO])
async def test_a_message_without_a_photo_is_told_in_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, entry: str
) -> None:
    for message in (await post(loopback), await post(loopback, ("notes.txt", b"text"))):
        asked = await loopback.menu(loopback.ben, loopback.room, entry, message)
        assert (asked.text, asked.ephemeral) == (NO_PHOTO, True)


@pytest.mark.parametrize("entry", [TALK, WHO])
async def test_photos_of_somebody_who_opted_out_are_left_alone(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, entry: str
) -> None:
    photo = await post(loopback, PHOTO)
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-out")
    asked = await loopback.menu(loopback.ben, loopback.room, entry, photo)
    assert asked.text == "Whoever posted that photo asked me to leave their photos alone."
    assert asked.ephemeral
    await loopback.silence(0.05)


async def test_who_is_in_this_tells_everybody_it_sees_to_the_user_alone(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    asked = await loopback.menu(loopback.ben, loopback.room, WHO, await post(loopback, PHOTO, BLUE, HIDDEN))
    assert asked.ephemeral
    assert [asked.text.count(f"I see: a {colour} picture.") for colour in ("red", "blue")] == [2, 1]
    for line in ("- the woman (adult, happy)", "- the man (adult, calm)", "- the dog"):
        assert asked.text.count(f"{line}\n") == 3
    assert "I recognise nobody" in asked.text
    assert (await bot.house.conversations.counts())["conversations"] == 0
    await loopback.silence(0.05)


async def test_looking_does_not_let_the_channel_wait(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.slash(loopback.world.owner, loopback.room, "photos cooldown", seconds=60)
    photo = await post(loopback, PHOTO)
    await loopback.menu(loopback.ben, loopback.room, WHO, photo)
    await loopback.menu(loopback.ada, loopback.room, TALK, photo)
    assert "red picture" in words(await loopback.next_answer())
    refused = await loopback.menu(loopback.ben, loopback.room, TALK, photo)
    assert refused.text.startswith("This channel has a pause between answers")


async def test_a_damaged_photo_is_told_in_one_sentence_and_the_others_talk(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    asked = await loopback.menu(loopback.ben, loopback.room, TALK, await post(loopback, DAMAGED))
    assert asked.ephemeral
    assert "not a photo" in asked.text
    asked = await loopback.menu(loopback.ben, loopback.room, TALK, await post(loopback, PHOTO, DAMAGED, BLUE))
    said = [words(await loopback.next_answer()) for _ in range(2)]
    assert ("red picture" in said[0], "blue picture" in said[1]) == (True, True)
    assert asked.ephemeral
    assert asked.text.startswith("Photo 2: ")
    assert "\n" not in asked.text


async def test_who_is_in_a_damaged_photo_is_told_in_one_sentence_beside_the_others(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    asked = await loopback.menu(loopback.ben, loopback.room, WHO, await post(loopback, DAMAGED))
    assert (asked.ephemeral, "not a photo" in asked.text) == (True, True)
    asked = await loopback.menu(loopback.ben, loopback.room, WHO, await post(loopback, PHOTO, DAMAGED, BLUE))
    assert asked.ephemeral
    for part in ("a red picture", "Photo 2: ", "a blue picture"):
        assert part in asked.text


async def test_a_failing_engine_is_told_in_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.broken = True
    asked = await loopback.menu(loopback.ben, loopback.room, TALK, await post(loopback, PHOTO))
    assert asked.ephemeral
    assert asked.text.startswith("Something went wrong on my side")


async def test_nobody_talks_where_the_bot_is_to_be_silent(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    photo = await post(loopback, PHOTO)
    await loopback.slash(loopback.world.owner, loopback.room, "photos listen", mode="never", where="server")
    asked = await loopback.menu(loopback.ben, loopback.room, TALK, photo)
    assert asked.text.startswith("I am asked to be silent here")
    assert asked.ephemeral


async def test_the_menus_speak_chinese(loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine) -> None:
    engine.people = FAMILY
    photo, nothing = await post(loopback, PHOTO), await post(loopback)
    chinese = "zh-CN"
    [talk, who] = [
        command["name_localizations"][chinese]
        for command in loopback.rest.commands.registered[None]
        if command["name"] in (TALK, WHO)
    ]
    asked = await loopback.menu(loopback.ben, loopback.room, who, photo, locale=chinese)
    assert not asked.text.replace("a red picture", "").isascii()
    assert "the dog" not in asked.text
    for entry in (talk, who):
        asked = await loopback.menu(loopback.ben, loopback.room, entry, nothing, locale=chinese)
        assert "There is no photo" not in asked.text
    await loopback.menu(loopback.ben, loopback.room, talk, photo, locale=chinese)
    assert "red picture" in words(await loopback.next_answer())


async def test_where_only_the_user_installed_the_bot_the_answer_is_the_follow_up_and_its_buttons_work(
    loopback: LoopbackDiscord, abroad: Channel, settings: Settings, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    async with loopback.running(settings, engine):
        photo = await post(loopback, PHOTO, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")
        [answer] = asked.messages
        assert not asked.ephemeral
        assert answer.content.startswith(f"**{SELF}:** Take 1: I am in a red picture")
        assert labels(answer) == BUTTONS
        assert await (await loopback.press(loopback.ben, answer, "Again")).more() is answer
        assert answer.content.startswith(f"**{SELF}:** Take 2: ")
        people = await loopback.press(loopback.ben, answer, "Someone else")
        everyone = await loopback.select(
            loopback.ben, people.messages[0], "Who shall speak?", "Everyone, one after the other"
        )
        others = [await everyone.more() for _ in range(2)]
        assert [other.content.partition(":**")[0] for other in others if other] == [
            f"**{SELF} (the man)",
            f"**{SELF} (the dog)",
        ]
        refused = await loopback.press(loopback.add_user("Cleo"), answer, "Delete")
        assert refused.ephemeral
        await (await loopback.press(loopback.ada, answer, "Delete")).more()
        assert answer.gone


async def test_another_character_takes_over_where_only_the_user_installed_the_bot(
    loopback: LoopbackDiscord, abroad: Channel, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings, engine):
        photo = await post(loopback, PHOTO, channel=abroad)
        [answer] = (await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")).messages
        pressed = await loopback.press(loopback.ben, answer, "Someone else")
        assert await pressed.more() is answer
        assert answer.content.startswith(f"**{PIRATE}:** Take 2: ")
        await (await loopback.press(loopback.ben, answer, "Again")).more()
        assert answer.content.startswith(f"**{PIRATE}:** Take 3: ")
        pressed = await loopback.press(loopback.ben, answer, "Persona")
        menu = await pressed.more()
        assert menu
        assert menu.ephemeral
        await loopback.select(loopback.ben, menu, "The characters I came with", SELF)
        assert await pressed.more() is answer
        assert answer.content.startswith(f"**{SELF}:** Take 4: ")
        await (await loopback.press(loopback.ben, answer, "Again")).more()
        assert answer.content.startswith(f"**{SELF}:** Take 5: ")


async def test_of_the_answers_that_are_allowed_abroad_the_last_tells_what_went_wrong(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    abroad = loopback.world.private(loopback.ada, loopback.ben)
    async with loopback.running(settings, engine):
        photo = await post(loopback, *[PHOTO] * 8, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")
        for _ in range(4):
            await asked.more()
        assert [message.ephemeral for message in asked.messages] == [False] * 4 + [True]
        assert asked.messages[-1].content == "Here I can let at most 4 photos speak at once."


async def test_a_damaged_photo_is_told_also_where_only_the_user_installed_the_bot(
    loopback: LoopbackDiscord, abroad: Channel, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings, engine):
        photo = await post(loopback, DAMAGED, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")
        told = await asked.more()
        assert told
        assert ("not a photo" in told.content, told.ephemeral) == (True, True)
        photo = await post(loopback, PHOTO, DAMAGED, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")
        assert "red picture" in asked.text
        told = await asked.more()
        assert told
        assert told.content.startswith("Photo 2: ")
        assert told.ephemeral


async def test_who_is_in_this_works_where_only_the_user_installed_the_bot(
    loopback: LoopbackDiscord, abroad: Channel, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings, engine):
        photo = await post(loopback, PHOTO, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, WHO, photo, installed="user")
        assert (asked.ephemeral, "a red picture" in asked.text) == (True, True)


async def test_where_external_apps_may_not_speak_only_the_user_sees_the_answer_and_its_buttons_work(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    foreign = loopback.world.add_guild("Abroad", has_bot=False)
    abroad = loopback.world.add_channel("abroad", guild=foreign)
    foreign.permissions[loopback.ada] = EVERYBODY & ~USE_EXTERNAL_APPS
    async with loopback.running(settings, engine):
        photo = await post(loopback, PHOTO, channel=abroad)
        asked = await loopback.menu(loopback.ada, abroad, TALK, photo, installed="user")
        assert asked.ephemeral
        await (await loopback.press(loopback.ada, asked.messages[0], "Again")).more()
        assert "Take 2: " in asked.text
        await (await loopback.press(loopback.ada, asked.messages[0], "Delete")).more()
        assert asked.messages[0].gone
    # The bot did not ask for the secrecy that Discord imposes.
    [refusal] = loopback.rest.violations
    assert "the first follow-up is shown only to the user" in refusal
    loopback.rest.violations.clear()


async def test_in_the_direct_messages_of_the_bot_the_menu_works_like_a_mention(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    direct = loopback.world.direct(loopback.ada)
    photo = await post(loopback, HIDDEN, channel=direct)
    await loopback.next_answer(direct)
    await loopback.menu(loopback.ada, direct, TALK, photo, installed="user")
    answer = await loopback.next_answer(direct)
    assert answer.reply_to is photo
    await (await loopback.press(loopback.ada, answer, "Again")).more()
    await loopback.post(direct, loopback.ada, "hm", reply_to=answer)
    assert "who said 'hm'" in (await loopback.next_answer(direct)).content


async def test_who_may_not_write_in_a_channel_lets_nobody_speak_there(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    reader = loopback.add_user("Rea", permissions=EVERYBODY & ~SEND_MESSAGES)
    photo, opening = await begin(loopback)
    text = opening.content
    for asked in (
        await loopback.menu(reader, loopback.room, TALK, photo),
        await loopback.press(reader, opening, "Again"),
        await loopback.press(reader, opening, "Someone else"),
    ):
        assert asked.ephemeral
        assert asked.text.startswith("You may not write here")
    assert "a red picture" in (await loopback.menu(reader, loopback.room, WHO, photo)).text
    assert (opening.content, opening.gone) == (text, False)
    await loopback.silence(0.05)


async def test_what_is_seen_is_told_in_the_users_language(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.people = (replace(FAMILY[0], wears=("sunglasses",)), FAMILY[2])
    photo = await post(loopback, PHOTO)
    asked = await loopback.menu(loopback.ben, loopback.room, WHO, photo)
    assert "- the woman (adult, happy, sunglasses)\n- the dog\n" in asked.text
    asked = await loopback.menu(loopback.ben, loopback.room, "照片里有谁？", photo, locale="zh-CN")
    assert "- 这位女士（成年人、开心、戴墨镜）\n- 这只狗\n" in asked.text
