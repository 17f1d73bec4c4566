"""How a conversation lies in its rows, and what is said of it outside the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import Conversation, Persona, Scene, Turn
from bot.store.limits import storable
from bot.store.tables import ConversationRow, MessageRow, TurnRow

_SCENE = TypeAdapter(Scene)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a photo was posted, and by whom, as Discord ids; ``guild_id`` is None in direct messages."""

    guild_id: int | None
    channel_id: int
    photo_message_id: int
    poster_id: int
    photo_id: int | None = None  # the attachment


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody said to a person in a photo: the words, their display name, and their and the message's id."""

    text: str
    author: str
    author_id: int
    message_id: int

    @property
    def turn(self) -> Turn:
        """The question as a turn of a conversation."""
        return Turn("user", self.text, self.author)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing a persona said: the ``conversation`` that led to it, without it, and who asked.

    ``asker_id`` is None for an opening that answers nobody.
    """

    conversation: Conversation
    turn_id: int
    asker_id: int | None
    origin: Origin


async def add_turns(
    session: AsyncSession, conversation_id: int, asked: Question | None, answer: str, sent: Iterable[int]
) -> None:
    """Add what was asked, what was answered, and the bot's messages that carry the answer."""
    if asked:
        question = TurnRow(conversation_id=conversation_id, role="user", text=storable(asked.text))
        question.author, question.author_id = storable(asked.author), asked.author_id
        question.message_id = asked.message_id
        session.add(question)
        await session.flush()  # one by one, so that their ids keep their order
    turn = TurnRow(conversation_id=conversation_id, role="persona", text=storable(answer))
    turn.message_id = asked.message_id if asked else None
    session.add(turn)
    await session.flush()
    carry(session, turn, sent)


def carry(session: AsyncSession, turn: TurnRow, sent: Iterable[int]) -> None:
    """Add the bot's messages that carry a turn."""
    session.add_all(
        MessageRow(message_id=message, conversation_id=turn.conversation_id, turn_id=turn.id) for message in sent
    )


def whole() -> Select[Any]:
    """Select conversations with their turns."""
    return select(ConversationRow).options(selectinload(ConversationRow.turns))


def latest_first() -> Select[Any]:
    """Select conversations with their turns, the one continued last first."""
    return whole().order_by(ConversationRow.updated_at.desc(), ConversationRow.id.desc())


def shows(photo_message_id: int, photo_id: int | None) -> ColumnElement[bool]:
    """Match the conversations about one photo."""
    same = ConversationRow.photo_id.is_(None) if photo_id is None else ConversationRow.photo_id == photo_id
    return (ConversationRow.photo_message_id == photo_message_id) & same


def conversation_of(row: ConversationRow, cast: dict[str, Persona], turns: Iterable[TurnRow]) -> Conversation:
    """Read a conversation from its row, with those of its turns that are wanted."""
    said = tuple(Turn("user" if turn.role == "user" else "persona", turn.text, turn.author) for turn in turns)
    return Conversation(row.id, _SCENE.validate_python(row.scene), cast[row.persona_id], row.speaker, said)


def new_row(scene: Scene, persona: Persona, origin: Origin, speaker: int) -> ConversationRow:
    """Return the row of a conversation in which nothing was said yet."""
    return ConversationRow(
        scene=_SCENE.dump_python(scene, mode="json"),
        persona_id=persona.id,
        speaker=speaker,
        guild_id=origin.guild_id,
        channel_id=origin.channel_id,
        photo_message_id=origin.photo_message_id,
        photo_id=origin.photo_id,
        poster_id=origin.poster_id,
    )


def origin_of(row: ConversationRow) -> Origin:
    """Read where a conversation belongs from its row."""
    return Origin(row.guild_id, row.channel_id, row.photo_message_id, row.poster_id, row.photo_id)
