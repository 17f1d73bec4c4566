"""One interaction: what somebody did, and all that the bot answered."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.loopback.messages import File, Message
from tests.loopback.people import User, snowflake
from tests.loopback.places import Channel

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
PATIENCE = 30.0  # seconds a test waits for what the bot still has to do


@dataclass(eq=False)
class Exchange:
    """An interaction as its user sees it.

    ``kind`` is how the bot answered: message, deferred, update, deferred_update, modal or autocomplete; it is
    late when the answer came too late. ``owners`` says where the application is installed.
    """

    type: int
    user: User
    channel: Channel
    locale: str
    owners: dict[str, str]
    data: dict[str, Any]
    label: str
    source: Message | None = None  # the message whose component was used
    opened_by: Exchange | None = None  # the interaction that opened the form which is sent
    id: int = field(default_factory=snowflake)
    started: float = field(default_factory=time.monotonic)
    kind: str = ""
    ephemeral: bool = False
    always_ephemeral: bool = False
    message: Message | None = None
    messages: list[Message] = field(default_factory=list)
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] = field(default_factory=list)
    loading: bool = False
    follow_ups: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Queue[Message | None] = field(default_factory=asyncio.Queue)

    @property
    def token(self) -> str:
        return f"interaction-token-{self.id}"

    @property
    def slash(self) -> bool:
        return self.type == COMMAND and self.data["type"] == 1

    @property
    def opens_talk(self) -> bool:
        """Whether its answer is shown under "Ada used ..."."""
        return self.type == COMMAND

    @property
    def text(self) -> str:
        """What the first message says."""
        return self.messages[0].text if self.messages else ""

    @property
    def files(self) -> tuple[File, ...]:
        """The files of all its messages."""
        return tuple(file for message in self.messages for file in message.files)

    @property
    def for_user_only(self) -> bool:
        """Whether the application is here only because the user has installed it."""
        return "0" not in self.owners

    def settle(self, kind: str) -> None:
        """Note how the bot answered."""
        self.kind = kind
        self.answered.set()

    def tell(self, message: Message | None) -> None:
        """Note a message, a changed message or, with None, the removal of the answer."""
        if message and message not in self.messages:
            self.messages.append(message)
        self._news.put_nowait(message)

    async def more(self) -> Message | None:
        """Wait for the next follow-up or edit after what was returned before; None when the answer was deleted."""
        try:
            return await asyncio.wait_for(self._news.get(), PATIENCE)
        except TimeoutError:
            raise AssertionError(f"the bot said no more about {self.label}") from None

    async def nothing_more(self, seconds: float = 0.25) -> None:
        """Check that the bot says nothing more for a while."""
        try:
            message = await asyncio.wait_for(self._news.get(), seconds)
        except TimeoutError:
            return
        raise AssertionError(f"the bot said {message.text!r}" if message else "the bot deleted its answer")

    def metadata(self) -> dict[str, Any]:
        """Return what a message tells of the interaction that it answers."""
        common = {
            "id": str(self.id),
            "type": self.type,
            "user": self.user.payload(),
            "authorizing_integration_owners": self.owners,
        }
        if self.type == COMPONENT and self.source:
            common["interacted_message_id"] = str(self.source.id)
        if self.type == COMMAND and "target_id" in self.data:
            common["target_message_id"] = self.data["target_id"]
        if self.type == MODAL and self.opened_by:
            common["triggering_interaction_metadata"] = self.opened_by.metadata()
        return common

    def payload(
        self, cdn: str, app_id: int, app_permissions: int, resolved_member: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Return the event that tells the bot."""
        channel, guild = self.channel, self.channel.guild
        payload: dict[str, Any] = {
            "id": str(self.id),
            "application_id": str(app_id),
            "type": self.type,
            "token": self.token,
            "version": 1,
            "data": self.data,
            "channel_id": str(channel.id),
            "channel": {**channel.payload(), "permissions": str(channel.granted(self.user))},
            "app_permissions": str(app_permissions),
            "locale": self.locale,
            "entitlements": [],
            "authorizing_integration_owners": self.owners,
            "context": 0 if guild else 1 if channel.recipient else 2,
            "attachment_size_limit": 10 * 2**20,
        }
        if guild:
            payload["guild_id"] = str(guild.id)
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
            payload["guild_locale"] = guild.locale
            payload["member"] = resolved_member
        else:
            payload["user"] = self.user.payload()
        if self.source:
            payload["message"] = self.source.payload(cdn)
        return payload
