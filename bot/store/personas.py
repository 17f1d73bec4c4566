"""The characters people made, beside the built-in ones."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer
from sqlalchemy.sql.elements import ColumnElement

from bot.domain import BadInput, Persona
from bot.speech.personas import built_in_avatar, find_persona
from bot.store.database import Database
from bot.store.limits import MAX_AVATAR_BYTES, MAX_NAME, MAX_OWN, MAX_SERVER, check_avatar, checked
from bot.store.scopes import unset_personas
from bot.store.tables import PersonaRow, now

__all__ = ["MAX_AVATAR_BYTES", "MAX_OWN", "MAX_SERVER", "OwnPersona", "Personas"]

DEFAULT = "self"  # goes on with the talks of a character that was deleted
_TEXTS = ("name", "voice", "description", "catchphrase", "greeting", "temperature", "talkativeness")
_LISTS = ("traits", "likes")


@dataclass(frozen=True, slots=True)
class OwnPersona:
    """A character somebody made; without ``guild_id`` it goes with its owner wherever they are.

    ``version`` is another whenever the character, or its picture, was changed.
    """

    persona: Persona
    owner_id: int
    guild_id: int | None
    has_avatar: bool
    card: dict[str, Any] | None
    version: int


class Personas:
    """Every character there is: the ``built_in`` ones by id, and those of users and servers in the database."""

    def __init__(self, database: Database, built_in: Mapping[str, Persona]) -> None:
        self.built_in = built_in
        self._database = database
        self._writing = asyncio.Lock()  # between looking whether a name is free and taking it

    async def get(self, persona_id: str) -> Persona | None:
        """Return a persona by its id, built-in or not, if it exists."""
        async with self._database.session() as session:
            return (await self._known(session, {persona_id})).get(persona_id)

    async def cast(self, session: AsyncSession, ids: Collection[str]) -> dict[str, Persona]:
        """Return who speaks under each of the ids; where a persona is gone, the person in the photo goes on."""
        known = await self._known(session, ids)
        return {key: known.get(key) or self.built_in.get(DEFAULT) or Persona(key, key) for key in ids}

    async def own(self, persona_id: str) -> OwnPersona | None:
        """Return a character that somebody made, with all that belongs to it but the picture."""
        async with self._database.session() as session:
            return await _own(session, persona_id)

    async def visible(self, guild_id: int | None, user_id: int) -> dict[str, Persona]:
        """Return by id whom a user may choose in a server: their own, the server's, the built-in ones."""
        async with self._database.session() as session:
            rows = await session.scalars(_light().where(_seen(guild_id, user_id)))
            made = sorted(rows, key=lambda row: (row.guild_id is not None, row.name.casefold()))
        return {row.id: _persona(row) for row in made} | dict(self.built_in)

    async def find(self, query: str, guild_id: int | None, user_id: int) -> Persona:
        """Return the visible persona whose id, else name, else voice is ``query``, whatever its capitals.

        Raises BadInput that lists close matches when there is none.
        """
        query = query.strip()[:MAX_NAME]
        visible = await self.visible(guild_id, user_id)
        if query in visible:
            return visible[query]
        # People know their characters by name, so the sentence that says which are near must not tell their ids.
        called = dict(self.built_in)
        for persona in visible.values():
            if persona.id not in self.built_in:
                called.setdefault(persona.name, persona)
        try:
            found = find_persona({key: replace(persona, id=key) for key, persona in called.items()}, query)
        except BadInput as error:
            if "near" in error.values:
                raise
            return find_persona(self.built_in, query)  # the sentence lists these; everybody's own would be too many
        return called[found.id]

    async def add(
        self,
        persona: Persona,
        *,
        owner_id: int,
        guild_id: int | None = None,
        avatar: bytes | None = None,
        card: dict[str, Any] | None = None,
    ) -> OwnPersona:
        """Keep a new character under a new id, for its owner or for a whole server.

        Raises BadInput when there are too many, the name is taken or something is too long.
        """
        check_avatar(avatar)
        # The id says nothing about whose it is, as talks keep it when the character is gone.
        persona = replace(checked(persona), id=f"own-{secrets.token_hex(8)}", avatar="")
        async with self._writing, self._database.session() as session:
            shelf = _shelf(guild_id, owner_id)
            count = await session.scalar(select(func.count()).select_from(PersonaRow).where(shelf)) or 0
            if guild_id is None and count >= MAX_OWN:
                raise BadInput("You have {most} characters, which is the most; delete one first.", most=MAX_OWN)
            if guild_id is not None and count >= MAX_SERVER:
                raise BadInput(
                    "This server has {most} characters, which is the most; delete one first.", most=MAX_SERVER
                )
            await self._check_name(session, persona, guild_id, owner_id)
            row = PersonaRow(id=persona.id, owner_id=owner_id, guild_id=guild_id, avatar=avatar, card=card)
            _fill(row, persona)
            session.add(row)
            await session.flush()
        return _made(row, has_avatar=avatar is not None)

    async def change(self, persona: Persona, *, avatar: bytes | None = None) -> OwnPersona:
        """Keep a character as it is now, found by its id; without ``avatar`` the old one stays.

        Raises BadInput as ``add`` does, and when the character is gone.
        """
        check_avatar(avatar)
        persona = replace(checked(persona), avatar="")
        async with self._writing, self._database.session() as session:
            row = await session.scalar(_light().where(PersonaRow.id == persona.id))
            if row is None:
                raise BadInput("That character is gone; make a new one.")
            await self._check_name(session, persona, row.guild_id, row.owner_id)
            _fill(row, persona)
            row.updated_at = now()
            if avatar is not None:
                row.avatar = avatar
            await session.flush()
            changed = await _own(session, persona.id)
        if changed is None:
            raise RuntimeError("a character vanished within its own transaction")
        return changed

    async def remove(self, persona_id: str) -> None:
        """Delete a character and every setting that chose it; its talks go on with the person in the photo."""
        await self._remove(PersonaRow.id == persona_id)

    async def forget_guild(self, guild_id: int) -> None:
        """Delete the characters of a server."""
        await self._remove(PersonaRow.guild_id == guild_id)

    async def avatar(self, persona_id: str) -> bytes | None:
        """Return the picture of a character: the one that was drawn for a built-in one, or that somebody gave it."""
        if persona_id in self.built_in:
            return await asyncio.to_thread(built_in_avatar, persona_id)
        async with self._database.session() as session:
            return await session.scalar(select(PersonaRow.avatar).where(PersonaRow.id == persona_id))

    async def _remove(self, which: ColumnElement[bool]) -> None:
        async with self._writing, self._database.session() as session:
            await unset_personas(session, list(await session.scalars(select(PersonaRow.id).where(which))))
            await session.execute(delete(PersonaRow).where(which))

    async def _known(self, session: AsyncSession, ids: Collection[str]) -> dict[str, Persona]:
        """Return those of the ids that exist."""
        built_in = {key: self.built_in[key] for key in ids if key in self.built_in}
        made = [key for key in ids if key not in built_in]
        if not made:
            return built_in
        rows = await session.scalars(_light().where(PersonaRow.id.in_(made)))
        return built_in | {row.id: _persona(row) for row in rows}

    async def _check_name(self, session: AsyncSession, persona: Persona, guild_id: int | None, owner_id: int) -> None:
        """Raise BadInput when somebody visible beside a character has its name."""
        seen = select(PersonaRow.name).where(_seen(guild_id, owner_id), PersonaRow.id != persona.id)
        taken = [*(other.name for other in self.built_in.values()), *await session.scalars(seen)]
        if persona.name.casefold() in {name.casefold() for name in taken}:
            raise BadInput("There is a character called “{name}” already; choose another name.", name=persona.name)


