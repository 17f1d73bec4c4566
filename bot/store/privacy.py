"""What is stored about a person: counted, shown, erased, and kept from being stored."""

from __future__ import annotations

import asyncio
import base64
from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, inspect, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.database import Database, changed
from bot.store.scopes import unset_personas
from bot.store.tables import (
    USER_COLUMNS,
    Base,
    ConversationRow,
    OptOutRow,
    PersonaRow,
    ScopeRow,
    TurnRow,
    now,
)
from bot.store.traces import blot

REMEMBERED = 10_000  # users whose erasure is kept in mind until a restart


class Privacy:
    """Looks after what the tables hold about single users, and remembers who wants to be left alone."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._out: set[int] | None = None  # who opted out, as every message asks for it; read once
        self._forgotten: OrderedDict[int, datetime] = OrderedDict()  # who was erased lately, and when
        self._writing = asyncio.Lock()

    async def opt_out(self, user_id: int) -> None:
        """Leave somebody's photos and messages alone from now on."""
        async with self._writing:
            async with self._database.session() as session:
                if await session.get(OptOutRow, user_id) is None:
                    session.add(OptOutRow(user_id=user_id))
            if self._out is not None:
                self._out.add(user_id)

    async def opt_in(self, user_id: int) -> None:
        """Answer somebody again who had opted out."""
        async with self._writing:
            async with self._database.session() as session:
                await session.execute(delete(OptOutRow).where(OptOutRow.user_id == user_id))
            self._let_in(user_id)

    async def is_out(self, user_id: int) -> bool:
        """Tell whether somebody opted out; the database is asked the first time only."""
        if self._out is None:
            async with self._writing, self._database.session() as session:
                self._out = set(await session.scalars(select(OptOutRow.user_id)))
        return user_id in self._out

    async def may_keep(self, user_id: int, since: datetime) -> bool:
        """Tell whether what somebody began at ``since`` may be stored: not if they opted out or were erased since."""
        return not await self.is_out(user_id) and self._forgotten.get(user_id, since) <= since

    async def pictures(self, user_id: int) -> tuple[list[int], list[str], list[int]]:
        """Return the messages with somebody's photos, the ids of their characters, and the channels of both.

        Their pictures may be worn there.
        """
        posted = ConversationRow.poster_id == user_id
        photos = select(ConversationRow.photo_message_id).where(posted).distinct()
        characters = select(PersonaRow.id).where(PersonaRow.owner_id == user_id)
        spoke = or_(posted, ConversationRow.persona_id.in_(characters))
        channels = select(ConversationRow.channel_id).where(spoke).distinct()
        async with self._database.session() as session:
            return (
                list(await session.scalars(photos)),
                list(await session.scalars(characters)),
                list(await session.scalars(channels)),
            )

    async def summary(self, user_id: int) -> dict[str, int]:
        """Return how many rows of each table are somebody's: photos talked about, messages, characters, choices."""
        async with self._database.session() as session:
            return {
                model.__tablename__: await session.scalar(select(func.count()).select_from(model).where(theirs)) or 0
                for model, theirs in _owned(user_id).items()
            }

    async def export(self, user_id: int) -> dict[str, Any]:
        """Return everything of somebody's, and what was said to them, in a form JSON can hold."""
        wanted = _owned(user_id)
        posted = select(ConversationRow.id).where(ConversationRow.poster_id == user_id)
        opening = and_(TurnRow.conversation_id.in_(posted), TurnRow.message_id.is_(None), TurnRow.role == "persona")
        wanted[TurnRow] = or_(wanted[TurnRow], _answers(user_id), opening)
        everything: dict[str, Any] = {"user_id": str(user_id), "exported_at": now().isoformat()}
        async with self._database.session() as session:
            for model, which in wanted.items():
                rows = await session.scalars(select(model).where(which).order_by(*inspect(model).primary_key))
                everything[model.__tablename__] = [_plain(row) for row in rows]
        return everything

    async def forget(self, user_id: int, *, keep_opt_out: bool = False, names: Collection[str] = ()) -> dict[str, int]:
        """Erase everything of somebody's in one transaction and return how many rows of each table that were.

        That is what ``summary`` counts, with the answers they were given, the talks about their photos and
        every setting that chose a character of theirs. In what others may keep, the ``names`` they go by,
        those they wrote under, and their characters' phrases give way.
        """
        erased: dict[str, int] = {}
        owned = _owned(user_id)
        if keep_opt_out:
            del owned[OptOutRow]
        async with self._writing:
            async with self._database.session() as session:
                # Writing first takes the lock, so that nothing is added between looking and erasing.
                erased["scopes"] = await _erase(session, ScopeRow, owned.pop(ScopeRow))
                await blot(session, user_id, names)
                characters = select(PersonaRow.id).where(PersonaRow.owner_id == user_id)
                await unset_personas(session, list(await session.scalars(characters)))
                await _erase(session, TurnRow, _answers(user_id))
                # Turns go before the talks that would take them along, or those would not be counted.
                for model in sorted(owned, key=lambda model: model is not TurnRow):
                    erased[model.__tablename__] = await _erase(session, model, owned[model])
            self._forgotten[user_id] = now()  # what is in the making for them must not be stored after this
            self._forgotten.move_to_end(user_id)
            while len(self._forgotten) > REMEMBERED:
                self._forgotten.popitem(last=False)
            if not keep_opt_out:
                self._let_in(user_id)
        await self._database.scrub()
        return erased

    def _let_in(self, user_id: int) -> None:
        if self._out is not None:
            self._out.discard(user_id)


def _owned(user_id: int) -> dict[type[Base], ColumnElement[bool]]:
    """Return for every table with somebody's rows the condition that matches them."""
    owned: dict[type[Base], ColumnElement[bool]] = {}
    for column in USER_COLUMNS:
        owned[column.parent.class_] = column == user_id
    owned[ScopeRow] = and_(ScopeRow.kind == "member", ScopeRow.target_id == user_id)
    return owned


def _answers(user_id: int) -> ColumnElement[bool]:
    """Match what was said to somebody: answers carry the message they answer."""
    asked = select(TurnRow.message_id).where(TurnRow.author_id == user_id)
    return and_(TurnRow.author_id.is_(None), TurnRow.message_id.in_(asked))


async def _erase(session: AsyncSession, model: type[Base], which: ColumnElement[bool]) -> int:
    """Delete rows and return how many there were."""
    erase = delete(model).where(which).execution_options(synchronize_session=False)
    return changed(await session.execute(erase))


def _plain(row: Base) -> dict[str, Any]:
    """Return a row as JSON can hold it: ids as text, as JSON's numbers are too short for them, pictures in base64."""
    values: dict[str, Any] = {}
    for column in inspect(type(row)).columns:
        value = getattr(row, column.key)
        if isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, bytes):
            value = base64.b64encode(value).decode("ascii")
        elif isinstance(value, int) and column.key.endswith("id"):
            value = str(value)
        values[column.key] = value
    return values
