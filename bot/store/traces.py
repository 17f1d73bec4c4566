"""Traces of a person in what others may keep: their names in talks, their characters' phrases in answers."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.store.tables import ConversationRow, PersonaRow, TurnRow

SOMEONE = "someone"
ELLIPSIS = "…"
TELLING = 12  # characters from which on a phrase is its author's, wherever it is found


async def blot(session: AsyncSession, user_id: int, names: Collection[str]) -> None:
    """Take a person's names and their characters' phrases out of the turns that others may keep.

    Names are looked for where the person or a character of theirs took part, and where they were mentioned.
    """
    written = select(TurnRow.author).where(TurnRow.author_id == user_id).distinct()
    made = (await session.scalars(select(PersonaRow).where(PersonaRow.owner_id == user_id))).all()
    called = {*names, *await session.scalars(written), *(row.name for row in made)}
    phrases = {text for row in made for text in (row.description, row.catchphrase, row.greeting, *row.likes)}
    called, phrases = _bare(called), _bare(phrases)
    joined = select(TurnRow.conversation_id).where(TurnRow.author_id == user_id)
    played = select(ConversationRow.id).where(ConversationRow.persona_id.in_([row.id for row in made]))
    theirs = TurnRow.conversation_id.in_(played)
    mentioned = [TurnRow.text.contains(f"@{name}", autoescape=True) for name in called]
    quoted = [TurnRow.text.contains(text, autoescape=True) for text in phrases if len(text) >= TELLING]
    await _replace(session, or_(TurnRow.conversation_id.in_(joined), theirs, *mentioned), _pattern(called), SOMEONE)
    spoken = and_(TurnRow.role == "persona", or_(theirs, *quoted))
    await _replace(session, spoken, _pattern(phrases, re.IGNORECASE), ELLIPSIS)


def _bare(texts: Collection[str]) -> set[str]:
    """Return texts without the marks around them, as a sentence may put others there."""
    return {bare for text in texts if (bare := text.strip(" .,;:!?…\"'"))}


def _pattern(texts: Collection[str], flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str] | None:
    """Match any of the texts where it is not a part of a longer word of Latin letters."""
    if not texts:
        return None
    longest_first = sorted(texts, key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z0-9])", flags)


async def _replace(session: AsyncSession, which: ColumnElement[bool], pattern: re.Pattern[str] | None, by: str) -> None:
    """Put ``by`` in the place of what the pattern finds in turns."""
    if pattern is None:
        return
    for turn_id, text in (await session.execute(select(TurnRow.id, TurnRow.text).where(which))).all():
        if (blotted := pattern.sub(by, text)) != text:
            await session.execute(update(TurnRow).where(TurnRow.id == turn_id).values(text=blotted))
