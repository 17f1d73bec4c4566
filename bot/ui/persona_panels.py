"""What stands under the answers about characters: buttons to use, edit and delete one, and to turn pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import discord

from bot.cogs.house import House
from bot.cogs.languages import answer
from bot.cogs.persona_scopes import choose, server_of, to_change
from bot.domain import BadInput, Persona
from bot.locales import Text, _, say
from bot.store.personas import OwnPersona
from bot.ui import persona_words as words
from bot.ui.pages import Buttons, Press, turn_into
from bot.ui.persona_forms import CharacterForm, DetailsForm, PersonaForm, Save

Action = Literal["use", "edit", "character", "details"]
ACTIONS: Mapping[Action, Text] = {
    "use": _("Use it"),
    "edit": _("Edit"),
    "character": _("Name, voice and sayings"),
    "details": _("Likes, description and picture"),
}
MADE: tuple[Action, ...] = ("use", "details")
IMPORTED: tuple[Action, ...] = ("use", "edit")
EDITED: tuple[Action, ...] = ("character", "details", "use")


class CharacterPanel(Buttons):
    """What can be done with a character somebody made."""

    def __init__(self, house: House, persona_id: str, actions: Sequence[Action], owner_id: int, locale: str) -> None:
        super().__init__(owner_id, locale)
        self._house, self._persona_id = house, persona_id
        press: Mapping[Action, Press] = {
            "use": self._use, "edit": self._edit, "character": self._character, "details": self._details,
        }  # fmt: skip
        for number, action in enumerate(actions):
            style = discord.ButtonStyle.grey if number else discord.ButtonStyle.primary
            self.add(say(locale, ACTIONS[action]), press[action], style)

    async def _use(self, interaction: discord.Interaction) -> None:
        persona = await self._house.personas.get(self._persona_id)
        if persona is None:
            raise BadInput("That character is gone; make a new one.")
        await answer(interaction, await choose(self._house, interaction, persona, "me"))

    async def _edit(self, interaction: discord.Interaction) -> None:
        own = await to_change(self._house, interaction, self._persona_id)
        await show(self._house, interaction, own, EDITED)

    async def _character(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(await self._form(interaction, details=False))

    async def _details(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(await self._form(interaction, details=True))

    async def _form(self, interaction: discord.Interaction, *, details: bool) -> PersonaForm:
        """Return a form about the character as it is now."""
        own = await to_change(self._house, interaction, self._persona_id)
        if details:
            return DetailsForm(self.locale, own.persona, self._save)
        return character_form(self._house, self.locale, own.persona, self._save)

    async def _save(self, interaction: discord.Interaction, values: dict[str, Any], avatar: bytes | None) -> None:
        own = await to_change(self._house, interaction, self._persona_id)
        changed = await self._house.personas.change(replace(own.persona, **values), avatar=avatar)
        await show(self._house, interaction, changed, EDITED, say(self.locale, "Saved."))


class Deleting(Buttons):
    """Asks once more before a character is deleted."""

    def __init__(self, house: House, own: OwnPersona, owner_id: int, locale: str) -> None:
        super().__init__(owner_id, locale)
        self._house, self._own = house, own
        self.add(say(locale, "Delete it"), self._delete, discord.ButtonStyle.danger)
        self.add(say(locale, "Keep it"), self._keep)

    async def _delete(self, interaction: discord.Interaction) -> None:
        own = await to_change(self._house, interaction, self._own.persona.id)
        await self._house.personas.remove(own.persona.id)
        text = say(self.locale, "{name} is deleted.", name=words.escaped(own.persona.name))
        await turn_into(interaction, text)

    async def _keep(self, interaction: discord.Interaction) -> None:
        text = say(self.locale, "{name} stays.", name=words.escaped(self._own.persona.name))
        await turn_into(interaction, text)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A character that is not kept yet; ``card`` and ``avatar`` come with it, ``notes`` are told when it is kept."""

    house: House
    locale: str
    persona: Persona
    guild_id: int | None = None
    avatar: bytes | None = None
    card: dict[str, Any] | None = None
    actions: Sequence[Action] = MADE
    notes: Sequence[str] = ()

    def form(self) -> CharacterForm:
        """Return the form that asks for what the character is like."""
        return character_form(self.house, self.locale, self.persona, self.keep, self.avatar)

    async def keep(self, interaction: discord.Interaction, values: Mapping[str, Any], avatar: bytes | None) -> None:
        """Keep the character with what was typed; raise BadInput when it will not do or the user may not."""
        if self.guild_id is not None:
            server_of(interaction)
        persona = replace(self.persona, **values)
        own = await self.house.personas.add(
            persona, owner_id=interaction.user.id, guild_id=self.guild_id, avatar=avatar, card=self.card
        )
        kept = _("This is a character of the server now:") if self.guild_id else _("This is a character of yours now:")
        await show(self.house, interaction, own, self.actions, say(self.locale, kept), *self.notes)


def character_form(
    house: House, locale: str, persona: Persona, save: Save, avatar: bytes | None = None
) -> CharacterForm:
    """Return the form for name, voice and sayings, in which each voice says the catchphrase of its built-in persona."""
    samples = {one.voice: one.catchphrase for one in house.personas.built_in.values()}
    return CharacterForm(locale, persona, save, samples, avatar)


async def show(
    house: House,
    interaction: discord.Interaction,
    own: OwnPersona,
    actions: Sequence[Action],
    heading: str = "",
    *notes: str,
) -> None:
    """Show a character with buttons, in the message whose button led here if there is one."""
    locale = house.languages.of_interaction(interaction)
    text = words.page(heading, *words.describe(locale, own.persona), *notes)
    panel = CharacterPanel(house, own.persona.id, actions, interaction.user.id, locale)
    if interaction.message or interaction.response.is_done():
        await turn_into(interaction, text, panel)
    else:
        await answer(interaction, text, view=panel)
