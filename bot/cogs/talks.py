"""Let the people in photos speak: engine, delivery and store put together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from functools import partial
from weakref import WeakValueDictionary

import discord

from bot.cogs import delivery, incoming
from bot.cogs.engine import Desk
from bot.domain import Conversation, Persona, Reply, Scene, Turn
from bot.store.conversations import Conversations, Origin

log = logging.getLogger(__name__)


class Talks:
    """Opens conversations about photos and goes on with them."""

    def __init__(self, desk: Desk, conversations: Conversations) -> None:
        self._desk = desk
        self._conversations = conversations
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def earlier(self, message: discord.Message) -> Conversation | None:
        """Return the conversation that a message replies to, if it replies to one."""
        reference = message.reference
        if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
            return None
        async with self._lock(message.channel.id):
            return await self._conversations.by_message(reference.message_id)

    async def open(
        self, message: discord.Message, source: discord.Message, photo: discord.Attachment, persona: Persona
    ) -> None:
        """Let somebody in a photo of ``source`` speak, as a reply to ``message``; raise BadInput if it is none."""
        with self._desk.seat():
            async with message.channel.typing():
                data = await incoming.download(photo)
                look = partial(self._look_and_speak, data, persona, await self._recent(message))
                scene, said = await self._desk.run(look)
        origin = Origin(message.guild.id if message.guild else None, message.channel.id, source.id, source.author.id)
        async with self._lock(message.channel.id):
            sent = await delivery.reply(message, delivery.in_character(persona, said.text))
            await self._conversations.start(scene, persona, said.text, origin, sent)
        _note(message, persona, said)

    async def go_on(self, message: discord.Message, earlier: Conversation, text: str) -> None:
        """Answer what somebody said to the person in the photo."""
        question = Turn("user", text, message.author.display_name)
        # One answer at a time in a conversation, so that each knows the ones before it.
        with self._desk.seat():
            async with self._lock(earlier.id):
                talk = await self.earlier(message)
                if talk is None:  # deleted while this message waited
                    return
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
        _note(message, talk.persona, said)

    async def forget(self, channel_id: int, message_ids: Collection[int]) -> None:
        """Forget what belongs to deleted messages, before anything later in their channel is looked at."""
        async with self._lock(channel_id):
            await self._conversations.forget(message_ids)

    def _look_and_speak(self, data: bytes, persona: Persona, recent: Collection[str]) -> tuple[Scene, Reply]:
        scene = self._desk.engine.look(data)
        return scene, self._desk.engine.reply(scene, persona, recent=recent)

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


def _note(message: discord.Message, persona: Persona, said: Reply) -> None:
    """Write what happened to the log, without anybody's words."""
    seconds = (discord.utils.utcnow() - message.created_at).total_seconds()
    log.info("Answered message %s as %s (%s) after %.1f s.", message.id, persona.id, said.source, seconds)
