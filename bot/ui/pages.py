"""Panels that are put together button by button, and one that turns the pages of a long text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
from discord import ui

from bot.locales import say
from bot.ui.base import Panel

Press = Callable[[discord.Interaction], Awaitable[None]]


class Buttons(Panel):
    """A panel whose buttons are added one by one."""

    def add(self, label: str, press: Press, style: discord.ButtonStyle = discord.ButtonStyle.grey) -> ui.Button[Any]:
        """Add a button."""
        button = ui.Button[Any](label=label, style=style)
        button.callback = press  # type: ignore[method-assign, assignment]
        self.add_item(button)
        return button


class Pages(Buttons):
    """Turns the pages of a long text."""

    def __init__(self, pages: Sequence[str], owner_id: int, locale: str) -> None:
        super().__init__(owner_id, locale)
        self._pages, self._at = pages, 0
        self._back = self.add(say(locale, "Back"), self._turn_back)
        self._on = self.add(say(locale, "More"), self._turn_on)
        self._show_ends()

    @property
    def page(self) -> str:
        """Return the page that is open."""
        return self._pages[self._at]

    async def _turn_back(self, interaction: discord.Interaction) -> None:
        await self._turn(interaction, -1)

    async def _turn_on(self, interaction: discord.Interaction) -> None:
        await self._turn(interaction, 1)

    async def _turn(self, interaction: discord.Interaction, by: int) -> None:
        self._at = min(max(self._at + by, 0), len(self._pages) - 1)
        self._show_ends()
        await turn_into(interaction, self.page, self)

    def _show_ends(self) -> None:
        self._back.disabled, self._on.disabled = self._at == 0, self._at == len(self._pages) - 1


async def turn_into(interaction: discord.Interaction, text: str, view: discord.ui.View | None = None) -> None:
    """Let the message whose button was pressed, or that is being worked on, say something else."""
    edit = interaction.edit_original_response if interaction.response.is_done() else interaction.response.edit_message
    await edit(content=text, view=view, allowed_mentions=discord.AllowedMentions.none())
