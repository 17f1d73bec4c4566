"""Answer photos in character, and go on talking when somebody replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from functools import partial
from weakref import WeakValueDictionary

import discord
from discord.ext import commands, tasks

from bot.cogs import delivery, incoming
from bot.cogs.casting import Casting
from bot.cogs.engine import Desk
from bot.domain import BadInput, Conversation, Persona, Reply, Scene, Turn
from bot.settings import Settings
from bot.store.conversations import Conversations, Origin

log = logging.getLogger(__name__)

GOODBYE = 5.0  # seconds an answer in the making may still take when the bot stops
MAX_QUESTION = 500  # characters of a user's message that the speaker reads and the store keeps

HINT = "Post a photo and mention me, and whoever is in it will answer you."
NO_PHOTO = "I can only look at photos; post a JPEG, PNG, WebP, GIF or HEIC."
FORGOTTEN = "I no longer know the photo of that message; post it again and mention me."
PING_ME = "I can read your replies here only when they ping me; switch the ping on and try again."
SORRY = "Something went wrong on my side and is noted in my log; try again in a while."


class Photos(commands.Cog):
    """Listens to messages; everything else it asks of the desk, the store and the casting."""

    def __init__(
        self, bot: commands.AutoShardedBot, settings: Settings, desk: Desk, conversations: Conversations
    ) -> None:
        self._bot = bot
        self._settings = settings
        self._desk = desk
        self._conversations = conversations
        self._casting = Casting(desk.engine.personas, settings.default_persona)
        self._waiting = _cooldown(settings.cooldown)
        self._told_to_wait = _cooldown(settings.cooldown)
        self._answering: dict[int, asyncio.Task[None]] = {}  # by the message that is answered
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def cog_load(self) -> None:
        """Delete old conversations now and once a day."""
        self.purge.start()

    async def cog_unload(self) -> None:
        """Stop the daily work, drop the messages that wait, and let the one being answered be answered."""
        self.purge.cancel()
        self._desk.close()
        if self._answering:
            await asyncio.wait(self._answering.values(), timeout=GOODBYE)

    @tasks.loop(hours=24)
    async def purge(self) -> None:
        """Delete the conversations that nobody has continued for a long time."""
        count = await self._conversations.purge(self._settings.retention_days)
        log.info("Deleted %d conversations older than %d days.", count, self._settings.retention_days)

    @commands.Cog.listener()
    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        """Forget what belongs to a deleted message."""
        await self._forget([event.message_id])

    @commands.Cog.listener()
    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        """Forget what belongs to deleted messages."""
        await self._forget(event.message_ids)

    async def _forget(self, message_ids: Collection[int]) -> None:
        for task in (self._answering.get(message_id) for message_id in message_ids):
            if task:  # deleted before it was answered
                task.cancel()
        await self._conversations.forget(message_ids)

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
        earlier = await self._earlier(message)
        addressed = asked or earlier is not None
        if not addressed and not self._listens_to(message.channel):
            return
        photos = incoming.photos_in(message, spoilers=addressed)
        quoted = await incoming.replied_to(message) if asked and not earlier and not photos else None
        if quoted:
            photos = incoming.photos_in(quoted, spoilers=True)
        if not (photos or addressed) or not await self._may_answer(message, addressed):
            return
        if photos:
            text = incoming.words(message, self._me) if addressed else ""
            await self._open(message, quoted or message, photos, text, earlier)
        elif earlier:
            await self._continue(message, earlier)
        else:
            await delivery.tell(message, self._advice(message, quoted))

    async def _open(
        self,
        message: discord.Message,
        source: discord.Message,
        photos: Sequence[discord.Attachment],
        text: str,
        earlier: Conversation | None,
    ) -> None:
        """Let somebody in each photo speak, one photo after the other; ``source`` is the message they are in."""
        persona = earlier.persona if earlier else self._casting.choose(text)
        guild = message.guild.id if message.guild else None
        origin = Origin(guild, message.channel.id, source.id, source.author.id)
        for number, photo in enumerate(photos, 1):
            try:
                await self._open_one(message, photo, persona, origin)
            except BadInput as problem:
                which = f"Photo {number}: " if len(photos) > 1 else ""
                await delivery.tell(message, which + str(problem))

    async def _open_one(
        self, message: discord.Message, photo: discord.Attachment, persona: Persona, origin: Origin
    ) -> None:
        with self._desk.seat():
            async with message.channel.typing():
                data = await incoming.download(photo)
                recent = await self._recent(message)
                scene, said = await self._desk.run(partial(self._look_and_speak, data, persona, recent))
        async with self._lock(origin.channel_id):
            sent = await delivery.reply(message, delivery.in_character(persona, said.text))
            await self._conversations.start(scene, persona, said.text, origin, sent)
        self._note(message, persona, said)

    def _look_and_speak(self, data: bytes, persona: Persona, recent: Collection[str]) -> tuple[Scene, Reply]:
        scene = self._desk.engine.look(data)
        return scene, self._desk.engine.reply(scene, persona, recent=recent)

    async def _continue(self, message: discord.Message, earlier: Conversation) -> None:
        """Answer a reply to something the person in the photo said."""
        text = incoming.words(message, self._me)[:MAX_QUESTION]
        if not text:
            if incoming.attachments_of(message):
                await delivery.tell(message, NO_PHOTO)
            elif not self._bot.intents.message_content:  # Discord hides what a message without a ping says
                await delivery.tell(message, PING_ME)
            return
        question = Turn("user", text, message.author.display_name)
        # One answer at a time in a conversation, so that each knows the ones before it.
        async with self._lock(earlier.id):
            talk = await self._earlier(message) or earlier
            with self._desk.seat():
                async with message.channel.typing():
                    recent = await self._recent(message)
                    turns = (*talk.turns, question)
                    speak = partial(self._desk.engine.reply, talk.scene, talk.persona, turns, speaker=talk.speaker)
                    said = await self._desk.run(partial(speak, recent=recent))
            answer = Turn("persona", said.text)
            async with self._lock(message.channel.id):
                sent = await delivery.reply(message, delivery.in_character(talk.persona, said.text))
                await self._conversations.remember(
                    talk.id, question, answer, author_id=message.author.id, message_id=message.id, sent=sent
                )
        self._note(message, talk.persona, said)

    async def _may_answer(self, message: discord.Message, addressed: bool) -> bool:
        """Check the permissions and the cooldown, and say what is in the way."""
        if missing := delivery.missing_permissions(message):
            place = f"#{message.channel} in {message.guild}"
            log.warning("I lack the permission %s in %s (channel %s).", ", ".join(missing), place, message.channel.id)
            if addressed and not _seconds_left(self._told_to_wait, message):
                sentence = f"I cannot answer in {place}: I lack the permission {', '.join(missing)} there."
                await delivery.tell_privately(message, sentence)
            return False
        left = _seconds_left(self._waiting, message)
        if left and addressed and not _seconds_left(self._told_to_wait, message):
            await delivery.tell(message, f"One at a time, please: I can answer you again in {left:.0f} s.")
        return not left

    async def _earlier(self, message: discord.Message) -> Conversation | None:
        """Return the conversation a message replies to."""
        if message.type is not discord.MessageType.reply or not message.reference or not message.reference.message_id:
            return None
        async with self._lock(message.channel.id):
            return await self._conversations.by_message(message.reference.message_id)

    async def _recent(self, message: discord.Message) -> tuple[str, ...]:
        """Return what was last said in the channel of a message."""
        async with self._lock(message.channel.id):
            return await self._conversations.recent(message.channel.id)

    def _lock(self, key: int) -> asyncio.Lock:
        """Return the lock of a conversation or of a channel.

        A channel's is held from sending words until they are stored, so that whoever replies at once
        is found to reply to something known.
        """
        return self._locks.setdefault(key, asyncio.Lock())

    def _advice(self, message: discord.Message, quoted: discord.Message | None) -> str:
        """Say what the bot needs when it was asked but has no photo."""
        if incoming.attachments_of(message):
            return NO_PHOTO
        if quoted and quoted.author.id == self._me.id:
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

    @staticmethod
    def _note(message: discord.Message, persona: Persona, said: Reply) -> None:
        """Write what happened to the log, without anybody's words."""
        seconds = (discord.utils.utcnow() - message.created_at).total_seconds()
        log.info("Answered message %s as %s (%s) after %.1f s.", message.id, persona.id, said.source, seconds)


def _cooldown(seconds: float) -> commands.CooldownMapping[discord.Message] | None:
    """Return a cooldown of one message per user, or None for none at all."""
    if not seconds:
        return None
    return commands.CooldownMapping.from_cooldown(1, seconds, commands.BucketType.user)


def _seconds_left(cooldown: commands.CooldownMapping[discord.Message] | None, message: discord.Message) -> float:
    """Count a message and return how long its author still has to wait, at least a second; 0 if not at all."""
    left = cooldown.update_rate_limit(message) if cooldown else None
    return max(1.0, left) if left else 0.0
