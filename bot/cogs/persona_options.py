"""The options that several commands about characters share: which persona, and for whom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str
from discord.ext import commands

from bot.cogs.house import House
from bot.domain import Persona
from bot.ui import persona_words as words

CHOICES = 25  # Discord shows no more

T = TypeVar("T")


class PersonaOptions(commands.Cog):
    """Offers characters while somebody types: their own, the server's, the built-in ones, in that order."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def visible(self, interaction: discord.Interaction) -> dict[str, Persona]:
        """Return by id whom a user may choose where they are."""
        return await self._house.personas.visible(interaction.guild_id, interaction.user.id)

    async def found(self, interaction: discord.Interaction, query: str) -> Persona:
        """Return the persona that was picked or typed; raise BadInput when there is none."""
        return await self._house.personas.find(query, interaction.guild_id, interaction.user.id)

    async def offer(self, interaction: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer every persona with the typed text in its name, its id or its voice."""
        return self._choices(interaction, current, await self.visible(interaction))

    async def offer_own(self, interaction: discord.Interaction, current: str) -> list[Choice[str]]:
        """Offer those that the user may change or delete."""
        personas = self._house.personas
        mine = await personas.visible(None, interaction.user.id)
        seen = await self.visible(interaction) if interaction.permissions.manage_guild else mine
        made = {key: persona for key, persona in seen.items() if key not in personas.built_in}
        return self._choices(interaction, current, made)

    def _choices(self, interaction: discord.Interaction, current: str, among: dict[str, Persona]) -> list[Choice[str]]:
        locale, typed = self._house.languages.of_interaction(interaction), current.strip().casefold()
        shown = {key: words.label(locale, persona) for key, persona in among.items()}
        fitting = []
        for key, label in shown.items():
            texts = [text.casefold() for text in (among[key].name, key, among[key].voice, label)]
            if any(typed in text for text in texts):
                begins = any(word.startswith(typed) for text in texts for word in text.split())
                fitting.append((not begins, Choice(name=label, value=key)))
        fitting.sort(key=lambda choice: choice[0])  # a word that begins so comes before one that holds it
        return [choice for _, choice in fitting[:CHOICES]]


def with_persona(offer: Any = PersonaOptions.offer) -> Callable[[T], T]:
    """Give a command the option ``persona``, for which ``offer`` completes what is typed."""
    return _all(
        app_commands.rename(persona=locale_str("persona")),
        app_commands.describe(persona=locale_str("Which character; type part of its name or voice.")),
        app_commands.autocomplete(persona=offer),
    )


def with_scope() -> Callable[[T], T]:
    """Give a command the option ``scope``."""
    choices = [
        Choice(name=locale_str("me"), value="me"),
        Choice(name=locale_str("here"), value="here"),
        Choice(name=locale_str("the whole server"), value="server"),
    ]
    return _all(
        app_commands.rename(scope=locale_str("scope")),
        app_commands.describe(scope=locale_str("For you (the default), for this channel or thread, or the server.")),
        app_commands.choices(scope=choices),
    )


def for_server() -> Callable[[T], T]:
    """Give a command the option ``server``."""
    return _all(
        app_commands.rename(server=locale_str("server")),
        app_commands.describe(server=locale_str("Whether the character belongs to the server; else it is yours.")),
    )


def _all(*decorators: Callable[[Any], Any]) -> Callable[[T], T]:
    def decorate(command: T) -> T:
        for one in decorators:
            command = one(command)
        return command

    return decorate
