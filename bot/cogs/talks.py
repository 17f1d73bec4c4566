"""Let the people in photos speak: engine, stage and store put together."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.cogs import delivery, incoming
from bot.cogs.house import House
from bot.cogs.stage import Answered, Spot, Stage, photo_of, reworded, words_in
from bot.cogs.standing import Standing, Vanished
from bot.domain import BadInput, Conversation, Persona, Reply, Scene, Turn
from bot.locales import _
from bot.speech.turn_taking import Seat, who_answers
from bot.store.conversations import Origin, Question, Said

log = logging.getLogger(__name__)

MEANWHILE = _("That reply was deleted or replaced in the meantime.")
LATELY = timedelta(minutes=15)  # so long a mention without a reply goes on with the last photo of a channel

Edit = Callable[[str], Awaitable[object]]  # gives a message a new content
Remove = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Posted:
    """A photo somebody posted, and the message it is in."""

    message: Answered
    poster_id: int
    file: discord.Attachment
    guild_id: int | None

    def origin(self, channel_id: int) -> Origin:
        """Return what is remembered of it."""
        return Origin(self.guild_id, channel_id, self.message.id, self.poster_id, self.file.id)


class _Lock(asyncio.Lock):
    """The lock of a conversation or of a channel, and the server in which words are sent while it is held."""

    guild_id: int | None = None


class Talks:
    """Opens conversations about photos and goes on with them."""

    def __init__(self, house: House) -> None:
        self._house, self._desk, self._conversations = house, house.desk, house.conversations
        self._stage, self._standing = Stage(house.hooks, house.personas), Standing(house)
        self._locks: WeakValueDictionary[int, _Lock] = WeakValueDictionary()
        self._edits: dict[int, str] = {}  # what messages that are being answered say since they were changed
        self._rng = random.Random()

    async def earlier(self, message: discord.Message) -> Conversation | None:
        """Return the conversation that a message replies to, if it replies to one."""
        reference = message.reference
        if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
            return None
        async with self._lock(message.channel.id):
            return await self._conversations.by_message(reference.message_id)

    async def said(self, message: discord.Message) -> Said | None:
        """Return what one of the bot's messages says, if it is remembered; what was sent only now will be."""
        said = await self._conversations.said(message.id)
        if said is None:
            async with self._lock(message.channel.id):
                said = await self._conversations.said(message.id)
        return said

    async def lately(self, channel_id: int) -> tuple[Conversation, ...]:
        """Return the talks of the photo that was last talked about in a channel, if that is not long ago."""
        async with self._lock(channel_id):
            return await self._conversations.latest(channel_id, LATELY)

    async def open(self, spot: Spot, posted: Posted, persona: Persona) -> None:
        """Let somebody in a photo speak; raise BadInput if it is none."""
        spot.reached()
        with self._desk.seat(spot.channel.id):
            async with _typing(spot):
                data = await incoming.download(posted.file)
                look = partial(self._look_and_speak, data, persona, await self._recent(spot.channel.id))
                with self._standing.unless_gone(posted.message.id):
                    scene, said = await self._desk.run(look, lane=spot.channel.id, ticket=posted.message.id)
            hidden = posted.file.is_spoiler() or incoming.age_restricted(spot.channel)
            talk = Conversation(0, scene, persona)

            async def read() -> bytes | None:
                return None if hidden else data

            await self._begin(spot, talk, said, posted.origin(spot.channel.id), read)

    async def introduce(
        self,
        spot: Spot,
        talk: Conversation,
        origin: Origin,
        speakers: Iterable[int],
        asked: Question | None = None,
    ) -> None:
        """Let others of the photo of ``talk`` speak for the first time, one after the other."""
        with self._desk.seat(spot.channel.id):
            for speaker in speakers:
                other = Conversation(0, talk.scene, talk.persona, speaker)
                async with _typing(spot):
                    said = await self._speak(spot, other, (asked.turn,) if asked else ())
                await self._begin(spot, other, said, origin, self._posted(origin), asked)

    async def answer(
        self, spot: Spot, talks: Sequence[Conversation], question: Question, replied_to: int | None
    ) -> None:
        """Let whoever is asked answer; ``talks`` are those of one photo, ``replied_to`` is the place of one in them.

        Raises Vanished where the photo or the talk was deleted meanwhile.
        """
        talk = talks[replied_to or 0]
        origin = await self._conversations.origin(talk.id)
        if origin is None:
            raise Vanished
        spoken = {one.speaker: one for one in talks}
        seats = [
            Seat(person, spoken[place].persona if place in spoken else talk.persona, silent=place not in spoken)
            for place, person in enumerate(talk.scene.people)
        ]
        for place in who_answers(question.text, seats, talk.speaker if replied_to is not None else None, self._rng):
            if place in spoken:
                await self._go_on(spot, spoken[place], origin, question)
            else:
                await self.introduce(spot, talk, origin, [place], question)

    async def again(self, spot: Spot, message: discord.Message, edit: Edit) -> None:
        """Put other words into ``message``, which ``edit`` gives a new content."""
        said = await self._now(message)
        talk = said.conversation
        with self._desk.seat(spot.channel.id):
            words = await self._speak(spot, talk, talk.turns, (words_in(message),))
        async with self._replacing(message, said):
            await edit(delivery.split(reworded(message, talk, words.text))[0])
            await self._conversations.reword(said.turn_id, words.text)

    async def recast(
        self, spot: Spot, persona: Persona, message: discord.Message, edit: Edit | None, remove: Remove
    ) -> None:
        """Say something anew as another persona, who has the conversation from then on, in place of ``message``.

        ``edit`` gives it a new content; where it is None, that is not possible. ``remove`` deletes it if its webhook
        no longer can.
        """
        said = await self._now(message)
        talk = replace(said.conversation, persona=persona)
        with self._desk.seat(spot.channel.id):
            words = await self._speak(spot, talk, talk.turns)
        async with self._replacing(message, said):
            edited = edit is not None and not await self._house.hooks.owns(message)
            if edit and edited:
                await edit(delivery.split(reworded(message, talk, words.text))[0])
            else:  # the name above it cannot be edited
                avatar = await self._stage.avatar(talk, said.origin, self._posted(said.origin))
                await self._conversations.resent(said.turn_id, await self._stage.say(spot, talk, words.text, avatar))
            await self._conversations.reword(said.turn_id, words.text, persona)
            if not edited and spot.interaction is None:
                await self._away(message, remove)

    async def _away(self, message: discord.Message, remove: Remove) -> None:
        """Delete what was said anew; it stays where a moderator deleted its webhook and nothing else may delete it."""
        try:
            if not await self._house.hooks.delete(message):
                await remove()
        except discord.HTTPException as error:
            log.info("Message %s was said anew, and stays: %s.", message.id, error)

    async def _now(self, message: discord.Message) -> Said:
        """Return what a message says once nobody changes it any more; raise BadInput if it is gone."""
        async with self._lock(message.channel.id):
            said = await self._conversations.said(message.id)
        if said is None:
            raise BadInput(MEANWHILE)
        return said

    @asynccontextmanager
    async def _replacing(self, message: discord.Message, said: Said) -> AsyncIterator[None]:
        """Hold the lock of a channel while something is said anew; raise BadInput if it is gone or another's by now."""
        async with self._lock(message.channel.id, said.origin.guild_id):
            now = await self._conversations.said(message.id)
            if now is None or now.conversation.persona.id != said.conversation.persona.id:
                raise BadInput(MEANWHILE)
            try:
                yield
            except discord.NotFound:  # deleted, and the event that tells it is on its way
                raise BadInput(MEANWHILE) from None

    async def forget(self, channel_id: int, message_ids: Collection[int]) -> None:
        """Forget what belongs to deleted messages, before anything later in their channel is looked at."""
        self._standing.went(message_ids)
        self._desk.drop(message_ids)
        async with self._lock(channel_id):
            await self._conversations.forget(message_ids)

    async def edited(self, channel_id: int, message_id: int, text: str, *, unanswered: bool) -> None:
        """Keep what somebody says now instead of what they said before, also if its answer is still being made."""
        if unanswered:
            self._edits[message_id] = text
        async with self._lock(channel_id):
            await self._conversations.edited(message_id, text)

    def answered(self, message_id: int) -> None:
        """Note that the answer to a message is stored, or will never be."""
        self._edits.pop(message_id, None)

    async def leave(self, channel_id: int) -> None:
        """Forget what was said in a channel that is gone, also what was sent but not stored when it went."""
        async with self._lock(channel_id):
            await self._conversations.forget_channel(channel_id)

    async def leave_guild(self, guild_id: int) -> None:
        """Forget what was said in a server that is gone, also what was sent but not stored when it went.

        Who holds one channel's lock waits for no other's, and those of a server are taken in the order of their ids.
        """
        in_use = sorted((key, lock) for key, lock in self._locks.items() if lock.guild_id == guild_id)
        async with AsyncExitStack() as held:
            for _key, lock in in_use:
                await held.enter_async_context(lock)
            await self._conversations.forget_guild(guild_id)

    async def _go_on(self, spot: Spot, talk: Conversation, origin: Origin, question: Question) -> None:
        """Answer what somebody said to a person in the photo who has spoken before."""
        # One answer at a time in a conversation, so that each knows the ones before it.
        with self._desk.seat(spot.channel.id):
            spot.reached()
            async with self._lock(talk.id):
                now = await self._conversations.by_id(talk.id)
                if now is None:  # deleted while this message waited
                    raise Vanished
                async with _typing(spot):
                    said = await self._speak(spot, now, (*now.turns, question.turn))
                avatar = await self._stage.avatar(now, origin, self._posted(origin))
                lock = self._lock(spot.channel.id, origin.guild_id)
                async with lock, self._standing.wanted(spot, now, origin, question) as sent:
                    sent += await self._stage.say(spot, now, said.text, avatar)
                    await self._conversations.remember(
                        now.id,
                        self._latest(question).turn,
                        Turn("persona", said.text),
                        author_id=question.author_id,
                        message_id=question.message_id,
                        sent=sent,
                    )
        _note(spot.answers, now.persona, said)

    async def _begin(
        self,
        spot: Spot,
        talk: Conversation,
        said: Reply,
        origin: Origin,
        read: Callable[[], Awaitable[bytes | None]],
        asked: Question | None = None,
    ) -> None:
        """Say the first words of somebody in a photo, whose file ``read`` gives, and remember them."""
        avatar = await self._stage.avatar(talk, origin, read)
        lock = self._lock(spot.channel.id, origin.guild_id)
        async with lock, self._standing.wanted(spot, talk, origin, asked) as sent:
            sent += await self._stage.say(spot, talk, said.text, avatar)
            await self._conversations.start(
                talk.scene,
                talk.persona,
                said.text,
                origin,
                sent,
                speaker=talk.speaker,
                asked=asked and self._latest(asked),
            )
        _note(spot.answers, talk.persona, said)

    def _latest(self, question: Question) -> Question:
        """Return a question as its author left it."""
        return replace(question, text=self._edits.get(question.message_id, question.text))

    def _posted(self, origin: Origin) -> Callable[[], Awaitable[bytes | None]]:
        """Return what reads a posted photo once more."""
        return partial(photo_of, self._house.bot, origin)

    async def _speak(self, spot: Spot, talk: Conversation, turns: Sequence[Turn], avoid: Collection[str] = ()) -> Reply:
        """Return the next words of a speaker."""
        recent = (*avoid, *await self._recent(spot.channel.id))
        speak = partial(self._desk.engine.reply, talk.scene, talk.persona, turns, speaker=talk.speaker, recent=recent)
        return await self._desk.run(speak, lane=spot.channel.id)

    def _look_and_speak(self, data: bytes, persona: Persona, recent: Collection[str]) -> tuple[Scene, Reply]:
        scene = self._desk.engine.look(data)
        return scene, self._desk.engine.reply(scene, persona, recent=recent)

    async def _recent(self, channel_id: int) -> tuple[str, ...]:
        """Return what was last said in a channel."""
        async with self._lock(channel_id):
            return await self._conversations.recent(channel_id)

    def _lock(self, key: int, guild_id: int | None = None) -> asyncio.Lock:
        """Return the lock of a conversation or of a channel, of a server where words are sent.

        A channel's is held from sending words until they are stored, so that whoever replies at once
        is found to reply to something known.
        """
        lock = self._locks.setdefault(key, _Lock())
        lock.guild_id = guild_id or lock.guild_id
        return lock


@asynccontextmanager
async def _typing(spot: Spot) -> AsyncIterator[None]:
    """Show that somebody is typing, where the bot may; an interaction shows it by itself."""
    async with AsyncExitStack() as shown:
        if spot.interaction is None:
            with suppress(discord.HTTPException):  # words matter more than the sign that they come
                await shown.enter_async_context(spot.channel.typing())
        yield


def _note(answered: Answered, persona: Persona, said: Reply) -> None:
    """Write what happened to the log, without anybody's words."""
    seconds = (discord.utils.utcnow() - answered.created_at).total_seconds()
    log.info("Answered message %s as %s (%s) after %.1f s.", answered.id, persona.id, said.source, seconds)
