"""Count what was visited on a tour, and what was not: commands, options, menus, buttons, choices and forms."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.locales import say
from bot.ui.persona_panels import ACTIONS
from bot.ui.reply_buttons import LABELS
from tests.loopback.commands import CHAT, GROUP, MESSAGE_MENU, SUBCOMMAND, Command
from tests.loopback.components import BUTTON, LINK, SELECTS
from tests.loopback.exchange import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Exchange
from tests.loopback.messages import Message, walk
from tests.loopback.story import Change, Entry

UI = Path(__file__).parents[2] / "bot" / "ui"
COMMANDS, OPTIONS, VALUES, COMPLETIONS = "commands", "options", "choices of options", "completions"
ENTRIES, BUTTONS, CHOICES, FORMS = "message menus", "buttons", "selection menus", "forms"
KINDS = (COMMANDS, OPTIONS, VALUES, COMPLETIONS, ENTRIES, BUTTONS, CHOICES, FORMS)

Visit = tuple[str, str]  # the kind of a thing and its name


@dataclass(frozen=True)
class Visits:
    """What there is, and what of it was visited."""

    known: frozenset[Visit]
    visited: frozenset[Visit]

    @property
    def missing(self) -> list[Visit]:
        """What was not visited."""
        return sorted(self.known - self.visited)

    def report(self) -> str:
        """Say how many there are of each kind, and how many of them were visited."""
        counts = []
        for kind in KINDS:
            known = {visit for visit in self.known if visit[0] == kind}
            counts.append(f"{len(known & self.visited)} of {len(known)} {kind}")
        return ", ".join(counts)


def count(registered: Sequence[Command], exchanges: Sequence[Exchange], story: Sequence[Entry], locale: str) -> Visits:
    """Compare what the bot registers, shows and has in its code with what people used."""
    known = {*_registered(registered), *_shown(story), *((BUTTONS, say(locale, label)) for label in labels())}
    known |= {(BUTTONS, f"{emoji} {say(locale, label)}") for emoji, label in LABELS.values()}
    known |= {(BUTTONS, say(locale, label)) for label in ACTIONS.values()}
    known |= {(FORMS, exchange.modal["title"]) for exchange in exchanges if exchange.modal}
    return Visits(frozenset(known), frozenset(visit for exchange in exchanges for visit in _used(exchange)))


def _registered(commands: Sequence[Command]) -> Iterator[Visit]:
    for command in commands:
        if command["type"] == MESSAGE_MENU:
            yield ENTRIES, command["name"]
        elif command["type"] == CHAT:
            for path, options in _paths(command):
                yield COMMANDS, path
                for option in options:
                    yield OPTIONS, f"{path} {option['name']}"
                    if option.get("autocomplete"):
                        yield COMPLETIONS, f"{path} {option['name']}"
                    for choice in option.get("choices") or []:
                        yield VALUES, f"{path} {option['name']} {choice['value']}"


def _paths(command: Command, before: str = "") -> Iterator[tuple[str, list[Command]]]:
    """Yield what can be typed, "persona use", and its options."""
    path, options = f"{before} {command['name']}".strip(), command.get("options") or []
    nested = [option for option in options if option["type"] in (SUBCOMMAND, GROUP)]
    if not nested:
        yield path, options
    for option in nested:
        yield from _paths(option, path)


def _shown(story: Sequence[Entry]) -> Iterator[Visit]:
    """Yield the buttons and menus that people could use under messages."""
    for entry in story:
        if isinstance(entry, Message | Change):
            message = entry if isinstance(entry, Message) else entry.message
            for version in message.versions:
                yield from _usable(walk(list(version.components)))


def _usable(parts: Iterable[dict[str, Any]]) -> Iterator[Visit]:
    for part in parts:
        if part["type"] in SELECTS:
            yield CHOICES, part["placeholder"]
        elif part["type"] == BUTTON and part["style"] != LINK and not part.get("disabled"):
            yield BUTTONS, " ".join(filter(None, [part.get("emoji", {}).get("name"), part.get("label")]))


def _used(exchange: Exchange) -> Iterator[Visit]:
    """Yield what an interaction visited."""
    if exchange.type == MODAL and exchange.opened_by and exchange.opened_by.modal:
        yield FORMS, exchange.opened_by.modal["title"]
    elif exchange.type == COMPONENT:
        yield BUTTONS if exchange.data["component_type"] == BUTTON else CHOICES, exchange.label[1:-1]
    elif exchange.type in (COMMAND, AUTOCOMPLETE) and exchange.data["type"] == CHAT:
        path, options = exchange.data["name"], exchange.data["options"]
        while options and options[0]["type"] in (SUBCOMMAND, GROUP):
            path, options = f"{path} {options[0]['name']}", options[0]["options"]
        if exchange.type == COMMAND:
            yield COMMANDS, path
        for option in options:
            yield COMPLETIONS if option.get("focused") else OPTIONS, f"{path} {option['name']}"
            yield VALUES, f"{path} {option['name']} {option['value']}"
    elif exchange.type == COMMAND:
        yield ENTRIES, exchange.data["name"]


def labels() -> set[str]:
    """Return the words on buttons that stand as they are in the code of bot/ui."""
    found: set[str] = set()
    for path in sorted(UI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _called(node.func) == "Button":
                found |= {word for keyword in node.keywords if keyword.arg == "label" for word in _said(keyword.value)}
            elif isinstance(node, ast.Call) and _called(node.func) == "add" and node.args:
                found |= set(_said(node.args[0]))
            elif isinstance(node, ast.Assign) and _called(node.targets[0]) == "label":
                found |= set(_said(node.value))
    return found


def _called(function: ast.expr) -> str:
    """Return the last name of ``ui.Button`` or ``ui.Button[Any]``."""
    if isinstance(function, ast.Subscript):
        return _called(function.value)
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _said(value: ast.expr) -> Iterator[str]:
    """Yield the literal in ``say(locale, "...")``."""
    if isinstance(value, ast.Call) and _called(value.func) == "say" and isinstance(value.args[1], ast.Constant):
        yield str(value.args[1].value)
