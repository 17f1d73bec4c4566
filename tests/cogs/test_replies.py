"""What is pressed under a reply: other words, somebody else, another character, away with it."""

from __future__ import annotations

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN
from bot.domain import Persona
from bot.settings import Settings
from bot.speech.personas import load_personas
from bot.ui.base import SORRY
from tests.cogs.scenes import FAMILY, PIRATE, SELF, FreshEngine, ask, begin, labels, name, refusal, spoken, words
from tests.loopback.messages import Message
from tests.loopback.permissions import EVERYBODY, MANAGE_MESSAGES
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

GONE = "I no longer know this conversation; post the photo again and mention me."
WHO = "Who shall speak?"
OWN, BUILT_IN = "Your own and this server's characters", "The characters I came with"


@pytest.fixture
def engine() -> FreshEngine:
    return FreshEngine()


def before(message: Message) -> str:
    """Return what stands before the words, the link or the name."""
    return message.content.removesuffix(spoken(message))


async def test_again_says_it_in_other_words_in_the_same_message(
    loopback: LoopbackDiscord, either: str, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings, engine):
        _, opening = await begin(loopback, "pirate")
        answer = await ask(loopback, opening)
        old, head = spoken(answer), before(answer)
    async with loopback.running(settings, engine):
        pressed = await loopback.press(loopback.ben, answer, "Again")
        assert (pressed.kind, await pressed.more()) == ("deferred_update", answer)
        assert old in engine.recent[-1]
        assert [turn.text for turn in engine.asked[-1]] == [spoken(opening), "hm"]
        assert before(answer) == head
        assert spoken(answer) == old.replace("Take 2", "Take 3")
        await ask(loopback, answer, "and now?")
        assert [turn.text for turn in engine.asked[-1]] == [spoken(opening), "hm", spoken(answer), "and now?"]
        await loopback.silence(0.05)


