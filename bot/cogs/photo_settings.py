"""/photos: what those who manage a server decide about it: which photos are answered, how often, in whose name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str
from discord.ext import commands

from bot.cogs import here, photo_report
from bot.cogs.house import House, place_of
from bot.cogs.languages import answer
from bot.locales import Text, _, say
from bot.store.scopes import Kind
from bot.store.tables import now

T = TypeVar("T")

LISTEN = {
    "every": _("I answer every photo in {place} from now on, and whoever mentions me or replies to me."),
    "mentions": _("In {place} I answer only those who mention me or reply to me."),
    "never": _("I stay silent in {place}."),
}
IDENTITY = {
    "webhook": _("Characters speak in {place} with their own name and picture."),
    "plain": _("Characters speak in {place} through plain replies of mine, with their name in bold."),
}


def _with_place(command: T) -> T:
    """Give a command the option ``where``: the channel or thread it is used in, or the whole server."""
    decorators: tuple[Callable[[T], T], ...] = (
        app_commands.rename(where=locale_str("where")),
        app_commands.describe(where=locale_str("In this channel or thread (the default), or in the whole server.")),
        app_commands.choices(
            where=[
                Choice(name=locale_str("here"), value="here"),
                Choice(name=locale_str("the whole server"), value="server"),
            ]
        ),
    )
    for decorate in decorators:
        command = decorate(command)
    return command


class PhotoSettings(commands.Cog):
    """Reads and changes what holds in a server, a channel or a thread."""

    photos = app_commands.Group(
        name=locale_str("photos"),
        description=locale_str("Which photos I answer here, how often and in whose name."),
        guild_only=True,
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
    )

    def __init__(self, house: House) -> None:
        self._house = house

    @photos.command(name=locale_str("listen"), description=locale_str("Choose which photos I answer."))
    @app_commands.rename(mode=locale_str("mode"))
    @app_commands.describe(mode=locale_str("Which photos I answer; a pause ends with it."))
    @app_commands.choices(
        mode=[
            Choice(name=locale_str("every photo"), value="every"),
            Choice(name=locale_str("only when mentioned"), value="mentions"),
            Choice(name=locale_str("never"), value="never"),
        ]
    )
    @_with_place
    async def listen(self, interaction: discord.Interaction, mode: str, where: str = "here") -> None:
        """Choose which photos are answered, and end a pause."""
        notes = []
        if mode == "every" and not self._house.bot.intents.message_content:
            notes.append(say(self._locale(interaction), photo_report.NO_CONTENT))
        await self._set(interaction, where, {"listen": mode, "paused_until": None}, LISTEN[mode], *notes)

    @photos.command(name=locale_str("pause"), description=locale_str("Keep me silent for a while."))
    @app_commands.rename(minutes=locale_str("for"))
    @app_commands.describe(minutes=locale_str("How long I stay silent."))
    @app_commands.choices(
        minutes=[
            Choice(name=locale_str("15 minutes"), value=15),
            Choice(name=locale_str("1 hour"), value=60),
            Choice(name=locale_str("8 hours"), value=8 * 60),
            Choice(name=locale_str("a day"), value=24 * 60),
            Choice(name=locale_str("until resumed"), value=0),
        ]
    )
    @_with_place
    async def pause(self, interaction: discord.Interaction, minutes: int, where: str = "here") -> None:
        """Answer nothing for a while."""
        moment = now() + timedelta(minutes=minutes) if minutes else here.FOREVER
        until = here.until(moment, self._locale(interaction))
        sentence = _("I stay silent in {place} {until}.")
        await self._set(interaction, where, {"paused_until": moment}, sentence, until=until)

    @photos.command(name=locale_str("resume"), description=locale_str("End a pause."))
    @_with_place
    async def resume(self, interaction: discord.Interaction, where: str = "here") -> None:
        """End a pause before its time."""
        await self._set(interaction, where, {"paused_until": None}, _("No pause is set for {place} any more."))

    @photos.command(
        name=locale_str("cooldown"), description=locale_str("Choose the wait between two answers in a channel.")
    )
    @app_commands.rename(seconds=locale_str("seconds"))
    @app_commands.describe(seconds=locale_str("How long, 0 for no wait."))
    @_with_place
    async def cooldown(
        self, interaction: discord.Interaction, seconds: app_commands.Range[int, 0, 3600], where: str = "here"
    ) -> None:
        """Choose how long a channel waits between two answers."""
        sentence = _("In {place} I wait {seconds} s between two answers.")
        if not seconds:
            sentence = _("In {place} I do not wait between two answers.")
        elif where == "server":
            sentence = _("In each channel of this server I wait {seconds} s between two answers.")
        await self._set(interaction, where, {"cooldown": float(seconds)}, sentence, seconds=seconds)

    @photos.command(name=locale_str("identity"), description=locale_str("Choose in whose name characters speak."))
    @app_commands.rename(kind=locale_str("kind"))
    @app_commands.describe(kind=locale_str("Their own name and picture need my permission Manage Webhooks."))
    @app_commands.choices(
        kind=[
            Choice(name=locale_str("the character's name and picture"), value="webhook"),
            Choice(name=locale_str("a plain reply of mine"), value="plain"),
        ]
    )
    @_with_place
    async def identity(self, interaction: discord.Interaction, kind: str, where: str = "here") -> None:
        """Choose in whose name characters speak."""
        has = interaction.app_permissions
        if where == "server" and interaction.guild:
            has = interaction.guild.me.guild_permissions
        notes = photo_report.no_webhooks(self._house, has, self._locale(interaction)) if kind == "webhook" else []
        await self._set(interaction, where, {"identity": kind}, IDENTITY[kind], *notes)

    @photos.command(name=locale_str("reset"), description=locale_str("Take back what was set with /photos."))
    @_with_place
    async def reset(self, interaction: discord.Interaction, where: str = "here") -> None:
        """Let the wider scope decide again."""
        nothing = dict.fromkeys(("listen", "paused_until", "cooldown", "identity"))
        await self._set(interaction, where, nothing, _("Nothing about photos is set for {place} any more."))

    @photos.command(name=locale_str("show"), description=locale_str("Show what holds here, and what decides it."))
    async def show(self, interaction: discord.Interaction) -> None:
        """Show what holds here and which scope decides it."""
        await answer(interaction, await photo_report.describe(self._house, interaction, self._locale(interaction)))

    async def _set(
        self,
        interaction: discord.Interaction,
        where: str,
        values: Mapping[str, Any],
        sentence: Text,
        *notes: str,
        **named: object,
    ) -> None:
        """Set values for the channel, thread or server; tell that, and which other scope decides here all the same."""
        locale, place = self._locale(interaction), place_of(interaction)
        kind: Kind = "server" if where == "server" else "thread" if place.thread_id else "channel"
        await self._house.scopes.put(kind, place, **values)
        said = [say(locale, sentence, place=here.PLACES[kind], **named), *notes]
        choice = await self._house.scopes.resolve(place)
        for other in {choice.origins[name] for name in values if name in choice.origins} - {kind}:
            note = _("What is set for {place} holds here; /photos show tells more.")
            said.append(say(locale, note, place=here.PLACES[other]))
        await answer(interaction, "\n".join(said))

    def _locale(self, interaction: discord.Interaction) -> str:
        return self._house.languages.of_interaction(interaction)
