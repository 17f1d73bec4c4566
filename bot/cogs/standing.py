"""May what is in the making still be said? Not once its photo, its question or the people behind them are gone."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager

from bot.cogs.house import House
from bot.cogs.stage import LEFT_ALONE, Spot
from bot.domain import BadInput, Conversation
from bot.locales import _
from bot.store.conversations import Origin, Question

FORGOTTEN = _("I no longer know the photo of that message; post it again and mention me.")
YOU_LEFT = _("You asked me to leave you alone; use /privacy opt-in if I may answer you again.")
ERASED = _("You had me erase what you said, so I do not answer it; say it again if I shall.")
REMEMBERED = 10_000  # deleted messages that are kept in mind until a restart


class Vanished(BadInput):
    """The photo, or what was said about it, is gone."""

    def __init__(self) -> None:
        super().__init__(FORGOTTEN)


class Standing:
    """Knows what was deleted while it was being answered; what was not said by then is not said any more."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._gone: OrderedDict[int, None] = OrderedDict()

    def went(self, message_ids: Collection[int]) -> None:
        """Note messages that were deleted."""
        self._gone |= dict.fromkeys(message_ids)
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    @contextmanager
    def unless_gone(self, photo_message_id: int) -> Iterator[None]:
        """Raise Vanished in place of the cancellation with which the desk drops the photos of a deleted message."""
        try:
            yield
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # Whoever deleted their own question is told nothing: all of their answer is cancelled.
            if photo_message_id in self._gone and not (task and task.cancelling()):
                raise Vanished from None
            raise

    @asynccontextmanager
    async def wanted(
        self, spot: Spot, talk: Conversation, origin: Origin, asked: Question | None
    ) -> AsyncIterator[list[int]]:
        """Give the list of what is sent in ``talk``; raise BadInput if that is not wanted any more.

        So it is when the photo or the talk was deleted meanwhile, or poster or asker were erased or opted out. If
        that happens between sending and storing, what was stored is forgotten again, and the webhook that spoke takes
        the face off: whoever erased it did not know yet that it was shown.
        """
        if origin.photo_message_id in self._gone or (talk.id and not await self._house.conversations.origin(talk.id)):
            raise Vanished
        if not await self._may_keep(origin.poster_id, spot):
            raise BadInput(LEFT_ALONE)
        if asked and not await self._may_keep(asked.author_id, spot):
            raise BadInput(YOU_LEFT if await self._house.privacy.is_out(asked.author_id) else ERASED)
        sent: list[int] = []
        yield sent
        people = {origin.poster_id, asked.author_id if asked else origin.poster_id}
        if not all([await self._may_keep(person, spot) for person in people]):
            await self._house.conversations.forget(sent)
            await self._house.hooks.undress([f"face:{origin.photo_message_id}:"])

    async def _may_keep(self, user_id: int, spot: Spot) -> bool:
        return await self._house.privacy.may_keep(user_id, spot.since)
