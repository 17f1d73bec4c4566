"""Conversations that survive a restart: who speaks, what the photo showed, and the last turns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, Result, delete, or_, select, update
from sqlalchemy.orm import selectinload

from bot.domain import Conversation, Persona, Scene, Turn
from bot.store.database import Database
from bot.store.tables import ConversationRow, MessageRow, TurnRow, now

MAX_TURNS = 24  # kept of one conversation, the newest

_SCENE = TypeAdapter(Scene)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a photo was posted, and by whom, as Discord ids; ``guild_id`` is None in direct messages."""

    guild_id: int | None
    channel_id: int
    photo_message_id: int
    poster_id: int


class Conversations:
    """Remembers conversations in the database.

    ``personas`` turns a stored persona id into its persona; a persona that no longer exists goes on
    under its id as the plain person in the photo.
    """

    def __init__(self, database: Database, personas: Mapping[str, Persona]) -> None:
        self._database = database
        self._personas = personas

    async def start(
        self, scene: Scene, persona: Persona, opening: str, origin: Origin, sent: Iterable[int], *, speaker: int = 0
    ) -> Conversation:
        """Remember a new conversation; ``sent`` are the ids of the messages that carry the opening."""
        async with self._database.session() as session:
            row = ConversationRow(
                scene=_SCENE.dump_python(scene, mode="json"),
                persona_id=persona.id,
                speaker=speaker,
                guild_id=origin.guild_id,
                channel_id=origin.channel_id,
                photo_message_id=origin.photo_message_id,
                poster_id=origin.poster_id,
            )
            session.add(row)
            await session.flush()
            session.add(TurnRow(conversation_id=row.id, role="persona", text=opening))
            session.add_all(MessageRow(message_id=message, conversation_id=row.id) for message in sent)
        return Conversation(row.id, scene, persona, speaker, (Turn("persona", opening),))

    async def by_message(self, message_id: int) -> Conversation | None:
        """Return the conversation that one of the bot's messages belongs to, if it is remembered."""
        query = (
            select(ConversationRow)
            .join(MessageRow, MessageRow.conversation_id == ConversationRow.id)
            .where(MessageRow.message_id == message_id)
            .options(selectinload(ConversationRow.turns))
        )
        async with self._database.session() as session:
            row = await session.scalar(query)
        if row is None:
            return None
        persona = self._personas.get(row.persona_id) or Persona(row.persona_id, row.persona_id)
        turns = tuple(Turn("user" if turn.role == "user" else "persona", turn.text, turn.author) for turn in row.turns)
        return Conversation(row.id, _SCENE.validate_python(row.scene), persona, row.speaker, turns)

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
            if not _count(await session.execute(touch)):
                return
            for turn, author in ((question, author_id), (answer, None)):
                session.add(
                    TurnRow(
                        conversation_id=conversation_id,
                        role=turn.role,
                        text=turn.text,
                        author=turn.author,
                        author_id=author,
                        message_id=message_id,
                    )
                )
                await session.flush()  # one by one, so that their ids keep their order
            session.add_all(MessageRow(message_id=message, conversation_id=conversation_id) for message in sent)
            newest = (
                select(TurnRow.id)
                .where(TurnRow.conversation_id == conversation_id)
                .order_by(TurnRow.id.desc())
                .limit(MAX_TURNS)
            )
            await session.execute(
                delete(TurnRow).where(TurnRow.conversation_id == conversation_id, TurnRow.id.not_in(newest))
            )

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

    async def forget(self, message_ids: Collection[int]) -> None:
        """Follow the deletion of Discord messages.

        A deleted photo or bot message takes its conversation along; a deleted user message takes its
        turn and the answer to it.
        """
        ours = select(MessageRow.conversation_id).where(MessageRow.message_id.in_(message_ids))
        async with self._database.session() as session:
            await session.execute(
                delete(ConversationRow).where(
                    or_(ConversationRow.photo_message_id.in_(message_ids), ConversationRow.id.in_(ours))
                )
            )
            await session.execute(delete(TurnRow).where(TurnRow.message_id.in_(message_ids)))

    async def purge(self, days: int) -> int:
        """Delete conversations without a word for ``days`` days and return how many there were."""
        old = delete(ConversationRow).where(ConversationRow.updated_at < now() - timedelta(days=days))
        async with self._database.session() as session:
            return _count(await session.execute(old))


def _count(result: Result[Any]) -> int:
    """Return how many rows a statement changed."""
    return result.rowcount if isinstance(result, CursorResult) else 0
