"""What people do with commands, menus, buttons and forms; every method returns when the bot has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.loopback import exchange as exchanges
from tests.loopback import modals, offers
from tests.loopback.components import BUTTON, LINK, SELECTS, STRING_SELECT, Component
from tests.loopback.exchange import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Exchange
from tests.loopback.messages import Message, walk
from tests.loopback.offers import NotOffered
from tests.loopback.people import User
from tests.loopback.permissions import USE_EXTERNAL_APPS
from tests.loopback.places import Channel
from tests.loopback.rest import Rest
from tests.loopback.story import Deed

LATE = 7.0  # how long after the deadline an answer is still waited for, so that it can be called late


class Hands:
    """The people's side of interactions: part of LoopbackDiscord."""

    rest: Rest

    def _commands(self, channel: Channel) -> list[offers.Command]:
        registered = self.rest.commands.registered
        return (
            [*registered.get(channel.guild_id, []), *registered.get(None, [])]
            if channel.guild_id
            else list(registered.get(None, []))
        )

    async def slash(
        self,
        user: User,
        channel: Channel,
        typed: str,
        *,
        locale: str | None = None,
        installed: str = "guild",
        **options: Any,
    ) -> Exchange:
        """Send a slash command; option names with "-" are given with "_", attachments as (name, data)."""
        locale = locale or user.locale
        path = offers.find(self._commands(channel), typed, locale)
        offers.check_place(path[0], user, channel, installed)
        choice = offers.fill(path, options, locale)
        offers.resolve_files(choice, self.rest.gateway.cdn)
        self.rest.world.uploads |= {file.id: file for file in choice.files}
        self._told(Deed("command", user, channel, locale, choice.label(locale), values=choice.shown))
        owners = offers.owners(user, channel, installed)
        return await self._ask(Exchange(COMMAND, user, channel, locale, owners, choice.data(), choice.label(locale)))

    async def complete(
        self,
        user: User,
        channel: Channel,
        command: str,
        *,
        focused: str,
        typed: str = "",
        locale: str | None = None,
        installed: str = "guild",
        **options: Any,
    ) -> list[tuple[str, Any]]:
        """Type into an option that completes itself; return what is offered as names and values."""
        locale = locale or user.locale
        path = offers.find(self._commands(channel), command, locale)
        offers.check_place(path[0], user, channel, installed)
        option = offers.named(path[-1].get("options") or [], focused.replace("_", "-"), locale)
        if option is None or not option.get("autocomplete"):
            raise NotOffered(f"/{command} does not complete {focused!r}")
        choice = offers.fill(path, options, locale, complete=False)
        choice.options.append({"type": option["type"], "name": option["name"], "value": typed, "focused": True})
        owners, label = offers.owners(user, channel, installed), f"{choice.label(locale)} {focused}:{typed}"
        asked = await self._ask(Exchange(AUTOCOMPLETE, user, channel, locale, owners, choice.data(), label))
        return [(offers.name(offered, locale), offered["value"]) for offered in asked.choices]

    async def menu(
        self,
        user: User,
        channel: Channel,
        entry: str,
        message: Message,
        *,
        locale: str | None = None,
        installed: str = "guild",
    ) -> Exchange:
        """Choose an entry of the menu of a message."""
        locale = locale or user.locale
        command = offers.find_menu(self._commands(channel), entry, locale)
        offers.check_place(command, user, channel, installed)
        self._check_seen(user, message)
        label = offers.name(command, locale)
        data = {**offers.identity(command), "target_id": str(message.id)}
        data["resolved"] = {"messages": {str(message.id): message.payload(self.rest.gateway.cdn)}}
        self._told(Deed("menu", user, channel, locale, label, message))
        owners = offers.owners(user, channel, installed)
        return await self._ask(Exchange(COMMAND, user, channel, locale, owners, data, label))

    async def press(self, user: User, message: Message, which: str, *, locale: str | None = None) -> Exchange:
        """Press the button with this label, emoji or id."""
        buttons = [part for part in walk(message.components) if part["type"] == BUTTON]
        faces = [(part.get("label"), part.get("emoji", {}).get("name"), part.get("custom_id")) for part in buttons]
        found = next((part for part, face in zip(buttons, faces, strict=True) if which in face), None)
        if found is None:
            raise NotOffered(f"there is no button {which!r} under {message.text!r}; there are {faces}")
        if found.get("disabled") or found["style"] == LINK:
            raise NotOffered(f"the button {which!r} cannot be pressed")
        deed = Deed("button", user, message.channel, locale or user.locale, _face(found), message)
        return await self._use(deed, found, {"custom_id": found["custom_id"], "component_type": BUTTON})

    async def select(
        self,
        user: User,
        message: Message,
        which: str,
        values: str | User | Sequence[str | User],
        *,
        locale: str | None = None,
    ) -> Exchange:
        """Choose labels or values in the menu with this placeholder or id."""
        menus = [part for part in walk(message.components) if part["type"] in SELECTS]
        found = next((part for part in menus if which in (part.get("placeholder"), part["custom_id"])), None)
        if found is None or found.get("disabled"):
            known = [(part.get("placeholder"), part["custom_id"]) for part in menus]
            raise NotOffered(f"there is no menu {which!r} under {message.text!r} to use; there are {known}")
        many = [values] if isinstance(values, str | User) else list(values)
        if not found["min_values"] <= len(many) <= found["max_values"]:
            raise NotOffered(f"{which!r} takes {found['min_values']} to {found['max_values']} choices")
        chosen, shown = self._chosen(found, many)
        data = {"custom_id": found["custom_id"], "component_type": found["type"], "values": chosen}
        people = {str(user.id): user.payload() for user in many if isinstance(user, User)}
        if people:
            data["resolved"] = {"users": people}
        deed = Deed("select", user, message.channel, locale or user.locale, found.get("placeholder") or "", message)
        deed.values["chosen"] = shown
        return await self._use(deed, found, data)

    @staticmethod
    def _chosen(menu: Component, many: Sequence[str | User]) -> tuple[list[str], list[str]]:
        if menu["type"] != STRING_SELECT:
            return [str(getattr(one, "id", one)) for one in many], [str(getattr(one, "name", one)) for one in many]
        found = []
        for one in many:
            option = next((option for option in menu["options"] if one in (option["label"], option["value"])), None)
            if option is None:
                raise NotOffered(f"the menu does not offer {one!r}: {[option['label'] for option in menu['options']]}")
            found.append(option)
        return [option["value"] for option in found], [option["label"] for option in found]

    async def submit(
        self, exchange: Exchange, values: Mapping[str, modals.Value], *, locale: str | None = None
    ) -> Exchange:
        """Send the form that an interaction opened; fields are named by their labels, files are (name, data)."""
        if exchange.modal is None:
            raise NotOffered(f"{exchange.label} opened no form")
        filling = modals.Filling(exchange.modal, values)
        data = filling.answer()
        if filling.files:
            self.rest.world.uploads |= {file.id: file for file in filling.files}
            cdn = self.rest.gateway.cdn
            data["resolved"] = {"attachments": {str(file.id): file.payload(cdn) for file in filling.files}}
        user, channel, title = exchange.user, exchange.channel, exchange.modal["title"]
        deed = Deed(
            "modal", user, channel, locale or exchange.locale, title, values=filling.shown, modal=exchange.modal
        )
        self._told(deed)
        sent = Exchange(MODAL, user, channel, deed.locale, exchange.owners, data, title, exchange.source, exchange)
        return await self._ask(sent)

    async def _use(self, deed: Deed, part: Component, data: dict[str, Any]) -> Exchange:
        message = deed.message
        assert message
        self._check_seen(deed.user, message)
        self._told(deed)
        owners = message.answers.owners if message.answers else offers.owners(deed.user, message.channel, "guild")
        label = f"[{_face(part)}]"
        return await self._ask(
            Exchange(COMPONENT, deed.user, message.channel, deed.locale, owners, data, label, message)
        )

    @staticmethod
    def _check_seen(user: User, message: Message) -> None:
        if message.gone:
            raise NotOffered("the message has been deleted")
        if message.only_for not in (None, user):
            raise NotOffered(f"{user.name} does not see this message")

    def _told(self, deed: Deed) -> None:
        self.rest.posting.told(deed)

    async def _ask(self, exchange: Exchange) -> Exchange:
        """Tell the bot and wait until the person sees what came of it."""
        lacks = not exchange.channel.granted(exchange.user) & USE_EXTERNAL_APPS
        exchange.always_ephemeral = bool(exchange.channel.guild) and exchange.for_user_only and lacks
        self.rest.interactions.open(exchange)
        await self.rest.gateway.interaction_created(exchange)
        patience = min(exchanges.PATIENCE, self.rest.interactions.deadline + LATE)
        try:
            await asyncio.wait_for(exchange.answered.wait(), patience)
        except TimeoutError:
            self.rest.violations.append(f"{exchange.label} was never answered")
            raise AssertionError(f"the bot never answered {exchange.label}") from None
        if exchange.kind == "deferred":
            await exchange.more()
        return exchange


def _face(part: Component) -> str:
    """Return what a button or menu shows."""
    emoji = part.get("emoji", {}).get("name", "")
    return " ".join(filter(None, [emoji, part.get("label") or part.get("placeholder")])) or part["custom_id"]
