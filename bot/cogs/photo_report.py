"""What holds about photos where somebody asks, what decides each of it, and what is in its way."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.cogs.here import PLACES, in_channels, listening, until
from bot.cogs.house import House, place_of
from bot.cogs.incoming import age_restricted
from bot.cogs.persona_scopes import speaks
from bot.locales import Text, _, say
from bot.store.scopes import Identity, Listen
from bot.ui.persona_words import escaped

ANSWERED: Mapping[Listen, Text] = {
    "every": _("every photo is answered"),
    "mentions": _("I answer those who mention me or reply to me"),
    "never": _("I stay silent"),
}
HOW: Mapping[Identity, Text] = {
    "webhook": _("with their own name and picture"),
    "plain": _("through plain replies of mine"),
}
NO_WEBHOOKS = _("As long as I lack the permission {permission}, characters speak through plain replies.")
NO_CONTENT = _(
    "As long as my owner has the Message Content Intent switched off, I see only messages that mention me or reply to "
    "me, and characters speak through plain replies."
)
RESTRICTED = _("This channel is age-restricted, so I answer photos here only when I am asked to.")
LACKING = _("I lack the permission {permission} here, so I cannot answer.")
NEEDED = {
    "view_channel": _("View Channel"),
    "send_messages": _("Send Messages"),
    "send_messages_in_threads": _("Send Messages in Threads"),
    "read_message_history": _("Read Message History"),
}


async def describe(house: House, interaction: discord.Interaction, locale: str) -> str:
    """Return what holds where a command was used, with what decides each of it, and what is in the bot's way."""
    place = place_of(interaction)
    choice = await house.scopes.resolve(place)

    def decided(field: str, otherwise: Text) -> str:
        origin = choice.origins.get(field)
        return say(locale, "set for {place}", place=PLACES[origin]) if origin else say(locale, otherwise)

    default = _("the default")
    photos = listening(choice, place, house.settings)
    channels = _("from CHANNELS of my .env") if in_channels(place, house.settings) else default
    lines = [say(locale, "**Photos:** {what} ({why}).", what=ANSWERED[photos], why=decided("listen", channels))]
    if choice.paused_until:
        when, why = until(choice.paused_until, locale), decided("paused_until", default)
        lines.append(say(locale, "**Pause:** I stay silent {until} ({why}).", until=when, why=why))
    who, _origin = await speaks(house, place)
    why = decided("persona_id", _("from DEFAULT_PERSONA of my .env"))
    lines.append(say(locale, "**Character:** {name} ({why}).", name=escaped(who.name), why=why))
    how, why = HOW[choice.identity or "webhook"], decided("identity", default)
    lines.append(say(locale, "**Identity:** characters speak {how} ({why}).", how=how, why=why))
    why = decided("cooldown", default)
    lines.append(
        say(locale, "**Wait in a channel:** {seconds} s ({why}).", seconds=f"{choice.cooldown or 0:g}", why=why)
    )
    own, why = f"{house.settings.cooldown:g}", _("from COOLDOWN of my .env")
    lines.append(say(locale, "**Wait for each user:** {seconds} s ({why}).", seconds=own, why=why))
    return "\n".join(lines + _obstacles(house, interaction, locale, photos, choice.identity != "plain"))


def no_webhooks(house: House, has: discord.Permissions, locale: str) -> list[str]:
    """Return what keeps characters from speaking with their own name and picture, a sentence each."""
    said = []
    if not has.manage_webhooks:
        said.append(say(locale, NO_WEBHOOKS, permission=_("Manage Webhooks")))
    if not house.bot.intents.message_content:
        said.append(say(locale, NO_CONTENT))
    return said


def _obstacles(
    house: House, interaction: discord.Interaction, locale: str, photos: Listen, webhooks: bool
) -> list[str]:
    """Return what keeps the bot from doing here what is set, a sentence each."""
    has, in_thread = interaction.app_permissions, isinstance(interaction.channel, discord.Thread)
    not_needed = "send_messages" if in_thread else "send_messages_in_threads"
    lacking = [name for field, name in NEEDED.items() if field != not_needed and not getattr(has, field)]
    said = [say(locale, LACKING, permission=name) for name in lacking]
    if webhooks:
        said += no_webhooks(house, has, locale)
    elif photos == "every" and not house.bot.intents.message_content:
        said.append(say(locale, NO_CONTENT))
    if photos == "every" and age_restricted(interaction.channel):
        said.append(say(locale, RESTRICTED))
    return said
