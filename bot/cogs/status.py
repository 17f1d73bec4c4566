"""/status: how the bot fares; /help: what a newcomer needs to know."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from bot import __version__
from bot.cogs import here
from bot.cogs.health import latency_of
from bot.cogs.house import House, place_of
from bot.cogs.incoming import age_restricted
from bot.cogs.languages import answer
from bot.locales import Text, _, say
from bot.store.scopes import Listen
from bot.store.tables import now
from bot.ui.reply_buttons import LABELS

log = logging.getLogger(__name__)

MEMORY = Path("/proc/self/statm")  # Linux: the pages this process uses

POST: dict[Listen, Text] = {
    "every": _("Post a photo here, and whoever is in it answers you: in this channel every photo is answered."),
    "mentions": _("Post a photo and mention me ({me}), and whoever is in it answers you."),
    "never": _("In this channel I stay silent; post a photo in another one and mention me ({me})."),
}
PAUSED = _("In this channel I stay silent {until}; post a photo in another one and mention me ({me}).")
DIRECT = _("Send me a photo here, and whoever is in it answers you.")
ABROAD = _("Here I see only the photos that you show me.")
MENU = _("Open the menu of any message with a photo, choose Apps, then **{talk}** to have it answered.")
REPLY = _("Reply to an answer, and the talk goes on.")
BUTTONS = _(
    "The buttons under an answer: **{again}** has it said anew, **{other}** lets someone else in the photo speak, "
    "**{persona}** changes the character, **{delete}** removes the answer."
)
CHARACTERS = _("{list} shows the characters, {use} chooses who speaks, {create} makes one of your own.")
PORTRAITS = _("{draw} draws somebody who does not exist; {morph} lets the face in a photo smile, or grow older.")
PRIVACY = _("I store no photos. {show} tells what I know of you, {forget} erases it.")


class StatusCommands(commands.Cog):
    """Tells everybody how the bot fares and how it is used."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._started = now()
        self._ids: dict[str, int] = {}  # of the commands, once Discord was asked for them

    @app_commands.command(name=locale_str("status"), description=locale_str("Show how I am doing."))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def status(self, interaction: discord.Interaction) -> None:
        """Tell version, uptime, load and how much is stored: numbers of the whole bot, nothing of one server."""
        locale, house = self._house.languages.of_interaction(interaction), self._house
        stored, recent, latency = await house.conversations.counts(), house.desk.recent_ms, latency_of(house.bot)
        unknown = _("not measured yet")
        facts: dict[Text, object] = {
            _("**Running since:** {value}"): discord.utils.format_dt(self._started, "R"),
            _("**Servers:** {value}"): len(house.bot.guilds),
            _("**Latency to Discord:** {value}"): unknown if latency is None else f"{1000 * latency:.0f} ms",
            _("**Models run on:** {value}"): house.desk.engine.provider,
            _("**Waiting for an answer:** {value}"): house.desk.waiting,
            _("**Answers of late take:** {value}"): f"{median(recent) / 1000:.1f} s" if recent else unknown,
            _("**Stored conversations:** {value}"): stored.get("conversations", 0),
            _("**Characters people made:** {value}"): stored.get("personas", 0),
            _("**Memory used:** {value}"): f"{used} MB" if (used := memory_used()) else unknown,
        }
        lines = [
            f"**Talking Photos {__version__}**",
            *(say(locale, fact, value=value) for fact, value in facts.items()),
        ]
        await answer(interaction, "\n".join(lines))

    @app_commands.command(name=locale_str("help"), description=locale_str("Tell how I am used."))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    @app_commands.allowed_installs(guilds=True, users=True)
    async def help(self, interaction: discord.Interaction) -> None:
        """Tell a newcomer what to do, true to the channel they ask in."""
        locale = self._house.languages.of_interaction(interaction)
        await interaction.response.defer(ephemeral=True)  # asking for the ids may take its time
        command = await self._commands(locale)
        buttons = {name: label for name, (_emoji, label) in LABELS.items()}
        use = {"list": command("persona list"), "use": command("persona use"), "create": command("persona create")}
        lines = [
            *await self._how_to_begin(interaction, locale),
            say(locale, MENU, talk=_("Make it talk")),
            say(locale, BUTTONS, **buttons),
            say(locale, CHARACTERS, **use),
            say(locale, PORTRAITS, draw=command("portrait draw"), morph=command("portrait morph")),
            say(locale, PRIVACY, show=command("privacy show"), forget=command("privacy forget-me")),
        ]
        await answer(interaction, "\n".join(f"- {line}" for line in lines))

    async def _how_to_begin(self, interaction: discord.Interaction, locale: str) -> list[str]:
        """Say how a photo gets its answer where the command was used, and how the talk goes on."""
        reply = say(locale, REPLY)
        if interaction.context.dm_channel:
            return [say(locale, DIRECT), reply]
        if not interaction.is_guild_integration():  # its user alone brought the bot here, and it sees no messages
            return [say(locale, ABROAD)]
        place, me = place_of(interaction), self._house.bot.user
        name = me.mention if me else "@Talking Photos"
        choice = await self._house.scopes.resolve(place)
        if choice.paused_until:
            return [say(locale, PAUSED, until=here.until(choice.paused_until, locale), me=name), reply]
        mode = here.listening(choice, place, self._house.settings)
        if mode == "every" and age_restricted(interaction.channel):
            mode = "mentions"
        return [say(locale, POST[mode], me=name), reply]

    async def _commands(self, locale: str) -> Callable[[str], str]:
        """Return what shows a command: as something to click on where its id is known, else by its name."""
        if not self._ids:
            try:
                self._ids = {command.name: command.id for command in await self._house.bot.tree.fetch_commands()}
            except (discord.HTTPException, OSError) as problem:
                log.warning("The ids of my commands could not be fetched: %s.", problem)

        def show(path: str) -> str:
            words = path.split()
            if known := self._ids.get(words[0]):
                return f"</{path}:{known}>"
            return "/" + " ".join(say(locale, word) for word in words)

        return show


def memory_used() -> int | None:
    """Return the megabytes of memory this process uses, None where the system does not tell."""
    try:
        return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (OSError, ValueError):
        return None
