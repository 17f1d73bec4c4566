"""Listen to messages: answer photos in character, and go on talking when somebody replies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from weakref import WeakValueDictionary

import discord
from discord.ext import commands

from bot.cogs import delivery, here, incoming
from bot.cogs.casting import Casting
from bot.cogs.house import House, place_of
from bot.cogs.manners import Manners
from bot.cogs.stage import LEFT_ALONE, Shown, Spot, identity_of, numbered, poster_of
from bot.cogs.standing import FORGOTTEN, YOU_LEFT, Vanished
from bot.cogs.status import DIRECT
from bot.cogs.talks import Posted, Talks
from bot.domain import BadInput, Conversation, Persona
from bot.locales import _, explain, say
from bot.store.conversations import Question
from bot.store.scopes import Choice
from bot.ui.base import SORRY

log = logging.getLogger(__name__)

HINT = _("Post a photo and mention me, and whoever is in it will answer you.")
NO_PHOTO = _("I can only look at photos; post a JPEG, PNG, WebP, GIF or HEIC.")
PING_ME = _("I can read your replies here only when they ping me; switch the ping on and try again.")


class Photos(commands.Cog):
    """Decides what a message wants; answering it is the work of Talks."""

    def __init__(self, house: House, talks: Talks, manners: Manners, casting: Casting) -> None:
        self._house, self._talks, self._manners, self._casting = house, talks, manners, casting
        self._answering: dict[int, asyncio.Task[None]] = {}  # by the message that is answered
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()  # by channel
        self._leave: dict[int, Callable[[], None]] = {}  # by message: lets the next one of its channel follow

    def is_answering(self, message_id: int) -> bool:
        """Tell whether a message is being answered."""
        return message_id in self._answering

    def drop(self, message_ids: Collection[int]) -> None:
        """Stop answering messages that are gone."""
        for task in (self._answering.get(message_id) for message_id in message_ids):
            if task:
                task.cancel()

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
            self._talks.answered(message.id)

    async def _answer(self, message: discord.Message) -> None:
        try:
            async with self._in_turn(message):
                await self._handle(message)
        except BadInput as problem:
            await delivery.tell(message, explain(problem, self._locale(message)))
        except discord.Forbidden as error:
            log.warning("Discord forbids answering in channel %s: %s.", message.channel.id, error.text)
        except Exception as error:
            if delivery.went(error):
                log.info("Channel %s was deleted before message %s was answered.", message.channel.id, message.id)
                return
            log.exception("Message %s in channel %s could not be answered.", message.id, message.channel.id)
            await delivery.tell(message, say(self._locale(message), SORRY))

    @asynccontextmanager
    async def _in_turn(self, message: discord.Message) -> AsyncIterator[None]:
        """Look at the messages of a channel in the order they came, until each waits in line for its answer."""
        lock = self._turns.setdefault(message.channel.id, asyncio.Lock())
        await lock.acquire()

        def leave() -> None:
            if self._leave.pop(message.id, None):
                lock.release()

        self._leave[message.id] = leave
        try:
            yield
        finally:
            leave()

    async def _handle(self, message: discord.Message) -> None:
        """Find out what a message wants, and do it."""
        asked = isinstance(message.channel, discord.DMChannel) or incoming.mentions(message, self._me)
        earlier = await self._talks.earlier(message)
        addressed = asked or earlier is not None or self._replies_to_a_character(message)
        if not addressed and not incoming.attachments_of(message):
            return
        place = place_of(message)
        choice = await self._house.scopes.resolve(place)
        if choice.paused_until or choice.listen == "never" or not (addressed or self._listens(message, choice)):
            return
        if await self._house.privacy.is_out(message.author.id):
            if asked:
                await self._tell(message, YOU_LEFT)
            return
        source, photos = message, incoming.photos_in(message, spoilers=addressed)
        if addressed and not earlier and not photos:
            source = await incoming.replied_to(message) or message
            photos = incoming.photos_in(source, spoilers=True)
        if not (photos or addressed):
            return
        if not await self._manners.admit(message, addressed=addressed, channel_cooldown=choice.cooldown or 0.0):
            return
        if photos:
            words = incoming.words(message, self._me)
            persona = earlier.persona if earlier else await self._casting.choose(words, place, choice)
            await self._open(message, source, photos, persona, choice)
        else:
            await self._go_on(message, earlier, choice)

    async def _open(
        self,
        message: discord.Message,
        source: discord.Message,
        photos: list[discord.Attachment],
        persona: Persona,
        choice: Choice,
    ) -> None:
        """Let somebody in each photo speak, one photo after the other; ``source`` is the message they are in."""
        poster = poster_of(source, self._house.bot)
        if source is not message and await self._house.privacy.is_out(poster):
            await self._tell(message, LEFT_ALONE)
            return
        guild_id = message.guild.id if message.guild else None
        spot = replace(
            self._spot(message, choice),
            shows=Shown(source.jump_url, None if source.webhook_id else source.author.id, photo=True),
        )
        for number, photo in enumerate(photos, 1):
            try:
                await self._talks.open(spot, Posted(source, poster, photo, guild_id), persona)
            except BadInput as problem:
                await delivery.tell(message, numbered(problem, number, len(photos), self._locale(message)))

    async def _go_on(self, message: discord.Message, earlier: Conversation | None, choice: Choice) -> None:
        """Answer what somebody said to the people in a photo, if it says anything."""
        text = incoming.words(message, self._me)[: incoming.MAX_QUESTION]
        if incoming.attachments_of(message) and (not text or not earlier):
            await self._tell(message, NO_PHOTO)
        elif earlier:
            if text:
                await self._answer_as(message, earlier, text, choice)
            elif not self._house.bot.intents.message_content:  # Discord hides what a message without a ping says
                await self._tell(message, PING_ME)
        elif self._replies_to_us(message):
            await self._tell(message, FORGOTTEN)
        elif not text or not await self._take_up(message, text, choice):
            await self._tell(message, DIRECT if isinstance(message.channel, discord.DMChannel) else HINT)

    async def _take_up(self, message: discord.Message, text: str, choice: Choice) -> bool:
        """Let the last talk of a channel go on; False if there is none, or it was deleted meanwhile."""
        talks = await self._talks.lately(message.channel.id)
        try:
            if talks:
                await self._talks.answer(self._spot(message, choice), talks, _question(message, text), None)
        except Vanished:
            return False
        return bool(talks)

    async def _answer_as(self, message: discord.Message, earlier: Conversation, text: str, choice: Choice) -> None:
        """Answer a reply to something that somebody in a photo said."""
        origin = await self._house.conversations.origin(earlier.id)
        if origin and await self._house.privacy.is_out(origin.poster_id):
            await self._tell(message, LEFT_ALONE)
            return
        talks = await self._house.conversations.of_photo(origin.photo_message_id, origin.photo_id) if origin else ()
        talks = (earlier, *(talk for talk in talks if talk.speaker != earlier.speaker))
        await self._talks.answer(self._spot(message, choice), talks, _question(message, text), 0)

    def _spot(self, message: discord.Message, choice: Choice) -> Spot:
        """Return where a message is answered, and under which identity."""
        identity = identity_of(self._house.bot, choice)
        shows = Shown(message.jump_url, message.author.id)
        leave = self._leave[message.id]
        return Spot(message.channel, message, shows, identity, locale=self._locale(message), reached=leave)

    def _listens(self, message: discord.Message, choice: Choice) -> bool:
        """Tell whether every photo posted there is answered; what is not for everybody is so only when asked."""
        if incoming.age_restricted(message.channel):
            return False
        return here.listening(choice, place_of(message), self._house.settings) == "every"

    def _replies_to_us(self, message: discord.Message) -> bool:
        """Tell whether a message replies to one of the bot's own, or of its webhooks."""
        return self._replies_to_a_character(message) or (
            (target := _target(message)) is not None and target.author.id == self._me.id
        )

    def _replies_to_a_character(self, message: discord.Message) -> bool:
        target = _target(message)
        return bool(target and target.webhook_id and target.application_id == self._house.bot.application_id)

    async def _tell(self, message: discord.Message, sentence: str) -> None:
        await delivery.tell(message, say(self._locale(message), sentence))

    def _locale(self, message: discord.Message) -> str:
        return self._house.languages.of_message(message)

    @property
    def _me(self) -> discord.ClientUser:
        me = self._house.bot.user
        if me is None:
            raise RuntimeError("messages arrive only after login")
        return me


def _target(message: discord.Message) -> discord.Message | None:
    """Return the message that a message replies to, as far as Discord sent it along."""
    reference = message.reference
    return reference.resolved if reference and isinstance(reference.resolved, discord.Message) else None


def _question(message: discord.Message, text: str) -> Question:
    return Question(text, message.author.display_name, message.author.id, message.id)
