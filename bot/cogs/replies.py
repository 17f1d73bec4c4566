"""What the buttons under a reply do: other words, somebody else, another character, away with it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress

import discord
from discord.ext import commands

from bot.cogs.casting import Casting
from bot.cogs.house import House, place_of
from bot.cogs.languages import answer
from bot.cogs.manners import Manners
from bot.cogs.stage import LEFT_ALONE, SILENT, Spot, named_in, spot_of
from bot.cogs.talks import Edit, Remove, Talks
from bot.domain import BadInput, Persona
from bot.locales import say
from bot.store.conversations import Said
from bot.store.scopes import Choice
from bot.ui.choosing import EVERYONE, people_menu, persona_menu
from bot.ui.reply_buttons import COG, ReplyButton

SOON = 1.0  # seconds after which Discord is told of a press whose message is still looked for; it waits for three
NO_PINGS = discord.AllowedMentions.none()


class Replies(commands.Cog, name=COG):
    """Does what is pressed under a reply, for any reply whose conversation is remembered."""

    def __init__(self, house: House, talks: Talks, manners: Manners, casting: Casting) -> None:
        self._house, self._talks, self._manners, self._casting = house, talks, manners, casting
        self._rng = random.Random()

    async def cog_load(self) -> None:
        """Make the buttons of earlier runs work again."""
        self._house.bot.add_dynamic_items(ReplyButton)

    async def press(self, name: str, interaction: discord.Interaction) -> None:
        """Do what the button ``name`` says."""
        self._house.languages.of_interaction(interaction)
        message = interaction.message
        said = await self._said(interaction, message) if message else None
        if message and not said and name == "delete" and _may_delete(interaction, {named_in(message)}):
            await self._remove(interaction, message)
            return
        if message is None or said is None:
            raise BadInput("I no longer know this conversation; post the photo again and mention me.")
        if await self._house.privacy.is_out(said.origin.poster_id) and name != "delete":
            raise BadInput(LEFT_ALONE)
        await getattr(self, f"_{name}")(interaction, message, said)

    async def _said(self, interaction: discord.Interaction, message: discord.Message) -> Said | None:
        """Return what a message says; Discord hears of the press in time, however long words are being sent there."""
        looking = asyncio.create_task(self._talks.said(message))
        await asyncio.wait({looking}, timeout=SOON)
        if not looking.done():
            await _seen(interaction)
        return await looking

    async def _again(self, interaction: discord.Interaction, message: discord.Message, said: Said) -> None:
        """Say the same thing in other words, in the same message."""
        spot = await self._speaking_spot(interaction, said)
        await _seen(interaction)
        await self._talks.again(spot, message, _edit(interaction.edit_original_response))

    async def _other(self, interaction: discord.Interaction, message: discord.Message, said: Said) -> None:
        """Let somebody else of the photo speak; who is alone in it gets another character."""
        talk, locale = said.conversation, str(interaction.locale)
        if len(talk.scene.people) == 1:
            others = [one for one in self._house.personas.built_in.values() if one.id != talk.persona.id]
            await self._recast(interaction, message, said, self._rng.choice(others))
            return

        async def chosen(pick: discord.Interaction, value: str) -> None:
            spot = await self._speaking_spot(pick, said)
            await pick.response.edit_message(content=say(locale, "All right, listen."), view=None)
            await self._let_speak(spot, said, value)

        menu = people_menu(talk.scene, interaction.user.id, locale, chosen)
        await answer(interaction, say(locale, "Who of this photo shall speak?"), view=menu)

    async def _let_speak(self, spot: Spot, said: Said, value: str) -> None:
        """Let one of the photo speak, or everyone who has not spoken yet (all of them if all have)."""
        people = range(len(said.conversation.scene.people))
        speakers: Collection[int] = [int(value)] if value.isdecimal() else people
        if value == EVERYONE:
            talks = await self._house.conversations.of_photo(said.origin.photo_message_id, said.origin.photo_id)
            speakers = [place for place in people if place not in {talk.speaker for talk in talks}] or people
        await self._talks.introduce(spot, said.conversation, said.origin, speakers)

    async def _persona(self, interaction: discord.Interaction, message: discord.Message, said: Said) -> None:
        """Let the user choose another character for whoever spoke."""
        locale, personas = str(interaction.locale), self._house.personas
        edit = None
        if spot_of(interaction, message.id, said.origin.poster_id, Choice()).interaction is not None:
            # Where the bot is no member, only the press under a message lets it be edited, and the menu comes after it.
            await _seen(interaction)
            edit = _edit(interaction.edit_original_response)
        visible = await personas.visible(interaction.guild_id, interaction.user.id)
        own = {key: persona for key, persona in visible.items() if key not in personas.built_in}

        async def chosen(pick: discord.Interaction, value: str) -> None:
            persona = await personas.get(value)
            if persona is None:
                raise BadInput("That character was deleted in the meantime; choose another one.")
            await self._recast(pick, message, said, persona, edit)

        menu = persona_menu(own, personas.built_in, interaction.user.id, locale, chosen)
        await answer(interaction, say(locale, "Which character shall it be from now on?"), view=menu)

    async def _recast(
        self,
        interaction: discord.Interaction,
        message: discord.Message,
        said: Said,
        persona: Persona,
        edit: Edit | None = None,
    ) -> None:
        """Say it anew as another character, who keeps the conversation; the old words go."""
        spot = await self._speaking_spot(interaction, said)
        remove: Remove = message.delete
        if spot.interaction is None:
            edit = _edit(message.edit)
        if interaction.message is not None and interaction.message.id == message.id:
            await _seen(interaction)
            edit, remove = _edit(interaction.edit_original_response), interaction.delete_original_response
        else:  # chosen in a menu that only the user sees
            done = say(str(interaction.locale), "{name} takes over.", name=discord.utils.escape_markdown(persona.name))
            await interaction.response.edit_message(content=done, view=None, allowed_mentions=NO_PINGS)
        await self._talks.recast(spot, persona, message, edit, remove)

    async def _delete(self, interaction: discord.Interaction, message: discord.Message, said: Said) -> None:
        """Delete a reply for its poster, whoever asked, the character's owner or a moderator."""
        own = await self._house.personas.own(said.conversation.persona.id)
        asked = message.interaction_metadata  # of an answer to a menu, where the bot is no member
        may = {said.origin.poster_id, said.asker_id, own.owner_id if own else None, asked.user.id if asked else None}
        if not _may_delete(interaction, may):
            raise BadInput("Only who posted the photo or asked, the character's owner and moderators can delete this.")
        await self._remove(interaction, message)

    async def _remove(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Delete the message whose button was pressed, and what is remembered of it."""
        await _seen(interaction)
        with suppress(discord.NotFound):  # somebody was quicker
            await interaction.delete_original_response()
        await self._talks.forget(message.channel.id, {message.id})

    async def _speaking_spot(self, interaction: discord.Interaction, said: Said) -> Spot:
        """Return where somebody is to speak now; raise BadInput where nobody may."""
        choice = await self._house.scopes.resolve(place_of(interaction))
        if choice.paused_until or choice.listen == "never":
            raise BadInput(SILENT)
        spot = spot_of(interaction, said.origin.photo_message_id, said.origin.poster_id, choice)
        self._manners.admit_press(interaction, choice.cooldown or 0.0)
        return spot


async def _seen(interaction: discord.Interaction) -> None:
    """Tell Discord that a button was pressed, if it does not know yet."""
    if not interaction.response.is_done():
        await interaction.response.defer()


def _may_delete(interaction: discord.Interaction, people: Collection[int | None]) -> bool:
    """Tell whether somebody may delete a reply: one of these people, or a moderator."""
    return interaction.user.id in people or interaction.permissions.manage_messages


def _edit(change: Callable[..., Awaitable[object]]) -> Edit:
    """Return what gives a message a new content without pinging anybody."""
    return lambda content: change(content=content, allowed_mentions=NO_PINGS)