def _light() -> Any:
    """Select personas without their pictures and cards."""
    return select(PersonaRow).options(defer(PersonaRow.avatar, raiseload=True), defer(PersonaRow.card, raiseload=True))


def _shelf(guild_id: int | None, owner_id: int) -> ColumnElement[bool]:
    """Match the characters that stand beside a new one: its server's, or its owner's own."""
    if guild_id is None:
        return PersonaRow.guild_id.is_(None) & (PersonaRow.owner_id == owner_id)
    return PersonaRow.guild_id == guild_id


def _seen(guild_id: int | None, user_id: int) -> ColumnElement[bool]:
    """Match the characters a user sees in a server, or in direct messages."""
    own = _shelf(None, user_id)
    return own if guild_id is None else or_(own, _shelf(guild_id, user_id))


def _fill(row: PersonaRow, persona: Persona) -> None:
    """Write a persona's fields into its row."""
    for name in _TEXTS:
        setattr(row, name, getattr(persona, name))
    for name in _LISTS:
        setattr(row, name, list(getattr(persona, name)))


def _persona(row: PersonaRow) -> Persona:
    """Read a persona from its row."""
    values = {name: getattr(row, name) for name in _TEXTS} | {name: tuple(getattr(row, name)) for name in _LISTS}
    return Persona(id=row.id, **values)


async def _own(session: AsyncSession, persona_id: str) -> OwnPersona | None:
    """Read a character without loading its picture."""
    has_avatar = PersonaRow.avatar.is_not(None)
    query = select(PersonaRow, has_avatar).where(PersonaRow.id == persona_id)
    found = (await session.execute(query.options(defer(PersonaRow.avatar, raiseload=True)))).first()
    if found is None:
        return None
    row, pictured = found
    return _made(row, has_avatar=bool(pictured))


def _made(row: PersonaRow, *, has_avatar: bool) -> OwnPersona:
    """Read a character with all that belongs to it from its row."""
    version = int(row.updated_at.timestamp() * 1e6)
    return OwnPersona(_persona(row), row.owner_id, row.guild_id, has_avatar, row.card, version)
