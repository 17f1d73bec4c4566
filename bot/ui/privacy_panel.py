"""The two buttons of /privacy forget-me, and what is stored about somebody in words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Any

import discord

from bot.cogs.house import House
from bot.locales import Text, _, say
from bot.ui.base import Panel

# What the store counts, for one and for several of it.
COUNTED: Mapping[str, tuple[Text, Text]] = {
    "conversations": (_("1 conversation about a photo of yours"), _("{count} conversations about photos of yours")),
    "turns": (_("1 message to somebody in a photo"), _("{count} messages to people in photos")),
    "personas": (_("1 character of yours"), _("{count} characters of yours")),
    "scopes": (_("1 setting of yours"), _("{count} settings of yours")),
    "opt_outs": (_("your opt-out"), _("your opt-out")),
}
WHAT_ELSE = _("{count} other entries")


def counted(counts: Mapping[str, int], locale: str) -> str:
    """Return counts of what is stored as one phrase, empty when there is nothing."""
    parts = []
    for kind, count in counts.items():
        one, many = COUNTED.get(kind, (WHAT_ELSE, WHAT_ELSE))
        if count:
            parts.append(say(locale, one if count == 1 else many, count=count))
    return reduce(lambda one, other: say(locale, "{one}, {other}", one=one, other=other), parts) if parts else ""


class ForgetPanel(Panel):
    """Erases everything about its owner when they say so."""

    def __init__(self, house: House, owner_id: int, locale: str) -> None:
        super().__init__(owner_id, locale)
        self._house = house
        self.erase.label = say(locale, "Erase everything")
        self.erase_and_stay_away.label = say(locale, "Erase everything and stay away")

    @discord.ui.button(style=discord.ButtonStyle.danger)
    async def erase(self, interaction: discord.Interaction, _button: discord.ui.Button[Any]) -> None:
        """Erase everything, an opt-out included."""
        await interaction.response.defer()
        erased = await self._forget(interaction.user, keep_opt_out=False)
        await self._tell(interaction, erased, _("I answer you again when you post a photo."))

    @discord.ui.button(style=discord.ButtonStyle.danger)
    async def erase_and_stay_away(self, interaction: discord.Interaction, _button: discord.ui.Button[Any]) -> None:
        """Opt out first, so that nothing new is stored meanwhile, then erase everything else."""
        await interaction.response.defer()
        await self._house.privacy.opt_out(self.owner_id)
        erased = await self._forget(interaction.user, keep_opt_out=True)
        kept = _("From now on I leave your photos and messages alone; that wish is all I still store about you.")
        await self._tell(interaction, erased, kept)

    async def _forget(self, user: discord.User | discord.Member, *, keep_opt_out: bool) -> dict[str, int]:
        """Erase what is stored, and take the user's pictures off the webhooks that still wear one."""
        privacy = self._house.privacy
        photos, characters, channels = await privacy.pictures(user.id)
        erased = await privacy.forget(user.id, keep_opt_out=keep_opt_out, names=_names(user))
        worn = [*(f"face:{photo}:" for photo in photos), *(f"persona:{character}:" for character in characters)]
        await self._house.hooks.undress(worn, channels)
        return erased

    async def _tell(self, interaction: discord.Interaction, erased: Mapping[str, int], then: Text) -> None:
        """Put what was erased in the place of the question and its buttons."""
        self.stop()
        what = counted(erased, self.locale) or say(self.locale, "nothing, for there was nothing")
        text = " ".join((say(self.locale, "I erased {what}.", what=what), say(self.locale, then)))
        await interaction.edit_original_response(
            content=text, view=None, allowed_mentions=discord.AllowedMentions.none()
        )


def _names(user: discord.User | discord.Member) -> set[str]:
    """Return the names by which others may have spoken of somebody."""
    return {name for name in (user.display_name, user.global_name, user.name) if name}
