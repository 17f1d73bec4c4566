"""The REST routes of webhooks: made by the bot in a channel, then used without its token."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from aiohttp import web

from tests.loopback.channels import ChannelRoutes
from tests.loopback.forms import Form
from tests.loopback.messages import Message
from tests.loopback.posting import Posting
from tests.loopback.rules import Malformed, Refused, as_json, limit
from tests.loopback.world import MANAGE_WEBHOOKS, Channel, User, Webhook, World

MAX_WEBHOOKS, MAX_AVATAR = 15, 10 * 2**20
PICTURES = {"png": b"\x89PNG\r\n", "jpeg": b"\xff\xd8\xff", "gif": b"GIF8", "webp": b"RIFF"}


class WebhookRoutes:
    """What the bot does with the webhooks of channels."""

    def __init__(self, posting: Posting, channels: ChannelRoutes) -> None:
        self.posting = posting
        self.world: World = posting.world
        self.gateway = posting.gateway
        self.channels = channels

    async def create(self, request: web.Request) -> dict[str, Any]:
        channel = self.channels.channel(request, MANAGE_WEBHOOKS)
        if channel.parent or not channel.guild:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        body = as_json(await request.read())
        check_name(body["name"])
        if len(self.world.webhooks_of(channel)) >= MAX_WEBHOOKS:
            raise Refused(400, 30007, "Maximum number of webhooks reached (15)")
        hook = self.world.add_webhook(channel, body["name"])
        hook.avatar = picture(body.get("avatar"))
        return hook.payload()

    async def list(self, request: web.Request) -> list[dict[str, Any]]:
        channel = self.channels.channel(request, MANAGE_WEBHOOKS)
        foreign_bot = [hook.owner.bot and hook.owner is not self.world.bot for hook in self.world.webhooks_of(channel)]
        shown = [hook.payload() for hook in self.world.webhooks_of(channel)]
        # Tokens of other applications are nobody else's business.
        return [
            {key: value for key, value in hook.items() if not (foreign and key == "token")}
            for hook, foreign in zip(shown, foreign_bot, strict=True)
        ]

    async def show(self, request: web.Request) -> dict[str, Any]:
        return self._hook(request).payload()

    async def edit(self, request: web.Request) -> dict[str, Any]:
        hook, body = self._hook(request), as_json(await request.read())
        if "name" in body:
            check_name(body["name"])
            hook.name = body["name"]
        if "avatar" in body:
            hook.avatar = picture(body["avatar"])
        return hook.payload()

    async def delete(self, request: web.Request) -> None:
        del self.world.webhooks[self._hook(request).id]

    async def post(self, request: web.Request) -> dict[str, Any] | None:
        hook, form = self._hook(request), await Form.read(request)
        channel = self._place(hook, request)
        name = form.body.get("username")
        if name is not None:
            check_name(name)
        if form.body.get("components") and hook.owner is not self.world.bot:
            raise Malformed("components: only webhooks of the application itself can send them")
        message = Message(channel, self._face(hook, name, form.body.get("avatar_url")), webhook_id=hook.id)
        message.application_id = self.world.bot.id
        await self.posting.create(message, form.body, form.files)
        return message.payload(self.gateway.cdn) if request.query.get("wait") in ("1", "true") else None

    def _face(self, hook: Webhook, name: str | None, url: str | None) -> User:
        """Return the name and picture under which a message appears; Discord fetches the picture now."""
        face = User(name or hook.name, bot=True, id=hook.id, avatar=hook.avatar, avatar_url=url, hook=True)
        if url:
            own = re.search(r"/cdn/attachments/(\d+)/", url)
            file = self.world.file(int(own[1])) if own else None
            face.avatar = file.data if file else None
        return face

    async def show_message(self, request: web.Request) -> dict[str, Any]:
        return self._message(request).payload(self.gateway.cdn)

    async def edit_message(self, request: web.Request) -> dict[str, Any]:
        message = self._message(request)
        await self.posting.edit(message, await Form.read(request))
        return message.payload(self.gateway.cdn)

    async def delete_message(self, request: web.Request) -> None:
        await self.posting.delete(self._message(request))

    def _message(self, request: web.Request) -> Message:
        hook = self._hook(request)
        message = self._place(hook, request).messages.get(int(request.match_info["message"]))
        if message is None or message.webhook_id != hook.id:
            raise Refused(404, 10008, "Unknown Message")
        return message

    def _place(self, hook: Webhook, request: web.Request) -> Channel:
        """Return the webhook's channel, or the thread in it that the request names."""
        thread_id = request.query.get("thread_id")
        if thread_id is None:
            return hook.channel
        thread = self.world.channels.get(int(thread_id))
        if thread is None or thread.parent is not hook.channel:
            raise Refused(404, 10003, "Unknown Channel")
        return thread

    def _hook(self, request: web.Request) -> Webhook:
        hook = self.world.webhooks.get(int(request.match_info["webhook"]))
        if hook is None:
            raise Refused(404, 10015, "Unknown Webhook")
        token = request.match_info.get("token")
        if token is None and not hook.channel.granted(self.world.bot) & MANAGE_WEBHOOKS:
            raise Refused(403, 50013, "Missing Permissions")
        if token is not None and token != hook.token:
            raise Refused(401, 50027, "Invalid Webhook Token")
        return hook


def check_name(name: str) -> None:
    """Refuse a name that webhooks may not have."""
    limit("username", name.strip(), 80)
    for reserved in ("clyde", "discord"):
        if reserved in name.lower():
            raise Malformed(f'username: Username cannot contain "{reserved}"')
    if name.strip().lower() in ("everyone", "here"):
        raise Malformed("username: that name is reserved")


def picture(data: str | None) -> bytes | None:
    """Return the picture of a data URI."""
    if data is None:
        return None
    found = re.fullmatch(r"data:image/(png|jpeg|gif|webp);base64,(.*)", data, re.DOTALL)
    try:
        picture = base64.b64decode(found[2], validate=True) if found else b""
    except binascii.Error:
        picture = b""
    if not found or not picture.startswith(PICTURES[found[1]]):
        raise Malformed("avatar: Invalid image data")
    if len(picture) > MAX_AVATAR:
        raise Malformed("avatar: File cannot be larger than 10240 kb.")
    return picture
