"""What Discord's client lets a person choose: the command, its options, and who may use it where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.loopback.commands import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    CHAT,
    GROUP,
    INTEGER,
    MENTIONABLE,
    MESSAGE_MENU,
    NUMBER,
    ROLE,
    STRING,
    SUBCOMMAND,
    USER,
    Command,
)
from tests.loopback.messages import File
from tests.loopback.people import User
from tests.loopback.permissions import ADMINISTRATOR, USE_APPLICATION_COMMANDS, VIEW_CHANNEL
from tests.loopback.places import Channel

INSTALLED = {"guild": (0,), "user": (1,), "both": (0, 1)}


class NotOffered(AssertionError):
    """Discord's client would not let this person do this."""


@dataclass
class Choice:
    """A command with the values of its options, ready to be sent."""

    command: Command
    path: list[Command]
    options: list[dict[str, Any]] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    resolved: dict[str, dict[str, Any]] = field(default_factory=dict)
    shown: dict[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return the data of the interaction, the options wrapped in their subcommands."""
        options = self.options
        for step in reversed(self.path[1:]):
            options = [{"type": step["type"], "name": step["name"], "options": options}]
        data = {**identity(self.command), "options": options}
        return {**data, "resolved": self.resolved} if self.resolved else data

    def label(self, locale: str) -> str:
        """Return what the person typed, in the person's language."""
        return "/" + " ".join(name(step, locale) for step in self.path)


def identity(command: Command) -> dict[str, Any]:
    """Return what tells the bot which command it is; those of one server name it."""
    return {key: command[key] for key in ("id", "name", "type", "guild_id") if key in command}


def owners(user: User, channel: Channel, installed: str) -> dict[str, str]:
    """Return where the application is installed, as the interaction tells it."""
    guild_id = str(channel.guild_id) if channel.guild_id else "0"
    both = {0: guild_id, 1: str(user.id)}
    return {str(kind): both[kind] for kind in INSTALLED[installed]}


def name(thing: Command, locale: str) -> str:
    """Return a name as somebody with this language sees it."""
    translated: str = (thing.get("name_localizations") or {}).get(locale) or thing["name"]
    return translated


def named(things: list[Command], wanted: str, locale: str) -> Command | None:
    """Return the thing of this name, in English or in the person's language."""
    return next((thing for thing in things if wanted in (thing["name"], name(thing, locale))), None)


def find(commands: list[Command], typed: str, locale: str) -> list[Command]:
    """Return the command of a path such as "persona use", then its group and subcommand."""
    words = typed.lstrip("/").split()
    here = [command for command in commands if command["type"] == CHAT]
    path: list[Command] = []
    for word in words:
        step = named(here, word, locale)
        if step is None or (path and step["type"] not in (SUBCOMMAND, GROUP)):
            known = [f"/{command['name']}" for command in commands if command["type"] == CHAT]
            raise NotOffered(f"there is no command /{typed}; there are {known}")
        path.append(step)
        here = step.get("options") or []
    if not path or any(option["type"] in (SUBCOMMAND, GROUP) for option in here):
        raise NotOffered(f"/{typed} needs one of its subcommands {[option['name'] for option in here]}")
    return path


def find_menu(commands: list[Command], wanted: str, locale: str) -> Command:
    """Return the message menu entry of this name."""
    menus = [command for command in commands if command["type"] == MESSAGE_MENU]
    found = named(menus, wanted, locale)
    if found is None:
        raise NotOffered(f"there is no menu entry {wanted!r}; there are {[menu['name'] for menu in menus]}")
    return found


def check_place(command: Command, user: User, channel: Channel, installed: str) -> None:
    """Refuse commands that this person does not see in this place."""
    label, guild = command["name"], channel.guild
    if not set(INSTALLED[installed]) <= set(command["integration_types"]):
        raise NotOffered(f"{label!r} is not there for applications installed by {installed}")
    context = 0 if guild else 1 if channel.recipient else 2
    if command["contexts"] is not None and context not in command["contexts"]:
        raise NotOffered(f"{label!r} is not there in {('servers', 'direct messages', 'private channels')[context]}")
    if installed != "user" and (context == 2 or not channel.visible):
        raise NotOffered(f"{label!r} is not there, since the bot is not in {channel.name}")
    if command.get("nsfw") and not channel.nsfw:
        raise NotOffered(f"{label!r} is only there in age-restricted channels")
    if guild is None:
        return
    granted = channel.granted(user)
    if not granted & USE_APPLICATION_COMMANDS or not granted & VIEW_CHANNEL:
        raise NotOffered(f"{user.name} may not use commands in {channel.name}")
    needed = command["default_member_permissions"]
    if needed is None or granted & ADMINISTRATOR:
        return
    if int(needed) == 0 or int(needed) & ~granted:
        raise NotOffered(f"{user.name} lacks the permissions for {label!r}")


def fill(path: list[Command], values: Mapping[str, Any], locale: str, *, complete: bool = True) -> Choice:
    """Return the choice with every option in the form in which Discord sends it."""
    choice = Choice(path[0], path)
    known: list[Command] = path[-1].get("options") or []
    given = {
        key.replace("_", "-") if named(known, key, locale) is None else key: value for key, value in values.items()
    }
    for key, value in given.items():
        option = named(known, key, locale)
        if option is None:
            raise NotOffered(f"/{path[-1]['name']} has no option {key!r}; it has {[one['name'] for one in known]}")
        sent = _value(choice, option, value)
        picked = next((one for one in option.get("choices") or [] if one["value"] == sent), None)
        plain = name(picked, locale) if picked else value[0] if isinstance(value, tuple) else value
        choice.shown[name(option, locale)] = plain.name if isinstance(plain, User | Channel) else plain
        choice.options.append({"type": option["type"], "name": option["name"], "value": sent})
    missing = [option["name"] for option in known if option.get("required") and not _has(choice, option)]
    if complete and missing:
        raise NotOffered(f"/{path[-1]['name']} cannot be sent without {missing}")
    return choice


def _has(choice: Choice, option: Command) -> bool:
    return any(given["name"] == option["name"] for given in choice.options)


def _value(choice: Choice, option: Command, value: Any) -> Any:
    """Return the value of an option after the checks of Discord's client."""
    kind, label = option["type"], option["name"]
    if choices := option.get("choices"):
        return _chosen(choices, value, label)
    wrong = NotOffered(f"{label!r} does not take {value!r}")
    if kind == STRING:
        if not isinstance(value, str) or not option.get("min_length", 0) <= len(value) <= option.get(
            "max_length", 6000
        ):
            raise wrong
    elif kind in (INTEGER, NUMBER):
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole and (kind == INTEGER or not isinstance(value, float)):
            raise wrong
        if not option.get("min_value", value) <= value <= option.get("max_value", value):
            raise wrong
    elif kind == BOOLEAN:
        if not isinstance(value, bool):
            raise wrong
    elif kind == ATTACHMENT:
        file = File(value[0], value[1], ephemeral=True)
        choice.files.append(file)
        return str(file.id)
    elif kind == CHANNEL and isinstance(value, Channel):
        partial = {key: item for key, item in value.payload().items() if key != "permission_overwrites"}
        partial["permissions"] = "0"
        choice.resolved.setdefault("channels", {})[str(value.id)] = partial
        return str(value.id)
    elif kind in (USER, MENTIONABLE) and isinstance(value, User):
        choice.resolved.setdefault("users", {})[str(value.id)] = value.payload()
        return str(value.id)
    elif kind in (ROLE, USER, CHANNEL, MENTIONABLE):
        raise wrong
    return value


def _chosen(choices: list[Command], value: Any, label: str) -> Any:
    for choice in choices:
        if value == choice["value"] or value in (choice["name"], *(choice.get("name_localizations") or {}).values()):
            return choice["value"]
    raise NotOffered(f"{label!r} does not offer {value!r}; it offers {[choice['name'] for choice in choices]}")


def resolve_files(choice: Choice, cdn: str) -> None:
    """Tell the bot where the uploaded files are."""
    if choice.files:
        choice.resolved["attachments"] = {str(file.id): file.payload(cdn) for file in choice.files}
