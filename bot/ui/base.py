"""The manners of every form and panel: only its owner presses, and a failure is told in one sentence."""

from __future__ import annotations

import logging
from typing import Any

import discord

from bot.cogs.languages import answer, refuse
from bot.domain import BadInput
from bot.locales import _, say

log = logging.getLogger(__name__)

SORRY = _("Something went wrong on my side and is noted in my log; try again in a while.")


async def failed(interaction: discord.Interaction, error: Exception) -> None:
    """Tell the user of an interaction what went wrong: their own mistake in its words, ours in general ones."""
    cause = getattr(error, "original", error)
    try:
        if isinstance(cause, BadInput):
            await refuse(interaction, cause)
            return
        log.error("Interaction %s failed.", interaction.id, exc_info=cause)
        await answer(interaction, say(str(interaction.locale), SORRY))
    except discord.HTTPException as problem:  # the interaction is over, or Discord is down
        log.warning("Interaction %s could not be answered: %s.", interaction.id, problem)


class Form(discord.ui.Modal):
    """A modal whose failures are told."""

    async def on_error(self, interaction: discord.Interaction, error: Exception, /) -> None:  # type: ignore[override]
        """Tell the user what went wrong."""
        await failed(interaction, error)


class Panel(discord.ui.View):
    """Buttons and menus under a message that only its owner sees or may use; they end with ``timeout`` seconds."""

    def __init__(self, owner_id: int, locale: str, *, timeout: float = 900.0) -> None:
        super().__init__(timeout=timeout)
        self.owner_id, self.locale = owner_id, locale

    async def interaction_check(self, interaction: discord.Interaction) -> bool:
        """Let only the owner press."""
        if interaction.user.id == self.owner_id:
            return True
        await answer(
            interaction, say(str(interaction.locale), "These buttons are somebody else's; use the command yourself.")
        )
        return False

    async def on_error(self, interaction: discord.Interaction, error: Exception, item: discord.ui.Item[Any]) -> None:
        """Tell the user what went wrong."""
        await failed(interaction, error)
