"""The commands of the application: registered by the bot, and what Discord refuses of them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from typing import Any

import discord
from aiohttp import web

from tests.loopback.people import snowflake
from tests.loopback.rules import Malformed, Refused, limit
from tests.loopback.world import World

Command = dict[str, Any]
CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
LOCALES = {locale.value for locale in discord.Locale}
MOST = {CHAT: 100, USER_MENU: 5, MESSAGE_MENU: 5}
MAX_TEXT, MAX_OPTIONS, MAX_CHOICES = 8000, 25, 25


class CommandRoutes:
    """Keeps what the bot registers, for everywhere (under None) and for single servers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.registered: dict[int | None, list[Command]] = {}

    async def overwrite(self, request: web.Request) -> list[Command]:
        place = self._place(request)
        commands: list[Command] = json.loads(await request.read())
        check(commands)
        before = {(command["type"], command["name"]): command["id"] for command in self.registered.get(place, [])}
        self.registered[place] = [self._shown(command, place, before) for command in commands]
        return self.registered[place]

    async def list(self, request: web.Request) -> list[Command]:
        return self.registered.get(self._place(request), [])

    def _place(self, request: web.Request) -> int | None:
        if int(request.match_info["application"]) != self.world.bot.id:
            raise Refused(403, 20012, "You are not authorized to perform this action on this application")
        guild_id = request.match_info.get("guild")
        if guild_id is not None and int(guild_id) not in self.world.guilds:
            raise Refused(403, 50001, "Missing Access")
        return int(guild_id) if guild_id else None

    def _shown(self, command: Command, place: int | None, before: dict[tuple[int, str], str]) -> Command:
        """Return a command as Discord keeps it."""
        kind, needed = command.get("type", CHAT), command.get("default_member_permissions")
        result = {
            **{key: value for key, value in command.items() if key != "dm_permission"},
            "id": before.get((kind, command["name"]), str(snowflake())),
            "application_id": str(self.world.bot.id),
            "version": str(snowflake()),
            "type": kind,
            "description": command.get("description", ""),
            "default_member_permissions": None if needed is None else str(needed),
            "integration_types": command.get("integration_types") or [0],
            "contexts": command.get("contexts") or ([0] if command.get("dm_permission") is False else None),
        }
        return result if place is None else {**result, "guild_id": str(place)}


def check(commands: list[Command]) -> None:
    """Refuse commands that Discord would not register."""
    kinds = [(command.get("type", CHAT), command["name"]) for command in commands]
    if len(set(kinds)) < len(kinds):
        raise Malformed("Application command names must be unique")
    for kind, most in MOST.items():
        if sum(kind == other for other, _ in kinds) > most:
            raise Malformed("Maximum number of application commands reached", 30032)
    for command in commands:
        check_command(command)


def check_command(command: Command) -> None:
    """Refuse one command with wrong names, permissions, places or options."""
    if command.get("type", CHAT) == CHAT:
        check_texts(command)
        check_options(command.get("options") or [])
        if longest_text(command) > MAX_TEXT:
            raise Malformed(f"Command exceeds maximum size ({MAX_TEXT})")
    else:
        for name in localized(command, "name"):
            limit("name", name, 32)
        if command.get("description") or command.get("options"):
            raise Malformed("context menus have neither descriptions nor options")
    needed = command.get("default_member_permissions")
    if needed is not None and not str(needed).isdigit():
        raise Malformed("default_member_permissions must be a number in a string")
    for key, most in (("contexts", 3), ("integration_types", 2)):
        chosen = command.get(key)
        if chosen is not None and (len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(most))):
            raise Malformed(f"{key}: unknown or repeated values")


def check_options(options: list[Command], depth: int = 0) -> None:
    """Refuse options that are too many, alike, in a wrong order or with wrong choices."""
    if len(options) > MAX_OPTIONS:
        raise Malformed("options must be 25 or fewer in length")
    if len({option["name"] for option in options}) < len(options):
        raise Malformed("options: Option names must be unique")
    nested = [option["type"] in (SUBCOMMAND, GROUP) for option in options]
    if any(nested) and not all(nested):
        raise Malformed("options: subcommands and other options cannot be mixed")
    required = [bool(option.get("required")) for option in options]
    if required != sorted(required, reverse=True):
        raise Malformed("options: Required options must be placed before non-required options")
    for option in options:
        check_texts(option)
        if (option["type"] == GROUP and depth > 0) or (option["type"] == SUBCOMMAND and depth > 1):
            raise Malformed("options: subcommands are nested too deeply")
        if option["type"] in (SUBCOMMAND, GROUP):
            inner = option.get("options") or []
            if option["type"] == GROUP and any(child["type"] != SUBCOMMAND for child in inner):
                raise Malformed("options: a group holds subcommands")
            check_options(inner, depth + 1 if option["type"] == GROUP else 2)
        elif option.get("choices"):
            if option.get("autocomplete"):
                raise Malformed("options: choices and autocomplete exclude each other")
            check_choices(option["choices"])


def check_choices(choices: list[Command] | None) -> None:
    """Refuse choices that are too many or too long."""
    if choices is None or len(choices) > MAX_CHOICES:
        raise Malformed("choices must be 25 or fewer in length")
    for choice in choices:
        for name in localized(choice, "name"):
            limit("choice name", name, 100)
        if isinstance(choice["value"], str):
            limit("choice value", choice["value"], 100)


def check_texts(thing: Command) -> None:
    """Refuse the name or description of a command or option, in any language."""
    for name in localized(thing, "name"):
        limit("name", name, 32)
        letters = all(char in "-_'" or unicodedata.category(char)[0] in "LN" for char in name)
        if not letters or name != name.lower():
            raise Malformed(f"name: Command name is invalid: {name}")
    for description in localized(thing, "description"):
        limit("description", description, 100)


def localized(thing: Command, key: str) -> Iterable[str]:
    """Return a text in every language that it has."""
    translations = thing.get(f"{key}_localizations") or {}
    unknown = set(translations) - LOCALES
    if unknown:
        raise Malformed(f"{key}_localizations: unknown languages {sorted(unknown)}")
    return [thing.get(key, ""), *translations.values()]


def longest_text(thing: Command) -> int:
    """Return the length of all texts of a command, in the longest language of each."""
    own = sum(max(map(len, localized(thing, key))) for key in ("name", "description"))
    value = thing.get("value")
    own += len(value) if isinstance(value, str) else 0
    return own + sum(longest_text(inner) for key in ("options", "choices") for inner in thing.get(key) or [])
