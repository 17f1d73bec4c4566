"""Tell who said and did what on the loopback Discord, for people to read."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.loopback.components import (
    BUTTON,
    CONTAINER,
    FILE,
    GALLERY,
    ROW,
    SECTION,
    SELECTS,
    TEXT,
    THUMBNAIL,
    Component,
)
from tests.loopback.messages import Version, texts
from tests.loopback.places import DIRECT, GROUP
from tests.loopback.story import Change, Deed, Entry, Removal
from tests.loopback.world import Channel, Message, User, World

WIDTH = 110


def transcript(world: World, story: Sequence[Entry]) -> str:
    """Return the story, entry by entry, each message with what it replies to if that is not the one before it."""
    teller = _Teller(world)
    for entry in story:
        teller.tell(entry)
    return "\n".join(teller.lines).strip() + "\n"


class _Teller:
    def __init__(self, world: World) -> None:
        self.lines: list[str] = []
        self._world = world
        self._place: Channel | None = None
        self._before: Message | None = None
        self._now: dict[Message, Version] = {}  # what each message said at this point of the story

    def tell(self, entry: Entry) -> None:
        if isinstance(entry, str):
            self.lines += ["", f"    ({entry})"]
            return
        self._go(entry.channel if isinstance(entry, Message | Deed) else entry.message.channel)
        if isinstance(entry, Message):
            self._message(entry)
        elif isinstance(entry, Change):
            self._now[entry.message] = entry.version
            self._said(entry.message, " (edited)")
        elif isinstance(entry, Removal):
            self.lines.append(f"  x  {entry.message.author.name}'s message is deleted: {self._short(entry.message)}")
        else:
            self._wrap(f"> {deed_line(entry)}{self._about(entry)}")

    def _go(self, place: Channel) -> None:
        if place is not self._place:
            self._place = place
            self.lines += ["", f"== {place_name(self._world, place)} =="]

    def _message(self, message: Message) -> None:
        self._now[message] = message.versions[0]
        target = message.reply_to
        if target and target is not self._before and not message.answers:
            self.lines.append(f"  ,-- {target.author.name}: {self._short(target)}")
        self._said(message, "")
        self._before = message

    def _said(self, message: Message, how: str) -> None:
        version = self._now[message]
        secret = f" (only {message.only_for.name} sees this)" if message.only_for else ""
        names = " ".join(
            [*(f"[{file.name}]" for file in version.files), readable(self._world, version.content)]
        ).strip()
        said = f"{message.author.name}{tag(message)}{secret}{how}: {names}"
        for number, line in enumerate(said.split("\n")):
            self._wrap(line, "    " if number else "")
        for part in drawn(version.components):
            self._wrap(readable(self._world, part), "    ")

    def _about(self, deed: Deed) -> str:
        return f" on {deed.message.author.name}: {self._short(deed.message)}" if deed.message else ""

    def _short(self, message: Message) -> str:
        version = self._now.get(message) or message.remember()
        text = version.content or " ".join(texts([*version.components]))
        words = " ".join([*(f"[{file.name}]" for file in version.files), text])
        return textwrap.shorten(readable(self._world, words), 60, placeholder=" ...")

    def _wrap(self, line: str, indent: str = "") -> None:
        self.lines += textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent="    ") or [""]


def place_name(world: World, place: Channel) -> str:
    """Return what people call a channel; other servers are named."""
    server = f" on {place.guild.name}" if place.guild and place.guild is not world.guild else ""
    if place.parent:
        return f"#{place.parent.name} > {place.name}{server}"
    private = place.kind in (DIRECT, GROUP)
    adults = " (age-restricted)" if place.nsfw else ""
    return f"{'' if private else '#'}{place.name}{adults}{server}"


def tag(message: Message) -> str:
    """Return the mark behind the name of a bot or webhook."""
    return " [BOT]" if message.author.bot else ""


def deed_line(deed: Deed) -> str:
    """Return what somebody did, in one line."""
    name = deed.user.name + ("" if deed.locale == "en-US" else f" ({deed.locale})")
    values = "; ".join(f"{key}: {_value(value)}" for key, value in deed.values.items())
    return {
        "command": f"{name} used {deed.label}{f' {values}' if values else ''}",
        "menu": f'{name} chose "{deed.label}"',
        "button": f"{name} pressed [{deed.label}]",
        "select": f"{name} chose {_value(deed.values.get('chosen', ''))} in <{deed.label}>",
        "form": f'{name} sees the form "{deed.label}" with {values}',
        "modal": f'{name} sent the form "{deed.label}" with {values}',
    }[deed.kind]


def _value(value: Any) -> str:
    if isinstance(value, User | Channel):
        return value.name
    if isinstance(value, tuple | list):
        return ", ".join(_value(one) for one in value) or "-"
    return "-" if value in (None, "") else str(value)


def drawn(components: Sequence[Component]) -> Iterator[str]:
    """Yield a line for every row, text and picture of a message."""
    for part in components:
        kind = part["type"]
        if kind == ROW:
            yield " ".join(_control(child) for child in part["components"])
        elif kind == TEXT:
            yield from part["content"].split("\n")
        elif kind == SECTION:
            yield from drawn(part["components"])
            accessory = part["accessory"]
            yield _control(accessory) if accessory["type"] == BUTTON else _picture(accessory["media"])
        elif kind == CONTAINER:
            yield from drawn(part["components"])
        elif kind == GALLERY:
            yield " ".join(_picture(item["media"]) for item in part["items"])
        elif kind in (THUMBNAIL, FILE):
            yield _picture(part["media"] if kind == THUMBNAIL else part["file"])


def _control(part: Component) -> str:
    off = " (off)" if part.get("disabled") else ""
    emoji = part.get("emoji", {}).get("name", "")
    if part["type"] in SELECTS:
        options = " | ".join(option["label"] for option in part.get("options", []))
        return f"<{part.get('placeholder', '')}{': ' if options else ''}{options}>{off}"
    return f"[{' '.join(filter(None, [emoji, part.get('label')]))}]{off}"


def _picture(media: Mapping[str, Any]) -> str:
    return f"[{media['url'].rsplit('/', 1)[-1]}]"


def readable(world: World, content: str) -> str:
    """Return a text with the names of the people and channels that it mentions."""
    names = {world.bot.id: world.bot.name} | {user.id: user.name for user in world.people}
    names |= {guild.bot_role: world.bot.name for guild in world.guilds.values()}
    content = re.sub(r"<@[&!]?(\d+)>", lambda match: f"@{names.get(int(match[1]), 'somebody')}", content)
    places = {channel.id: channel.name for channel in world.channels.values()}
    return re.sub(r"<#(\d+)>", lambda match: f"#{places.get(int(match[1]), 'somewhere')}", content)
