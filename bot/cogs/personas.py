"""/persona: look at characters, choose who speaks, make one's own."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.cogs.here import PLACES
from bot.cogs.house import place_of
from bot.cogs.languages import answer
from bot.cogs.persona_files import CardCommands
from bot.cogs.persona_options import PersonaOptions, for_server, with_persona, with_scope
from bot.cogs.persona_scopes import Scope, choose, chosen_for, server_of, speaks, to_change
from bot.domain import MAX_TRAITS, Persona
from bot.locales import Text, _, say
from bot.speech.voices import nearest_voice, persona_of
from bot.store.limits import MAX_NAME
from bot.store.personas import OwnPersona
from bot.ui import persona_words as words
from bot.ui.pages import Pages
from bot.ui.persona_panels import EDITED, Deleting, Newcomer, show

MAX_IDEA = 200  # characters of a description from which a character is made


@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
@app_commands.allowed_installs(guilds=True, users=True)
class PersonaCommands(
    CardCommands,
    commands.GroupCog,
    group_name=locale_str("persona"),
    group_description=locale_str("Characters: look at them, choose who speaks, make your own."),
):
    """The commands about characters."""

    async def cog_load(self) -> None:
        """Read the words by which voices are found before anybody waits for them."""
        self._reading = asyncio.create_task(asyncio.to_thread(nearest_voice, ""))

    @app_commands.command(name=locale_str("list"), description=locale_str("Show all characters you can choose."))
    async def list_(self, interaction: discord.Interaction) -> None:
        """List the user's characters, the server's and the built-in ones."""
        locale, personas = self._house.languages.of_interaction(interaction), self._house.personas
        seen, mine = await self.visible(interaction), await personas.visible(None, interaction.user.id)
        shelves: dict[Text, list[str]] = {_("Yours"): [], _("This server's"): [], _("Built in"): []}
        yours, servers, built_in = shelves.values()
        for key, persona in seen.items():
            shelf = built_in if key in personas.built_in else yours if key in mine else servers
            shelf.append(words.line(locale, persona))
        if not yours:
            yours.append(say(locale, "None yet; make one with /persona create."))
        speaker, _origin = await speaks(self._house, place_of(interaction))
        now = say(locale, "{name} speaks here now.", name=words.escaped(speaker.name))
        pages = words.pages([(f"__{say(locale, head)}__", lines) for head, lines in shelves.items() if lines])
        pages[0] = f"{now}\n\n{pages[0]}"
        if len(pages) == 1:
            await answer(interaction, pages[0])
        else:
            await answer(interaction, pages[0], view=Pages(pages, interaction.user.id, locale))

    @app_commands.command(name=locale_str("show"), description=locale_str("Show what a character is like."))
    @with_persona()
    async def show_(self, interaction: discord.Interaction, persona: str) -> None:
        """Describe a character, with its picture."""
        locale, found = self._house.languages.of_interaction(interaction), await self.found(interaction, persona)
        own = await self._house.personas.own(found.id)
        kinds = await chosen_for(self._house, place_of(interaction), found.id)
        where = words.listed(locale, [say(locale, PLACES[kind]) for kind in kinds]) if kinds else ""
        chosen = say(locale, "Chosen for {places}.", places=where) if where else say(locale, "Not chosen here.")
        text = words.page(*words.describe(locale, found), _made(locale, own), chosen)
        if avatar := await self._house.personas.avatar(found.id):
            kind = "png" if avatar.startswith(b"\x89PNG") else "jpg"
            picture = discord.File(io.BytesIO(avatar), f"character.{kind}", description=found.name)
            await answer(interaction, text, file=picture)
        else:
            await answer(interaction, text)

    @app_commands.command(name=locale_str("use"), description=locale_str("Choose who speaks."))
    @with_persona()
    @with_scope()
    async def use(self, interaction: discord.Interaction, persona: str, scope: str = "me") -> None:
        """Choose a character for oneself, here, or for the server."""
        found = await self.found(interaction, persona)
        await answer(interaction, await choose(self._house, interaction, found, _scope(scope)))

    @app_commands.command(name=locale_str("reset"), description=locale_str("Choose nobody again."))
    @with_scope()
    async def reset(self, interaction: discord.Interaction, scope: str = "me") -> None:
        """Undo a choice."""
        await answer(interaction, await choose(self._house, interaction, None, _scope(scope)))

    @app_commands.command(name=locale_str("create"), description=locale_str("Make a character."))
    @app_commands.rename(description=locale_str("description"))
    @app_commands.describe(description=locale_str("A few words, as in: a grumpy retired sea captain."))
    @for_server()
    async def create(
        self,
        interaction: discord.Interaction,
        description: app_commands.Range[str, 1, MAX_IDEA] | None = None,
        server: bool = False,
    ) -> None:
        """Open the form of a new character, filled in with what suits a description."""
        guild_id = server_of(interaction) if server else None
        locale = self._house.languages.of_interaction(interaction)
        persona = await asyncio.to_thread(imagined, " ".join((description or "").split()), locale)
        newcomer = Newcomer(self._house, locale, persona, guild_id)
        await interaction.response.send_modal(newcomer.form())

    @app_commands.command(name=locale_str("edit"), description=locale_str("Change a character of yours."))
    @with_persona(PersonaOptions.offer_own)
    async def edit(self, interaction: discord.Interaction, persona: str) -> None:
        """Show a character with the buttons that change it."""
        own = await to_change(self._house, interaction, (await self.found(interaction, persona)).id)
        await show(self._house, interaction, own, EDITED)

    @app_commands.command(name=locale_str("delete"), description=locale_str("Delete a character of yours."))
    @with_persona(PersonaOptions.offer_own)
    async def delete(self, interaction: discord.Interaction, persona: str) -> None:
        """Delete a character after asking once more."""
        own = await to_change(self._house, interaction, (await self.found(interaction, persona)).id)
        locale = self._house.languages.of_interaction(interaction)
        text = say(locale, "Shall I delete {name}? It cannot be brought back.", name=words.escaped(own.persona.name))
        await answer(interaction, text, view=Deleting(self._house, own, interaction.user.id, locale))


def imagined(description: str, locale: str) -> Persona:
    """Return the character a description makes one think of, an empty one for no description.

    The nearest voice is found by English words; in other languages the names of voices and traits are.
    """
    if not description:
        return Persona("new", "")
    persona = replace(persona_of(description), id="new")
    if description.isascii():
        return persona
    voices = [voice for voice, name in words.VOICES.items() if say(locale, name).casefold() in description.casefold()]
    traits = [trait for trait, name in words.TRAITS.items() if say(locale, name).casefold() in description.casefold()]
    return replace(
        persona,
        name=description[:MAX_NAME],
        voice=(voices or [persona.voice])[0],
        traits=tuple(dict.fromkeys([*traits, *persona.traits]))[:MAX_TRAITS],
    )


def _scope(value: str) -> Scope:
    """Return a scope as it is typed in the code; what Discord never offered counts as the narrowest."""
    return "server" if value == "server" else "here" if value == "here" else "me"


def _made(locale: str, own: OwnPersona | None) -> str:
    """Say who made a character."""
    if own is None:
        return say(locale, "Built in.")
    if own.guild_id:
        return say(locale, "Made for this server by <@{user}>.", user=own.owner_id)
    return say(locale, "Made by <@{user}>.", user=own.owner_id)
