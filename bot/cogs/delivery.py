"""Bring words into Discord: split what is too long, reply without pinging, name missing permissions."""

from __future__ import annotations

import logging
from typing import Any

import aiohttp
import discord

log = logging.getLogger(__name__)

MAX_CONTENT = 2000  # characters Discord takes in one message
UNKNOWN_CHANNEL = 10003  # Discord's code for one that was deleted


def split(text: str, limit: int = MAX_CONTENT) -> list[str]:
    """Cut a text into parts of at most ``limit`` characters, at the end of a line, a sentence or a word."""
    parts: list[str] = []
    text = text.strip()
    while len(text) > limit:
        cut = limit
        for mark in ("\n", ". ", " "):
            place = text.rfind(mark, limit // 2, limit)
            if place > 0:
                cut = place + len(mark.rstrip(" "))
                break
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*parts, text] if text else parts


def missing_permissions(message: discord.Message) -> list[str]:
    """Return the permissions the bot lacks for replying to a message, in Discord's own words."""
    channel = message.channel
    if message.guild is None or isinstance(channel, discord.PartialMessageable):
        return []
    in_thread = isinstance(channel, discord.Thread)
    if in_thread and channel.parent is None:  # type: ignore[union-attr]  # permissions cannot be computed
        return []
    has = channel.permissions_for(message.guild.me)  # type: ignore[union-attr, arg-type]
    send = has.send_messages_in_threads if in_thread else has.send_messages
    needed = {
        "View Channel": has.view_channel,
        "Send Messages in Threads" if in_thread else "Send Messages": send,
        "Read Message History": has.read_message_history,
    }
    return [name for name, granted in needed.items() if not granted]


async def reply(
    message: discord.Message | discord.PartialMessage, text: str, view: discord.ui.View | None = None
) -> list[int]:
    """Reply to a message, in several messages if the text is long, and return their ids.

    ``view`` goes under the last of them. A message that was deleted meanwhile is answered without the link to it.
    """
    sent: list[int] = []
    parts = split(text)
    for number, part in enumerate(parts, 1):
        options: dict[str, Any] = {"view": view} if view and number == len(parts) else {}
        if not sent:  # only the first part is a reply
            options["reference"] = message.to_reference(fail_if_not_exists=False)
        # Pings are off on the client, and here again.
        none = discord.AllowedMentions.none()
        answer = await message.channel.send(part, mention_author=False, allowed_mentions=none, **options)
        sent.append(answer.id)
    return sent


async def tell(message: discord.Message, sentence: str) -> None:
    """Say one sentence to whoever wrote the message; a failure to do so is logged, not raised."""
    try:
        await reply(message, sentence)
    except (discord.HTTPException, aiohttp.ClientError) as error:
        level = logging.INFO if went(error) else logging.WARNING
        log.log(level, "Could not answer in channel %s: %s.", message.channel.id, error)


def went(error: Exception) -> bool:
    """Tell whether something failed because its channel was deleted, which is nobody's fault."""
    return isinstance(error, discord.NotFound) and error.code == UNKNOWN_CHANNEL


async def tell_privately(message: discord.Message, sentence: str) -> None:
    """Say one sentence in the author's direct messages, where that is allowed."""
    try:
        await message.author.send(sentence, allowed_mentions=discord.AllowedMentions.none())
    except (discord.HTTPException, aiohttp.ClientError) as error:
        log.info("Could not write to the author in private: %s.", error)
