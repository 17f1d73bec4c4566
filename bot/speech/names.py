"""What the one in the photo is called: the persona's own name, or the one it gave earlier in this talk."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from bot.domain import Persona, Turn
from bot.speech.intents import classify_intent
from bot.speech.safety import is_safe

_NAME = r"((?:the )?[A-Z][\w'-]*(?:(?: (?:of|the|of the))? [A-Z][\w'-]*)*)"
_INTRODUCTIONS = re.compile(
    r"(?:[Cc]alls? me|[Nn]ame's|[Nn]ame (?:is|be)|[Mm]ine is|[Kk]nows? me as|[Kk]nown as|[Gg]o by|[Dd]ub me|[Hh]oller"
    rf"|[Aa]nswer to|down as|listed as|[Dd]esignation:|sheet it's|hath it|back says) (?:just )?{_NAME}"
)
_BY_VERB = re.compile(rf"(?:^|[.!?] )(?:I am|I'm|We are|It's) (?:only )?{_NAME}")
_FIRST = re.compile(rf"^(?:Still |Officially, )?{_NAME}(?=[,.!])")
_ANYWHERE = re.compile(rf"(?:it's|I am|corridors:) {_NAME}")
_USERS = re.compile(
    r"(?i:\bmy name(?:'s| is|s)|\b(?:you can )?call me) ([A-Za-z]{2,20})\b|\bI(?:'m| am) ([A-Z][a-z]{2,20})\b(?! \w)"
)
_MY_NAME = re.compile(r"\b(?:what(?:'?s| is)|remember|know|forgot|say) my name\b|\bwho am i\b|\bremember me\b")
_NOT_NAMES = frozenset(
    {"I", "The", "It", "My", "In", "On", "A", "Oh", "Well", "Folks", "Everybody", "Some", "Yes", "No"}
)


def own_name(persona: Persona) -> str:
    """Return a persona's proper name, or nothing when it only says what it is (The One in the Photo)."""
    described = persona.name.lower().startswith(("the ", "a ", "an ", "some"))
    return "" if described or not is_safe(persona.name) else persona.name


def given_name(turns: Sequence[Turn]) -> str:
    """Return the name the persona gave in answer to an earlier question, or nothing."""
    for question, answer in pairwise(turns):
        asked = question.role == "user" and answer.role == "persona" and classify_intent(question.text) == "name"
        if asked and (name := find_name(answer.text)):
            return name
    return ""


def users_name(turns: Sequence[Turn]) -> str:
    """Return the name that the user whose message is last gave for themselves in this talk, or nothing."""
    author = turns[-1].author if turns else ""
    for turn in reversed(turns):
        if turn.role == "user" and turn.author == author and (match := _USERS.search(turn.text)):
            name = match[1] or match[2]
            return name.capitalize() if is_safe(name) else ""
    return ""


def asks_own_name(message: str) -> bool:
    """Tell whether a user asks what they themselves are called."""
    return _MY_NAME.search(message.lower()) is not None


def find_name(text: str) -> str:
    """Return the name that a line introduces (``Call me Robin``), or nothing."""
    for pattern in (_INTRODUCTIONS, _BY_VERB, _FIRST, _ANYWHERE):
        for match in pattern.finditer(text):
            if match[1].split()[0] not in _NOT_NAMES:
                return match[1].removesuffix("'s").rstrip("'")
    return ""
