"""Who speaks where: choose a persona for oneself, a channel or thread, or the server, and tell what holds then."""

from __future__ import annotations

from typing import Literal

import discord

from bot.cogs.here import PLACES
from bot.cogs.house import House, place_of
from bot.domain import BadInput, Persona
from bot.locales import say
from bot.speech.personas import find_persona
from bot.store.personas import OwnPersona
from bot.store.scopes import KINDS, Kind, Place
from bot.ui.persona_words import escaped

Scope = Literal["me", "here", "server"]


async def choose(house: House, interaction: discord.Interaction, persona: Persona | None, scope: Scope) -> str:
    """Choose a persona for a scope, or nobody, and return one sentence that says what holds now.

    Raises BadInput when the user may not.
    """
    kind, place = _kind(interaction, scope), place_of(interaction)
    await house.scopes.put(kind, place, persona_id=persona.id if persona else None)
    locale = house.languages.of_interaction(interaction)
    speaker, origin = await speaks(house, place)
    here = PLACES[kind]
    if persona is None:
        return _nobody(locale, kind, speaker, origin)
    name = escaped(persona.name)
    if origin is None or origin == kind:
        return say(locale, "{name} is chosen for {place} now.", name=name, place=here)
    return say(
        locale,
        "{name} is chosen for {place} now, but for {narrower} it is {other}.",
        name=name, place=here, narrower=PLACES[origin], other=escaped(speaker.name),
    )  # fmt: skip


async def speaks(house: House, place: Place) -> tuple[Persona, Kind | None]:
    """Return who speaks at a place, and the scope they are chosen for, None where nobody is chosen."""
    choice = await house.scopes.resolve(place)
    chosen = await house.personas.get(choice.persona_id) if choice.persona_id else None
    if chosen:
        return chosen, choice.origins["persona_id"]
    return find_persona(house.personas.built_in, house.settings.default_persona), None


async def chosen_for(house: House, place: Place, persona_id: str) -> list[Kind]:
    """Return the scopes around a place that a persona is chosen for, the widest first."""
    kinds: list[Kind] = []
    for kind in KINDS:
        # What decides when nothing narrower is there to look at.
        thread = place.thread_id if kind in ("thread", "member") else None
        channel = place.channel_id if kind != "server" else 0
        user = place.user_id if kind == "member" else 0
        choice = await house.scopes.resolve(Place(place.guild_id, channel, thread, user))
        if choice.persona_id == persona_id and choice.origins["persona_id"] == kind:
            kinds.append(kind)
    return kinds


async def to_change(house: House, interaction: discord.Interaction, persona_id: str) -> OwnPersona:
    """Return a character that somebody made; raise BadInput unless the user may change or delete it."""
    if built_in := house.personas.built_in.get(persona_id):
        raise BadInput(
            "{name} is built in and stays as it is; make your own with /persona create, or export and import this one.",
            name=escaped(built_in.name),
        )
    own = await house.personas.own(persona_id)
    if own is None:
        raise BadInput("That character is gone; make a new one.")
    here = own.guild_id is not None and own.guild_id == interaction.guild_id
    if own.owner_id != interaction.user.id and not (here and interaction.permissions.manage_guild):
        raise BadInput(
            "Only whoever made {name}, or somebody with the permission Manage Server, may change it.",
            name=escaped(own.persona.name),
        )
    return own


def server_of(interaction: discord.Interaction) -> int:
    """Return the server that a character shall belong to; raise BadInput when the user may not decide that."""
    if interaction.guild_id is None:
        raise BadInput("There is no server here; use this command in the server that shall have the character.")
    if not interaction.permissions.manage_guild:
        raise BadInput(
            "Characters of the server need the permission Manage Server; leave out the option server to make your own."
        )
    return interaction.guild_id


def _kind(interaction: discord.Interaction, scope: Scope) -> Kind:
    """Return which scope of the store is meant; raise BadInput when the user may not decide it."""
    may = interaction.permissions
    if scope == "me":
        return "member"
    if interaction.guild_id is None:
        raise BadInput("Here you can choose only for yourself; leave out the scope.")
    if scope == "server":
        if not may.manage_guild:
            raise BadInput("Choosing for the server needs the permission Manage Server; choose for yourself instead.")
        return "server"
    if not (may.manage_guild or may.manage_channels):
        raise BadInput("Choosing for a channel needs the permission Manage Channels; choose for yourself instead.")
    return "thread" if place_of(interaction).thread_id else "channel"


def _nobody(locale: str, kind: Kind, speaker: Persona, origin: Kind | None) -> str:
    """Say who speaks when nobody is chosen for a scope."""
    name, here = escaped(speaker.name), PLACES[kind]
    if origin is None:
        return say(locale, "Nobody is chosen for {place} any more; {name} speaks by default.", place=here, name=name)
    return say(
        locale,
        "Nobody is chosen for {place} any more; {name} speaks, as chosen for {other}.",
        place=here, name=name, other=PLACES[origin],
    )  # fmt: skip
