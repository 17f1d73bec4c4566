"""Who exists on the loopback Discord: people, bots, and the faces that webhooks put on."""

from __future__ import annotations

import hashlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

DISCORD_EPOCH_MS = 1_420_070_400_000
SECOND = "2025-01-01T00:00:00+00:00"

_counter = itertools.count()


def snowflake() -> int:
    """Return a new id, larger than every one before it."""
    return (int(time.time() * 1000) - DISCORD_EPOCH_MS << 22) + next(_counter)


@dataclass(eq=False)
class User:
    """A person or a bot; ``hook`` marks the name and face of one message of a webhook."""

    name: str
    bot: bool = False
    id: int = field(default_factory=snowflake)
    locale: str = "en-US"
    avatar: bytes | None = None
    avatar_url: str | None = None
    hook: bool = False

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "username": self.name if self.hook else self.name.lower().replace(" ", "_"),
            "global_name": None if self.hook else self.name,
            "discriminator": "0000" if self.hook else "0",
            "avatar": picture_hash(self.avatar),
            "primary_guild": None,
            "public_flags": 0,
            "flags": 0,
            "bot": self.bot,
        }

    def member(self, *roles: int) -> dict[str, Any]:
        return {
            "roles": [str(role) for role in roles],
            "joined_at": SECOND,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "nick": None,
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "premium_since": None,
            "pending": False,
        }


def picture_hash(picture: bytes | None) -> str | None:
    """Return the name that Discord gives a picture."""
    return hashlib.md5(picture, usedforsecurity=False).hexdigest() if picture else None
