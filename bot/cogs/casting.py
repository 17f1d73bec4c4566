"""Which persona speaks: the one a message names, or the default one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain import BadInput, Persona
from bot.speech.personas import find_persona


class Casting:
    """Chooses among the personas by what a message says.

    Raises BadInput when ``default`` is no persona.
    """

    def __init__(self, personas: Mapping[str, Persona], default: str) -> None:
        self._by_name = {
            name.casefold(): persona for persona in personas.values() for name in (persona.name, persona.id)
        }
        try:
            self._default = find_persona(personas, default)
        except BadInput as problem:
            raise BadInput(f"DEFAULT_PERSONA cannot be used: {problem}") from None
        # The longest name first: "queen of hearts" is not the queen.
        names = "|".join(re.escape(name) for name in sorted(self._by_name, key=len, reverse=True))
        self._named = re.compile(rf"(?:^\W*|\bas (?:an? |the )?)({names})\b")

    def choose(self, text: str) -> Persona:
        """Return the persona that ``text`` begins with or asks for with "as a ...", else the default one."""
        match = self._named.search(text.casefold())
        return self._by_name[match[1]] if match else self._default
