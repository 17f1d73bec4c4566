"""The two forms of a character. What was typed into one that is refused is still there when it is opened again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import discord
from discord import ui

from bot.cogs import incoming
from bot.cogs.languages import answer
from bot.domain import MAX_TRAITS, TRAITS, VOICES, BadInput, Persona
from bot.locales import explain, say
from bot.store.limits import MAX_CATCHPHRASE, MAX_DESCRIPTION, MAX_GREETING, MAX_LIKE, MAX_LIKES, MAX_NAME
from bot.ui import persona_words as words
from bot.ui.base import Form, Panel
from bot.vision.avatar import checked_avatar

TYPING = 3600.0  # seconds somebody may take to fill in a form
LONGEST = 4000  # characters Discord allows in a field
LIKES = (MAX_LIKE + 1) * MAX_LIKES

Save = Callable[[discord.Interaction, dict[str, Any], bytes | None], Awaitable[None]]
"""Keeps the fields of a persona that a form holds, and a new picture; raises BadInput when they will not do."""


class PersonaForm(Form, ABC):
    """Fields of a persona, filled in as they are; ``save`` is given what was typed."""

    def __init__(self, title: str, locale: str, persona: Persona, save: Save, avatar: bytes | None = None) -> None:
        super().__init__(title=title, timeout=TYPING)
        self._locale, self._persona, self._save, self._avatar = locale, persona, save, avatar

    @abstractmethod
    def values(self) -> dict[str, Any]:
        """Return the fields of a persona as they were typed."""

    @abstractmethod
    def again(self, persona: Persona, avatar: bytes | None) -> PersonaForm:
        """Return the same form with what was typed."""

    async def picture(self, interaction: discord.Interaction) -> bytes | None:
        """Return a new picture; raise BadInput for a file that is none."""
        return self._avatar

    async def on_submit(self, interaction: discord.Interaction) -> None:
        """Keep what was typed, or say what is wrong with it and offer to mend it."""
        values = self.values()
        try:
            self._avatar = await self.picture(interaction)
            await self._save(interaction, values, self._avatar)
        except BadInput as error:
            form = partial(self.again, replace(self._persona, **values), self._avatar)
            await offer_mending(interaction, error, form, self._locale)

    def add_text(
        self, label: str, value: str, most: int, *, hint: str = "", long: bool = False, must: bool = False
    ) -> ui.TextInput[Any]:
        """Add a field for text; what is in it already may be longer than what is allowed, so that it can be mended."""
        value = value[:LONGEST]
        field = ui.TextInput[Any](
            style=discord.TextStyle.paragraph if long else discord.TextStyle.short,
            default=value or None,
            required=must,
            max_length=min(LONGEST, max(most, len(value))),
        )
        self.add_item(ui.Label(text=label, description=hint or None, component=field))
        return field


class CharacterForm(PersonaForm):
    """Name, voice, traits and sayings. ``samples`` are sentences of the voices, by which they can be told apart."""

    def __init__(
        self, locale: str, persona: Persona, save: Save, samples: Mapping[str, str], avatar: bytes | None = None
    ) -> None:
        super().__init__(say(locale, "Who is it?"), locale, persona, save, avatar)
        self._samples = samples
        self.name = self.add_text(say(locale, "Name"), persona.name, MAX_NAME, must=True)
        self.voice = ui.Select[Any](
            options=[
                discord.SelectOption(
                    label=say(locale, words.VOICES[voice]),
                    value=voice,
                    description=samples.get(voice, "")[: words.CHOICE] or None,
                    default=voice == persona.voice,
                )
                for voice in VOICES
            ]
        )
        self.traits = ui.Select[Any](
            options=[
                discord.SelectOption(
                    label=say(locale, words.TRAITS[trait]), value=trait, default=trait in persona.traits
                )
                for trait in TRAITS
            ],
            min_values=0,
            max_values=MAX_TRAITS,
            required=False,
            placeholder=say(locale, "None"),
        )
        self.add_item(ui.Label(text=say(locale, "Voice"), component=self.voice))
        self.add_item(ui.Label(text=say(locale, "Traits, up to three"), component=self.traits))
        hint = say(locale, "Said now and then, if it is short.")
        self.catchphrase = self.add_text(say(locale, "Catchphrase"), persona.catchphrase, MAX_CATCHPHRASE, hint=hint)
        self.greeting = self.add_text(say(locale, "Greeting"), persona.greeting, MAX_GREETING, hint=hint, long=True)

    def values(self) -> dict[str, Any]:
        """Return name, voice, traits, catchphrase and greeting; what no menu offers is left as it was."""
        voice = next((voice for voice in self.voice.values if voice in VOICES), self._persona.voice)
        traits = tuple(trait for trait in TRAITS if trait in self.traits.values)[:MAX_TRAITS]
        return {
            "name": self.name.value.strip(),
            "voice": voice,
            "traits": self._persona.traits if set(traits) == set(self._persona.traits) else traits,
            "catchphrase": self.catchphrase.value.strip(),
            "greeting": self.greeting.value.strip(),
        }

    def again(self, persona: Persona, avatar: bytes | None) -> CharacterForm:
        """Return the same form with what was typed."""
        return CharacterForm(self._locale, persona, self._save, self._samples, avatar)


class DetailsForm(PersonaForm):
    """Likes, description, talkativeness and picture."""

    def __init__(self, locale: str, persona: Persona, save: Save, avatar: bytes | None = None) -> None:
        super().__init__(say(locale, "What is it like?"), locale, persona, save, avatar)
        hint = say(locale, "One a line, up to {most}.", most=MAX_LIKES)
        self.likes = self.add_text(say(locale, "Likes"), "\n".join(persona.likes), LIKES, hint=hint, long=True)
        self.description = self.add_text(say(locale, "Description"), persona.description, MAX_DESCRIPTION, long=True)
        self.talkativeness = ui.RadioGroup[Any](
            options=[
                discord.RadioGroupOption(label=say(locale, name), value=key, default=key == words.talkative(persona))
                for key, (_, name) in words.TALKATIVENESS.items()
            ],
            required=False,
        )
        self.add_item(ui.Label(text=say(locale, "Talkativeness"), component=self.talkativeness))
        self.upload = ui.FileUpload[Any](required=False, min_values=0, max_values=1)
        hint = say(locale, "Its middle is shown beside what the character says.")
        self.add_item(ui.Label(text=say(locale, "Picture"), description=hint, component=self.upload))

    def values(self) -> dict[str, Any]:
        """Return likes, description and talkativeness; a talkativeness of its own stays if its word was kept."""
        before = words.talkative(self._persona)
        chosen = self.talkativeness.value or before
        kept = chosen == before or chosen not in words.TALKATIVENESS
        return {
            "likes": tuple(filter(None, (like.strip() for like in self.likes.value.splitlines()))),
            "description": self.description.value.strip(),
            "talkativeness": self._persona.talkativeness if kept else words.TALKATIVENESS[chosen][0],
        }

    async def picture(self, interaction: discord.Interaction) -> bytes | None:
        """Return what was uploaded as a small square; what is no picture raises BadInput."""
        if not self.upload.values:
            return self._avatar
        await interaction.response.defer()
        data = await incoming.download(self.upload.values[0])
        return await asyncio.to_thread(checked_avatar, data)

    def again(self, persona: Persona, avatar: bytes | None) -> DetailsForm:
        """Return the same form with what was typed; a picture that was good need not be uploaded again."""
        return DetailsForm(self._locale, persona, self._save, avatar)


class Mending(Panel):
    """A button under a sentence about what is wrong, which opens a form with what was given."""

    def __init__(self, owner_id: int, form: Callable[[], PersonaForm], locale: str) -> None:
        super().__init__(owner_id, locale)
        self._form = form
        button = ui.Button[Any](label=say(locale, "Fix it"), style=discord.ButtonStyle.primary)
        button.callback = self._open  # type: ignore[method-assign]
        self.add_item(button)

    async def _open(self, interaction: discord.Interaction) -> None:
        # A new one each time: a form that was sent once does not listen any more.
        await interaction.response.send_modal(self._form())


async def offer_mending(
    interaction: discord.Interaction, error: BadInput, form: Callable[[], PersonaForm], locale: str
) -> None:
    """Say what is wrong with what somebody gave, with a button that opens a form to mend it."""
    await answer(interaction, explain(error, locale), view=Mending(interaction.user.id, form, locale))
