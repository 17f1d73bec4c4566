"""The pictures drawn for the built-in characters: where they are shown, and where a photo goes before them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.client import TalkingPhotosBot
from bot.domain import NOBODY, Person
from bot.speech import personas
from tests.cogs.scenes import FAMILY, SELF, begin
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.pictures import picture
from tests.loopback.server import LoopbackDiscord

DRAWN = picture("green")
DOG: tuple[Person, ...] = (FAMILY[2],)


@pytest.fixture
def avatars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give both built-in characters a picture."""
    for name in ("pirate", "self"):
        (tmp_path / f"{name}.jpg").write_bytes(DRAWN)
    monkeypatch.setattr(personas, "AVATARS", tmp_path)


async def test_where_things_speak_a_built_in_character_shows_its_own_picture(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, avatars: None
) -> None:
    engine.people = (NOBODY,)
    _, answer = await begin(loopback, "pirate")
    assert answer.author.avatar == DRAWN
    await loopback.post(loopback.room, loopback.ben, "who are you?", reply_to=answer)
    assert (await loopback.next_answer()).author.avatar == DRAWN
    _, answer = await begin(loopback)  # the one in the photo is the photo
    assert answer.author.name == SELF
    assert answer.author.avatar not in (DRAWN, None)


@pytest.mark.parametrize("people", [FAMILY, DOG], ids=["faces", "a dog"])
async def test_whoever_is_in_a_photo_is_shown_as_they_are(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, engine: FakeEngine, avatars: None, people: tuple[Person, ...]
) -> None:
    engine.people = people
    _, answer = await begin(loopback, "pirate")
    assert answer.author.avatar not in (DRAWN, None)


async def test_without_a_picture_things_are_shown_as_they_are(
    loopback: LoopbackDiscord,
    bot: TalkingPhotosBot,
    engine: FakeEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(personas, "AVATARS", tmp_path)
    engine.people = (NOBODY,)
    _, answer = await begin(loopback, "pirate")
    assert answer.author.avatar


async def test_show_shows_the_picture_of_a_built_in_character(
    loopback: LoopbackDiscord, bot: TalkingPhotosBot, avatars: None
) -> None:
    done = await loopback.slash(loopback.ada, loopback.room, "persona show", persona="pirate")
    [file] = done.files
    assert (file.name, file.data, file.description) == ("character.jpg", DRAWN, "Captain Barnacle")
