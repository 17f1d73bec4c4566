"""A small soak: 200 messages of every kind, with troubles, to the bot in a process of its own."""

import asyncio

import pytest

from tests.loopback.people import User
from tests.loopback.places import Channel
from tests.loopback.world import Message
from tests.soak.ledger import EDIT, IGNORED, SPEAKS, Ledger
from tests.soak.run import soak

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
