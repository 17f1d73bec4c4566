"""May this message be answered now? Permissions and cooldowns, and one sentence for whoever has to wait."""

from __future__ import annotations

import logging

import discord
from discord.ext import commands

from bot.cogs import delivery

log = logging.getLogger(__name__)


class Manners:
    """Lets everybody have one answer per ``cooldown`` seconds, 0 for as many as they like."""

    def __init__(self, cooldown: float) -> None:
        self._answered = _per_user(cooldown)
        self._told = _per_user(cooldown)  # so that waiting is asked for once, not at every message

    async def admit(self, message: discord.Message, *, addressed: bool) -> bool:
        """Tell whether a message may be answered, and say what is in the way if its author waits for one."""
        if missing := delivery.missing_permissions(message):
            where = f"#{message.channel} in {message.guild}"
            lack = f"I lack the permission {', '.join(missing)}"
            log.warning("%s in %s (channel %s).", lack, where, message.channel.id)
            if addressed and not _seconds_left(self._told, message):
                await delivery.tell_privately(message, f"I cannot answer in {where}: {lack} there.")
            return False
        left = _seconds_left(self._answered, message)
        if left and not _seconds_left(self._told, message):
            await delivery.tell(message, f"One at a time, please: I can answer you again in {left:.0f} s.")
        return not left


Cooldown = commands.CooldownMapping[discord.Message]


def _per_user(seconds: float) -> Cooldown | None:
    """Return a cooldown of one message per user, or None for none at all."""
    return commands.CooldownMapping.from_cooldown(1, seconds, commands.BucketType.user) if seconds else None


def _seconds_left(cooldown: Cooldown | None, message: discord.Message) -> float:
    """Count a message and return how long its author still has to wait, at least a second; 0 if not at all."""
    left = cooldown.update_rate_limit(message) if cooldown else None
    return max(1.0, left) if left else 0.0
