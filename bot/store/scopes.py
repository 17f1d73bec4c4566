"""Settings of servers, channels, threads and members: the narrower scope wins, and None inherits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, get_args

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.elements import ColumnElement

from bot.store.database import Database, changed
from bot.store.tables import ScopeRow, now

Listen = Literal["every", "mentions", "never"]
Identity = Literal["webhook", "plain"]
Kind = Literal["server", "channel", "thread", "member"]

KINDS: tuple[Kind, ...] = get_args(Kind)  # the widest first
FIELDS = ("persona_id", "listen", "identity", "cooldown", "paused_until")
_WORDS = {"listen": get_args(Listen), "identity": get_args(Identity)}
DIRECT = 0  # stands for the server in direct messages


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens and who is there, as Discord ids; a thread also has its parent channel."""

    guild_id: int | None
    channel_id: int
    thread_id: int | None
    user_id: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What is set for a place; ``origins`` tells which scope decided a field that is not None."""

    persona_id: str | None = None
    listen: Listen | None = None
    identity: Identity | None = None
    cooldown: float | None = None
    paused_until: datetime | None = None
    origins: Mapping[str, Kind] = field(default_factory=lambda: MappingProxyType({}))


class Scopes:
    """Reads and writes settings in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing = asyncio.Lock()

    async def resolve(self, place: Place) -> Choice:
        """Return what holds at a place; a pause that is over counts as none."""
        keys = {kind: key for kind in KINDS if (key := _key(kind, place))}
        query = select(ScopeRow).where(or_(*(_is(*key) for key in keys.values())))
        async with self._database.session() as session:
            rows = {row.kind: row for row in await session.scalars(query)}
        values: dict[str, Any] = {}
        origins: dict[str, Kind] = {}
        for kind in keys:
            for name in FIELDS if (row := rows.get(kind)) else ():
                value = getattr(row, name)
                if value is not None and not (name == "paused_until" and value <= now()):
                    values[name], origins[name] = value, kind
        return Choice(**values, origins=MappingProxyType(origins))

    async def put(self, kind: Kind, place: Place, **values: Any) -> None:
        """Set the given fields of one scope of a place; None clears a field, and others stay as they are.

        In direct messages every scope is the member's own.
        """
        if not values:
            return
        for name, value in values.items():
            if name not in FIELDS or (name in _WORDS and value not in {None, *_WORDS[name]}):
                raise ValueError(f"scopes have no {name} {value!r}")
        key = _key("member" if place.guild_id is None else kind, place)
        if key is None:
            raise ValueError(f"there is no {kind} at {place}")
        # One at a time, as two that find no row would both make one.
        async with self._writing, self._database.session() as session:
            if changed(await session.execute(update(ScopeRow).where(_is(*key)).values(values))):
                await session.execute(delete(ScopeRow).where(_is(*key), _EMPTY))
            elif any(value is not None for value in values.values()):
                session.add(ScopeRow(kind=key[0], guild_id=key[1], target_id=key[2], **values))

    async def forget_channel(self, channel_id: int) -> None:
        """Delete what is set for a channel or thread that is gone."""
        await self._delete(ScopeRow.kind.in_(("channel", "thread")), ScopeRow.target_id == channel_id)

    async def forget_guild(self, guild_id: int) -> None:
        """Delete everything that is set in a server, its members' choices too."""
        await self._delete(ScopeRow.guild_id == guild_id)

    async def _delete(self, *which: ColumnElement[bool]) -> None:
        async with self._database.session() as session:
            await session.execute(delete(ScopeRow).where(*which))


async def unset_personas(session: AsyncSession, ids: Collection[str]) -> None:
    """Clear personas that are gone from every scope."""
    await session.execute(update(ScopeRow).where(ScopeRow.persona_id.in_(ids)).values(persona_id=None))
    await session.execute(delete(ScopeRow).where(_EMPTY))


def _key(kind: Kind, place: Place) -> tuple[Kind, int, int] | None:
    """Return the key of one scope of a place, if the place has such a scope.

    Direct messages have the member's only, so that all that is set there is found when they want to be forgotten.
    """
    if place.guild_id is None:
        return (kind, DIRECT, place.user_id) if kind == "member" else None
    targets = {
        "server": place.guild_id,
        "channel": place.channel_id,
        "thread": place.thread_id,
        "member": place.user_id,
    }
    target = targets[kind]
    return None if target is None else (kind, place.guild_id, target)


def _is(kind: Kind, guild_id: int, target_id: int) -> ColumnElement[bool]:
    """Match one row."""
    return and_(ScopeRow.kind == kind, ScopeRow.guild_id == guild_id, ScopeRow.target_id == target_id)


_EMPTY = and_(*(getattr(ScopeRow, name).is_(None) for name in FIELDS))  # nothing is set there any more
