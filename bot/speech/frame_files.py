"""Read frame files: hand-written in-voice lines with slots that the facts of a scene fill.

One line of a file is one of

    [mood] <who> (slots): text            an opening for any scene that fills its slots
    [mood] <who> #topic (slots): text     an opening about a topic of topics.toml
    ?intent (slots): text                 an answer to a kind of message
    ^[mood]: text    $[mood]: text        a short lead before, a short tail behind any opening

A text may hold alternatives, ``[a map|a lawyer]``: every choice gives a good line (``vary``).
"""

from __future__ import annotations

import itertools
import math
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bot.domain import Failure
from bot.speech.facts import SLOTS
from bot.speech.lexicon import lexicon

WEAR_SLOTS = frozenset({"wear", "this_wear"})
KNOWN = frozenset(SLOTS)
SLOT = re.compile(r"(?:\b([Aa])n? )?\{(\w+)\}")
_SLOT_NAME = re.compile(r"\{(\w+)\}")
_OPENING = re.compile(r"^\[(\w+)\] <(\w+)>(?: #(\w+))? \(([^)]*)\): (.+)$")
_INTENT = re.compile(r"^\?(\w+) \(([^)]*)\): (.+)$")
_EXTRA = re.compile(r"^([\^$])\[(\w+)\]: (.+)$")
_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
_SINGULAR_ONLY = re.compile(
    r"\b(?:a|an|one|every|each|this|that) \{wear\}|\b(?:it|its|it's|itself|it'll|it'd|'tis|'twas|that's)\b"
    r"|\{(?:this_wear|wear)\}(?:'s| (?:is|was|has|isn't|wasn't|hasn't|doesn't|does|alone|itself))\b", re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """One line with slots. ``mood`` and ``who`` are empty for an answer, ``intent`` for an opening."""

    text: str
    slots: frozenset[str]
    mood: str = ""
    who: str = ""
    intent: str = ""
    topic: str = ""
    singular_wear: bool = False
    """The wording agrees with one garment only (``this_wear`` followed by ``is``)."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A short sentence that may stand before (lead) or behind (tail) any opening of its mood."""

    text: str
    mood: str


@dataclass(frozen=True, slots=True)
class FrameSet:
    """The frames of one voice or trait."""

    openings: tuple[Frame, ...] = ()
    answers: dict[str, tuple[Frame, ...]] = field(default_factory=dict)
    leads: tuple[Extra, ...] = ()
    tails: tuple[Extra, ...] = ()

    def __add__(self, other: FrameSet) -> FrameSet:
        """Return both sets as one."""
        intents = {*self.answers, *other.answers}
        return FrameSet(
            self.openings + other.openings,
            {intent: self.answers.get(intent, ()) + other.answers.get(intent, ()) for intent in intents},
            self.leads + other.leads,
            self.tails + other.tails,
        )

    def frames(self) -> Iterator[Frame]:
        """Yield every opening and answer."""
        yield from self.openings
        for answers in self.answers.values():
            yield from answers


def check_exists(path: Path) -> None:
    """Raise Failure when a frame file is missing."""
    if not path.is_file():
        raise Failure(f"The frame file {path} is missing; install the bot again.")


def read_frames(path: Path) -> FrameSet:
    """Parse one frame file; raise Failure that names the file and line of a bad one."""
    check_exists(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    openings: list[Frame] = []
    answers: dict[str, list[Frame]] = {}
    extras: dict[str, list[Extra]] = {"^": [], "$": []}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("//"):
            continue
        if match := _EXTRA.match(line):
            kind, mood, text = match.groups()
            extras[kind].append(Extra(text, mood))
            continue
        if match := _OPENING.match(line):
            mood, who, topic, slots, text = match.groups()
            frame = _frame(text, slots, mood=mood, who=who, topic=topic or "")
            openings.append(frame)
        elif match := _INTENT.match(line):
            intent, slots, text = match.groups()
            frame = _frame(text, slots, intent=intent)
            answers.setdefault(intent, []).append(frame)
        else:
            raise Failure(f"Line {number} of {path} is no frame; write `[mood] <who> (slots): text`.")
        if frame.slots - KNOWN or frame.slots != slots_of(frame.text):
            raise Failure(f"Line {number} of {path} declares other slots than it uses.")
    answered = {intent: tuple(frames) for intent, frames in answers.items()}
    return FrameSet(tuple(openings), answered, tuple(extras["^"]), tuple(extras["$"]))


def slots_of(text: str) -> set[str]:
    """Return the names of the slots in a text."""
    return set(_SLOT_NAME.findall(text))


def vary(text: str, rng: random.Random | None = None) -> str:
    """Choose one of each group of alternatives (the first ones without ``rng``) and tidy the spaces."""
    if "[" not in text:
        return text

    def choose(match: re.Match[str]) -> str:
        options = match[1].split("|")
        return rng.choice(options) if rng else options[0]

    return _tidy(_ALTERNATIVES.sub(choose, text))


def variants(text: str, most: int = 8) -> list[str]:
    """Return all variants of a text or, when there are more than ``most``, enough to show every alternative."""
    groups = [group.split("|") for group in _ALTERNATIVES.findall(text)]
    if math.prod(map(len, groups)) <= most:
        choices = list(itertools.product(*groups))
    else:
        longest = max(map(len, groups))
        choices = [tuple(group[i % len(group)] for group in groups) for i in range(longest)]
    plain = _ALTERNATIVES.split(text)[::2]
    return [_tidy("".join(itertools.chain(*zip(plain, (*choice, ""), strict=True)))) for choice in choices]


def _tidy(text: str) -> str:
    return re.sub(r" ([.,!?;:])", r"\1", " ".join(text.split()))


def is_variant(text: str, form: str) -> bool:
    """Tell whether a text is a form with one of each group of its alternatives chosen, as they stand."""
    ends = {0}  # where in the text what was read of the form may end
    for i, part in enumerate(_ALTERNATIVES.split(form)):
        options = part.split("|") if i % 2 else (part,)
        ends = {end + len(option) for end in ends for option in options if text.startswith(option, end)}
    return len(text) in ends


def singular_wording(text: str, slots: frozenset[str] | set[str]) -> bool:
    """Tell whether a text with slots talks of its garment as of one thing."""
    return bool(slots & WEAR_SLOTS) and (bool(_SINGULAR_ONLY.search(text)) or _verb_follows(text))


def _frame(text: str, slots: str, *, mood: str = "", who: str = "", intent: str = "", topic: str = "") -> Frame:
    names = _names(slots)
    mood, who, intent, topic = map(sys.intern, (mood, who, intent, topic))  # thousands of frames share them
    return Frame(text, names, mood, who, intent, topic, singular_wording(text, names))


@cache
def _names(slots: str) -> frozenset[str]:
    """Return the slots that a frame declares; there are some eighty such sets."""
    return frozenset() if slots.strip() == "-" else frozenset(slot.strip() for slot in slots.split(","))


def _verb_follows(text: str) -> bool:
    match = re.search(r"\{(?:this_wear|wear)\} ([a-z']+)", text)
    return match is not None and match[1] in lexicon().third
