"""The REST routes of channels: typing, posting, fetching, changing and deleting messages."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from tests.loopback.forms import Form
from tests.loopback.posting import Posting
from tests.loopback.rules import Refused, as_json
from tests.loopback.world import (
    ATTACH_FILES,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Channel,
    Message,
    World,
)


class ChannelRoutes:
    """What the bot does in channels under its own name."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.world: World = posting.world
        self.gateway = posting.gateway
        self.typing: list[Channel] = []

    async def open_direct(self, request: web.Request) -> dict[str, Any]:
        recipient = int(as_json(await request.read())["recipient_id"])
        user = next((user for user in self.world.people if user.id == recipient), None)
        if user is None:
            raise Refused(400, 50033, "Invalid Recipient(s)")
        return self.world.direct(user).payload()

    async def type(self, request: web.Request) -> None:
        self.typing.append(self.channel(request, SEND_MESSAGES))

    async def show(self, request: web.Request) -> dict[str, Any]:
        return self.channel(request, 0).payload()

    async def post(self, request: web.Request) -> dict[str, Any]:
        form = await Form.read(request)
        channel = self.channel(request, SEND_MESSAGES | (ATTACH_FILES if form.files else 0))
        message = Message(channel, self.world.bot)
        message.reply_to = self._target(channel, form.body.get("message_reference"))
        await self.posting.create(message, form.body, form.files)
        return message.payload(self.gateway.cdn)

    def _target(self, channel: Channel, reference: dict[str, Any] | None) -> Message | None:
        if reference is None:
            return None
        if not channel.granted(self.world.bot) & READ_MESSAGE_HISTORY:
            raise Refused(403, 160002, "Cannot reply without permission to read message history")
        target = channel.messages.get(int(reference["message_id"]))
        if target is None and reference.get("fail_if_not_exists", True):
            raise Refused(400, 50035, "Invalid Form Body: message_reference: Unknown message")
        return target

    async def fetch(self, request: web.Request) -> dict[str, Any]:
        message = self._message(request, READ_MESSAGE_HISTORY)
        payload = self.gateway.visible(message, self.gateway.sessions[-1].intents)
        for mention in payload["mentions"]:
            mention.pop("member", None)
        return {key: value for key, value in payload.items() if key not in ("guild_id", "member")}

    async def edit(self, request: web.Request) -> dict[str, Any]:
        message = self._message(request, 0)
        if message.author is not self.world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        await self.posting.edit(message, await Form.read(request))
        return message.payload(self.gateway.cdn)

    async def delete(self, request: web.Request) -> None:
        message = self._message(request, 0)
        if message.author is not self.world.bot:
            self._require(message.channel, MANAGE_MESSAGES)
        await self.posting.delete(message)

    def _message(self, request: web.Request, permissions: int) -> Message:
        message = self.channel(request, permissions).messages.get(int(request.match_info["message"]))
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def channel(self, request: web.Request, permissions: int) -> Channel:
        """Return the channel of a request if the bot has these permissions there."""
        channel = self.world.channels.get(int(request.match_info["channel"]))
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        if not channel.visible:
            raise Refused(403, 50001, "Missing Access")
        self._require(channel, VIEW_CHANNEL | permissions)
        return channel

    def _require(self, channel: Channel, permissions: int) -> None:
        missing = permissions & ~channel.granted(self.world.bot)
        if missing:
            raise Refused(
                403, *((50001, "Missing Access") if missing & VIEW_CHANNEL else (50013, "Missing Permissions"))
            )
