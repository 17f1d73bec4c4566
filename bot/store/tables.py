"""The tables. No posted photo, no face data; people's words live only in the bounded turns of a conversation.

``USER_COLUMNS`` are the only traces of a user besides the display name in a turn and what they wrote into their own
characters; they are kept so that everything of one user can be found and erased.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also in SQLite, which keeps no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any time that has a zone into UTC; a time without one is a mistake of ours."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a time needs its time zone")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give a stored time its zone."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


# SQLite would give the number of a deleted row to the next one, and a late answer would land in another's talk.
_NUMBERED_ONCE = {"sqlite_autoincrement": True}


class ConversationRow(Base):
    """A talk with one speaker of one photo."""

    __tablename__ = "conversations"
    __table_args__ = _NUMBERED_ONCE

    id: Mapped[int] = mapped_column(primary_key=True)
    scene: Mapped[dict[str, Any]] = mapped_column(JSON)
    persona_id: Mapped[str] = mapped_column(String(100))
    speaker: Mapped[int] = mapped_column(default=0)
    guild_id: Mapped[int | None] = mapped_column(BigInteger)
    channel_id: Mapped[int] = mapped_column(BigInteger, index=True)
    photo_message_id: Mapped[int] = mapped_column(BigInteger, index=True)
    photo_id: Mapped[int | None] = mapped_column(BigInteger)  # the attachment; None in talks from before 0002
    poster_id: Mapped[int] = mapped_column(BigInteger, index=True)
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=now, index=True)
    turns: Mapped[list[TurnRow]] = relationship(order_by="TurnRow.id", passive_deletes=True)


class TurnRow(Base):
    """One message of a conversation. An answer carries the ``message_id`` of the question it answers."""

    __tablename__ = "turns"
    __table_args__ = _NUMBERED_ONCE

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
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"), index=True)


class PersonaRow(Base):
    """A character somebody made or imported; without ``guild_id`` it goes with its owner wherever they are."""

    __tablename__ = "personas"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    owner_id: Mapped[int] = mapped_column(BigInteger, index=True)
    guild_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    name: Mapped[str] = mapped_column(String(80))
    voice: Mapped[str] = mapped_column(String(20))
    traits: Mapped[list[str]] = mapped_column(JSON, default=list)
    description: Mapped[str] = mapped_column(Text, default="")
    catchphrase: Mapped[str] = mapped_column(Text, default="")
    greeting: Mapped[str] = mapped_column(Text, default="")
    likes: Mapped[list[str]] = mapped_column(JSON, default=list)
    temperature: Mapped[float] = mapped_column(Double, default=0.8)
    talkativeness: Mapped[float] = mapped_column(Double, default=0.5)
    avatar: Mapped[bytes | None] = mapped_column(LargeBinary)  # a small PNG, given for this purpose by its owner
    card: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # the character card it came from, whole
    created_at: Mapped[datetime] = mapped_column(Moment, default=now)
    updated_at: Mapped[datetime] = mapped_column(Moment, default=now)


class ScopeRow(Base):
    """What is set for a server, a channel, a thread or a member; None inherits from the wider scope."""

    __tablename__ = "scopes"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)  # "server", "channel", "thread", "member"
    guild_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # 0: direct messages
    target_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    persona_id: Mapped[str | None] = mapped_column(String(100))
    listen: Mapped[str | None] = mapped_column(String(10))  # "every", "mentions", "never"
    identity: Mapped[str | None] = mapped_column(String(10))  # "webhook", "plain"
    cooldown: Mapped[float | None] = mapped_column(Double)  # seconds between two answers there
    paused_until: Mapped[datetime | None] = mapped_column(Moment)


class OptOutRow(Base):
    """Somebody whose photos and messages the bot leaves alone."""

    __tablename__ = "opt_outs"

    user_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    since: Mapped[datetime] = mapped_column(Moment, default=now)


USER_COLUMNS = (
    ConversationRow.poster_id,
    TurnRow.author_id,
    PersonaRow.owner_id,
    ScopeRow.target_id,  # of the kind "member"
    OptOutRow.user_id,
)
