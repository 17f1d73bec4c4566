"""The REST routes the bot uses, with authorisation, permissions, planned faults and checks of every request."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.loopback import rules
from tests.loopback.gateway import Gateway
from tests.loopback.rules import Refused
from tests.loopback.world import (
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
    Channel,
    Message,
    User,
    World,
)

API = "/api/v10"
Handler = Callable[[web.Request], Awaitable[Any]]


@dataclass
class Fault:
    """The next request that matches is answered with this status instead."""

    method: str
    path: str
    status: int
    retry_after: float = 0.05


class Rest:
    """Answers requests as Discord does and keeps count of what was wrong with them."""

    def __init__(self, world: World, gateway: Gateway, users: list[User]) -> None:
        self.world = world
        self.gateway = gateway
        self.users = users
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.violations: list[str] = []
        self.own_faults: list[str] = []  # answers of this server that Discord would not give
        self.refusals: list[str] = []
        self.typing: list[Channel] = []
        self.downloads = 0
        self.on_message: Callable[[Message], None] = lambda message: None

    def routes(self) -> list[web.RouteDef]:
        """Return the routes for the web application."""
        channel = f"{API}/channels/{{channel}}"
        return [
            web.get(f"{API}/users/@me", self._serve(self.me)),
            web.get(f"{API}/oauth2/applications/@me", self._serve(self.application)),
            web.get(f"{API}/gateway/bot", self._serve(self.gateway_bot)),
            web.post(f"{API}/users/@me/channels", self._serve(self.open_direct)),
            web.post(f"{channel}/typing", self._serve(self.type)),
            web.post(f"{channel}/messages", self._serve(self.post)),
            web.get(f"{channel}/messages/{{message}}", self._serve(self.fetch)),
            web.get("/cdn/attachments/{file}/{name}", self.download),
            web.route("*", f"{API}/{{rest:.*}}", self._serve(self.unknown)),
        ]

    def _serve(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            path, body = request.path.removeprefix(API), await request.read()
            self.requests.append((request.method, path))
            if request.headers.get("Authorization") != f"Bot {self.gateway.token}":
                return answer(401, {"message": "401: Unauthorized", "code": 0})
            if fault := self._fault(request.method, path):
                return faulty(fault)
            described = rules.openapi()
            if described:
                self.violations += described.request(
                    request.method, path, request.query, request.headers.get("Content-Type", ""), body
                )
            try:
                result = await handler(request)
            except Refused as refused:
                self.refusals.append(f"{request.method} {path}: {refused}")
                return answer(refused.status, refused.body)
            response = answer(200 if result is not None else 204, result)
            if described and isinstance(response.body, bytes):
                self.own_faults += described.response(request.method, path, response.status, response.body)
            return response

        return serve

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and re.search(fault.path, path):
                self.faults.remove(fault)
                return fault
        return None

    async def me(self, request: web.Request) -> dict[str, Any]:
        own = {"mfa_enabled": False, "locale": "en-US", "email": None, "verified": True}
        return {**self.world.bot.payload(), **own}

    async def application(self, request: web.Request) -> dict[str, Any]:
        return {
            "id": str(self.world.bot.id),
            "name": self.world.bot.name,
            "description": "",
            "icon": None,
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00",
            "type": None,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "approximate_guild_count": 1,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "eligible_oauth2_scopes": [],
            "team": None,
            "owner": self.users[0].payload(),
        }

    async def gateway_bot(self, request: web.Request) -> dict[str, Any]:
        limits = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        return {"url": self.gateway.url, "shards": 1, "session_start_limit": limits}

    async def open_direct(self, request: web.Request) -> dict[str, Any]:
        recipient = int(rules.as_json(await request.read())["recipient_id"])
        user = next((user for user in self.users if user.id == recipient), None)
        if user is None:
            raise Refused(400, 50033, "Invalid Recipient(s)")
        return self.world.direct(user).payload()

    async def type(self, request: web.Request) -> None:
        self.typing.append(self._channel(request, VIEW_CHANNEL | SEND_MESSAGES))

    async def post(self, request: web.Request) -> dict[str, Any]:
        channel = self._channel(request, VIEW_CHANNEL | SEND_MESSAGES)
        body = rules.as_json(await request.read())
        rules.check_message(body)
        self.violations += rules.manners(body)
        target = self._target(channel, body.get("message_reference"))
        message = Message(channel, self.world.bot, body["content"], reply_to=target)
        channel.messages[message.id] = message
        self.on_message(message)
        await self.gateway.message_created(message)
        return message.payload(self.gateway.cdn)

    def _target(self, channel: Channel, reference: dict[str, Any] | None) -> Message | None:
        if reference is None:
            return None
        if not channel.allows(READ_MESSAGE_HISTORY):
            raise Refused(403, 160002, "Cannot reply without permission to read message history")
        target = channel.messages.get(int(reference["message_id"]))
        if target is None and reference.get("fail_if_not_exists", True):
            raise Refused(400, 50035, "Invalid Form Body: message_reference: Unknown message")
        return target

    async def fetch(self, request: web.Request) -> dict[str, Any]:
        channel = self._channel(request, VIEW_CHANNEL | READ_MESSAGE_HISTORY)
        message = channel.messages.get(int(request.match_info["message"]))
        if message is None:
            raise Refused(404, 10008, "Unknown Message")
        payload = self.gateway.visible(message, self.gateway.sessions[-1].intents)
        return {key: value for key, value in payload.items() if key not in ("guild_id", "member")}

    async def unknown(self, request: web.Request) -> None:
        self.own_faults.append(f"{request.method} {request.path}: the loopback server does not know this route")
        raise Refused(404, 0, "404: Not Found")

    async def download(self, request: web.Request) -> web.Response:
        self.downloads += 1
        file = self.world.file(int(request.match_info["file"]))
        return web.Response(body=file.data) if file else web.Response(status=404)

    def _channel(self, request: web.Request, permissions: int) -> Channel:
        channel = self.world.channels.get(int(request.match_info["channel"]))
        if channel is None:
            raise Refused(404, 10003, "Unknown Channel")
        if not channel.allows(permissions):
            raise Refused(403, 50013, "Missing Permissions")
        return channel


def answer(status: int, result: Any) -> web.Response:
    """Return JSON with exactly the content type that discord.py looks for."""
    if result is None:
        return web.Response(status=status)
    return web.Response(status=status, body=json.dumps(result).encode(), content_type="application/json")


def faulty(fault: Fault) -> web.Response:
    """Return a rate limit or a server error."""
    if fault.status != 429:
        return answer(fault.status, {"message": "Internal Server Error", "code": 0})
    body = {"message": "You are being rate limited.", "retry_after": fault.retry_after, "global": False}
    response = answer(429, body)
    response.headers.update({"Retry-After": "1", "Via": "1.1 loopback", "X-RateLimit-Scope": "user"})
    return response
