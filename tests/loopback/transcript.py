"""Tell who said what on the loopback Discord, for people to read."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from tests.loopback.story import Entry
from tests.loopback.world import Message, World


def transcript(world: World, story: Sequence[Entry]) -> str:
    """Return the story, message by message, each with what it replies to if that is not the one before it."""
    lines: list[str] = []
    place = before = None
    for entry in story:
        if isinstance(entry, str):
            lines += ["", f"    ({entry})"]
            continue
        if not isinstance(entry, Message):
            continue
        if entry.channel is not place:
            place = entry.channel
            lines += ["", f"== {'#' if place.guild_id else ''}{place.name} =="]
        if entry.reply_to and entry.reply_to is not before:
            lines.append(f"  ,-- {entry.reply_to.author.name}: {_shorten(_readable(world, entry.reply_to))}")
        author = f"{entry.author.name}{' [BOT]' if entry.author.bot else ''}: "
        lines += textwrap.wrap(author + _readable(world, entry), 110, subsequent_indent="    ")
        before = entry
    return "\n".join(lines).strip() + "\n"


def _readable(world: World, message: Message) -> str:
    names = {world.bot.id: world.bot.name, world.bot_role: world.bot.name}
    names |= {user.id: user.name for user in message.mentions}
    content = re.sub(r"<@&?(\d+)>", lambda match: f"@{names.get(int(match[1]), 'somebody')}", message.content)
    return " ".join([*(f"[{file.name}]" for file in message.files), content]).strip()


def _shorten(text: str) -> str:
    return textwrap.shorten(text, 60, placeholder=" ...")
