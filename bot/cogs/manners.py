"""May somebody be answered now? Permissions and cooldowns, and one sentence for whoever has to wait."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

import discord

from bot.cogs import delivery
from bot.cogs.languages import Languages
from bot.domain import BadInput
from bot.locales import _, say

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # users and channels whose last answer is known

WAIT = _("One at a time, please: I can answer you again in {seconds} s.")
WAIT_HERE = _("This channel has a pause between answers: I can answer here again in {seconds} s.")
CANNOT = _("I cannot answer in {where}: I lack the permission {names} there.")


class Cooldowns:
    """When each user and each channel was last answered; the longest ago is forgotten first."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, int], float] = OrderedDict()

    def left(self, kind: str, key: int, seconds: float) -> float:
        """Return how many seconds are left until ``seconds`` have passed, at least one; 0 if they have."""
        last = self._last.get((kind, key))
        left = last + seconds - time.monotonic() if last is not None else 0.0
        return max(1.0, left) if left > 0 else 0.0

    def begin(self, kind: str, key: int) -> None:
        """Note that somebody is answered now."""
        self._last[kind, key] = time.monotonic()
        self._last.move_to_end((kind, key))
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)


class Manners:
    """Lets every user have one answer per ``cooldown`` seconds (0: as many as they like), and every channel too."""

    def __init__(self, cooldown: float, languages: Languages) -> None:
        self._cooldown = cooldown
        self._languages = languages
        self._answered = Cooldowns()
        self._told = Cooldowns()  # so that waiting is asked for once, not at every message

    async def admit(self, message: discord.Message, *, addressed: bool, channel_cooldown: float = 0.0) -> bool:
        """Tell whether a message may be answered, and say what is in the way if its author waits for one."""
        if missing := delivery.missing_permissions(message):
            await self._report(message, missing, addressed=addressed)
            return False
        user = self._answered.left("user", message.author.id, self._cooldown)
        room = self._answered.left("channel", message.channel.id, channel_cooldown)
        if left := max(user, room):
            if addressed and self._first_time(message.author.id, left):
                locale = self._languages.of_message(message)
                await delivery.tell(message, say(locale, WAIT if user >= room else WAIT_HERE, seconds=f"{left:.0f}"))
            return False
        self._note(message.author.id, message.channel.id)
        return True

    def admit_press(self, interaction: discord.Interaction, channel_cooldown: float | None = 0.0) -> None:
        """Count a command or button that lets somebody speak; raise BadInput when it comes too early.

        What only its user sees does not concern the channel: then ``channel_cooldown`` is None.
        """
        user, room = interaction.user.id, interaction.channel_id or 0
        mine, here = (
            self._answered.left("user", user, self._cooldown),
            self._answered.left("channel", room, channel_cooldown or 0.0),
        )
        if left := max(mine, here):
            raise BadInput(WAIT if mine >= here else WAIT_HERE, seconds=f"{left:.0f}")
        self._note(user, None if channel_cooldown is None else room)

    def _note(self, user_id: int, channel_id: int | None) -> None:
        self._answered.begin("user", user_id)
        if channel_id is not None:
            self._answered.begin("channel", channel_id)

    def _first_time(self, user_id: int, seconds: float) -> bool:
        """Tell whether somebody has not been told within these seconds, and note that they are now."""
        if self._told.left("user", user_id, seconds):
            return False
        self._told.begin("user", user_id)
        return True

    async def _report(self, message: discord.Message, missing: list[str], *, addressed: bool) -> None:
        """Name missing permissions in the log, and in private to whoever asked."""
        names = ", ".join(missing)
        where = f"#{message.channel} in {message.guild}"
        log.warning("I lack the permission %s in %s (channel %s).", names, where, message.channel.id)
        if addressed and self._first_time(message.author.id, max(60.0, self._cooldown)):
            locale = self._languages.of_message(message)
            await delivery.tell_privately(message, say(locale, CANNOT, where=where, names=names))
