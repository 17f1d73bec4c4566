"""What the tests of replies begin with: a photo, and what somebody in it said about it."""

from __future__ import annotations

from bot.domain import Box, Person
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


def link(message: Message) -> str:
    """Return the small print that leads to a message and names its author."""
    place = message.channel
    url = f"https://discord.com/channels/{place.guild_id or '@me'}/{place.id}/{message.id}"
    return f"-# [↩]({url}) <@{message.author.id}>"


def words(message: Message) -> str:
    """Return what a character says in a message of the webhook."""
    first, _, rest = message.content.partition("\n")
    assert first.startswith("-# [↩](https://discord.com/channels/"), message.content
    return rest


def labels(message: Message) -> list[str]:
    """Return the labels of the buttons under a message."""
    return [part["label"] for row in message.components for part in row["components"]]
