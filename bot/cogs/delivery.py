"""Bring words into Discord: split what is too long, reply without pinging, name missing permissions."""

from __future__ import annotations

import logging

import aiohttp
import discord

from bot.domain import Persona

log = logging.getLogger(__name__)

MAX_CONTENT = 2000  # characters Discord takes in one message


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


def in_character(persona: Persona, text: str) -> str:
    """Return a plain message that shows who speaks."""
    return f"**{discord.utils.escape_markdown(persona.name)}:** {text}"


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


async def reply(message: discord.Message, text: str) -> list[int]:
    """Reply to a message, in several messages if the text is long, and return their ids.

    A message that was deleted meanwhile is answered without the link to it.
    """
    sent: list[int] = []
    for part in split(text):
        # Only the first part is a reply; pings are off on the client, and here again.
        reference = None if sent else message.to_reference(fail_if_not_exists=False)
        answer = await message.channel.send(
            part,
            reference=reference,  # type: ignore[arg-type]
            mention_author=False,
            allowed_mentions=discord.AllowedMentions.none(),
        )
        sent.append(answer.id)
    return sent


async def tell(message: discord.Message, sentence: str) -> None:
    """Say one sentence to whoever wrote the message; a failure to do so is logged, not raised."""
    try:
        await reply(message, sentence)
    except (discord.HTTPException, aiohttp.ClientError) as error:
        log.warning("Could not answer in channel %s: %s.", message.channel.id, error)


async def tell_privately(message: discord.Message, sentence: str) -> None:
    """Say one sentence in the author's direct messages, where that is allowed."""
    try:
        await message.author.send(sentence, allowed_mentions=discord.AllowedMentions.none())
    except (discord.HTTPException, aiohttp.ClientError) as error:
        log.info("Could not write to the author in private: %s.", error)
