"""Say something in character: through the channel's webhook with name and picture, else as a plain message."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import discord

from bot.cogs import delivery, incoming
from bot.cogs.cast import shown_name
from bot.cogs.hooks import Avatar, Hooks, NoHook
from bot.domain import BadInput, Conversation
from bot.locales import ENGLISH, _, explain, say
from bot.store.conversations import Origin
from bot.store.personas import DEFAULT, Personas
from bot.store.scopes import Choice, Identity
from bot.ui.reply_buttons import reply_buttons
from bot.vision.avatar import face_avatar
from bot.vision.photo import decode

SILENT = _("I am asked to be silent here; somebody who manages the server can change that with /photos.")
WHICH = _("Photo {number}: {problem}")
LEFT_ALONE = _("Whoever posted that photo asked me to leave their photos alone.")
LINK = "-# "  # Discord's small print; a message of a webhook cannot be a reply, so it begins with a link

T = TypeVar("T")
Answered = discord.Message | discord.PartialMessage


@dataclass(frozen=True, slots=True)
class Shown:
    """A message that small print leads to, who wrote it, and whether it is the photo or something said."""

    url: str
    author_id: int | None  # None: a webhook, which nobody can look up
    photo: bool = False


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something is said and what it answers; ``interaction`` where the bot is no member of the channel.

    A plain message replies to ``answers``; one of a webhook cannot and begins with a link to ``shows``. ``reached`` is
    called once this waits in line, so that what came later in the channel may follow.
    """

    channel: discord.abc.MessageableChannel
    answers: Answered
    shows: Shown
    identity: Identity = "webhook"
    interaction: discord.Interaction | None = None
    locale: str = ENGLISH
    since: datetime = field(default_factory=discord.utils.utcnow)
    reached: Callable[[], None] = lambda: None


class Stage:
    """Where the people of photos are heard."""

    def __init__(self, hooks: Hooks, personas: Personas) -> None:
        self._hooks, self._personas = hooks, personas

    async def say(self, spot: Spot, talk: Conversation, text: str, avatar: Avatar | None) -> list[int]:
        """Say something as the speaker of ``talk`` and return the ids of the messages."""
        name = shown_name(talk.persona, talk.scene, talk.speaker)
        view = reply_buttons(spot.locale)
        if spot.interaction is not None:
            return await _follow_up(spot.interaction, plain(name, text), view)
        if spot.identity == "webhook":
            try:
                words = f"{link(spot.shows, spot.locale)}\n{text}"
                sent = await self._hooks.send(spot.channel, words, name=name, avatar=avatar, view=view)
                return [message.id for message in sent]
            except NoHook:
                pass
        return await delivery.reply(spot.answers, plain(name, text), view)

    async def avatar(self, talk: Conversation, origin: Origin, read: Callable[[], Awaitable[bytes | None]]) -> Avatar:
        """Return the persona's picture, else the speaker's face cut out of the photo that ``read`` gives.

        Nothing of it is kept: a face is cut anew from the posted photo when it is needed.
        """
        if picture := await self._picture(talk):
            version = sha256(picture).hexdigest()[:16]
            return Avatar(f"persona:{talk.persona.id}:{version}", lambda: _ready(picture))
        person = talk.scene.people[talk.speaker]

        async def cut() -> bytes | None:
            data = await read()
            if data is None:
                return None
            return await asyncio.to_thread(lambda: face_avatar(decode(data), person.box, where=person.where))

        return Avatar(f"face:{origin.photo_message_id}:{origin.photo_id}:{talk.speaker}", cut)

    async def _picture(self, talk: Conversation) -> bytes | None:
        """Return a character's own picture; a built-in one shows it only where things speak, which have no face."""
        persona_id, things = talk.persona.id, talk.scene.people[talk.speaker].who == "nobody"
        if persona_id in self._personas.built_in and (persona_id == DEFAULT or not things):
            return None
        return await self._personas.avatar(persona_id)


def numbered(problem: BadInput, number: int, count: int, locale: str) -> str:
    """Return what is wrong with one of ``count`` photos, by its number if there are several."""
    sentence = explain(problem, locale)
    return say(locale, WHICH, number=number, problem=sentence) if count > 1 else sentence


def plain(name: str, text: str) -> str:
    """Return a plain message that shows who speaks."""
    return f"**{discord.utils.escape_markdown(name)}:** {text}"


def link(shown: Shown, locale: str = ENGLISH) -> str:
    """Return the small print that leads to a message and names its author, whom it does not ping."""
    what = say(locale, _("photo") if shown.photo else _("message"))
    author = "" if shown.author_id is None else f" · <@{shown.author_id}>"
    return f"{LINK}↩ [{what}]({shown.url}){author}"


