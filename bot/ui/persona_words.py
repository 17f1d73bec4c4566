"""Characters in words: the names of voices and traits, one line for a list, a page for one of them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from functools import reduce

import discord

from bot.domain import Persona
from bot.locales import Text, _, say

LONGEST = 2000  # characters of a Discord message
SHOWN = 300  # characters of one text of a character
CHOICE = 100  # characters of a choice or an option

VOICES: dict[str, Text] = {
    "self": _("The one in the photo"),
    "pirate": _("Pirate"),
    "detective": _("Detective"),
    "bard": _("Bard"),
    "knight": _("Knight"),
    "cowboy": _("Cowboy"),
    "wizard": _("Wizard"),
    "vampire": _("Vampire"),
    "robot": _("Robot"),
    "alien": _("Alien"),
    "commentator": _("Sports commentator"),
    "naturalist": _("Nature documentary"),
    "grandma": _("Grandma"),
    "teen": _("Teenager"),
    "surfer": _("Surfer"),
    "sergeant": _("Drill sergeant"),
    "queen": _("Queen"),
    "butler": _("Butler"),
    "philosopher": _("Philosopher"),
    "poet": _("Poet"),
    "coach": _("Coach"),
    "villain": _("Villain"),
    "conspiracist": _("Conspiracy theorist"),
    "comedian": _("Comedian"),
}
TRAITS: dict[str, Text] = {
    "cheerful": _("cheerful"),
    "grumpy": _("grumpy"),
    "sarcastic": _("sarcastic"),
    "shy": _("shy"),
    "dramatic": _("dramatic"),
    "romantic": _("romantic"),
    "nervous": _("nervous"),
    "boastful": _("boastful"),
    "sleepy": _("sleepy"),
    "hungry": _("hungry"),
    "wise": _("wise"),
    "clueless": _("clueless"),
    "competitive": _("competitive"),
    "sentimental": _("sentimental"),
    "suspicious": _("suspicious"),
    "polite": _("polite"),
    "rebellious": _("rebellious"),
    "curious": _("curious"),
}
TALKATIVENESS: dict[str, tuple[float, Text]] = {
    "quiet": (0.2, _("Quiet: seldom speaks up in a group")),
    "normal": (0.5, _("Normal")),
    "talkative": (0.9, _("Talkative: often speaks up in a group")),
}
TEXTS: dict[str, Text] = {
    "catchphrase": _("Catchphrase: {text}"),
    "greeting": _("Greeting: {text}"),
    "likes": _("Likes: {text}"),
    "description": _("About: {text}"),
}


def talkative(persona: Persona) -> str:
    """Return the key of TALKATIVENESS that is nearest to a persona's own."""
    return min(TALKATIVENESS, key=lambda key: abs(TALKATIVENESS[key][0] - persona.talkativeness))


def escaped(text: str, limit: int = SHOWN) -> str:
    """Return what a user wrote as one line that no longer formats anything, shortened to ``limit`` characters."""
    line = " ".join(text.split())
    return discord.utils.escape_markdown(line if len(line) <= limit else line[: limit - 1] + "…")


def listed(locale: str, words: Sequence[str]) -> str:
    """Return words as an enumeration."""
    return reduce(lambda before, word: say(locale, "{first}, {second}", first=before, second=word), words)


def character(locale: str, persona: Persona) -> str:
    """Return a persona's voice and traits: ``Pirate, grumpy, shy``."""
    traits = (say(locale, TRAITS[trait]) for trait in persona.traits)
    return listed(locale, [say(locale, VOICES[persona.voice]), *traits])


def label(locale: str, persona: Persona) -> str:
    """Return a persona's name and character as a choice shows them, without formatting."""
    return textwrap.shorten(f"{persona.name} · {character(locale, persona)}", CHOICE, placeholder="…")


def line(locale: str, persona: Persona) -> str:
    """Return a persona as one line of a list."""
    name, what = escaped(persona.name), character(locale, persona)
    return say(locale, "**{name}**: {what}", name=name, what=what)


def pages(blocks: Iterable[tuple[str, list[str]]], limit: int = 1500) -> list[str]:
    """Return headed lists as texts of about ``limit`` characters; a list that goes on repeats its heading."""
    done: list[str] = []
    for heading, lines in blocks:
        room = limit - len(done[-1]) if done else 0
        start = f"{heading}\n{lines[0]}"
        if len(start) + 2 <= room:
            done[-1] += f"\n\n{start}"
        else:
            done.append(start)
        for one in lines[1:]:
            if len(done[-1]) + len(one) < limit:
                done[-1] += f"\n{one}"
            else:
                done.append(f"{heading}\n{one}")
    return done


def describe(locale: str, persona: Persona) -> list[str]:
    """Return what a persona is like, line by line."""
    lines = [line(locale, persona)]
    for field, template in TEXTS.items():
        if value := getattr(persona, field):
            text = listed(locale, value) if isinstance(value, tuple) else value
            lines.append(say(locale, template, text=escaped(text)))
    if (manner := talkative(persona)) != "normal":
        lines.append(say(locale, TALKATIVENESS[manner][1]))
    return lines


def page(*lines: str) -> str:
    """Return lines as a text that fits into a message; empty ones are left out."""
    text = "\n".join(one for one in lines if one)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
