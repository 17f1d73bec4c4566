"""Listen to messages: answer photos in character, and go on talking when somebody replies."""

from __future__ import annotations

import asyncio
import logging

import discord
from discord.ext import commands, tasks

from bot.cogs import delivery, incoming
from bot.cogs.casting import Casting
from bot.cogs.engine import Desk
from bot.cogs.manners import Manners
from bot.cogs.talks import Talks
from bot.domain import BadInput, Conversation, Persona
from bot.settings import Settings
from bot.store.conversations import Conversations

log = logging.getLogger(__name__)

GOODBYE = 5.0  # seconds an answer in the making may still take when the bot stops
MAX_QUESTION = 500  # characters of a user's message that the speaker reads and the store keeps

HINT = "Post a photo and mention me, and whoever is in it will answer you."
NO_PHOTO = "I can only look at photos; post a JPEG, PNG, WebP, GIF or HEIC."
FORGOTTEN = "I no longer know the photo of that message; post it again and mention me."
PING_ME = "I can read your replies here only when they ping me; switch the ping on and try again."
SORRY = "Something went wrong on my side and is noted in my log; try again in a while."


class Photos(commands.Cog):
    """Decides what a message wants; answering it is the work of Talks."""

    def __init__(
        self, bot: commands.AutoShardedBot, settings: Settings, desk: Desk, conversations: Conversations
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._desk = desk
        self._conversations = conversations
        self._talks = Talks(desk, conversations)
        self._manners = Manners(settings.cooldown)
        self._casting = Casting(desk.engine.personas, settings.default_persona)
        self._answering: dict[int, asyncio.Task[None]] = {}  # by the message that is answered
        self._purging = asyncio.Lock()

    async def cog_load(self) -> None:
        """Delete old conversations now and once a day."""
        self.purge.start()

    async def cog_unload(self) -> None:
        """Stop the daily work, drop the messages that wait, and let the one being answered be answered."""
        async with self._purging:  # a connection that is cut off in the middle would keep the program from ending
            self.purge.cancel()
        self._desk.close()
        if self._answering:
            await asyncio.wait(self._answering.values(), timeout=GOODBYE)

    @tasks.loop(hours=24)
    async def purge(self) -> None:
        """Delete the conversations that nobody has continued for a long time."""
        try:
            async with self._purging:
                count = await self._conversations.purge(self._settings.retention_days)
        except Exception:  # an exception would end the loop; tomorrow is another day
            log.exception("Old conversations could not be deleted.")
        else:
            log.info("Deleted %d conversations older than %d days.", count, self._settings.retention_days)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget what belongs to a deleted message."""
        await self._forget(event.channel_id, {event.message_id})

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what belongs to deleted messages."""
        await self._forget(event.channel_id, event.message_ids)

    async def _forget(self, channel_id: int, message_ids: set[int]) -> None:
        for task in (self._answering.get(message_id) for message_id in message_ids):
            if task:  # deleted before it was answered
                task.cancel()
        await self._talks.forget(channel_id, message_ids)

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Answer a message if it is meant for the bot; every failure becomes one sentence."""
        if not incoming.from_person(message):
            return
        task = self._answering[message.id] = asyncio.create_task(self._answer(message))
        try:
            await task
        finally:
            del self._answering[message.id]

    async def _answer(self, message: discord.Message) -> None:
        try:
            await self._handle(message)
        except BadInput as problem:
            await delivery.tell(message, str(problem))
        except discord.Forbidden as error:
            log.warning("Discord forbids answering in channel %s: %s.", message.channel.id, error.text)
        except Exception:
            log.exception("Message %s in channel %s could not be answered.", message.id, message.channel.id)
            await delivery.tell(message, SORRY)

    async def _handle(self, message: discord.Message) -> None:
        """Find out what a message wants, and do it."""
        asked = isinstance(message.channel, discord.DMChannel) or incoming.mentions(message, self._me)
        earlier = await self._talks.earlier(message)
        addressed = asked or earlier is not None
        if not addressed and not self._listens_to(message.channel):
            return
        source, photos = message, incoming.photos_in(message, spoilers=addressed)
        if asked and not earlier and not photos:
            source = await incoming.replied_to(message) or message
            photos = incoming.photos_in(source, spoilers=True)
        if not (photos or addressed) or not await self._manners.admit(message, addressed=addressed):
            return
        if photos:
            persona = earlier.persona if earlier else self._casting.choose(incoming.words(message, self._me))
            await self._open(message, source, photos, persona)
        elif earlier:
            await self._go_on(message, earlier)
        else:
            await delivery.tell(message, self._advice(message, source))

    async def _open(
        self, message: discord.Message, source: discord.Message, photos: list[discord.Attachment], persona: Persona
    ) -> None:
        """Let somebody in each photo speak, one photo after the other; ``source`` is the message they are in."""
        for number, photo in enumerate(photos, 1):
            try:
                await self._talks.open(message, source, photo, persona)
            except BadInput as problem:
                which = f"Photo {number}: " if len(photos) > 1 else ""
                await delivery.tell(message, which + str(problem))

    async def _go_on(self, message: discord.Message, earlier: Conversation) -> None:
        """Answer a reply to something the person in a photo said, if it says anything."""
        if text := incoming.words(message, self._me)[:MAX_QUESTION]:
            await self._talks.go_on(message, earlier, text)
        elif incoming.attachments_of(message):
            await delivery.tell(message, NO_PHOTO)
        elif not self._bot.intents.message_content:  # Discord hides what a message without a ping says
            await delivery.tell(message, PING_ME)

    def _advice(self, message: discord.Message, source: discord.Message) -> str:
        """Say what the bot needs when it was asked but there is no photo."""
        if incoming.attachments_of(message):
            return NO_PHOTO
        if source.author.id == self._me.id:
            return FORGOTTEN
        return HINT

    def _listens_to(self, channel: discord.abc.MessageableChannel) -> bool:
        """Tell whether every photo of a channel, or of the channel around a thread, is answered."""
        return bool({channel.id, getattr(channel, "parent_id", None)} & self._settings.channels)

    @property
    def _me(self) -> discord.ClientUser:
        me = self._bot.user
        if me is None:
            raise RuntimeError("messages arrive only after login")
        return me
