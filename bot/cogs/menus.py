"""What the menu of a message offers, also where only a user installed the bot: let it talk or smile, tell who it is."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.cogs import delivery, incoming
from bot.cogs.cast import looks, whom
from bot.cogs.casting import Casting
from bot.cogs.easel import SMILE, Easel, Sitter, thinking
from bot.cogs.house import ANYBODY, EVERYWHERE, House, place_of
from bot.cogs.languages import answer
from bot.cogs.manners import Manners
from bot.cogs.stage import LEFT_ALONE, SILENT, Shown, numbered, poster_of, spot_of
from bot.cogs.standing import Vanished
from bot.cogs.talks import Posted, Talks
from bot.domain import BadInput, Scene
from bot.locales import Text, _, say
from bot.ui.base import SORRY
from bot.ui.portrait_panel import MorphPanel

log = logging.getLogger(__name__)

MOST_ABROAD = 4  # photos that speak where only a user installed the bot: of its five answers one tells what went wrong
TOO_MANY_TALK = _("Here I can let at most {most} photos speak at once.")
TOO_MANY_SMILE = _("I can let at most {most} photos smile at once.")


class Menus(commands.Cog):
    """The entries under Apps in the menu of a message."""

    def __init__(self, house: House, talks: Talks, manners: Manners, casting: Casting, easel: Easel) -> None:
        self._house, self._talks, self._manners, self._casting = house, talks, manners, casting
        self._easel = easel
        # discord.py cannot take them from methods of a class.
        self._entries = [
            app_commands.ContextMenu(name=name, callback=call, allowed_contexts=EVERYWHERE, allowed_installs=ANYBODY)
            for name, call in (
                (locale_str("Make it talk"), self.make_it_talk),
                (locale_str("Who is in this?"), self.who_is_in_this),
                (locale_str("Make it smile"), self.make_it_smile),
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
        poster = poster_of(message, self._house.bot)
        spot = spot_of(interaction, message.id, poster, choice)
        self._manners.admit_press(interaction, choice.cooldown or 0.0)
        # Where the bot is no member, what is said is itself the answer to the interaction.
        await interaction.response.defer(ephemeral=spot.interaction is None, thinking=True)
        persona = await self._casting.standing(choice)

        async def talk(photo: discord.Attachment) -> None:
            posted = Posted(spot.answers, poster, photo, interaction.guild_id)
            await self._talks.open(spot, posted, persona)

        most = None if spot.interaction is None else MOST_ABROAD
        said, problems = await self._each(interaction, photos, talk, most, TOO_MANY_TALK)
        # Words fill a "thinking" that everybody sees, problems one that only the user sees; what nothing fills goes.
        if not (problems if spot.interaction is None else said):
            with suppress(discord.NotFound):  # somebody dismissed it
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

    async def make_it_smile(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Let the largest face in each photo of a message smile."""
        photos = await self._photos(interaction, message)
        poster = poster_of(message, self._house.bot)
        # Who posts through a webhook cannot be looked up.
        author = None if message.webhook_id and poster == message.author.id else poster
        shows = Shown(message.jump_url, author, photo=True)
        await self._easel.check(interaction, poster)
        audience = await self._easel.admit(interaction)

        async def smile(photo: discord.Attachment) -> None:
            sitter = Sitter(photo, poster, message.id, shows)
            await MorphPanel(self._easel, audience, interaction.user.id, sitter, SMILE).show(interaction)

        async with thinking(interaction, public=audience.public):
            done, problems = await self._each(interaction, photos, smile, MOST_ABROAD, TOO_MANY_SMILE)
            if audience.public and not done:
                await interaction.delete_original_response()
            if problems:
                await answer(interaction, "\n".join(problems))

    async def _each(
        self,
        interaction: discord.Interaction,
        photos: Sequence[discord.Attachment],
        act: Callable[[discord.Attachment], Awaitable[None]],
        most: int | None,
        too_many: Text,
    ) -> tuple[int, list[str]]:
        """Do something with each photo, ``most`` of them at most; return with how many, and what went wrong."""
        problems: list[str] = []
        done, locale = 0, str(interaction.locale)
        for number, photo in enumerate(photos, 1):
            if done == most:
                problems.append(say(locale, too_many, most=most))
                break
            try:
                await act(photo)
                done += 1
            except BadInput as problem:
                problems.append(numbered(problem, number, len(photos), locale))
                if isinstance(problem, Vanished):
                    break
            except Exception:
                log.exception("Nothing could be made of a photo that interaction %s is about.", interaction.id)
                problems.append(say(locale, SORRY))
                break
        return done, problems

    async def _photos(self, interaction: discord.Interaction, message: discord.Message) -> list[discord.Attachment]:
        """Return the photos of a message; raise BadInput when there are none or they must be left alone."""
        self._house.languages.of_interaction(interaction)
        if await self._house.privacy.is_out(poster_of(message, self._house.bot)):
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