def words_in(message: discord.Message) -> str:
    """Return what a character says in one of the bot's messages, without the link or name before it."""
    if message.content.startswith(LINK):
        return message.content.partition("\n")[2]
    return re.sub(r"^\*\*.+?:\*\* ", "", message.content)


def named_in(message: discord.Message) -> int | None:
    """Return whom the small print of one of the bot's messages names: who posted the photo, or asked."""
    found = re.match(rf"{LINK}.*<@(\d+)>$", message.content.partition("\n")[0])
    return int(found[1]) if found else None


def poster_of(message: discord.Message, bot: discord.Client) -> int:
    """Return who posted what a message shows: of what the bot made, whose photo that was, else who asked for it."""
    asked = message.interaction_metadata
    if bot.user is None or message.author.id != bot.user.id:
        return message.author.id
    return named_in(message) or (asked.user.id if asked else message.author.id)


def reworded(message: discord.Message, talk: Conversation, text: str) -> str:
    """Return the content of one of the bot's messages with other words in it, perhaps another character's."""
    if message.content.startswith(LINK):
        return f"{message.content.partition(chr(10))[0]}\n{text}"
    if message.webhook_id and message.webhook_id != message.application_id:  # a later part of a long text
        return text
    return plain(shown_name(talk.persona, talk.scene, talk.speaker), text)


def identity_of(bot: discord.Client, choice: Choice) -> Identity:
    """Return in whose name characters speak: the bot's where only pings are read, as no reply pings a webhook."""
    return choice.identity or "webhook" if bot.intents.message_content else "plain"


def spot_of(interaction: discord.Interaction, message_id: int, author_id: int, choice: Choice) -> Spot:
    """Return where an interaction lets somebody speak about a message: in its channel, if the bot may write there.

    Raises BadInput where the user may not write: nobody puts words into a channel of announcements through the bot.
    """
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        raise BadInput("I cannot speak in this kind of channel.")
    # Not every kind of channel makes partial messages: a group of friends does not.
    there = interaction.client.get_partial_messageable(channel.id, guild_id=interaction.guild_id)  # type: ignore[union-attr]
    answers = there.get_partial_message(message_id)
    if not may_write(interaction):
        raise BadInput("You may not write here, so I do not speak for you; ask somebody who may.")
    return Spot(
        channel,  # type: ignore[arg-type]
        answers,
        Shown(answers.jump_url, author_id, photo=True),
        identity_of(interaction.client, choice),
        None if is_member(interaction) else interaction,
        language_of(interaction),
    )


def may_write(interaction: discord.Interaction) -> bool:
    """Tell whether the user of an interaction may write where it is used."""
    return not interaction.guild_id or _writes(interaction.permissions, interaction.channel)


def is_member(interaction: discord.Interaction) -> bool:
    """Tell whether the bot reads and writes where an interaction is used, as nobody's guest."""
    may = interaction.app_permissions
    reads = may.view_channel and may.read_message_history
    here = interaction.is_guild_integration() and reads and _writes(may, interaction.channel)
    return interaction.context.dm_channel or here


async def photo_of(bot: discord.Client, origin: Origin) -> bytes | None:
    """Return the file of a posted photo again, None when it is gone, hidden behind a spoiler or not for everybody."""
    channel = bot.get_channel(origin.channel_id)
    if not isinstance(channel, discord.abc.Messageable) or incoming.age_restricted(channel):
        return None
    try:
        message = await channel.fetch_message(origin.photo_message_id)
        shown = incoming.photos_in(message, spoilers=False)
        found = next((file for file in shown if file.id == origin.photo_id), None)
        return await incoming.download(found) if found else None
    except (discord.HTTPException, BadInput):
        return None


def language_of(interaction: discord.Interaction) -> str:
    """Return the language of a server, else of the user; only community servers can have another than English."""
    servers = interaction.guild_locale
    return str(servers if servers and str(servers) != ENGLISH else interaction.locale)


def _writes(may: discord.Permissions, channel: object) -> bool:
    """Tell whether permissions allow to write in a channel, or in a thread."""
    return may.send_messages_in_threads if isinstance(channel, discord.Thread) else may.send_messages


async def _ready(value: T) -> T:
    """Return what is there already, to where something is awaited."""
    return value


async def _follow_up(interaction: discord.Interaction, text: str, view: discord.ui.View) -> list[int]:
    """Say something as a follow-up to an interaction, which works where the bot itself may not write."""
    parts = delivery.split(text)
    sent: list[int] = []
    for number, part in enumerate(parts, 1):
        options: dict[str, Any] = {"view": view} if number == len(parts) else {}
        none = discord.AllowedMentions.none()
        message = await interaction.followup.send(part, wait=True, allowed_mentions=none, **options)
        sent.append(message.id)
    return sent
