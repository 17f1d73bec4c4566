"""What is said on the loopback Discord: messages and the files on them, as Discord's JSON shows them."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.loopback.people import User, snowflake
from tests.loopback.places import Channel

if TYPE_CHECKING:
    from tests.loopback.exchange import Exchange

LOADING, EPHEMERAL, COMPONENTS_V2 = 1 << 7, 1 << 6, 1 << 15


@dataclass(eq=False)
class File:
    name: str
    data: bytes
    id: int = field(default_factory=snowflake)
    description: str | None = None
    ephemeral: bool = False

    def payload(self, cdn: str) -> dict[str, Any]:
        url = f"{cdn}/attachments/{self.id}/{self.name}"
        payload = {"id": str(self.id), "filename": self.name, "size": len(self.data), "url": url, "proxy_url": url}
        kind, _ = mimetypes.guess_type(self.name)
        more = {"content_type": kind, "description": self.description, "ephemeral": self.ephemeral or None}
        return payload | {key: value for key, value in more.items() if value is not None}


@dataclass(frozen=True)
class Version:
    """What a message said at some time."""

    content: str
    components: tuple[dict[str, Any], ...]
    files: tuple[File, ...]
    time: datetime


@dataclass(eq=False)
class Message:
    """A message; one that answers an interaction in secret is shown ``only_for`` somebody."""

    channel: Channel
    author: User
    content: str = ""
    files: tuple[File, ...] = ()
    mentions: tuple[User, ...] = ()
    mentioned_roles: tuple[int, ...] = ()
    reply_to: Message | None = None
    webhook_id: int | None = None
    forwards: Message | None = None
    id: int = field(default_factory=snowflake)
    components: list[dict[str, Any]] = field(default_factory=list)
    embeds: list[dict[str, Any]] = field(default_factory=list)
    flags: int = 0
    only_for: User | None = None
    answers: Exchange | None = None
    application_id: int | None = None
    gone: bool = False
    time: datetime = field(default_factory=lambda: datetime.now(UTC))
    edited: datetime | None = None
    versions: list[Version] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The content, or else what the text displays say."""
        return self.content or "\n".join(texts(self.components))

    @property
    def ephemeral(self) -> bool:
        return self.only_for is not None

    def remember(self) -> Version:
        """Keep what the message says now."""
        version = Version(self.content, tuple(self.components), self.files, datetime.now(UTC))
        self.versions.append(version)
        return version

    def payload(self, cdn: str, *, quote: bool = True) -> dict[str, Any]:
        """Return the message with all it says; ``quote`` adds the message it replies to."""
        payload: dict[str, Any] = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "content": self.content,
            "timestamp": self.time.isoformat(),
            "edited_timestamp": self.edited.isoformat() if self.edited else None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [str(role) for role in self.mentioned_roles],
            "attachments": [file.payload(cdn) for file in self.files],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": False,
            "flags": self.flags,
            "type": self._type(),
        }
        if self.webhook_id:
            payload["webhook_id"] = str(self.webhook_id)
        if self.application_id:
            payload["application_id"] = str(self.application_id)
        if self.answers:
            payload["interaction_metadata"] = self.answers.metadata()
        if self.forwards:
            target = self.forwards
            reference = {"type": 1, "message_id": str(target.id), "channel_id": str(target.channel.id)}
            payload["message_reference"] = reference
            shown = ("type", "content", "mentions", "attachments", "embeds", "components", "timestamp")
            copy = target.payload(cdn, quote=False)
            snapshot = {key: copy[key] for key in (*shown, "edited_timestamp", "flags", "mention_roles")}
            payload["message_snapshots"] = [{"message": snapshot}]
        if self.reply_to:
            target = self.reply_to
            reference = {"type": 0, "message_id": str(target.id), "channel_id": str(target.channel.id)}
            if target.channel.guild_id:
                reference["guild_id"] = str(target.channel.guild_id)
            payload["message_reference"] = reference
            if quote:
                payload["referenced_message"] = None if target.gone else target.payload(cdn, quote=False)
        return payload

    def _type(self) -> int:
        if self.answers and self.answers.opens_talk:
            return 20 if self.answers.slash else 23
        return 19 if self.reply_to else 0


def texts(components: list[dict[str, Any]]) -> list[str]:
    """Return what the text displays among some components say, in order."""
    found = []
    for component in walk(components):
        if component["type"] == 10:
            found.append(component["content"])
    return found


def walk(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return components with all that are inside of them, outer ones first."""
    found: list[dict[str, Any]] = []
    for component in components:
        inner = [*component.get("components", []), component.get("component"), component.get("accessory")]
        found += [component, *walk([child for child in inner if child])]
    return found
