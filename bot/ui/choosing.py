"""Menus to choose from: who of a photo speaks, and as which character."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import discord

from bot.cogs.cast import looks, whom
from bot.domain import Persona, Scene
from bot.locales import _, say
from bot.ui import persona_words as words
from bot.ui.base import Panel

MAX_OPTIONS = 25  # of one menu
MAX_LABEL = 100
EVERYONE = "everyone"

Chosen = Callable[[discord.Interaction, str], Awaitable[None]]


class Choosing(Panel):
    """One or several menus; the first choice in any of them is the answer."""

    def __init__(self, owner_id: int, locale: str, chosen: Chosen) -> None:
        super().__init__(owner_id, locale)
        self._chosen = chosen

    def offer(self, placeholder: str, options: Sequence[discord.SelectOption]) -> None:
        """Add a menu, or several where it holds too many options."""
        for start in range(0, min(len(options), 4 * MAX_OPTIONS), MAX_OPTIONS):
            menu: discord.ui.Select[Any] = discord.ui.Select(
                placeholder=placeholder, options=list(options[start : start + MAX_OPTIONS])
            )

            async def pick(interaction: discord.Interaction, menu: discord.ui.Select[Any] = menu) -> None:
                await self._chosen(interaction, menu.values[0])
                self.stop()  # a choice that was refused may be made once more

            menu.callback = pick  # type: ignore[method-assign]
            self.add_item(menu)


def people_menu(scene: Scene, owner_id: int, locale: str, chosen: Chosen) -> Choosing:
    """Return a menu of the people of a photo, by place, and of everyone."""
    panel = Choosing(owner_id, locale, chosen)
    options = [
        discord.SelectOption(
            label=whom(person, scene.people, locale)[:MAX_LABEL],
            value=str(place),
            description=looks(person, locale) or None,
        )
        for place, person in enumerate(scene.people)
    ]
    everyone = discord.SelectOption(label=say(locale, _("Everyone, one after the other")), value=EVERYONE)
    panel.offer(say(locale, _("Who shall speak?")), [*options, everyone])
    return panel


def persona_menu(
    own: Mapping[str, Persona], built_in: Mapping[str, Persona], owner_id: int, locale: str, chosen: Chosen
) -> Choosing:
    """Return menus of personas by id: those people made first, then the built-in ones."""
    panel = Choosing(owner_id, locale, chosen)
    for placeholder, personas in (
        (_("Your own and this server's characters"), own),
        (_("The characters I came with"), built_in),
    ):
        options = [
            discord.SelectOption(
                label=persona.name[:MAX_LABEL], value=key, description=words.character(locale, persona)[:MAX_LABEL]
            )
            for key, persona in personas.items()
        ]
        panel.offer(say(locale, placeholder), options)
    return panel
