"""What the tests of replies begin with: a photo, and what somebody in it said about it."""

from __future__ import annotations

from typing import Any

from bot.domain import Box, Person, Reply
from tests.loopback.exchange import Exchange
from tests.loopback.fake_engine import FakeEngine
from tests.loopback.messages import Message
from tests.loopback.people import User
from tests.loopback.pictures import picture
from tests.loopback.places import Channel
from tests.loopback.server import LoopbackDiscord

PHOTO = ("me.jpg", picture("red"))
BUTTONS = ["Again", "Someone else", "Persona", "Delete"]
SELF, PIRATE = "The One in the Photo", "Captain Barnacle"
FAMILY = (
    Person("woman", "adult", "happy", "left", Box(4, 4, 12, 12), 0.9),
    Person("man", "adult", "neutral", "right", Box(44, 4, 12, 12), 0.8),
    Person("dog", "-", "-", "center"),
)


class FreshEngine(FakeEngine):
    """Never says the same thing twice: what it says begins with a number."""

    def reply(self, *about: Any, **more: Any) -> Reply:
        """Return what the fake engine says, with the number of the take before it."""
        said = super().reply(*about, **more)
        return Reply(f"Take {len(self.asked)}: {said.text}", said.source, said.timings_ms)


async def begin(
    loopback: LoopbackDiscord,
    text: str = "",
    *,
    channel: Channel | None = None,
    author: User | None = None,
    file: tuple[str, bytes] = PHOTO,
) -> tuple[Message, Message]:
    """Let somebody, else Ada, post a photo and mention the bot; return it and what is answered."""
    where = channel or loopback.room
    posted = await loopback.post(where, author or loopback.ada, f"{loopback.mention} {text}", files=[file])
    return posted, await loopback.next_answer(where)


def leads_to(answer: Message, message: Message) -> bool:
    """Tell whether a message of the webhook begins with small print that links to another and names its author."""
    place, first = message.channel, answer.content.partition("\n")[0]
    url = f"https://discord.com/channels/{place.guild_id or '@me'}/{place.id}/{message.id}"
    return first.startswith("-# ") and f"]({url})" in first and first.endswith(f"<@{message.author.id}>")


def words(message: Message) -> str:
    """Return what a character says in a message of the webhook, without the link above it."""
    first, _, rest = message.content.partition("\n")
    assert first.startswith("-# "), message.content
    return rest


def labels(message: Message) -> list[str]:
    """Return the labels of the buttons under a message."""
    return [part["label"] for row in message.components for part in row["components"]]


def spoken(message: Message) -> str:
    """Return what somebody says, whoever the message is from."""
    return words(message) if message.author.hook else message.content.partition(":** ")[2]


def name(message: Message) -> str:
    """Return under which name something is said."""
    return message.author.name if message.author.hook else message.content.partition(":**")[0].removeprefix("**")


async def refusal(pressed: Exchange) -> str:
    """Return what only whoever pressed a button is told, also where the bot needed a while to know it."""
    told = pressed.messages[0] if pressed.messages else await pressed.more()
    assert told
    assert told.ephemeral
    return told.text


async def ask(loopback: LoopbackDiscord, message: Message, text: str = "hm") -> Message:
    """Let Ben reply, and return the answer."""
    await loopback.post(message.channel, loopback.ben, text, reply_to=message)
    return await loopback.next_answer(message.channel)
