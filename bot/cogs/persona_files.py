"""/persona import and export: characters as files that other programs read and write."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import replace
from typing import Literal

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bot.cogs.languages import answer
from bot.cogs.persona_options import PersonaOptions, for_server, with_persona
from bot.cogs.persona_scopes import server_of
from bot.domain import BadInput, Persona
from bot.locales import Text, _, say
from bot.speech.cards import MAX_CARD_BYTES, Card, Mapped, persona_of_card, read_card, write_card
from bot.store import limits
from bot.ui import persona_words as words
from bot.ui.persona_forms import offer_mending
from bot.ui.persona_panels import IMPORTED, Newcomer
from bot.vision.avatar import checked_avatar

NOT_NEAR = _("No voice of mine is near to it, so it speaks as the one in the photo; choose another one with Edit.")
FIELDS: dict[str, Text] = {
    "description": _("description"),
    "catchphrase": _("catchphrase"),
    "greeting": _("greeting"),
    "likes": _("likes"),
    "traits": _("traits"),
    "talkativeness": _("talkativeness"),
    "temperature": _("temperature"),
}
Kind = Literal["png", "json"]


class CardCommands(PersonaOptions):
    """Reads and writes character cards."""

    @app_commands.command(name=locale_str("import"), description=locale_str("Bring a character from a card file."))
    @app_commands.rename(file=locale_str("file"))
    @app_commands.describe(file=locale_str("A character card (V2 or V3) as PNG or JSON."))
    @for_server()
    async def import_(self, interaction: discord.Interaction, file: discord.Attachment, server: bool = False) -> None:
        """Make a character of a card, which is kept whole, and tell what became of its fields."""
        guild_id = server_of(interaction) if server else None
        await interaction.response.defer(ephemeral=True, thinking=True)
        card, mapped, avatar = await asyncio.to_thread(_read, await _download(file))
        locale = self._house.languages.of_interaction(interaction)
        newcomer = Newcomer(
            self._house,
            locale,
            mapped.persona,
            guild_id,
            avatar,
            {"spec": card.spec, "data": card.data},
            IMPORTED,
            _told(locale, mapped),
        )
        try:
            await newcomer.keep(interaction, {}, avatar)
        except BadInput as error:
            await offer_mending(interaction, error, newcomer.form, locale)

    @app_commands.command(name=locale_str("export"), description=locale_str("Take a character along as a card file."))
    @with_persona()
    @app_commands.rename(kind=locale_str("format"))
    @app_commands.describe(kind=locale_str("A picture with the card in it (the default), or text."))
    @app_commands.choices(
        kind=[
            Choice(name=locale_str("picture (PNG)"), value="png"),
            Choice(name=locale_str("text (JSON)"), value="json"),
        ]
    )
    async def export(self, interaction: discord.Interaction, persona: str, kind: str = "png") -> None:
        """Send a character as a card; what it was imported with is still in it."""
        await interaction.response.defer(ephemeral=True, thinking=True)
        found = await self.found(interaction, persona)
        own = await self._house.personas.own(found.id)
        card = Card(own.card["spec"], own.card["data"], None) if own and own.card else None
        image = await self._house.personas.avatar(found.id)
        form: Kind = "json" if kind == "json" else "png"
        data = await asyncio.to_thread(write_card, found, card, image, kind=form)
        locale = self._house.languages.of_interaction(interaction)
        name = words.escaped(found.name)
        text = say(locale, "Here is {name}; programs that read character cards can use this file.", name=name)
        await answer(interaction, text, file=discord.File(io.BytesIO(data), f"{_file_name(found)}.{form}"))


async def _download(file: discord.Attachment) -> bytes:
    """Return the bytes of a card file; raise BadInput when it is too large or cannot be had."""
    if file.size > MAX_CARD_BYTES:
        raise BadInput("The card is larger than {limit} MB; send a smaller one.", limit=MAX_CARD_BYTES // 2**20)
    try:
        return await file.read()
    except discord.HTTPException:
        raise BadInput("I could not get that file from Discord; send it again.") from None


def _read(data: bytes) -> tuple[Card, Mapped, bytes | None]:
    """Return a card, the persona made of it, and its picture small enough to be kept."""
    card = read_card(data)
    mapped = persona_of_card(card, "imported")
    picture = card.image
    if picture and len(picture) > limits.MAX_AVATAR_BYTES:
        picture = checked_avatar(picture)
    return card, replace(mapped, persona=_fitted(mapped.persona)), picture


def _fitted(persona: Persona) -> Persona:
    """Return a persona whose texts are short enough to be kept."""
    return replace(
        persona,
        name=persona.name[: limits.MAX_NAME],
        description=persona.description[: limits.MAX_DESCRIPTION],
        catchphrase=persona.catchphrase[: limits.MAX_CATCHPHRASE],
        greeting=persona.greeting[: limits.MAX_GREETING],
        likes=tuple(like[: limits.MAX_LIKE] for like in persona.likes[: limits.MAX_LIKES]),
    )


def _told(locale: str, mapped: Mapped) -> list[str]:
    """Say what became of a card's fields, and what is kept for those who export it."""
    told = []
    if not mapped.near:
        told.append(say(locale, NOT_NEAR))
    became: dict[str, list[str]] = {}  # one field may have become several things
    for field, value in mapped.mapped:
        became.setdefault(field, []).append(_became(locale, value, mapped.persona))
    pairs = [f"{words.escaped(field)} → {words.listed(locale, parts)}" for field, parts in became.items()]
    told.append(say(locale, "From the card: {fields}.", fields="; ".join(pairs)))
    if mapped.kept:
        kept = words.escaped(words.listed(locale, mapped.kept))
        told.append(say(locale, "Kept for export, but not used: {fields}.", fields=kept))
    return told


def _became(locale: str, value: str, persona: Persona) -> str:
    """Return in words what a field of a card became: a field of a persona, its voice and traits, or its name."""
    if value in FIELDS:
        return say(locale, FIELDS[value])
    return words.character(locale, persona) if value.startswith("voice") else words.escaped(persona.name)


def _file_name(persona: Persona) -> str:
    """Return a persona's name as the name of a file."""
    return re.sub(r"[^\w-]+", "_", persona.name).strip("_")[:60] or "character"
