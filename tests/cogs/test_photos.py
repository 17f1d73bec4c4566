"""Which messages are answered, and how."""

import pytest

from bot.client import TalkingPhotosBot
from bot.cogs.photos import FORGOTTEN, HINT, NO_PHOTO, SORRY
from bot.cogs.status import DIRECT
from bot.settings import Settings
from bot.vision.photo import MAX_BYTES
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

pytestmark = pytest.mark.usefixtures("plain")

PHOTO = ("me.jpg", picture("red"))


async def test_a_photo_with_a_mention_is_answered(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    posted = await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    answer = await loopback.next_answer()
    assert answer.reply_to is posted
    assert answer.content.startswith("**The One in the Photo:** I am in a red picture")
    assert loopback.rest.typing == [loopback.room]


async def test_a_mention_of_the_bots_role_counts(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.post(loopback.room, loopback.ada, f"<@&{loopback.world.bot_role}> pirate", files=[PHOTO])
    assert (await loopback.next_answer()).content.startswith("**Captain Barnacle:**")


async def test_a_photo_without_a_mention_is_left_alone(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.post(loopback.room, loopback.ada, "my holiday", files=[PHOTO])
    await loopback.silence()


async def test_direct_messages_need_no_mention(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    direct = loopback.world.direct(loopback.ada)
    await loopback.post(direct, loopback.ada, "hello?")
    assert (await loopback.next_answer(direct)).content == DIRECT
    await loopback.post(direct, loopback.ada, files=[PHOTO])
    assert "red picture" in (await loopback.next_answer(direct)).content
    await loopback.post(direct, loopback.ada, "who are you?")  # goes on without a reply
    assert "speak to Ada, who said 'who are you?'" in (await loopback.next_answer(direct)).content


async def test_a_forwarded_photo_is_answered(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    photo = await loopback.post(loopback.room, loopback.ben, "look", files=[PHOTO])
    direct = loopback.world.direct(loopback.ada)
    await loopback.post(direct, loopback.ada, forwards=photo)
    assert "red picture" in (await loopback.next_answer(direct)).content


async def test_channels_of_the_settings_need_no_mention(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    quiet = loopback.world.add_channel("general")
    listening = settings.model_copy(update={"channels": frozenset({loopback.room.id})})
    async with loopback.running(listening, engine):
        await loopback.post(quiet, loopback.ada, files=[PHOTO])
        await loopback.post(loopback.room, loopback.ada, "only words")
        await loopback.post(loopback.room, loopback.ada, files=[("notes.txt", b"text")])
        await loopback.post(loopback.room, loopback.ada, files=[("SPOILER_me.jpg", picture())])
        await loopback.silence()
        await loopback.post(loopback.room, loopback.ada, files=[("me.png", picture("blue", "PNG"))])
        assert "blue picture" in (await loopback.next_answer(loopback.room)).content


async def test_a_spoilered_photo_is_answered_when_asked_for(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("SPOILER_me.jpg", picture())])
    assert "red picture" in (await loopback.next_answer()).content


async def test_every_photo_is_answered_and_other_files_are_ignored(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    files = [PHOTO, ("notes.txt", b"text"), ("b.png", picture("lime", "PNG")), ("fake.jpg", b"no photo at all")]
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=files)
    said = [(await loopback.next_answer()).content for _ in range(3)]
    assert "red picture" in said[0]
    assert "green picture" in said[1]
    assert said[2].startswith("Photo 3: ")
    await loopback.silence()


async def test_bots_and_webhooks_are_never_answered(
    loopback: LoopbackDiscord, settings: Settings, engine: FakeEngine
) -> None:
    listening = settings.model_copy(update={"channels": frozenset({loopback.room.id})})
    async with loopback.running(listening, engine):
        await loopback.post(loopback.room, loopback.other_bot, loopback.mention, files=[PHOTO])
        await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO], webhook=True)
        await loopback.post(loopback.room, loopback.world.bot, loopback.mention, files=[PHOTO])
        await loopback.silence()


async def test_mentioning_the_bot_under_somebody_elses_photo_answers_it(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    photo = await loopback.post(loopback.room, loopback.ada, "look", files=[PHOTO])
    asked = await loopback.post(loopback.room, loopback.ben, f"{loopback.mention} as a pirate", reply_to=photo)
    answer = await loopback.next_answer()
    assert answer.reply_to is asked
    assert answer.content.startswith("**Captain Barnacle:** I am in a red picture")
    await loopback.delete(photo)
    await loopback.post(loopback.room, loopback.ben, "still here?", reply_to=answer)
    assert (await loopback.next_answer()).content == FORGOTTEN


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([], HINT),
        ([("notes.txt", b"text")], NO_PHOTO),
        ([("text.jpg", b"This is a text and no photo.")], "not a photo"),
        ([("empty.png", b"")], "empty"),
    ],
)
async def test_what_cannot_be_answered_gets_one_sentence(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, files: list[tuple[str, bytes]], expected: str
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=files)
    said = (await loopback.next_answer()).content
    assert expected in said
    assert "\n" not in said
    await loopback.silence(0.1)


async def test_a_file_that_is_too_large_is_not_downloaded(loopback: LoopbackDiscord, bot: TalkingPhotosBot) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[("big.jpg", bytes(MAX_BYTES + 1))])
    assert "larger than 25 MB" in (await loopback.next_answer()).content
    assert loopback.rest.downloads == 0


async def test_a_failure_is_told_in_one_sentence_and_logged_without_words(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.broken = True
    await loopback.post(loopback.room, loopback.ada, f"{loopback.mention} my secret", files=[PHOTO])
    assert (await loopback.next_answer()).content == SORRY
    assert "the fake engine is broken" in caplog.text
    assert "my secret" not in caplog.text


async def test_long_text_arrives_whole_in_several_messages(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    engine.long = True
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    parts = [await loopback.next_answer() for _ in range(2)]
    assert sum(part.content.count("Word.") for part in parts) == 500
    engine.long = False
    await loopback.post(loopback.room, loopback.ada, "go on", reply_to=parts[1])
    assert "who said 'go on'" in (await loopback.next_answer()).content


async def test_rate_limits_and_server_errors_do_not_lose_an_answer(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot
) -> None:
    loopback.fail_next("POST", "/messages$", 429)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    assert "red picture" in (await loopback.next_answer()).content
    loopback.fail_next("POST", "/messages$", 502)
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    assert "red picture" in (await loopback.next_answer()).content


async def test_lines_said_in_a_channel_are_handed_on_so_that_none_is_repeated(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine
) -> None:
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    said = (await loopback.next_answer()).content
    await loopback.post(loopback.room, loopback.ada, loopback.mention, files=[PHOTO])
    await loopback.next_answer()
    assert engine.recent[0] == ()
    assert [f"**The One in the Photo:** {line}" for line in engine.recent[1]] == [said]
