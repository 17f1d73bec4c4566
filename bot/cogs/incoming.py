"""Read what a Discord message brings: its photos, its words, and whether a person wrote it."""

from __future__ import annotations

import re
from pathlib import PurePath

import discord

from bot.domain import BadInput
from bot.vision.photo import MAX_BYTES

MAX_QUESTION = 500  # characters of a user's message that the speaker reads and the store keeps
# Discord gives no content type for some of these.
PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".apng", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)


def from_person(message: discord.Message) -> bool:
    """Tell whether a person wrote the message: no bot, no webhook, no system notice."""
    written = message.type in (discord.MessageType.default, discord.MessageType.reply)
    return written and not message.author.bot and message.webhook_id is None


def attachments_of(message: discord.Message) -> list[discord.Attachment]:
    """Return the files of a message and of what it forwards."""
    forwarded = [file for snapshot in message.message_snapshots for file in snapshot.attachments]
    return [*message.attachments, *forwarded]


def photos_in(message: discord.Message, *, spoilers: bool) -> list[discord.Attachment]:
    """Return the files of a message that claim to be photos, with or without the spoilered ones."""
    return [file for file in attachments_of(message) if _is_photo(file) and (spoilers or not file.is_spoiler())]


def _is_photo(file: discord.Attachment) -> bool:
    return (file.content_type or "").startswith("image/") or PurePath(file.filename).suffix.lower() in PHOTO_SUFFIXES


async def download(photo: discord.Attachment) -> bytes:
    """Return the file of a photo; raise BadInput when it is too large or already gone."""
    if photo.size > MAX_BYTES:
        raise BadInput("That photo is larger than {limit} MB; post a smaller one.", limit=MAX_BYTES // 2**20)
    try:
        return await photo.read()
    except discord.NotFound:
        raise BadInput("That photo is gone; post it again.") from None


def mentions(message: discord.Message, me: discord.ClientUser) -> bool:
    """Tell whether the message pings the bot, or the role that carries its name."""
    role = message.guild.self_role if message.guild else None
    return me in message.mentions or (role is not None and role in message.role_mentions)


def words(message: discord.Message, me: discord.ClientUser) -> str:
    """Return the text of a message as people see it, without the bot's own mention."""
    text = message.clean_content
    names = [message.guild.me.display_name if message.guild else me.display_name]
    if message.guild and message.guild.self_role:
        names.append(message.guild.self_role.name)
    for name in names:
        text = text.replace(f"@{name}", "")
    text = re.sub(r"<a?(:\w+:)\d+>", r"\1", text)  # a server's own emoji
    return " ".join(text.split())


async def replied_to(message: discord.Message) -> discord.Message | None:
    """Return the message this one replies to, if it still exists and the bot may read it."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    if isinstance(reference.resolved, discord.Message):
        return reference.resolved
    try:
        return await message.channel.fetch_message(reference.message_id)
    except (discord.NotFound, discord.Forbidden):
        return None


def age_restricted(channel: object) -> bool:
    """Tell whether a channel, or the one around a thread, is marked as not for everybody."""
    return bool(isinstance(channel, discord.abc.GuildChannel | discord.Thread) and channel.is_nsfw())  # type: ignore[union-attr]
