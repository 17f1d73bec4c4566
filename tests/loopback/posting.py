"""Making, changing and deleting messages for the bot: shared by channels, webhooks and interactions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.loopback import components, rules
from tests.loopback.forms import Form
from tests.loopback.gateway import Gateway
from tests.loopback.messages import COMPONENTS_V2, EPHEMERAL, File, Message
from tests.loopback.rules import Malformed
from tests.loopback.story import Change, Entry, Removal
from tests.loopback.world import World

if TYPE_CHECKING:
    from tests.loopback.exchange import Exchange

SILENT, NO_EMBEDS, VOICE = 1 << 12, 1 << 2, 1 << 13


class Posting:
    """Writes what the bot says; ``told`` hears of new messages, changes and removals."""

    def __init__(self, world: World, gateway: Gateway, violations: list[str]) -> None:
        self.world = world
        self.gateway = gateway
        self.violations = violations
        self.told: Callable[[Entry], None] = lambda what: None

    def check(self, body: dict[str, Any], files: tuple[File, ...]) -> None:
        """Refuse what cannot be posted, and note bad manners."""
        components.check_message(body, bool(files))
        self.violations += rules.manners(body)

    async def create(self, message: Message, body: dict[str, Any], files: tuple[File, ...]) -> Message:
        """Fill an empty message and show it to whoever may see it."""
        self.check(body, files)
        message.flags |= (body.get("flags") or 0) & (EPHEMERAL | COMPONENTS_V2 | SILENT | NO_EMBEDS | VOICE)
        self._fill(message, body, files)
        self.keep(message)
        self.told(message)
        await self.gateway.message_created(message)
        return message

    def keep(self, message: Message) -> None:
        """Put a message where it can be found."""
        if message.only_for:
            self.world.hidden[message.id] = message
        else:
            message.channel.messages[message.id] = message

    def _fill(self, message: Message, body: dict[str, Any], files: tuple[File, ...]) -> None:
        for file in files:
            file.ephemeral = message.ephemeral
        message.content = (body.get("content") or "").strip()
        message.embeds = body.get("embeds") or []
        message.files = files
        message.components = components.shown(body.get("components") or [], files, self.gateway.cdn)
        message.remember()

    async def edit(
        self, message: Message, form: Form, data: dict[str, Any] | None = None, *, first: bool = False
    ) -> None:
        """Change what the request names; ``first`` gives a deferred answer its words."""
        body = form.body if data is None else data
        old = message.files
        kept = old if form.kept is None else tuple(file for file in old if file.id in form.kept)
        if form.kept is not None and set(form.kept) - {file.id for file in old}:
            raise Malformed("attachments: an edit names a file that the message has not")
        flags = message.flags | ((body.get("flags") or 0) & COMPONENTS_V2)
        whole = {
            "content": body.get("content", message.content),
            "embeds": body.get("embeds", message.embeds),
            "components": body.get("components", message.components),
            "flags": flags,
        }
        components.check_message(whole, bool(kept or form.files))
        self.violations += rules.manners(body)
        message.flags = flags
        self._fill(message, whole, (*kept, *form.files))
        if first:
            self.told(message)
        else:
            message.edited = datetime.now(UTC)
            self.told(Change(message, message.versions[-1]))
        await self.gateway.message_changed(message)

    async def delete(self, message: Message) -> None:
        """Take a message away."""
        message.gone = True
        self.world.hidden.pop(message.id, None)
        message.channel.messages.pop(message.id, None)
        self.told(Removal(message))
        await self.gateway.messages_deleted(message)

    def answer(self, exchange: Exchange, *, ephemeral: bool) -> Message:
        """Return the empty message with which an interaction is answered."""
        message = Message(exchange.channel, self.world.bot, answers=exchange)
        message.webhook_id = message.application_id = self.world.bot.id
        if ephemeral or exchange.always_ephemeral:
            message.only_for = exchange.user
            message.flags |= EPHEMERAL
        message.reply_to = exchange.source
        return message
