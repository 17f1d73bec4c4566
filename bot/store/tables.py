"""The tables. No photo, no face data; text lives only in the bounded turns of a conversation.

``poster_id`` and ``author_id`` are the only traces of a user besides the display name in a turn; they
are kept so that everything of one user can be found and erased.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class ConversationRow(Base):
    """A talk with one speaker of one photo."""

    __tablename__ = "conversations"

    id: Mapped[int] = mapped_column(primary_key=True)
    scene: Mapped[dict[str, Any]] = mapped_column(JSON)
    persona_id: Mapped[str] = mapped_column(String(100))
    speaker: Mapped[int] = mapped_column(default=0)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger, index=True)
    photo_message_id: Mapped[int] = mapped_column(BigInteger, index=True)
    poster_id: Mapped[int] = mapped_column(BigInteger, index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    turns: Mapped[list[TurnRow]] = relationship(order_by="TurnRow.id", passive_deletes=True)


class TurnRow(Base):
    """One message of a conversation. An answer carries the ``message_id`` of the question it answers."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(String(100), default="")
    author_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger, index=True)


class MessageRow(Base):
    """One of the bot's own Discord messages and the conversation it belongs to."""

    __tablename__ = "messages"

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
