"""What exists on the loopback Discord: users, one server, channels, messages, as Discord's JSON shows them."""

from __future__ import annotations

import itertools
import mimetypes
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

DISCORD_EPOCH_MS = 1_420_070_400_000
VIEW_CHANNEL, SEND_MESSAGES, ATTACH_FILES, READ_MESSAGE_HISTORY = 1 << 10, 1 << 11, 1 << 15, 1 << 16
ALL_NEEDED = VIEW_CHANNEL | SEND_MESSAGES | ATTACH_FILES | READ_MESSAGE_HISTORY
SECOND = "2025-01-01T00:00:00+00:00"

_counter = itertools.count()


def snowflake() -> int:
    """Return a new id, larger than every one before it."""
    return (int(time.time() * 1000) - DISCORD_EPOCH_MS << 22) + next(_counter)


@dataclass(eq=False)
class User:
    name: str
    bot: bool = False
    id: int = field(default_factory=snowflake)

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "username": self.name.lower().replace(" ", "_"),
            "global_name": self.name,
            "discriminator": "0",
            "avatar": None,
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
            "premium_since": None,
            "pending": False,
        }


@dataclass(eq=False)
class Channel:
    """A text channel, or a direct one when it has a recipient; ``denied`` is taken from everybody in it."""

    name: str
    guild_id: int | None = None
    recipient: User | None = None
    denied: int = 0
    id: int = field(default_factory=snowflake)
    messages: dict[int, Message] = field(default_factory=dict)

    def payload(self) -> dict[str, Any]:
        if self.recipient:
            return {
                "id": str(self.id),
                "type": 1,
                "flags": 0,
                "last_message_id": None,
                "recipients": [self.recipient.payload()],
            }
        overwrites = [{"id": str(self.guild_id), "type": 0, "allow": "0", "deny": str(self.denied)}]
        return {
            "id": str(self.id),
            "type": 0,
            "guild_id": str(self.guild_id),
            "name": self.name,
            "position": 0,
            "flags": 0,
            "nsfw": False,
            "parent_id": None,
            "topic": None,
            "last_message_id": None,
            "rate_limit_per_user": 0,
            "permission_overwrites": overwrites if self.denied else [],
        }

    def allows(self, permission: int) -> bool:
        return not self.denied & permission


@dataclass(eq=False)
class File:
    name: str
    data: bytes
    id: int = field(default_factory=snowflake)

    def payload(self, cdn: str) -> dict[str, Any]:
        url = f"{cdn}/attachments/{self.id}/{self.name}"
        payload = {"id": str(self.id), "filename": self.name, "size": len(self.data), "url": url, "proxy_url": url}
        kind, _ = mimetypes.guess_type(self.name)
        return {**payload, "content_type": kind} if kind else payload


@dataclass(eq=False)
class Message:
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

    def payload(self, cdn: str, *, quote: bool = True) -> dict[str, Any]:
        """Return the message with all it says; ``quote`` adds the message it replies to."""
        payload: dict[str, Any] = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "content": self.content,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [str(role) for role in self.mentioned_roles],
            "attachments": [file.payload(cdn) for file in self.files],
            "embeds": [],
            "components": [],
            "pinned": False,
            "flags": 0,
            "type": 19 if self.reply_to else 0,
        }
        if self.webhook_id:
            payload["webhook_id"] = str(self.webhook_id)
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
            payload["message_reference"] = reference
            if quote:
                alive = target.id in target.channel.messages
                payload["referenced_message"] = target.payload(cdn, quote=False) if alive else None
        return payload


class World:
    """The bot's application, one server with its channels, and every direct channel."""

    def __init__(self) -> None:
        self.bot = User("Talking Photos", bot=True)
        self.guild_id = snowflake()
        self.bot_role = snowflake()
        self.channels: dict[int, Channel] = {}

    def add_channel(self, name: str, denied: int = 0) -> Channel:
        channel = Channel(name, guild_id=self.guild_id, denied=denied)
        self.channels[channel.id] = channel
        return channel

    def direct(self, user: User) -> Channel:
        """Return the direct channel between a user and the bot."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        channel = Channel(f"direct message with {user.name}", recipient=user)
        self.channels[channel.id] = channel
        return channel

    def find(self, message_id: int) -> Message | None:
        return next((c.messages[message_id] for c in self.channels.values() if message_id in c.messages), None)

    def file(self, file_id: int) -> File | None:
        """Return a file as long as the message that carries it exists."""
        messages = (message for channel in self.channels.values() for message in channel.messages.values())
        return next((file for message in messages for file in message.files if file.id == file_id), None)

    def guild_payload(self) -> dict[str, Any]:
        everyone = {"id": str(self.guild_id), "name": "@everyone", "permissions": str(ALL_NEEDED), "managed": False}
        own = {"id": str(self.bot_role), "name": self.bot.name, "permissions": "0", "managed": True}
        own["tags"] = {"bot_id": str(self.bot.id)}
        look = {"color": 0, "hoist": False, "mentionable": False, "position": 0, "icon": None, "unicode_emoji": None}
        return {
            "id": str(self.guild_id),
            "name": "Loopback",
            "owner_id": str(snowflake()),
            "roles": [{**look, **everyone}, {**look, **own}],
            "members": [{**self.bot.member(self.bot_role), "user": self.bot.payload()}],
            "channels": [c.payload() for c in self.channels.values() if c.guild_id],
            "threads": [],
            "emojis": [],
            "stickers": [],
            "features": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
            "member_count": 2,
            "large": False,
            "unavailable": False,
            "joined_at": SECOND,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "application_id": None,
            "vanity_url_code": None,
            "description": None,
            "banner": None,
            "premium_tier": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "nsfw_level": 0,
        }
