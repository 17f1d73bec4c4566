"""Which language somebody reads: an interaction says it, a message only lets it be guessed."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import discord
from discord import app_commands

from bot.domain import BadInput
from bot.locales import ENGLISH, explain, say

REMEMBERED = 10_000  # users whose language is kept in memory, never on disk


class Languages:
    """Knows the language of the last interaction of each user, else goes by the server's."""

    def __init__(self) -> None:
        self._of_user: OrderedDict[int, str] = OrderedDict()

    def of_interaction(self, interaction: discord.Interaction) -> str:
        """Return the language of whoever used a command or pressed a button, and remember it."""
        locale = str(interaction.locale)
        self._of_user[interaction.user.id] = locale
        self._of_user.move_to_end(interaction.user.id)
        while len(self._of_user) > REMEMBERED:
            self._of_user.popitem(last=False)
        return locale

    def of_message(self, message: discord.Message) -> str:
        """Return the language of a message's author, as far as it is known."""
        if known := self._of_user.get(message.author.id):
            return known
        return str(message.guild.preferred_locale) if message.guild else ENGLISH


class CatalogueTranslator(app_commands.Translator):
    """Gives Discord the names and descriptions of the commands in every language of the catalogue."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return a text of a command in a locale, None where there is no translation."""
        translated = say(str(locale), string.message)  # of the nearest catalogue, as the sentences that name commands
        return translated if translated != string.message else None


async def answer(interaction: discord.Interaction, text: str, **options: Any) -> None:
    """Answer an interaction so that only its user sees it, whether or not it was deferred before."""
    options = {"allowed_mentions": discord.AllowedMentions.none(), **options}
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, **options)
    else:
        await interaction.response.send_message(text, ephemeral=True, **options)


async def refuse(interaction: discord.Interaction, error: BadInput) -> None:
    """Tell the user of an interaction in one sentence of their language what was wrong."""
    await answer(interaction, explain(error, str(interaction.locale)))
