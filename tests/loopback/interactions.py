"""The REST routes of interactions: the answer, the original message and what follows it."""

from __future__ import annotations

import time
from typing import Any

from aiohttp import web

from tests.loopback import components, modals
from tests.loopback.commands import check_choices
from tests.loopback.exchange import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Exchange
from tests.loopback.forms import Form
from tests.loopback.messages import EPHEMERAL, LOADING, Message
from tests.loopback.posting import Posting
from tests.loopback.rules import Malformed, Refused
from tests.loopback.story import Deed
from tests.loopback.world import World

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, FORM = 4, 5, 6, 7, 8, 9
KINDS = {
    MESSAGE: "message",
    DEFERRED: "deferred",
    DEFERRED_UPDATE: "deferred_update",
    UPDATE: "update",
    CHOICES: "autocomplete",
    FORM: "modal",
}
ALLOWED = {
    COMMAND: {MESSAGE, DEFERRED, FORM},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, FORM},
    AUTOCOMPLETE: {CHOICES},
    MODAL: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE},
}
MAX_FOLLOW_UPS = 5


class InteractionRoutes:
    """How the bot answers interactions; ``deadline`` and ``token_life`` are in seconds."""

    def __init__(self, posting: Posting) -> None:
        self.posting = posting
        self.world: World = posting.world
        self.gateway = posting.gateway
        self.violations = posting.violations
        self.deadline = 3.0
        self.token_life = 15 * 60.0
        self.exchanges: dict[str, Exchange] = {}

    def open(self, exchange: Exchange) -> None:
        """Expect an answer from now on."""
        exchange.started = time.monotonic()
        self.exchanges[exchange.token] = exchange

    async def callback(self, request: web.Request) -> dict[str, Any] | None:
        exchange = self.exchanges.get(request.match_info["token"])
        if exchange is None or str(exchange.id) != request.match_info["interaction"]:
            raise Refused(404, 10062, "Unknown interaction")
        self._in_time(exchange)
        form = await Form.read(request)
        kind, data = form.body["type"], form.body.get("data") or {}
        allowed = ALLOWED[exchange.type]
        if kind not in allowed or (kind in (UPDATE, DEFERRED_UPDATE) and exchange.source is None):
            raise Malformed(f"type: {KINDS.get(kind, kind)} cannot answer this interaction")
        await self._take(exchange, kind, data, form)
        exchange.settle(KINDS[kind])
        return self._confirmation(exchange, kind) if request.query.get("with_response") in ("1", "true") else None

    def _in_time(self, exchange: Exchange) -> None:
        took = time.monotonic() - exchange.started
        if exchange.kind and exchange.kind != "late":
            self.violations.append(f"{exchange.label} was answered twice")
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if took > self.deadline:
            self.violations.append(f"{exchange.label} was answered after {took:.1f} s, later than {self.deadline} s")
            exchange.settle("late")
            raise Refused(404, 10062, "Unknown interaction")

    async def _take(self, exchange: Exchange, kind: int, data: dict[str, Any], form: Form) -> None:
        if kind in (MESSAGE, DEFERRED):
            message = self.posting.answer(exchange, ephemeral=bool(data.get("flags", 0) & EPHEMERAL))
            if kind == MESSAGE:
                await self.posting.create(message, data, form.files)
                exchange.messages.append(message)
            else:
                message.flags |= LOADING
                exchange.loading = True
                self.posting.keep(message)
                await self.gateway.message_created(message)
            exchange.message, exchange.ephemeral = message, message.ephemeral
        elif kind in (UPDATE, DEFERRED_UPDATE):
            exchange.message = exchange.source
            assert exchange.message
            exchange.ephemeral = exchange.message.ephemeral
            if kind == UPDATE:
                await self.posting.edit(exchange.message, form, data)
                exchange.messages.append(exchange.message)
        elif kind == CHOICES:
            check_choices(data.get("choices"))
            exchange.choices = data["choices"]
        else:
            modals.check(data)
            exchange.modal = {**data, "components": components.shown(data["components"], (), "")}
            values, title = modals.labels(exchange.modal), data["title"]
            deed = Deed(
                "form", exchange.user, exchange.channel, exchange.locale, title, values=values, modal=exchange.modal
            )
            self.posting.told(deed)

    def _confirmation(self, exchange: Exchange, kind: int) -> dict[str, Any]:
        interaction: dict[str, Any] = {"id": str(exchange.id), "type": exchange.type}
        result: dict[str, Any] = {"interaction": interaction}
        if exchange.message:
            interaction["response_message_id"] = str(exchange.message.id)
            interaction["response_message_loading"] = exchange.loading
            interaction["response_message_ephemeral"] = exchange.ephemeral
            if kind in (MESSAGE, UPDATE):
                result["resource"] = {"type": kind, "message": exchange.message.payload(self.gateway.cdn)}
        return result

    async def follow_up(self, request: web.Request) -> dict[str, Any]:
        """Post a message after the answer; the first after a deferred answer is that answer."""
        exchange, form = self._open(request), await Form.read(request)
        secret = bool(form.body.get("flags", 0) & EPHEMERAL)
        if exchange.loading and exchange.message:
            if secret != exchange.ephemeral:
                shown = "only to the user" if exchange.ephemeral else "to everybody"
                self.violations.append(f"{exchange.label}: the first follow-up is shown {shown}, as it was deferred")
            return await self._fill(exchange, form)
        exchange.follow_ups += 1
        if exchange.for_user_only and exchange.follow_ups > MAX_FOLLOW_UPS:
            self.violations.append(
                f"{exchange.label}: more than {MAX_FOLLOW_UPS} follow-ups where the bot is no member"
            )
            raise Refused(400, 40094, "This interaction has reached the maximum number of follow up messages")
        message = self.posting.answer(exchange, ephemeral=secret)
        message.reply_to = exchange.message if exchange.message and not exchange.message.gone else None
        await self.posting.create(message, form.body, form.files)
        exchange.tell(message)
        return message.payload(self.gateway.cdn)

    async def _fill(self, exchange: Exchange, form: Form) -> dict[str, Any]:
        """Give a deferred answer its words."""
        message = exchange.message
        assert message
        message.flags &= ~LOADING
        try:
            await self.posting.edit(message, form, first=True)
        except Refused:
            message.flags |= LOADING
            raise
        exchange.loading = False
        exchange.tell(message)
        return message.payload(self.gateway.cdn)

    async def show_message(self, request: web.Request) -> dict[str, Any]:
        return self._message(self._open(request), request).payload(self.gateway.cdn)

    async def edit_message(self, request: web.Request) -> dict[str, Any]:
        exchange = self._open(request)
        message, form = self._message(exchange, request), await Form.read(request)
        if exchange.loading and message is exchange.message:
            return await self._fill(exchange, form)
        await self.posting.edit(message, form)
        exchange.tell(message)
        return message.payload(self.gateway.cdn)

    async def delete_message(self, request: web.Request) -> None:
        exchange = self._open(request)
        message = self._message(exchange, request)
        exchange.loading = exchange.loading and message is not exchange.message
        await self.posting.delete(message)
        exchange.tell(None)

    def _open(self, request: web.Request) -> Exchange:
        """Return the interaction of a token that still works."""
        exchange = self.exchanges.get(request.match_info["token"])
        if exchange is None or int(request.match_info["webhook"]) != self.world.bot.id:
            raise Refused(404, 10015, "Unknown Webhook")
        if time.monotonic() - exchange.started > self.token_life:
            self.violations.append(f"{exchange.label} was continued after its token had expired")
            raise Refused(401, 50027, "Invalid Webhook Token")
        if not exchange.kind or exchange.kind == "late":
            self.violations.append(f"{exchange.label} was continued before it was answered")
            raise Refused(404, 10015, "Unknown Webhook")
        return exchange

    def _message(self, exchange: Exchange, request: web.Request) -> Message:
        name = request.match_info["message"]
        own = [exchange.message, *exchange.messages]
        wanted = exchange.message if name == "@original" else next((m for m in own if m and str(m.id) == name), None)
        if wanted is None or wanted.gone:
            raise Refused(404, 10008, "Unknown Message")
        return wanted
