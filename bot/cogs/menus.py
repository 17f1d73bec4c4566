"""What the menu of a message offers, also where only a user installed the bot: let it talk, or tell who is in it."""

from __future__ import annotations

import logging

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.cogs import incoming
from bot.cogs.cast import looks, whom
from bot.cogs.casting import Casting
from bot.cogs.house import House, place_of
from bot.cogs.manners import Manners
from bot.cogs.stage import SILENT, spot_of
from bot.cogs.talks import Posted, Talks
from bot.domain import BadInput, Scene
from bot.locales import _, say

log = logging.getLogger(__name__)

EVERYWHERE = app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True)
ANYBODY = app_commands.AppInstallationType(guild=True, user=True)


class Menus(commands.Cog):
    """The two entries under Apps in the menu of a message."""

    def __init__(self, house: House, talks: Talks, manners: Manners, casting: Casting) -> None:
        self._house, self._talks, self._manners, self._casting = house, talks, manners, casting
        # discord.py cannot take them from methods of a class.
        self._entries = [
            app_commands.ContextMenu(name=name, callback=call, allowed_contexts=EVERYWHERE, allowed_installs=ANYBODY)
            for name, call in (
                (locale_str("Make it talk"), self.make_it_talk),
                (locale_str("Who is in this?"), self.who_is_in_this),
            )
        ]

    async def cog_load(self) -> None:
        """Add the entries."""
        for entry in self._entries:
            self._house.bot.tree.add_command(entry)

    async def cog_unload(self) -> None:
        """Take the entries away."""
        for entry in self._entries:
            self._house.bot.tree.remove_command(entry.name, type=entry.type)

    async def make_it_talk(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Let somebody in each photo of a message speak."""
        photos = await self._photos(interaction, message)
        place = place_of(interaction)
        choice = await self._house.scopes.resolve(place)
        if choice.paused_until or choice.listen == "never":
            raise BadInput(SILENT)
        self._manners.admit_press(interaction, choice.cooldown or 0.0)
        spot = spot_of(interaction, message.id, message.author.id, choice)
        # Where the bot is no member, what is said is itself the answer to the interaction.
        await interaction.response.defer(ephemeral=spot.interaction is None, thinking=True)
        persona = await self._casting.standing(choice)
        for photo in photos:
            posted = Posted(spot.answers, message.author.id, photo, interaction.guild_id)
            await self._talks.open(spot, posted, persona)
        if spot.interaction is None:
            await interaction.delete_original_response()

    async def who_is_in_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell what is seen in the photos of a message, to the user alone; nothing of it is kept."""
        photos = await self._photos(interaction, message)
        self._manners.admit_press(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        desk, told = self._house.desk, []
        for photo in photos:
            with desk.seat():
                data = await incoming.download(photo)
                scene = await desk.run(lambda data=data: desk.engine.look(data), lane=interaction.channel_id or 0)  # type: ignore[misc]
            told.append(described(scene, locale))
        none = discord.AllowedMentions.none()
        await interaction.followup.send("\n\n".join(told)[:2000], ephemeral=True, allowed_mentions=none)

    async def _photos(self, interaction: discord.Interaction, message: discord.Message) -> list[discord.Attachment]:
        """Return the photos of a message; raise BadInput when there are none or they must be left alone."""
        self._house.languages.of_interaction(interaction)
        if await self._house.privacy.is_out(message.author.id):
            raise BadInput("Whoever posted that photo asked me to leave their photos alone.")
        photos = incoming.photos_in(message, spoilers=True)
        if not photos:
            raise BadInput("There is no photo in that message; choose one with a JPEG, PNG, WebP, GIF or HEIC.")
        return photos


def described(scene: Scene, locale: str) -> str:
    """Return what is seen in a photo: its caption, which is English, and who is in it. Nobody is recognised."""
    seen = [person for person in scene.people if person.who != "nobody"]
    lines = [say(locale, "I see: {caption}.", caption=discord.utils.escape_markdown(scene.caption))]
    for person in seen:
        face = looks(person, locale)
        worn = ", ".join(person.wears)
        details = say(locale, _(", ")).join(part for part in (face, worn) if part)
        lines.append(f"- {whom(person, scene.people, locale)}" + (f" ({details})" if details else ""))
    if not seen:
        lines.append(say(locale, "I see nobody in it, but the things in it may speak."))
    lines.append(say(locale, "I recognise nobody, and nothing of this is kept."))
    return "\n".join(lines)
