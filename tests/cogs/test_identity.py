"""In whose name characters speak: through the channel's webhook where that is possible, else in plain replies."""

from __future__ import annotations

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN
from bot.domain import Persona
from bot.settings import Settings
from tests.cogs.scenes import BUTTONS, FAMILY, PHOTO, PIRATE, SELF, begin, labels, leads_to, words
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.permissions import MANAGE_WEBHOOKS
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

JPEG = b"\xff\xd8\xff"


async def test_a_character_speaks_under_its_own_name_with_the_face_and_links_to_the_photo(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    posted, answer = await begin(loopback)
    assert answer.author.name == SELF
    assert answer.author.avatar
    assert answer.author.avatar.startswith(JPEG)
    assert leads_to(answer, posted)
    assert words(answer) == "I am in a red picture and speak for the first time, in a self voice, after 0 turns."
    assert labels(answer) == BUTTONS
    assert answer.webhook_id in loopback.world.webhooks


async def test_a_characters_own_picture_goes_before_the_face(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    own = picture("blue", "PNG")
    salt = Persona("new", "Old Salt", "pirate")
    await bot.house.personas.add(salt, owner_id=loopback.ada.id, avatar=own)
    _, answer = await begin(loopback, "as Old Salt")
    assert (answer.author.name, answer.author.avatar) == ("Old Salt", own)
    _, answer = await begin(loopback)
    assert answer.author.name == SELF
    assert answer.author.avatar != own


async def test_a_spoilered_face_is_never_shown_beside_the_words(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    await begin(loopback)  # the webhook wears a face now
    _, answer = await begin(loopback, file=("SPOILER_me.jpg", picture("blue")))
    assert answer.author.avatar_url
    await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=answer)
    later = await loopback.next_answer()
    assert later.author.avatar_url
    assert "blue picture" in words(later)


async def test_faces_of_age_restricted_channels_are_not_shown_in_small(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    adults = loopback.world.add_channel("adults", nsfw=True)
    inside = loopback.world.add_channel("thread", parent=adults)
    async with loopback.running(settings, engine):
        for channel in (adults, inside):
            _, answer = await begin(loopback, channel=channel)
            assert answer.webhook_id
            assert answer.author.avatar_url
            await loopback.post(channel, loopback.ben, "who are you?", reply_to=answer)
            assert (await loopback.next_answer(channel)).author.avatar_url


async def test_several_photos_have_their_own_faces_and_each_goes_on_with_its_own(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    files = [PHOTO, ("b.png", picture("blue", "PNG"))]
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=files)
    red, blue = [await loopback.next_answer() for _ in range(2)]
    assert red.author.avatar != blue.author.avatar
    await loopback.post(loopback.room, loopback.ben, "and you?", reply_to=red)
    later = await loopback.next_answer()
    assert "red picture" in words(later)
    assert later.author.avatar == red.author.avatar


async def test_others_of_a_photo_tell_who_they_are_and_show_their_own_face(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    engine.people = FAMILY
    photo = ("family.png", picture("red", "PNG"))
    _, first = await begin(loopback, file=photo)
    await loopback.post(loopback.room, loopback.ben, "what does the dog think?", reply_to=first)
    dog = await loopback.next_answer()
    assert dog.author.name == f"{SELF} (the dog)"
    assert dog.author.avatar
    assert dog.author.avatar != first.author.avatar


async def test_a_talk_goes_on_in_a_thread_also_after_a_restart(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    thread = loopback.world.add_channel("thread", parent=loopback.room)
    async with loopback.running(settings, engine):
        posted, answer = await begin(loopback, "pirate", channel=thread)
        assert leads_to(answer, posted)
        question = await loopback.post(thread, loopback.ben, "who are you?", reply_to=answer, ping=False)
        later = await loopback.next_answer(thread)
        assert later.author.name == PIRATE
        assert leads_to(later, question)
    async with loopback.running(settings, FakeEngine()):
        await loopback.post(thread, loopback.ben, "still there?", reply_to=answer)
        assert "to Ben, who said 'still there?', in a pirate voice, after 4 turns." in words(
            await loopback.next_answer(thread)
        )
    assert len(loopback.world.webhooks) == 1


async def test_replying_to_a_character_continues_also_after_a_restart(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine):
        _, answer = await begin(loopback, "pirate")
        await loopback.post(loopback.room, loopback.ben, "ahoy", reply_to=answer)
        later = await loopback.next_answer()
        assert "to Ben, who said 'ahoy', in a pirate voice" in words(later)
    async with loopback.running(settings, FakeEngine()):
        await loopback.post(loopback.room, loopback.ada, "me too", reply_to=later)
        assert "to Ada, who said 'me too', in a pirate voice, after 4 turns." in words(await loopback.next_answer())


async def test_a_reply_to_a_character_nobody_remembers_is_told_so(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    posted, answer = await begin(loopback)
    await loopback.delete(posted)
    for text in ("who are you?", f"{loopback.mention} who are you?"):
        asked = await loopback.post(loopback.room, loopback.ben, text, reply_to=answer)
        told = await loopback.next_answer()
        assert (told.content, told.reply_to) == (FORGOTTEN, asked)
        assert told.webhook_id is None


async def test_long_text_is_one_talk_in_several_messages(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    engine.long = True
    posted, first = await begin(loopback)
    last = await loopback.next_answer()
    assert leads_to(first, posted)
    assert (labels(first), labels(last)) == ([], BUTTONS)
    assert (first.content + last.content).count("Word.") == 500
    engine.long = False
    await loopback.post(loopback.room, loopback.ben, "go on", reply_to=first)
    assert "who said 'go on'" in words(await loopback.next_answer())


@pytest.mark.parametrize("why", ["permission", "scope", "full"])
async def test_where_webhooks_cannot_be_used_the_bot_replies_itself(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine, why: str
) -> None:
    if why == "permission":
        loopback.room.denied |= MANAGE_WEBHOOKS
    if why == "full":
        for number in range(15):
            loopback.world.add_webhook(loopback.room, f"hook {number}", loopback.world.owner)
    async with loopback.running(settings, engine):
        if why == "scope":
            await loopback.slash(loopback.world.owner, loopback.room, "photos identity", kind="plain")
        posted, answer = await begin(loopback)
        assert (answer.webhook_id, answer.author, answer.reply_to) == (None, loopback.world.bot, posted)
        assert answer.content.startswith(f"**{SELF}:** I am in a red picture")
        assert labels(answer) == BUTTONS
        question = await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=answer, ping=False)
        later = await loopback.next_answer()
        assert later.reply_to is question
        assert "who said 'who are you?'" in later.content


async def test_in_direct_messages_the_bot_speaks_itself(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    direct = loopback.world.direct(loopback.ada)
    posted, answer = await begin(loopback, "pirate", channel=direct)
    assert answer.reply_to is posted
    assert answer.content.startswith(f"**{PIRATE}:** I am in a red picture")
    assert labels(answer) == BUTTONS


async def test_a_webhook_deleted_in_between_is_made_anew_and_its_talks_go_on(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    _, before = await begin(loopback)
    loopback.world.webhooks.clear()
    await loopback.post(loopback.room, loopback.ben, "still there?", reply_to=before)
    after = await loopback.next_answer()
    assert "who said 'still there?'" in words(after)
    assert after.webhook_id in loopback.world.webhooks
    assert after.author.avatar == before.author.avatar


async def test_a_webhook_of_somebody_else_is_never_used(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    foreign = loopback.world.add_webhook(loopback.room, "Talking Photos", loopback.world.owner)
    async with loopback.running(settings, engine):
        _, answer = await begin(loopback)
        assert answer.webhook_id != foreign.id


async def test_bots_and_webhooks_are_never_answered(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    async with loopback.running(settings, engine):
        await loopback.slash(loopback.world.owner, loopback.room, "photos listen", mode="every")
        _, answer = await begin(loopback)
        await loopback.post(loopback.room, loopback.other_bot, "hello", reply_to=answer)
        await loopback.post(loopback.room, loopback.other_bot, loopback.mention, files=[PHOTO])
        await loopback.post(loopback.room, loopback.ada, "hello", files=[PHOTO], webhook=True, reply_to=answer)
        foreign = await loopback.post(loopback.room, loopback.ada, "I am a webhook", webhook=True)
        await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=foreign)
        await loopback.silence()


async def test_without_the_content_intent_characters_speak_where_replies_ping(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    loopback.gateway.allowed = 0
    async with loopback.running(settings, engine, read_content=False):
        posted, answer = await begin(loopback)
        assert (answer.author, answer.reply_to) == (loopback.world.bot, posted)
        await loopback.menu(loopback.ben, loopback.room, "Make it talk", posted)
        again = await loopback.next_answer()
        assert (again.author, again.reply_to) == (loopback.world.bot, posted)
        await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=again)
        assert "who said 'who are you?'" in (await loopback.next_answer()).content
