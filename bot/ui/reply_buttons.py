"""The buttons under every reply. They carry no state, so they work for as long as their message stands."""

from __future__ import annotations

import re
from typing import Any, Protocol, Self

import discord

from bot.locales import ENGLISH, _, say
from bot.ui.base import failed

LABELS = {
    "again": ("🔁", _("Again")),
    "other": ("👥", _("Someone else")),
    "persona": ("🎭", _("Persona")),
    "delete": ("🗑️", _("Delete")),
}
COG = "Replies"  # the cog that does what is pressed


class Presses(Protocol):
    """What the cog behind the buttons offers."""

    async def press(self, name: str, interaction: discord.Interaction) -> None:
        """Do what the button ``name`` of LABELS says."""


class ReplyButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"reply:(?P<name>[a-z]+)"):
    """One of the four buttons; discord.py makes it anew from its custom id and keeps nothing of a message in memory."""

    def __init__(self, name: str, locale: str = ENGLISH) -> None:
        emoji, label = LABELS[name]
        super().__init__(discord.ui.Button(emoji=emoji, label=say(locale, label), custom_id=f"reply:{name}"))
        self.name = name

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        return cls(match["name"])

    async def callback(self, interaction: discord.Interaction) -> None:
        """Hand the press on; a failure becomes one sentence."""
        cog: Any = interaction.client.get_cog(COG)  # type: ignore[attr-defined]
        presses: Presses = cog
        try:
            await presses.press(self.name, interaction)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user is told and the log has it
            await failed(interaction, error)


def reply_buttons(locale: str) -> discord.ui.View:
    """Return the buttons with their labels in a locale."""
    view = discord.ui.View(timeout=None)
    for name in LABELS:
        view.add_item(ReplyButton(name, locale))
    return view
