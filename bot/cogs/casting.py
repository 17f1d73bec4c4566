"""Which persona speaks: the one a message names, the one set for the place, or the default one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain import BadInput, Persona
from bot.speech.personas import find_persona
from bot.store.personas import Personas
from bot.store.scopes import Choice, Place


def named(text: str, personas: Mapping[str, Persona]) -> Persona | None:
    """Return the persona that ``text`` begins with or asks for with "as a ...", if it names one."""
    by_name: dict[str, Persona] = {}
    for persona in personas.values():
        for name in (persona.name, persona.id):
            by_name.setdefault(name.casefold(), persona)
    # The longest name first: "queen of hearts" is not the queen.
    names = "|".join(re.escape(name) for name in sorted(by_name, key=len, reverse=True))
    match = re.search(rf"(?:^\W*|\bas (?:an? |the )?)({names})(?!\w)", text.casefold())
    return by_name[match[1]] if match else None


class Casting:
    """Chooses a persona for a photo. Raises BadInput when ``default`` is no built-in persona."""

    def __init__(self, personas: Personas, default: str) -> None:
        self._personas = personas
        try:
            self.default = find_persona(personas.built_in, default)
        except BadInput as problem:
            raise BadInput("DEFAULT_PERSONA cannot be used: {problem}", problem=str(problem)) from None

    async def choose(self, text: str, place: Place, choice: Choice) -> Persona:
        """Return the persona that ``text`` names among those visible there, else the one set, else the default."""
        if text and (found := named(text, await self._personas.visible(place.guild_id, place.user_id))):
            return found
        return await self.standing(choice)

    async def standing(self, choice: Choice) -> Persona:
        """Return the persona that is set for a place, else the default."""
        chosen = await self._personas.get(choice.persona_id) if choice.persona_id else None
        return chosen or self.default
