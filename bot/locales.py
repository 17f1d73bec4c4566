"""What the bot says besides its characters, in the language of whoever reads it.

The English sentence in the code is the key, as gettext has it; ``bot/resources/locales/LANGUAGE.po`` holds the
translations. A language without a catalogue, and a sentence without a translation, stay English.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polib

from bot.domain import BadInput

FOLDER = Path(__file__).parent / "resources" / "locales"
ENGLISH = "en-US"


class Text(str):
    """A literal of the catalogue; where it stands in for a ``{name}`` of a sentence, it is translated with it."""

    __slots__ = ()


def _(text: str) -> Text:
    """Mark a literal as one of the catalogue."""
    return Text(text)


def say(locale: str, template: str, /, **values: object) -> str:
    """Return a sentence in a Discord locale ("en-US", "zh-CN", ...), with ``values`` put in."""
    sentence = _catalogue(locale).get(template, template)
    if not values:
        return sentence
    return sentence.format(**{name: say(locale, v) if isinstance(v, Text) else v for name, v in values.items()})


def explain(error: BadInput, locale: str) -> str:
    """Return the sentence of a BadInput in a Discord locale."""
    return say(locale, error.template, **error.values)


@cache
def languages() -> list[str]:
    """Return the Discord locales the bot speaks, English first."""
    return [ENGLISH, *sorted(path.stem for path in FOLDER.glob("*.po"))]


@cache
def _catalogue(locale: str) -> dict[str, str]:
    """Return the translations of a locale, or of its language where it has none of its own."""
    exact, near = FOLDER / f"{locale}.po", sorted(FOLDER.glob(f"{locale.split('-')[0]}-*.po"))
    path = exact if exact.is_file() else next(iter(near), None)
    if path is None:
        return {}
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(path)) if entry.msgstr and not entry.obsolete}
