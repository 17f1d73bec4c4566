"""What the tests of portraits begin with: somebody who does not exist, for everybody to see."""

from __future__ import annotations

from typing import Any

from tests.loopback.messages import Message
from tests.loopback.people import User
from tests.loopback.server import LoopbackDiscord

DRAW, ANOTHER, GIVE = "portrait draw", "Another", "Make it the picture of …"


async def draw(loopback: LoopbackDiscord, **options: Any) -> Message:
    """Let Ada draw somebody for everybody to see, and return the answer."""
    asked = await loopback.slash(loopback.ada, loopback.room, DRAW, **options)
    assert not asked.ephemeral
    [message] = asked.messages
    return message


async def told(loopback: LoopbackDiscord, user: User, portrait: Message, button: str) -> Message:
    """Let somebody press a button under a portrait, and return what only they are told."""
    pressed = await loopback.press(user, portrait, button)
    message = await pressed.more()
    assert message
    assert message.only_for is user
    return message
