"""What exists on the loopback Discord: people, servers, channels, webhooks and files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.loopback.messages import File, Message
from tests.loopback.people import User, picture_hash, snowflake
from tests.loopback.permissions import (
    ATTACH_FILES,
    MANAGE_GUILD,
    MANAGE_MESSAGES,
    MANAGE_WEBHOOKS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from tests.loopback.places import Channel, Guild

__all__ = [
    "ATTACH_FILES",
    "MANAGE_GUILD",
    "MANAGE_MESSAGES",
    "MANAGE_WEBHOOKS",
    "READ_MESSAGE_HISTORY",
    "SEND_MESSAGES",
    "VIEW_CHANNEL",
    "Channel",
    "File",
    "Guild",
    "Message",
    "User",
    "Webhook",
    "World",
    "snowflake",
]


@dataclass(eq=False)
class Webhook:
    """A webhook of a channel; messages show its name and avatar unless they bring their own."""

    channel: Channel
    name: str
    owner: User
    avatar: bytes | None = None
    id: int = field(default_factory=snowflake)

    @property
    def token(self) -> str:
        return f"hook-token-{self.id}"

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "type": 1,
            "guild_id": str(self.channel.guild_id),
            "channel_id": str(self.channel.id),
            "name": self.name,
            "avatar": picture_hash(self.avatar),
            "application_id": str(self.owner.id) if self.owner.bot else None,
            "token": self.token,
        }


class World:
    """The bot's application, its servers with their channels, and every private channel."""

    def __init__(self) -> None:
        self.bot = User("Talking Photos", bot=True)
        self.owner = User("Olga")
        self.people: list[User] = [self.owner]
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.webhooks: dict[int, Webhook] = {}
        self.hidden: dict[int, Message] = {}  # messages that one person sees
        self.uploads: dict[int, File] = {}  # files given to commands and modals
        self.guild = self.add_guild("Loopback")

    @property
    def guild_id(self) -> int:
        return self.guild.id

    @property
    def bot_role(self) -> int:
        return self.guild.bot_role

    @property
    def permissions(self) -> dict[User, int]:
        """What single users may do on the first server; others may do what everybody may."""
        return self.guild.permissions

    @property
    def admins(self) -> set[User]:
        return self.guild.admins

    def add_guild(self, name: str, *, has_bot: bool = True, locale: str = "en-US") -> Guild:
        """Add a server before the bot logs in; see LoopbackDiscord.invite for later."""
        guild = Guild(name, self.owner, self.bot, has_bot, locale)
        self.guilds[guild.id] = guild
        return guild

    def add_channel(
        self,
        name: str,
        denied: int = 0,
        *,
        nsfw: bool = False,
        guild: Guild | None = None,
        parent: Channel | None = None,
    ) -> Channel:
        """Add a channel before the bot logs in; with a ``parent`` it is a thread."""
        home = parent.guild if parent else guild or self.guild
        assert home
        channel = Channel(name, home, denied=denied, nsfw=nsfw, parent=parent, owner=self.owner if parent else None)
        home.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def direct(self, user: User) -> Channel:
        """Return the direct channel between a user and the bot."""
        for channel in self.channels.values():
            if channel.recipient is user:
                return channel
        return self._private(f"direct message with {user.name}", (user,), with_bot=True)

    def private(self, *people: User) -> Channel:
        """Return a new talk between people where the bot is not."""
        return self._private(" and ".join(user.name for user in people), people, with_bot=False)

    def _private(self, name: str, people: tuple[User, ...], *, with_bot: bool) -> Channel:
        channel = Channel(name, people=people, with_bot=with_bot)
        self.channels[channel.id] = channel
        return channel

    def forget(self, channel: Channel) -> None:
        """Take a channel away with its messages and webhooks."""
        channel.gone = True
        for message in channel.messages.values():
            message.gone = True
        channel.messages.clear()
        self.channels.pop(channel.id, None)
        self.webhooks = {key: hook for key, hook in self.webhooks.items() if hook.channel is not channel}
        if channel.guild:
            channel.guild.channels.remove(channel)

    def add_webhook(self, channel: Channel, name: str, owner: User | None = None) -> Webhook:
        """Add a webhook that somebody, or the bot, made before."""
        hook = Webhook(channel, name, owner or self.bot)
        self.webhooks[hook.id] = hook
        return hook

    def webhooks_of(self, channel: Channel) -> list[Webhook]:
        return [hook for hook in self.webhooks.values() if hook.channel is channel]

    def find(self, message_id: int) -> Message | None:
        return next((c.messages[message_id] for c in self.channels.values() if message_id in c.messages), None)

    def file(self, file_id: int) -> File | None:
        """Return a file as long as the message that carries it exists."""
        if file_id in self.uploads:
            return self.uploads[file_id]
        shown = [message for channel in self.channels.values() for message in channel.messages.values()]
        files = (file for message in [*shown, *self.hidden.values()] for file in message.files)
        return next((file for file in files if file.id == file_id), None)
