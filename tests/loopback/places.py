"""Where people meet: servers, their channels and threads, direct and group messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.loopback.people import SECOND, User, snowflake
from tests.loopback.permissions import (
    ADMINISTRATOR,
    ALL,
    EVERYBODY,
    IN_DIRECT,
    INVITED,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
)

if TYPE_CHECKING:
    from tests.loopback.messages import Message

TEXT, DIRECT, GROUP, PUBLIC_THREAD = 0, 1, 3, 11


@dataclass(eq=False)
class Guild:
    """A server. Whoever is not in ``permissions`` may do what everybody may; admins and the owner may do all."""

    name: str
    owner: User
    bot: User
    has_bot: bool = True
    locale: str = "en-US"
    id: int = field(default_factory=snowflake)
    bot_role: int = field(default_factory=snowflake)
    bot_permissions: int = INVITED
    permissions: dict[User, int] = field(default_factory=dict)
    admins: set[User] = field(default_factory=set)
    channels: list[Channel] = field(default_factory=list)
    _roles: dict[User, int] = field(default_factory=dict)

    def granted(self, user: User) -> int:
        """Return what a user may do before the channel has its say."""
        if user is self.bot:
            return EVERYBODY | self.bot_permissions
        if user is self.owner or user in self.admins:
            return ALL
        return self.permissions.get(user, EVERYBODY)

    def member(self, user: User) -> dict[str, Any]:
        """Return a user's membership; the roles name what was granted to this user alone."""
        if user is self.bot:
            return user.member(self.bot_role)
        return user.member(*([self._role(user)] if user in self.permissions or user in self.admins else []))

    def _role(self, user: User) -> int:
        return self._roles.setdefault(user, snowflake())

    def payload(self) -> dict[str, Any]:
        everyone = {"id": str(self.id), "name": "@everyone", "permissions": str(EVERYBODY), "managed": False}
        own = {"id": str(self.bot_role), "name": self.bot.name, "managed": True}
        own |= {"permissions": str(self.bot_permissions), "tags": {"bot_id": str(self.bot.id)}}
        roles = [everyone, own]
        for user in [*self.permissions, *self.admins]:
            granted = str(self.granted(user))
            roles.append(
                {"id": str(self._role(user)), "name": f"{user.name}'s", "permissions": granted, "managed": False}
            )
        look = {"color": 0, "hoist": False, "mentionable": False, "position": 0, "icon": None, "unicode_emoji": None}
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "roles": [{**look, **role} for role in roles],
            "members": [{**self.member(self.bot), "user": self.bot.payload()}],
            "channels": [channel.payload() for channel in self.channels if channel.parent is None],
            "threads": [channel.payload() for channel in self.channels if channel.parent],
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
            "preferred_locale": self.locale,
            "nsfw_level": 0,
        }


@dataclass(eq=False)
class Channel:
    """A text channel or a thread of a server, or the private talk of ``people`` with or without the bot.

    ``denied`` is taken from everybody in the channel and in its threads.
    """

    name: str
    guild: Guild | None = None
    people: tuple[User, ...] = ()
    with_bot: bool = True
    denied: int = 0
    nsfw: bool = False
    parent: Channel | None = None
    owner: User | None = None
    gone: bool = False
    id: int = field(default_factory=snowflake)
    messages: dict[int, Message] = field(default_factory=dict)

    @property
    def guild_id(self) -> int | None:
        return self.guild.id if self.guild else None

    @property
    def recipient(self) -> User | None:
        """Who talks with the bot here, if this is a direct channel."""
        return self.people[0] if self.people and self.with_bot else None

    @property
    def kind(self) -> int:
        if self.guild:
            return PUBLIC_THREAD if self.parent else TEXT
        return DIRECT if len(self.people) <= (1 if self.with_bot else 2) else GROUP

    @property
    def visible(self) -> bool:
        """Whether the bot is here at all."""
        return self.guild.has_bot if self.guild else self.with_bot

    def granted(self, user: User) -> int:
        """Return what a user may do here."""
        if self.guild is None:
            return IN_DIRECT
        if user is self.guild.bot and not self.guild.has_bot:
            return 0
        granted = self.guild.granted(user)
        if granted & ADMINISTRATOR:
            return ALL
        granted &= ~(self.parent or self).denied
        if self.parent:  # in a thread another permission decides who may write
            granted &= ~SEND_MESSAGES
            granted |= SEND_MESSAGES if granted & SEND_MESSAGES_IN_THREADS else 0
        return granted

    def payload(self) -> dict[str, Any]:
        common = {"id": str(self.id), "type": self.kind, "flags": 0, "last_message_id": None}
        if self.guild is None:
            common["recipients"] = [user.payload() for user in self.people]
            return common | ({"name": self.name, "icon": None, "owner_id": None} if self.kind == GROUP else {})
        common |= {"guild_id": str(self.guild_id), "name": self.name, "rate_limit_per_user": 0}
        if self.parent:
            return common | self._thread()
        overwrites = [{"id": str(self.guild_id), "type": 0, "allow": "0", "deny": str(self.denied)}]
        return common | {
            "position": 0,
            "nsfw": self.nsfw,
            "parent_id": None,
            "topic": None,
            "permission_overwrites": overwrites if self.denied else [],
        }

    def _thread(self) -> dict[str, Any]:
        assert self.parent
        assert self.owner
        times = {"archive_timestamp": SECOND, "create_timestamp": SECOND}
        return {
            "parent_id": str(self.parent.id),
            "owner_id": str(self.owner.id),
            "thread_metadata": {"archived": False, "auto_archive_duration": 1440, "locked": False, **times},
            "message_count": len(self.messages),
            "member_count": 1,
            "total_message_sent": len(self.messages),
        }