async def test_again_works_on_an_opening_and_in_direct_messages(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    for channel in (loopback.room, loopback.world.direct(loopback.ada)):
        _, opening = await begin(loopback, channel=channel)
        old = opening.content
        await (await loopback.press(loopback.ada, opening, "Again")).more()
        assert opening.content == old.replace("Take 1", "Take 2").replace("Take 3", "Take 4")
        assert opening.content != old


async def test_again_on_a_long_text_stays_within_one_message(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.long = True
    await begin(loopback)
    last = await loopback.next_answer()
    await (await loopback.press(loopback.ada, last, "Again")).more()
    assert len(last.content) <= 2000
    assert "**" not in last.content
    engine.long = False
    assert "who said 'hm'" in spoken(await ask(loopback, last))


async def test_someone_else_where_one_is_alone_is_another_character(
    loopback: LoopbackDiscord, either: str, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings, engine):
        _, opening = await begin(loopback)
    async with loopback.running(settings, engine):
        await loopback.press(loopback.ben, opening, "Someone else")
        if either == "webhook":
            now = await loopback.next_answer()
            await loopback.until(lambda: opening.gone)
            assert now.content.partition("\n")[0] == opening.content.partition("\n")[0]
        else:
            await loopback.until(lambda: len(opening.versions) == 2)
            now = opening
        assert name(now) == PIRATE
        assert "in a pirate voice, after 0 turns" in spoken(now)
        later = await ask(loopback, now)
        assert name(later) == PIRATE
        assert engine.asked[-1][0].text == spoken(now)
        await loopback.silence(0.05)


async def test_someone_else_of_several_is_chosen_by_whoever_pressed(
    loopback: LoopbackDiscord, either: str, settings: Settings, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    async with loopback.running(settings, engine):
        photo, opening = await begin(loopback)
    async with loopback.running(settings, engine):
        asked = await loopback.press(loopback.ben, opening, "Someone else")
        assert asked.ephemeral
        await loopback.select(loopback.ben, asked.messages[0], WHO, "the dog")
        dog = await loopback.next_answer()
        assert name(dog) == f"{SELF} (the dog)"
        assert dog.reply_to is (photo if either == "plain" else None)
        await ask(loopback, dog)
        assert engine.asked[-1][0].text == spoken(dog)
        await ask(loopback, opening)
        assert engine.asked[-1][0].text == spoken(opening)


async def test_everyone_speaks_once_who_has_not_spoken_yet(
    loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    _, opening = await begin(loopback)
    asked = await loopback.press(loopback.ben, opening, "Someone else")
    await loopback.select(loopback.ben, asked.messages[0], WHO, "Everyone, one after the other")
    said = [name(await loopback.next_answer()) for _ in range(2)]
    assert said == [f"{SELF} (the man)", f"{SELF} (the dog)"]
    await loopback.silence(0.05)


async def test_the_menu_of_people_speaks_the_language_of_whoever_pressed(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    engine.people = FAMILY
    _, opening = await begin(loopback)
    asked = await loopback.press(loopback.ben, opening, "🎭", locale="zh-CN")
    assert "shall" not in asked.text
    asked = await loopback.press(loopback.ben, opening, "👥", locale="zh-CN")
    [menu] = asked.messages[0].components[0]["components"]
    texts = [menu["placeholder"], *(option["label"] for option in menu["options"])]
    assert all(text and not text.isascii() for text in texts), texts


@pytest.mark.parametrize("kind", ["built-in", "own", "server"])
async def test_another_persona_is_chosen_among_ones_own_the_servers_and_the_built_in_ones(
    loopback: LoopbackDiscord, either: str, settings: Settings, engine: FreshEngine, kind: str
) -> None:
    async with loopback.running(settings, engine) as bot:
        add, guild = bot.house.personas.add, loopback.world.guild_id
        if kind == "own":
            await add(Persona("new", "Old Salt", "pirate"), owner_id=loopback.ben.id, avatar=picture("blue", "PNG"))
        if kind == "server":
            await add(Persona("new", "Old Salt", "pirate"), owner_id=loopback.ada.id, guild_id=guild)
        _, opening = await begin(loopback)
    async with loopback.running(settings, engine):
        asked = await loopback.press(loopback.ben, opening, "Persona")
        chosen = PIRATE if kind == "built-in" else "Old Salt"
        where = BUILT_IN if kind == "built-in" else OWN
        done = await loopback.select(loopback.ben, asked.messages[0], where, chosen)
        assert done.text == f"{chosen} takes over."
        assert done.messages[0].components == []
        now = await loopback.next_answer() if either == "webhook" else opening
        await loopback.until(lambda: opening.gone or (now is opening and len(opening.versions) == 2))
        assert name(now) == chosen
        if kind == "own" and either == "webhook":
            assert now.author.avatar == picture("blue", "PNG")
        later = await ask(loopback, now)
        assert name(later) == chosen
        assert "in a pirate voice, after 2 turns" in spoken(later)


async def test_the_persona_menu_holds_as_many_characters_as_anybody_can_have(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    bot.house.personas.built_in = load_personas()
    add, guild = bot.house.personas.add, loopback.world.guild_id
    _, opening = await begin(loopback)
    for number in range(125):
        shelf = guild if number >= 25 else None
        await add(Persona("new", f"Number {number}", "pirate"), owner_id=loopback.ben.id, guild_id=shelf)
    asked = await loopback.press(loopback.ben, opening, "Persona")
    assert len(asked.messages[0].components) == 5


async def test_ones_own_character_stays_ones_own(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await bot.house.personas.add(Persona("new", "Old Salt", "pirate"), owner_id=loopback.ada.id)
    _, opening = await begin(loopback)
    asked = await loopback.press(loopback.ben, opening, "Persona")
    assert "Old Salt" not in str(asked.messages[0].components)


@pytest.mark.parametrize("who", ["poster", "asker", "owner", "moderator"])
async def test_a_reply_is_deleted_for_those_it_concerns(
    loopback: LoopbackDiscord, either: str, settings: Settings, engine: FreshEngine, who: str
) -> None:
    cleo, dan = loopback.add_user("Cleo", permissions=EVERYBODY | MANAGE_MESSAGES), loopback.add_user("Dan")
    async with loopback.running(settings, engine) as bot:
        await bot.house.personas.add(
            Persona("new", "Old Salt", "pirate"), owner_id=dan.id, guild_id=loopback.world.guild_id
        )
        _, opening = await begin(loopback, "as Old Salt")
        answer = await ask(loopback, opening)
    async with loopback.running(settings, engine):
        user = {"poster": loopback.ada, "asker": loopback.ben, "owner": dan, "moderator": cleo}[who]
        await loopback.press(user, answer, "Delete")
        await loopback.until(lambda: answer.gone)
        await ask(loopback, opening, "still there?")
        assert [turn.text for turn in engine.asked[-1]] == [spoken(opening), "still there?"]


async def test_others_may_not_delete_a_reply(loopback: LoopbackDiscord, either: str, bot: TalkingPhotosBot) -> None:
    _, opening = await begin(loopback)
    refused = await loopback.press(loopback.ben, opening, "Delete")
    assert (await refusal(refused)).startswith("Only who posted the photo or asked")
    assert not opening.gone


async def test_a_forgotten_conversation_is_told_in_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    posted, opening = await begin(loopback)
    await loopback.delete(posted)
    assert (await ask(loopback, opening)).content == FORGOTTEN
    for button in ("Again", "Someone else", "Persona", "Delete"):
        pressed = await loopback.press(loopback.ben, opening, button)
        assert await refusal(pressed) == GONE
    await loopback.press(loopback.ada, opening, "Delete")  # it names her, so that she may still
    await loopback.until(lambda: opening.gone)


async def test_an_engine_that_fails_under_a_button_is_told_in_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine
) -> None:
    _, opening = await begin(loopback)
    text = opening.content
    engine.broken = True
    for button in ("Again", "Someone else"):
        pressed = await loopback.press(loopback.ada, opening, button)
        told = await pressed.more()
        assert told
        assert (told.content, told.ephemeral) == (SORRY, True)
        assert (opening.content, opening.gone) == (text, False)
    engine.broken = False
    assert "who said 'hm'" in spoken(await ask(loopback, opening))


async def test_a_full_queue_under_a_button_is_told_in_one_sentence(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings.model_copy(update={"queue_limit": 1}), engine) as bot:
        _, opening = await begin(loopback)
        await loopback.until(lambda: bot.house.desk.waiting == 0)
        engine.gate.clear()
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("b.png", picture("blue", "PNG"))])
        await loopback.until(lambda: engine.looked == 2)
        told = await (await loopback.press(loopback.ben, opening, "Again")).more()
        engine.gate.set()
        assert told
        assert "try again in a minute" in told.content
        assert told.ephemeral
        assert "blue picture" in words(await loopback.next_answer())


async def test_a_poster_who_opted_out_is_left_alone_but_may_delete(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, opening = await begin(loopback)
    await loopback.slash(loopback.ada, loopback.room, "privacy opt-out")
    for button in ("Again", "Someone else", "Persona"):
        pressed = await loopback.press(loopback.ben, opening, button)
        assert await refusal(pressed) == "Whoever posted that photo asked me to leave their photos alone."
    await loopback.press(loopback.ada, opening, "Delete")
    await loopback.until(lambda: opening.gone)


@pytest.mark.parametrize("how", ["pause", "listen"])
async def test_nobody_speaks_where_the_bot_is_to_be_silent(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FreshEngine, how: str
) -> None:
    _, opening = await begin(loopback)
    text, olga = opening.content, loopback.world.owner
    if how == "pause":
        await loopback.slash(olga, loopback.room, "photos pause", **{"for": "1 hour"})
    else:
        await loopback.slash(olga, loopback.room, "photos listen", mode="never")
    for button in ("Again", "Someone else"):
        pressed = await loopback.press(loopback.ada, opening, button)
        assert (await refusal(pressed)).startswith("I am asked to be silent here")
    menu = await loopback.press(loopback.ada, opening, "Persona")
    picked = await loopback.select(loopback.ada, menu.messages[0], BUILT_IN, PIRATE)
    assert picked.text.startswith("I am asked to be silent here")
    assert opening.content == text
    assert len(engine.asked) == 1
    await loopback.press(loopback.ada, opening, "Delete")
    await loopback.until(lambda: opening.gone)


async def test_pressing_has_the_cooldown_of_writing(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine
) -> None:
    async with loopback.running(settings.model_copy(update={"cooldown": 30.0}), engine):
        _, opening = await begin(loopback)
        pressed = await loopback.press(loopback.ada, opening, "Again")
        assert (await refusal(pressed)).startswith("One at a time, please: I can answer you again in ")


async def test_a_menu_that_was_used_too_early_can_be_used_again(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, opening = await begin(loopback)
    await loopback.slash(loopback.world.owner, loopback.room, "photos cooldown", seconds=60)
    menu = await loopback.press(loopback.ben, opening, "Persona")
    refused = await loopback.select(loopback.ben, menu.messages[0], BUILT_IN, PIRATE)
    assert refused.text.startswith("This channel has a pause between answers")
    await loopback.slash(loopback.world.owner, loopback.room, "photos cooldown", seconds=0)
    await loopback.select(loopback.ben, menu.messages[0], BUILT_IN, PIRATE)
    assert name(await loopback.next_answer()) == PIRATE


@pytest.mark.parametrize("servers", ["en-US", "zh-CN"])
async def test_buttons_speak_the_language_of_the_server_else_of_whoever_pressed(
    loopback: LoopbackDiscord, settings: Settings, engine: FreshEngine, servers: str
) -> None:
    loopback.world.guild.locale = servers
    async with loopback.running(settings, engine):
        _, opening = await begin(loopback)
        await loopback.press(loopback.ben, opening, "👥", locale="fi" if servers == "zh-CN" else "zh-CN")
        assert labels(await loopback.next_answer()) == ["再说一次", "换个人", "角色", "删除"]
