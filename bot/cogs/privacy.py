"""/privacy: see, take away and erase what the bot stores about you, or keep it away from you."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot.cogs.house import ANYBODY, EVERYWHERE, House
from bot.cogs.languages import answer
from bot.domain import BadInput
from bot.locales import _, say
from bot.ui.privacy_panel import ForgetPanel, counted

FILE = "talking-photos-data"


class PrivacyCommands(commands.Cog):
    """What everybody may do with what is stored about them."""

    privacy = app_commands.Group(
        name=locale_str("privacy"),
        description=locale_str("See, export or erase what I store about you."),
        allowed_contexts=EVERYWHERE,
        allowed_installs=ANYBODY,
    )

    def __init__(self, house: House) -> None:
        self._house = house

    @privacy.command(name=locale_str("show"), description=locale_str("Show what I store about you."))
    async def show(self, interaction: discord.Interaction) -> None:
        """Tell what is stored about the user, for how long, and what they can do about it."""
        locale, user = self._house.languages.of_interaction(interaction), interaction.user.id
        stored = counted(await self._house.privacy.summary(user), locale)
        about = (
            say(locale, "I store about you: {what}.", what=stored)
            if stored
            else say(locale, "I store nothing about you.")
        )
        days = _(
            "A photo is looked at and dropped, never stored, and nobody is recognised. A conversation is deleted with "
            "its photo or my message, and after {days} days without a word."
        )
        lines = [about, say(locale, days, days=self._house.settings.retention_days)]
        if await self._house.privacy.is_out(user):
            lines.append(say(locale, "You have opted out: I leave your photos and messages alone."))
        ways = _(
            "/privacy export gives you all of it, /privacy forget-me erases it, and /privacy opt-out keeps me away "
            "from your photos and messages."
        )
        lines.append(say(locale, ways))
        application = self._house.bot.application
        if application and application.privacy_policy_url:
            lines.append(say(locale, "My owner's privacy policy: {url}", url=f"<{application.privacy_policy_url}>"))
        await answer(interaction, "\n".join(lines))

    @privacy.command(name=locale_str("export"), description=locale_str("Get a file with all I store about you."))
    async def export(self, interaction: discord.Interaction) -> None:
        """Hand the user a JSON file of everything that is stored about them."""
        locale = self._house.languages.of_interaction(interaction)
        await interaction.response.defer(ephemeral=True, thinking=True)
        stored = await self._house.privacy.export(interaction.user.id)
        file = await asyncio.to_thread(_packed, stored, interaction.filesize_limit)  # zipping may take seconds
        await answer(interaction, say(locale, "This is all I store about you."), file=file)

    @privacy.command(name=locale_str("opt-out"), description=locale_str("Keep me away from your photos and messages."))
    async def opt_out(self, interaction: discord.Interaction) -> None:
        """Leave the user alone from now on."""
        await self._house.privacy.opt_out(interaction.user.id)
        gone = _(
            "From now on I leave your photos and messages alone, in every server. What I stored before stays until "
            "/privacy forget-me erases it or its time is over; /privacy opt-in brings me back."
        )
        await answer(interaction, say(self._house.languages.of_interaction(interaction), gone))

    @privacy.command(name=locale_str("opt-in"), description=locale_str("Let me answer you again."))
    async def opt_in(self, interaction: discord.Interaction) -> None:
        """Answer the user again."""
        await self._house.privacy.opt_in(interaction.user.id)
        back = _("I answer your photos and messages again.")
        await answer(interaction, say(self._house.languages.of_interaction(interaction), back))

    @privacy.command(name=locale_str("forget-me"), description=locale_str("Erase all I store about you."))
    async def forget_me(self, interaction: discord.Interaction) -> None:
        """Ask whether everything is to be erased, and whether the bot is to stay away after that."""
        locale, user = self._house.languages.of_interaction(interaction), interaction.user.id
        stored = counted(await self._house.privacy.summary(user), locale) or say(locale, "nothing")
        ask = _(
            "I would erase what I store about you, for good: {what}. What I said in channels stays there; press Delete "
            "under it first if it shall go, too."
        )
        await answer(interaction, say(locale, ask, what=stored), view=ForgetPanel(self._house, user, locale))


def _packed(stored: dict[str, Any], limit: int) -> discord.File:
    """Return everything as a JSON file, zipped if it is too large for Discord otherwise."""
    data, name = json.dumps(stored, ensure_ascii=False, indent=2).encode(), f"{FILE}.json"
    if len(data) > limit:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, data)
        data, name = packed.getvalue(), f"{FILE}.zip"
    if len(data) > limit:
        raise BadInput(
            "What I store about you is larger than the {limit} MB a file may have here; ask my owner for it.",
            limit=limit // 2**20,
        )
    return discord.File(io.BytesIO(data), name)
