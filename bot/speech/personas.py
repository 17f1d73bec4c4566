"""The built-in personas: one TOML file each, one for every voice."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from bot.domain import BadInput, Failure, Persona

BUILT_IN = Path(__file__).parent.parent / "resources" / "personas"
AVATARS = BUILT_IN.parent / "avatars"  # the pictures of the built-in personas, drawn by our own GAN: <id>.jpg
_LISTS = frozenset({"traits", "likes"})
_NUMBERS = {"temperature": 2, "talkativeness": 1}
_FIELDS = {field.name: field for field in fields(Persona)}
_REQUIRED = [name for name, field in _FIELDS.items() if field.default is MISSING]


def load_personas(folder: Path = BUILT_IN) -> dict[str, Persona]:
    """Read every ``*.toml`` of a folder and return the personas by id, in the order of their ids.

    A file is named after its persona's id. Raises Failure that names the file which cannot be used.
    """
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise Failure(f"There are no personas in {folder}; install the bot again.")
    personas = {path.stem: _load(path) for path in paths}
    names: dict[str, str] = {}
    for persona in personas.values():
        other = names.setdefault(persona.name.casefold(), persona.id)
        if other != persona.id:
            raise Failure(f"The personas {other} and {persona.id} are both called {persona.name}; rename one of them.")
    return personas


def find_persona(personas: Mapping[str, Persona], query: str) -> Persona:
    """Return the persona whose id, else name, else voice is ``query``, whatever its capitals.

    Raises BadInput that lists close matches when there is none.
    """
    wanted = query.strip().casefold()
    for kind in ("id", "name", "voice"):
        for persona in personas.values():
            if getattr(persona, kind).casefold() == wanted:
                return persona
    words: dict[str, str] = {}
    for persona in personas.values():
        for word in (persona.id, persona.name, *persona.name.split(), persona.voice):
            words.setdefault(word.casefold(), persona.id)
    close = dict.fromkeys(words[word] for word in get_close_matches(wanted, words, n=3))
    if close:
        near = " / ".join(close)
        raise BadInput("There is no persona {query}; did you mean {near}?", query=repr(query.strip()), near=near)
    known = ", ".join(personas)
    raise BadInput("There is no persona {query}; choose one of {known}.", query=repr(query.strip()), known=known)


def built_in_avatar(persona_id: str) -> bytes | None:
    """Return the JPEG picture of a built-in persona, None when it has none."""
    path = AVATARS / f"{persona_id}.jpg"
    return path.read_bytes() if path.is_file() else None


def _load(path: Path) -> Persona:
    """Read one file into a persona or raise Failure that names it."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return Persona(**_checked(values, path.stem))
    except (OSError, ValueError) as error:  # bad TOML, bad text and BadInput are all ValueErrors
        raise Failure(f"The persona file {path} cannot be used: {str(error).rstrip('.')}.") from None


def _checked(values: dict[str, Any], stem: str) -> dict[str, Any]:
    """Check names and types of a persona's values; lists become tuples. Raises ValueError."""
    if unknown := sorted(set(values) - set(_FIELDS)):
        raise ValueError(f"it has the unknown key {unknown[0]}")
    if missing := [name for name in _REQUIRED if not values.get(name)]:
        raise ValueError(f"it lacks {missing[0]}")
    for name, value in values.items():
        if name in _LISTS:
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise ValueError(f"{name} must be a list of words")
            values[name] = tuple(value)
        elif name in _NUMBERS:
            most = _NUMBERS[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
                raise ValueError(f"{name} must be a number above 0 and at most {most}")
            values[name] = float(value)
        elif not isinstance(value, str) or "\n" in value:
            raise ValueError(f"{name} must be one line of text")
    if values["id"] != stem:
        raise ValueError(f"its id is {values['id']}, so it must be called {values['id']}.toml")
    return values
