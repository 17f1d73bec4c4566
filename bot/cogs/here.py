"""Places in words, and what holds in them when their scopes leave it open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import discord

from bot.locales import Text, _, say
from bot.settings import Settings
from bot.store.scopes import Choice, Kind, Listen, Place

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # the end of a pause that somebody has to end

PLACES: Mapping[Kind, Text] = {
    "server": _("this server"),
    "channel": _("this channel"),
    "thread": _("this thread"),
    "member": _("you alone"),
}


def listening(choice: Choice, place: Place, settings: Settings) -> Listen:
    """Tell what is answered in a place: as its scopes decide, else as CHANNELS does; a pause is another matter."""
    if choice.listen:
        return choice.listen
    return "every" if in_channels(place, settings) else "mentions"


def until(moment: datetime, locale: str) -> str:
    """Return until when a pause lasts, in words, and in the reader's own time zone."""
    if moment >= FOREVER:
        return say(locale, "until somebody uses /photos resume")
    return say(locale, "until {moment}", moment=discord.utils.format_dt(moment, "f"))


def in_channels(place: Place, settings: Settings) -> bool:
    """Tell whether CHANNELS names a channel, or the channel around a thread."""
    return bool({place.channel_id, place.thread_id} & settings.channels)
