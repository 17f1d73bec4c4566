"""What the menu of a message offers, also where only a user installed the bot: let it talk, or tell who is in it."""

from __future__ import annotations

import logging
from functools import partial

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.cogs import delivery, incoming
from bot.cogs.cast import looks, whom
from bot.cogs.casting import Casting
from bot.cogs.house import ANYBODY, EVERYWHERE, House, place_of
from bot.cogs.languages import answer
from bot.cogs.manners import Manners
from bot.cogs.stage import LEFT_ALONE, SILENT, numbered, spot_of
from bot.cogs.talks import Posted, Talks
from bot.domain import BadInput, Scene
from bot.locales import say
from bot.ui.base import SORRY

log = logging.getLogger(__name__)

MOST_ABROAD = 4  # photos that speak where only a user installed the bot: of its five answers one tells what went wrong


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
        spot = spot_of(interaction, message.id, message.author.id, choice)
        self._manners.admit_press(interaction, choice.cooldown or 0.0)
        # Where the bot is no member, what is said is itself the answer to the interaction.
        await interaction.response.defer(ephemeral=spot.interaction is None, thinking=True)
        persona = await self._casting.standing(choice)
        said, problems, locale = 0, [], str(interaction.locale)
        for number, photo in enumerate(photos, 1):
            if spot.interaction is not None and said == MOST_ABROAD:
                problems.append(say(locale, "Here I can let at most {most} photos speak at once.", most=MOST_ABROAD))
                break
            try:
                posted = Posted(spot.answers, message.author.id, photo, interaction.guild_id)
                await self._talks.open(spot, posted, persona)
                said += 1
            except BadInput as problem:
                problems.append(numbered(problem, number, len(photos), locale))
            except Exception:
                log.exception("A photo of message %s could not speak.", message.id)
                problems.append(say(locale, SORRY))
                break
        # Words fill a "thinking" that everybody sees, problems one that only the user sees; what nothing fills goes.
        if not (problems if spot.interaction is None else said):
            await interaction.delete_original_response()
        if problems:
            await answer(interaction, "\n".join(problems))

    async def who_is_in_this(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Tell what is seen in the photos of a message, to the user alone; nothing of it is kept."""
        photos = await self._photos(interaction, message)
        self._manners.admit_press(interaction, None)
        await interaction.response.defer(ephemeral=True, thinking=True)
        locale = str(interaction.locale)
        desk, told = self._house.desk, []
        for number, photo in enumerate(photos, 1):
            try:
                with desk.seat(interaction.channel_id or 0):
                    data = await incoming.download(photo)
                    look = partial(desk.engine.look, data)
                    told.append(described(await desk.run(look, lane=interaction.channel_id or 0), locale))
            except BadInput as problem:
                told.append(numbered(problem, number, len(photos), locale))
        for part in delivery.split("\n\n".join(told)):
            await answer(interaction, part)

    async def _photos(self, interaction: discord.Interaction, message: discord.Message) -> list[discord.Attachment]:
        """Return the photos of a message; raise BadInput when there are none or they must be left alone."""
        self._house.languages.of_interaction(interaction)
        if await self._house.privacy.is_out(message.author.id):
            raise BadInput(LEFT_ALONE)
        photos = incoming.photos_in(message, spoilers=True)
        if not photos:
            raise BadInput("There is no photo in that message; choose one with a JPEG, PNG, WebP, GIF or HEIC.")
        return photos


def described(scene: Scene, locale: str) -> str:
    """Return what is seen in a photo: its caption, which is English, and who is in it. Nobody is recognised."""
    seen = [person for person in scene.people if person.who != "nobody"]
    lines = [say(locale, "I see: {caption}.", caption=discord.utils.escape_markdown(scene.caption))]
    for person in seen:
        who, face = whom(person, scene.people, locale), looks(person, locale)
        lines.append(f"- {say(locale, '{who} ({looks})', who=who, looks=face) if face else who}")
    if not seen:
        lines.append(say(locale, "I see nobody in it, but the things in it may speak."))
    lines.append(say(locale, "I recognise nobody, and nothing of this is kept."))
    return "\n".join(lines)
