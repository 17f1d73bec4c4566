"""The REST routes the bot uses, with authorisation, planned faults, checks of every request and counts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.loopback import rules
from tests.loopback.channels import ChannelRoutes
from tests.loopback.commands import CommandRoutes
from tests.loopback.gateway import Gateway
from tests.loopback.interactions import InteractionRoutes
from tests.loopback.posting import Posting
from tests.loopback.rules import Malformed, Refused
from tests.loopback.webhooks import WebhookRoutes
from tests.loopback.world import Channel, World

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

    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world = world
        self.gateway = gateway
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.operations: Counter[str] = Counter()
        self.violations: list[str] = []
        self.own_faults: list[str] = []  # answers of this server that Discord would not give
        self.refusals: list[str] = []
        self.downloads = 0
        self.posting = Posting(world, gateway, self.violations)
        self.channels = ChannelRoutes(self.posting)
        self.webhooks = WebhookRoutes(self.posting, self.channels)
        self.interactions = InteractionRoutes(self.posting)
        self.commands = CommandRoutes(world)

    @property
    def typing(self) -> list[Channel]:
        """The channels in which the bot showed that it types, in order."""
        return self.channels.typing

    def report(self) -> str:
        """Say how many requests were checked and what came of it."""
        return f"{len(self.requests)} REST requests checked, {len(self.violations)} violations"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes for the web application."""
        serve, free = self._serve, lambda handler: self._serve(handler, token_in_path=True)
        channel, application = f"{API}/channels/{{channel}}", f"{API}/applications/{{application}}"
        hook, message = f"{API}/webhooks/{{webhook}}", f"{API}/webhooks/{{webhook}}/{{token}}/messages/{{message}}"
        guild_commands = f"{application}/guilds/{{guild}}/commands"
        hooks, acts = self.webhooks, self.interactions
        return [
            web.get(f"{API}/users/@me", serve(self.me)),
            web.get(f"{API}/oauth2/applications/@me", serve(self.application)),
            web.get(f"{API}/gateway/bot", serve(self.gateway_bot)),
            web.post(f"{API}/users/@me/channels", serve(self.channels.open_direct)),
            web.get(channel, serve(self.channels.show)),
            web.post(f"{channel}/typing", serve(self.channels.type)),
            web.post(f"{channel}/messages", serve(self.channels.post)),
            web.get(f"{channel}/messages/{{message}}", serve(self.channels.fetch)),
            web.patch(f"{channel}/messages/{{message}}", serve(self.channels.edit)),
            web.delete(f"{channel}/messages/{{message}}", serve(self.channels.delete)),
            web.post(f"{channel}/webhooks", serve(hooks.create)),
            web.get(f"{channel}/webhooks", serve(hooks.list)),
            web.get(hook, serve(hooks.show)),
            web.patch(hook, serve(hooks.edit)),
            web.delete(hook, serve(hooks.delete)),
            web.get(f"{hook}/{{token}}", free(hooks.show)),
            web.patch(f"{hook}/{{token}}", free(hooks.edit)),
            web.delete(f"{hook}/{{token}}", free(hooks.delete)),
            web.post(f"{hook}/{{token}}", free(self._either(acts.follow_up, hooks.post))),
            web.get(message, free(self._either(acts.show_message, hooks.show_message))),
            web.patch(message, free(self._either(acts.edit_message, hooks.edit_message))),
            web.delete(message, free(self._either(acts.delete_message, hooks.delete_message))),
            web.post(f"{API}/interactions/{{interaction}}/{{token}}/callback", free(acts.callback)),
            web.put(f"{application}/commands", serve(self.commands.overwrite)),
            web.get(f"{application}/commands", serve(self.commands.list)),
            web.put(guild_commands, serve(self.commands.overwrite)),
            web.get(guild_commands, serve(self.commands.list)),
            web.get("/cdn/attachments/{file}/{name}", self.download),
            web.route("*", f"{API}/{{rest:.*}}", serve(self.unknown)),
        ]

    def _either(self, interaction: Handler, webhook: Handler) -> Handler:
        """Interactions continue under the application's own webhook."""

        async def choose(request: web.Request) -> Any:
            own = int(request.match_info["webhook"]) == self.world.bot.id
            return await (interaction if own else webhook)(request)

        return choose

    def _serve(
        self, handler: Handler, *, token_in_path: bool = False
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            path, body = request.path.removeprefix(API), await request.read()
            self.requests.append((request.method, path))
            if not token_in_path and request.headers.get("Authorization") != f"Bot {self.gateway.token}":
                return answer(401, {"message": "401: Unauthorized", "code": 0})
            self._check(request, path, body)
            if fault := self._fault(request.method, path):
                return faulty(fault)
            try:
                result = await handler(request)
            except Refused as refused:
                self.refusals.append(f"{request.method} {path}: {refused}")
                if isinstance(refused, Malformed):
                    self.violations.append(self.refusals[-1])
                return answer(refused.status, refused.body)
            response = answer(200 if result is not None else 204, result)
            described = rules.openapi()
            if described and isinstance(response.body, bytes):
                self.own_faults += described.response(request.method, path, response.status, response.body)
            return response

        return serve

    def _check(self, request: web.Request, path: str, body: bytes) -> None:
        """Hold a request against Discord's description where that is at hand."""
        described = rules.openapi()
        if not described:
            self.operations[rules.template(request.method, path)] += 1
            return
        kind = request.headers.get("Content-Type", "")
        operation, errors = described.request(request.method, path, request.query, kind, body)
        self.operations[operation] += 1
        self.violations += errors

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
            "owner": self.world.owner.payload(),
        }

    async def gateway_bot(self, request: web.Request) -> dict[str, Any]:
        limits = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        return {"url": self.gateway.url, "shards": 1, "session_start_limit": limits}

    async def unknown(self, request: web.Request) -> None:
        self.own_faults.append(f"{request.method} {request.path}: the loopback server does not know this route")
        raise Refused(404, 0, "404: Not Found")

    async def download(self, request: web.Request) -> web.Response:
        self.downloads += 1
        file = self.world.file(int(request.match_info["file"]))
        return web.Response(body=file.data) if file else web.Response(status=404)


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
