"""A small soak: 200 messages of every kind, with troubles, to the bot in a process of its own; and its driver."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from bot.settings import Settings
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.people import User
from tests.loopback.places import Channel
from tests.loopback.server import TOKEN, LoopbackDiscord
from tests.loopback.world import Message
from tests.soak.crowd import Lane, Stage
from tests.soak.diary import Diary
from tests.soak.ledger import BUSY, EDIT, IGNORED, SLOWEST, SPEAKS, Ledger
from tests.soak.memory import Remembered
from tests.soak.pace import Pace
from tests.soak.presses import Hands
from tests.soak.run import soak
from tests.soak.upkeep import limits_told

BUTTONS = [{"type": 1, "components": [{"type": 2, "custom_id": "reply:again", "label": "Again"}]}]


@pytest.mark.slow
async def test_of_200_messages_none_is_lost_or_doubled_and_nothing_is_left_open() -> None:
    report = await soak(200, "fake", seed=7, openapi=0.1)
    assert report.faults == []
    assert report.ledger.asked[IGNORED] > 5
    assert report.ledger.answers["reply"]["in character"] > 10
    assert report.ledger.answers["bad file"]["sentence"] > 2
    assert report.ledger.answers["flood"]["busy"] > 5
    assert report.sessions[1] >= 1, "the connection was never resumed"
    assert report.remembered["remembered"] > 20


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def room() -> Channel:
    return Channel("room")


def said(room: Channel, to: Message, content: str = "Arr.", *, speaks: bool = True) -> Message:
    """Return what the bot could say about a message."""
    answer = Message(room, User("Talking Photos", bot=True), content, reply_to=to)
    answer.components = BUTTONS if speaks else []
    return answer


async def test_the_ledger_finds_what_is_lost(ledger: Ledger, room: Channel) -> None:
    asked = Message(room, User("Ada"))
    await ledger.settle(ledger.expect("photo", room, [asked.id]), patience=0.01)
    assert len(ledger.lost) == 1


async def test_the_ledger_finds_what_is_said_twice_and_what_nobody_asked_for(ledger: Ledger, room: Channel) -> None:
    asked, other, chat = (Message(room, User("Ada")) for _ in range(3))
    awaited = ledger.expect("photo", room, [asked.id])
    ledger.ignored(chat)
    for message in (asked, asked, other, chat):
        ledger.told(said(room, message))
    await ledger.settle(awaited)
    ledger.finish()
    assert (len(ledger.double), len(ledger.wrong), ledger.lost) == (1, 2, [])


async def test_the_ledger_finds_the_wrong_sentence(ledger: Ledger, room: Channel) -> None:
    asked, right = Message(room, User("Ada")), "That photo is larger than {limit} MB; post a smaller one."
    for want, content, speaks, wrong in (
        (SPEAKS, "I am busy.", False, True),
        (right, "That photo is larger than 25 MB; post a smaller one.", False, False),
        (right, "Photo 3: That photo is larger than 25 MB; post a smaller one.", False, False),
        (right, "The photo is an empty file; send it again.", False, True),
        (EDIT, "Arr.", True, False),
    ):
        before = len(ledger.wrong)
        awaited = ledger.expect("photo", room, [asked.id], want)
        answer = said(room, asked, content, speaks=speaks)
        ledger._take(0.0, asked.id, answer, want == EDIT)
        await asyncio.wait_for(awaited.done.wait(), 1)
        assert (len(ledger.wrong) > before) is wrong


async def test_what_is_deleted_may_be_answered_late_but_only_once(ledger: Ledger, room: Channel) -> None:
    asked = Message(room, User("Ada"))
    await ledger.settle(ledger.expect("deleted", room, [asked.id], optional=True), patience=0.01)
    assert (ledger.answers["deleted"]["nothing"], ledger.lost) == (1, [])
    ledger.told(said(room, asked))
    ledger.finish()
    assert (dict(ledger.answers["deleted"]), ledger.double) == ({"in character": 1}, [])
    ledger.told(said(room, asked))
    ledger.finish()
    assert len(ledger.double) == 1


async def test_what_is_spared_is_right_also_when_it_comes_before_it_is_awaited(ledger: Ledger, room: Channel) -> None:
    asked = Message(room, User("Ada"))
    ledger.told(said(room, asked, BUSY, speaks=False))
    assert ledger.expect("flood", room, [asked.id], spared=[BUSY]).got == "busy"
    assert ledger.wrong == []


async def test_a_fault_comes_with_what_led_to_it(ledger: Ledger, room: Channel) -> None:
    asked, elsewhere = Message(room, User("Ada")), Message(Channel("elsewhere"), User("Ada"))
    ledger.told(said(room, asked))
    ledger.told(said(elsewhere.channel, elsewhere))
    ledger.finish()
    first, second = ledger.diary.pages
    assert str(asked.id) in first
    assert str(elsewhere.id) not in first
    assert str(elsewhere.id) in second


async def test_the_slowest_answers_are_kept_with_what_happened_meanwhile(ledger: Ledger, room: Channel) -> None:
    asked = [Message(room, User("Ada")) for _ in range(2 * SLOWEST)]
    for number, message in enumerate(asked):
        ledger.diary.note(room, f"before number {number}")
        awaited = ledger.expect("photo", room, [message.id])
        ledger._take(awaited.since + number, message.id, said(room, message), False)
    ledger.interaction("button", "update", 0.5, room)
    assert [round(slow.seconds) for slow in ledger.slowest] == [9, 8, 7, 6, 5]
    assert {(slow.kind, slow.channel) for slow in ledger.slowest} == {("photo", "room")}
    assert ledger.pages[0].startswith("=== 9.0 s: photo in room\n")
    assert f"awaited: photo, about [{asked[9].id}]" in ledger.pages[0]


async def test_a_page_tells_only_of_the_time_it_is_about() -> None:
    diary, room = Diary(), Channel("room")
    diary.note(room, "long ago")
    diary.note(None, "everywhere")
    await asyncio.sleep(0.1)
    diary.note(room, "lately")
    assert [line.split(maxsplit=1)[1] for line in diary.page("", room).splitlines()[1:]] == [
        *("long ago", "everywhere", "lately"),
    ]
    assert [line.split(maxsplit=1)[1] for line in diary.page("", room, 0.05).splitlines()[1:]] == ["lately"]


async def test_a_request_that_is_cancelled_as_it_ends_does_not_hold_up_the_next(
    loopback: LoopbackDiscord, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"
    settings = Settings(_env_file=None, discord_token=TOKEN, cooldown=0, database_url=url)
    with limits_told():
        async with loopback.running(settings, FakeEngine()) as bot:
            first = asyncio.create_task(bot.http.send_typing(loopback.room.id))
            while not (first.done() or any(one._sleeping.locked() for one in bot.http._buckets.values())):  # noqa: ASYNC110
                await asyncio.sleep(0)
            first.cancel()
            await asyncio.wait({first})
            async with asyncio.timeout(5):
                await bot.http.send_typing(loopback.room.id)


@pytest.fixture
async def lane(loopback: LoopbackDiscord, tmp_path: Path) -> AsyncIterator[Lane]:
    """Give the people of a room with the bot in it; nothing may go wrong there."""
    stage = Stage(loopback, Ledger(), Remembered(), Pace(100, 9, 60.0), Random(1))
    loopback.rest.posting.told = stage.ledger.told
    url = f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}"
    settings = Settings(_env_file=None, discord_token=TOKEN, cooldown=0, database_url=url)
    async with loopback.running(settings, FakeEngine()):
        yield Lane(stage, loopback.room, [loopback.ada])
    stage.ledger.finish()
    assert stage.ledger.lost + stage.ledger.double + stage.ledger.wrong == []


@pytest.mark.parametrize("act", ["other", "persona"])
async def test_the_driver_follows_a_talk_whose_webhook_was_deleted(
    loopback: LoopbackDiscord, lane: Lane, act: str
) -> None:
    await lane.photo()
    voice = lane.talks[0].voices[0]
    loopback.world.webhooks.clear()
    taken = lane.ledger.answers["as somebody else"]
    while not taken["in character"]:  # now and then people change their mind
        await asyncio.wait_for(getattr(Hands(lane), act)(), 20)
    assert voice not in lane.talks[0].voices
    assert voice.gone is (act == "other"), "where only a menu was used, nothing may delete the old words"
    await lane.reply()
    await Hands(lane).again()


async def test_the_driver_knows_what_comes_of_a_photo_that_vanishes(lane: Lane) -> None:
    for _ in range(4):
        await lane.photo()
        await lane.vanish()
    assert lane.ledger.asked["reply about what goes meanwhile"] == 4
