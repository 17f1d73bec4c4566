"""Follow what goes: messages, channels, servers and time take what is stored about them along."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord.ext import commands, tasks

from bot.cogs import incoming
from bot.cogs.house import House
from bot.cogs.photos import Photos
from bot.cogs.talks import Talks

log = logging.getLogger(__name__)


class Forgetting(commands.Cog):
    """Forgets what was deleted, and follows what was edited."""

    def __init__(self, house: House, talks: Talks, photos: Photos) -> None:
        self._house, self._talks, self._photos = house, talks, photos
        self._purging = asyncio.Lock()

    async def cog_load(self) -> None:
        """Delete old conversations now and once a day."""
        self.purge.start()

    async def cog_unload(self) -> None:
        """Stop the daily work."""
        async with self._purging:  # a connection that is cut off in the middle would keep the program from ending
            self.purge.cancel()

    @tasks.loop(hours=24)
    async def purge(self) -> None:
        """Delete the conversations that nobody has continued for a long time."""
        days = self._house.settings.retention_days
        try:
            async with self._purging:
                count = await self._house.conversations.purge(days)
        except Exception:  # an exception would end the loop; tomorrow is another day
            log.exception("Old conversations could not be deleted.")
        else:
            log.info("Deleted %d conversations older than %d days.", count, days)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget what belongs to a deleted message."""
        await self._forget(event.channel_id, {event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what belongs to deleted messages."""
        await self._forget(event.channel_id, event.message_ids)

    @commands.Cog.listener()
    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        """Keep what somebody says now instead of what they said before."""
        me = self._house.bot.user
        if "content" in event.data and me and (text := incoming.words(event.message, me)):
            unanswered = self._photos.is_answering(event.message_id)
            text = text[: incoming.MAX_QUESTION]
            await self._talks.edited(event.channel_id, event.message_id, text, unanswered=unanswered)

    @commands.Cog.listener()
    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """Forget what was said and set in a deleted channel."""
        await self._leave(channel.id)

    @commands.Cog.listener()
    async def on_raw_thread_delete(self, event: discord.RawThreadDeleteEvent) -> None:
        """Forget what was said and set in a deleted thread."""
        await self._leave(event.thread_id)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Forget everything of a server that is gone or has sent the bot away."""
        await self._forget_guild(guild.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Forget the servers that went while the bot was not there; one that is only out of reach is still listed."""
        listed = {guild.id for guild in self._house.bot.guilds}
        for guild_id in await self._house.conversations.guilds() - listed:
            await self._forget_guild(guild_id)

    async def _forget_guild(self, guild_id: int) -> None:
        await self._talks.leave_guild(guild_id)
        await self._house.scopes.forget_guild(guild_id)
        await self._house.personas.forget_guild(guild_id)
        log.info("Forgot everything of server %d.", guild_id)

    async def _leave(self, channel_id: int) -> None:
        await self._talks.leave(channel_id)
        await self._house.scopes.forget_channel(channel_id)

    async def _forget(self, channel_id: int, message_ids: set[int]) -> None:
        self._photos.drop(message_ids)  # those that were deleted before they were answered
        await self._talks.forget(channel_id, message_ids)
        await self._house.hooks.undress([f"face:{message_id}:" for message_id in message_ids])
