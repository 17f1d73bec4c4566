"""Conversations that survive a restart: who speaks, what the photo showed, and the last turns."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import Conversation, Persona, Scene, Turn
from bot.store.database import Database, changed
from bot.store.limits import storable
from bot.store.personas import Personas
from bot.store.tables import ConversationRow, MessageRow, TurnRow, now
from bot.store.talk_rows import (
    Origin,
    Question,
    Said,
    add_turns,
    carry,
    conversation_of,
    latest_first,
    new_row,
    origin_of,
    shows,
    whole,
)

__all__ = ["MAX_TURNS", "Conversations", "Origin", "Question", "Said"]

MAX_TURNS = 24  # kept of one conversation, the newest


class Conversations:
    """Remembers conversations in the database; whose persona was deleted goes on as the person in the photo."""

    def __init__(self, database: Database, personas: Personas) -> None:
        self._database = database
        self._personas = personas

    async def start(
        self,
        scene: Scene,
        persona: Persona,
        opening: str,
        origin: Origin,
        sent: Iterable[int],
        *,
        speaker: int = 0,
        asked: Question | None = None,
    ) -> Conversation:
        """Remember a new conversation; ``sent`` are the ids of the messages that carry the opening.

        ``asked`` is what the opening answers, if it answers anything.
        """
        async with self._database.session() as session:
            row = new_row(scene, persona, origin, speaker)
            session.add(row)
            await session.flush()
            await add_turns(session, row.id, asked, opening, sent)
        turns = (*((asked.turn,) if asked else ()), Turn("persona", opening))
        return Conversation(row.id, scene, persona, speaker, turns)

    async def by_id(self, conversation_id: int) -> Conversation | None:
        """Return a conversation, if it is remembered."""
        return _first(await self._load(whole().where(ConversationRow.id == conversation_id)))

    async def by_message(self, message_id: int) -> Conversation | None:
        """Return the conversation that one of the bot's messages belongs to, if it is remembered."""
        query = whole().join(MessageRow, MessageRow.conversation_id == ConversationRow.id)
        return _first(await self._load(query.where(MessageRow.message_id == message_id)))

    async def origin(self, conversation_id: int) -> Origin | None:
        """Return where the photo of a conversation was posted, if the conversation is remembered."""
        async with self._database.session() as session:
            row = await session.get(ConversationRow, conversation_id)
        return None if row is None else origin_of(row)

    async def of_photo(self, photo_message_id: int, photo_id: int | None) -> tuple[Conversation, ...]:
        """Return the talk of everyone of a photo who has spoken, whoever spoke last first."""
        return await self._load(latest_first().where(shows(photo_message_id, photo_id)))

    async def latest(self, channel_id: int, within: timedelta) -> tuple[Conversation, ...]:
        """Return what ``of_photo`` does for the photo talked about last in a channel, unless that is too long ago."""
        query = latest_first().where(
            ConversationRow.channel_id == channel_id, ConversationRow.updated_at >= now() - within
        )
        async with self._database.session() as session:
            row = await session.scalar(query.limit(1))
        return () if row is None else await self.of_photo(row.photo_message_id, row.photo_id)

    async def said(self, message_id: int) -> Said | None:
        """Return what one of the bot's messages says and what led to it, if that is still remembered."""
        query = whole().add_columns(MessageRow.turn_id).where(MessageRow.message_id == message_id)
        query = query.join(MessageRow, MessageRow.conversation_id == ConversationRow.id)
        async with self._database.session() as session:
            found = (await session.execute(query)).first()
            if found is None:
                return None
            row, turn_id = found
            cast = await self._personas.cast(session, {row.persona_id})
        answer = next((turn for turn in row.turns if turn.id == turn_id), None)
        if answer is None:
            return None
        before = [turn for turn in row.turns if turn.id < answer.id]
        asked = before[-1] if before and answer.message_id is not None else None
        asker = asked.author_id if asked and asked.message_id == answer.message_id else None
        return Said(conversation_of(row, cast, before), answer.id, asker, origin_of(row))

    async def remember(
        self,
        conversation_id: int,
        question: Turn,
        answer: Turn,
        *,
        author_id: int,
        message_id: int,
        sent: Iterable[int],
    ) -> None:
        """Add a user's message and its answer, and keep the newest turns only.

        ``message_id`` is the user's message, ``sent`` the bot's. Does nothing when the conversation was
        deleted while the answer was being made.
        """
        async with self._database.session() as session:
            # Writing first takes the lock, so that nobody deletes the conversation half-way.
            touch = update(ConversationRow).where(ConversationRow.id == conversation_id).values(updated_at=now())
            if not changed(await session.execute(touch)):
                return
            asked = Question(question.text, question.author, author_id, message_id)
            await add_turns(session, conversation_id, asked, answer.text, sent)
            newest = (
                select(TurnRow.id)
                .where(TurnRow.conversation_id == conversation_id)
                .order_by(TurnRow.id.desc())
                .limit(MAX_TURNS)
            )
            await session.execute(
                delete(TurnRow).where(TurnRow.conversation_id == conversation_id, TurnRow.id.not_in(newest))
            )

    async def reword(self, turn_id: int, text: str, persona: Persona | None = None) -> None:
        """Keep an answer as it was said anew, perhaps by another persona who goes on from there.

        Does nothing when the answer was deleted meanwhile.
        """
        async with self._database.session() as session:
            anew = update(TurnRow).where(TurnRow.id == turn_id).values(text=storable(text))
            if not changed(await session.execute(anew)):
                return
            values: dict[str, Any] = {"updated_at": now()} | ({"persona_id": persona.id} if persona else {})
            its = select(TurnRow.conversation_id).where(TurnRow.id == turn_id).scalar_subquery()
            await session.execute(update(ConversationRow).where(ConversationRow.id == its).values(values))

    async def resent(self, turn_id: int, sent: Iterable[int]) -> None:
        """Let other messages carry an answer from now on; the ones before no longer belong to the conversation.

        Does nothing when the answer was deleted meanwhile.
        """
        async with self._database.session() as session:
            await session.execute(delete(MessageRow).where(MessageRow.turn_id == turn_id))
            turn = await session.get(TurnRow, turn_id)
            if turn is not None:
                carry(session, turn, sent)

    async def recent(self, channel_id: int, limit: int = 12) -> tuple[str, ...]:
        """Return what was last said by personas in a channel, the newest first."""
        query = (
            select(TurnRow.text)
            .join(ConversationRow, ConversationRow.id == TurnRow.conversation_id)
            .where(ConversationRow.channel_id == channel_id, TurnRow.role == "persona")
            .order_by(TurnRow.id.desc())
            .limit(limit)
        )
        async with self._database.session() as session:
            return tuple(await session.scalars(query))

    async def edited(self, message_id: int, text: str) -> None:
        """Follow a user who changed what they had said; nothing is kept of what it was before."""
        said = update(TurnRow).where(TurnRow.message_id == message_id, TurnRow.role == "user")
        async with self._database.session() as session:
            await session.execute(said.values(text=storable(text)))

    async def guilds(self) -> set[int]:
        """Return the ids of all servers that anything is stored about."""
        return await self._database.guilds()

    async def forget(self, message_ids: Collection[int]) -> None:
        """Follow the deletion of Discord messages.

        A deleted photo or opening takes its conversation along, a deleted user message its answers, and a deleted
        answer the question it answered; a conversation without words is gone, too.
        """
        carried = (
            select(MessageRow.conversation_id, TurnRow.message_id)
            .outerjoin(TurnRow, TurnRow.id == MessageRow.turn_id)
            .where(MessageRow.message_id.in_(message_ids))
        )
        async with self._database.session() as session:
            await session.take_turn()  # whoever writes needs a connection, too, and must find one free
            ours = (await session.execute(carried)).all()
            # What answers nothing is an opening, or too old for its words to be kept.
            openings = [conversation for conversation, question in ours if question is None]
            ends = or_(ConversationRow.photo_message_id.in_(message_ids), ConversationRow.id.in_(openings))
            await session.execute(delete(ConversationRow).where(ends))
            await session.execute(delete(TurnRow).where(TurnRow.message_id.in_(message_ids)))
            for conversation, question in ours:
                answered = (TurnRow.conversation_id == conversation, TurnRow.message_id == question)
                await session.execute(delete(TurnRow).where(*answered))
            await session.execute(delete(MessageRow).where(MessageRow.message_id.in_(message_ids)))
            wordless = select(TurnRow.id).where(TurnRow.conversation_id == ConversationRow.id).exists()
            touched = {conversation for conversation, _ in ours}
            await session.execute(delete(ConversationRow).where(ConversationRow.id.in_(touched), ~wordless))

    async def forget_channel(self, channel_id: int) -> int:
        """Delete the conversations of a channel or thread that is gone and return how many there were."""
        return await self._delete(ConversationRow.channel_id == channel_id)

    async def forget_guild(self, guild_id: int) -> int:
        """Delete the conversations of a server that is gone and return how many there were."""
        return await self._delete(ConversationRow.guild_id == guild_id)

    async def purge(self, days: int) -> int:
        """Delete conversations without a word for ``days`` days and return how many there were."""
        return await self._delete(ConversationRow.updated_at < now() - timedelta(days=days))

    async def counts(self) -> dict[str, int]:
        """Return how many rows every table holds."""
        return await self._database.counts()

    async def _delete(self, which: ColumnElement[bool]) -> int:
        async with self._database.session() as session:
            return changed(await session.execute(delete(ConversationRow).where(which)))

    async def _load(self, query: Select[Any]) -> tuple[Conversation, ...]:
        """Return the conversations of a query, the first one of every speaker of a photo only."""
        async with self._database.session() as session:
            rows: dict[tuple[int, int | None, int], ConversationRow] = {}
            for row in await session.scalars(query):
                rows.setdefault((row.photo_message_id, row.photo_id, row.speaker), row)
            cast = await self._personas.cast(session, {row.persona_id for row in rows.values()})
        return tuple(conversation_of(row, cast, row.turns) for row in rows.values())


def _first(conversations: tuple[Conversation, ...]) -> Conversation | None:
    """Return the first of some conversations, if there are any."""
    return next(iter(conversations), None)
