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
from discord.ext import commands

from bot.cogs.engine import Desk, Engine
from bot.cogs.photos import Photos
from bot.domain import BadInput, Failure
from bot.settings import DEVELOPER_PORTAL, Settings
from bot.store.conversations import Conversations
from bot.store.database import Database

log = logging.getLogger(__name__)

# The bot joins no voice channels, so what those would need is not missing.
discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False

# What the invite link asks for.
PERMISSIONS = discord.Permissions(
    view_channel=True, send_messages=True, send_messages_in_threads=True, read_message_history=True, attach_files=True
)


class TalkingPhotosBot(commands.AutoShardedBot):
    """The bot's connection to Discord, with as few intents and as little cached as it needs."""

    def __init__(
        self, settings: Settings, engine: Engine, database: Database, *, read_content: bool = True, **options: Any
    ) -> None:
        intents = discord.Intents(guilds=True, guild_messages=True, dm_messages=True, message_content=read_content)
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,  # people's messages are not kept in memory
            member_cache_flags=discord.MemberCacheFlags.none(),
            **options,
        )
        self._settings = settings
        conversations = Conversations(database, engine.personas)
        self._photos = Photos(self, settings, Desk(engine, settings.queue_limit), conversations)

    async def setup_hook(self) -> None:
        """Load the cogs after login and before the first message."""
        await self.add_cog(self._photos)

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
