"""What a character that people make may hold: its name is cleaned, its texts are bounded."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from bot.domain import BadInput, Persona
from bot.locales import _
from bot.speech.safety import is_safe

MAX_OWN = 25  # characters of one user
MAX_SERVER = 100  # characters of one server
MAX_AVATAR_BYTES = 256 * 1024
MAX_NAME = 80  # Discord takes no longer ones for a webhook
MAX_DESCRIPTION = 2000
MAX_CATCHPHRASE = 200
MAX_GREETING = 400
MAX_LIKES = 10
MAX_LIKE = 60
REFUSED_NAMES = ("discord", "clyde")  # as parts of a webhook's name

_JOINER = "\u200d"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL takes no NUL, and half a character is no text


def clean_name(name: str) -> str:
    """Return a name as one line without control characters.

    Raises BadInput when nothing is left, too much is left, Discord would refuse it, or it is nothing to be called.
    """
    name = " ".join("".join(" " if c.isspace() else c for c in name if c.isspace() or not _unseen(c)).split())
    name = name.strip(f"{_JOINER} ")
    if not name:
        raise BadInput("A character needs a name; give it one.")
    if len(name) > MAX_NAME:
        raise BadInput("That name is too long; keep it within {most} characters.", most=MAX_NAME)
    for word in REFUSED_NAMES:
        if word in name.casefold():
            raise BadInput("Discord lets no character have {word} in its name; choose another name.", word=repr(word))
    if not is_safe(name):  # it stands above messages that everybody reads, and no filter of the server looks at it
        raise BadInput("I cannot speak under that name; choose another one.")
    return name


def _unseen(character: str) -> bool:
    """Tell whether a character is a control or format character; the joiner stays, as it holds emoji together."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"} and character != _JOINER


def checked(persona: Persona) -> Persona:
    """Return a persona that can be stored; raise BadInput when one of its texts is too long."""
    for what, text, most in (
        (_("description"), persona.description, MAX_DESCRIPTION),
        (_("catchphrase"), persona.catchphrase, MAX_CATCHPHRASE),
        (_("greeting"), persona.greeting, MAX_GREETING),
    ):
        if len(text) > most:
            raise BadInput("The {what} is too long; keep it within {most} characters.", what=what, most=most)
    if len(persona.likes) > MAX_LIKES:
        raise BadInput("A character can like at most {most} things; leave some out.", most=MAX_LIKES)
    if any(len(like) > MAX_LIKE for like in persona.likes):
        raise BadInput("What a character likes is named in at most {most} characters; shorten it.", most=MAX_LIKE)
    return replace(
        persona,
        name=clean_name(persona.name),
        description=storable(persona.description),
        catchphrase=storable(persona.catchphrase),
        greeting=storable(persona.greeting),
        likes=tuple(storable(like) for like in persona.likes),
    )


def check_avatar(avatar: bytes | None) -> None:
    """Raise BadInput when an avatar is too large to be kept."""
    if avatar is not None and len(avatar) > MAX_AVATAR_BYTES:
        limit = MAX_AVATAR_BYTES // 1024
        raise BadInput("That avatar is larger than {limit} KB; choose a smaller picture.", limit=limit)


def storable(text: str) -> str:
    """Return a text without what a database cannot hold."""
    return _UNSTORABLE.sub("", text)
