"""The Discord client: log in, load the cogs, run until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import aiohttp
import discord
from discord import app_commands
from discord.ext import commands

from bot.cogs.casting import Casting
from bot.cogs.easel import Easel
from bot.cogs.engine import Desk, Engine
from bot.cogs.forgetting import Forgetting
from bot.cogs.health import Health, counting_requests
from bot.cogs.hooks import Hooks
from bot.cogs.house import House
from bot.cogs.languages import CatalogueTranslator, Languages
from bot.cogs.manners import Manners
from bot.cogs.menus import Menus
from bot.cogs.personas import PersonaCommands
from bot.cogs.photo_settings import PhotoSettings
from bot.cogs.photos import Photos
from bot.cogs.portraits import PortraitCommands
from bot.cogs.privacy import PrivacyCommands
from bot.cogs.replies import Replies
from bot.cogs.status import StatusCommands
from bot.cogs.talks import Talks
from bot.domain import BadInput, Failure
from bot.runtime.session import share_cores
from bot.settings import DEVELOPER_PORTAL, Settings
from bot.store.conversations import Conversations
from bot.store.database import Database
from bot.store.personas import Personas
from bot.store.privacy import Privacy
from bot.store.scopes import Scopes
from bot.ui.base import failed

log = logging.getLogger(__name__)

# The bot joins no voice channels, so what those would need is not missing.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

GOODBYE = 5.0  # seconds that what is being answered may still take when the bot stops
# How discord.py names the tasks in which it calls what listens to events, buttons, menus, forms and commands.
DISPATCHED = ("discord.py: on_", "discord-ui-", "CommandTree-invoker")

# What the invite link asks for.
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    read_message_history=True,
    attach_files=True,
    manage_webhooks=True,
)


class Tree(app_commands.CommandTree):
    """The slash commands and menus; whatever goes wrong in them becomes one sentence for the user."""

    async def on_error(self, interaction: discord.Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the user what went wrong."""
        await failed(interaction, error)


class TalkingPhotosBot(commands.AutoShardedBot):
    """The bot's connection to Discord, with as few intents and as little cached as it needs."""

    def __init__(
        self, settings: Settings, engine: Engine, database: Database, *, read_content: bool = True, **options: Any
    ) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=read_content)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=Tree,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # people's messages are not kept in memory
            member_cache_flags=discord.MemberCacheFlags.none(),
            http_trace=counting_requests(),
            **options,
        )
        self._settings = settings
        personas = Personas(database, engine.personas)
        self.house = House(
            bot=self,
            settings=settings,
            desk=Desk(engine, settings.queue_limit, share_cores(settings.workers)[0]),
            hooks=Hooks(self),
            languages=Languages(),
            personas=personas,
            scopes=Scopes(database),
            conversations=Conversations(database, personas),
            privacy=Privacy(database),
        )
        self._casting = Casting(personas, settings.default_persona)

    async def setup_hook(self) -> None:
        """Load the cogs after login and before the first message, and tell Discord the commands."""
        house, casting = self.house, self._casting
        talks, manners = Talks(house), Manners(house.settings.cooldown, house.languages)
        photos, easel = Photos(house, talks, manners, casting), Easel(house, manners)
        replies, menus = Replies(house, talks, manners, casting), Menus(house, talks, manners, casting, easel)
        speaking = [photos, replies, menus, PortraitCommands(house, easel)]
        commanding = [cog(house) for cog in (PersonaCommands, PhotoSettings, PrivacyCommands, StatusCommands, Health)]
        for cog in (*speaking, Forgetting(house, talks, photos), *commanding):
            await self.add_cog(cog)
        await self.tree.set_translator(CatalogueTranslator())
        try:
            await self.tree.sync()
        except (discord.HTTPException, app_commands.AppCommandError):  # photos are answered without them, too
            log.exception("Discord did not take my slash commands; those of the last start stay.")

    async def close(self) -> None:
        """Drop what waits, let what is being answered be answered, and end the connection.

        What still runs after GOODBYE seconds is cancelled, so that nothing is cut off while it uses the database.
        """
        if not self.is_closed():
            self.house.desk.close()
            at_work = {task for task in asyncio.all_tasks() if task.get_name().startswith(DISPATCHED)}
            at_work.discard(asyncio.current_task())  # type: ignore[arg-type]
            for patience in (GOODBYE, GOODBYE):
                if at_work:
                    _, at_work = await asyncio.wait(at_work, timeout=patience)
                for task in at_work:
                    log.warning("Stopped %s, which took longer than %.0f s.", task.get_name(), GOODBYE)
                    task.cancel()
        await super().close()

    async def on_message(self, message: discord.Message) -> None:
        """Leave messages to the cogs; there are no prefix commands."""

    async def on_ready(self) -> None:
        """Log where the bot is, and how to invite it."""
        log.info("Logged in as %s, in %d servers.", self.user, len(self.guilds))
        if self.application_id and not self.guilds:
            log.info("Invite me: %s", discord.utils.oauth_url(self.application_id, permissions=PERMISSIONS))
        for channel_id in self._settings.channels:
            channel = self.get_channel(channel_id)
            if not isinstance(channel, discord.abc.GuildChannel):
                log.warning("I cannot see channel %d of CHANNELS; invite me there or correct the id.", channel_id)


async def run_bot(settings: Settings, engine: Engine) -> None:
    """Run the bot until SIGINT or SIGTERM.

    Raises BadInput when the token is missing or wrong, Failure when Discord or the database cannot be reached.
    """
    token = settings.require_token()
    database = await Database.open(settings.database_url)
    try:
        try:
            await _connect(TalkingPhotosBot(settings, engine, database), token)
        except discord.PrivilegedIntentsRequired:
            log.warning(
                "The Message Content Intent is off, so I answer only mentions, replies that ping me and direct "
                "messages; switch it on at %s, Bot, and start me again.",
                DEVELOPER_PORTAL,
            )
            await _connect(TalkingPhotosBot(settings, engine, database, read_content=False), token)
    except discord.LoginFailure:
        raise BadInput(
            f"Discord refuses the DISCORD_TOKEN; make a new one at {DEVELOPER_PORTAL}, Bot, Reset Token."
        ) from None
    except (aiohttp.ClientError, discord.GatewayNotFound, discord.DiscordServerError, OSError) as error:
        raise Failure(f"Discord cannot be reached ({error}); check the network and try again.") from error
    except (discord.HTTPException, discord.ConnectionClosed) as error:
        raise Failure(f"Discord ended the connection ({error}); see https://discordstatus.com.") from error
    finally:
        await database.close()


async def _connect(bot: TalkingPhotosBot, token: str) -> None:
    """Keep a bot connected until it fails or a signal asks it to stop."""
    async with bot:
        running = asyncio.create_task(bot.start(token))
        with _signals_set(stop := asyncio.Event()):
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not running.done():
                log.info("Stopping.")
                await bot.close()
                await asyncio.wait({running})
                if error := running.exception():  # it was still starting when its connection was closed
                    log.info("Stopped while starting: %s.", error)
            else:
                await running


@contextmanager
def _signals_set(stop: asyncio.Event) -> Iterator[None]:
    """Set ``stop`` on SIGINT and SIGTERM; where the loop has no signals, Ctrl-C stays a KeyboardInterrupt."""
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
