"""THE prompt format of the speaker: one place for training and serving.

    <|scene|> CAPTION | WHO, AGE, EXPRESSION, WHERE ; ...<|a_wear|> A RED JACKET<|at_place|> ON THE SLOPE...
    <|voice:V|><|trait:T|>...<|reply|> OPENING<|end|><|user|> MESSAGE<|reply|> ANSWER<|end|> ... <|reply|>

Every text follows its marker after one space, so that a word is the same token in the scene, in a
message and inside a reply. Markers inside someone's text are broken up before they get here.
The facts of the scene stand behind their slots' markers; where a reply is to name one of them, the speaker writes
the marker of the slot (``{wear}`` in the texts of this package) and bot/speech/filling.py puts the fact there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain import TRAITS, VOICES, Scene, Turn
from bot.speech.facts import SLOTS, Facts, read_facts
from bot.speech.filling import unfill

PAD, SCENE, USER, REPLY, END = "<|pad|>", "<|scene|>", "<|user|>", "<|reply|>", "<|end|>"
SPECIALS: tuple[str, ...] = (
    PAD, SCENE, USER, REPLY, END, *(f"<|voice:{v}|>" for v in VOICES), *(f"<|trait:{t}|>" for t in TRAITS),
    *(f"<|{slot}|>" for slot in SLOTS),
)  # fmt: skip

SHOWN = ("a_wear", "hair", "a_thing", "doing", "at_place", "the_animal", "the_other", "the_vehicle")
"""The slots whose fillers the prompt tells."""

NO_FACTS = Facts()
RECENT_TURNS = 5  # user, persona, user, persona, user
MESSAGE_CHARACTERS = 240
CAPTION_CHARACTERS = 240

_SLOT = re.compile(rf" ?\{{({'|'.join(SLOTS)})\}}")
_OPENERS = frozenset({"", " ", "(", '"', "'", "-"})  # no space between these and a word
_MARKER = re.compile(rf"<\|({'|'.join(SLOTS)})\|>")


def build_prompt(scene: Scene, voice: str, traits: Sequence[str], turns: Sequence[Turn]) -> str:
    """Return the text the speaker continues, ending in the reply marker.

    ``scene`` has the speaking person first; ``turns`` are all earlier turns, oldest first.
    """
    return scene_part(scene) + voice_part(voice, traits) + turns_part(recent(turns), read_facts(scene)) + REPLY


def scene_part(scene: Scene) -> str:
    """Return the part of the prompt that every voice of a scene shares."""
    scene = Scene(plain(scene.caption, CAPTION_CHARACTERS), scene.people)
    values = read_facts(scene).slots()
    facts = "".join(f"<|{slot}|> {values[slot]}" for slot in SHOWN if slot in values)
    return f"{SCENE} {plain(scene.as_text())}{facts}"


def voice_part(voice: str, traits: Sequence[str]) -> str:
    """Return the markers of a voice and its traits."""
    return f"<|voice:{voice}|>" + "".join(f"<|trait:{trait}|>" for trait in traits)


def turns_part(turns: Sequence[Turn], facts: Facts = NO_FACTS) -> str:
    """Return earlier turns, each behind its marker; what the persona said ends with the end marker.

    Where the persona named one of the facts, its slot stands, as in the replies that the speaker writes.
    """
    return "".join(
        f"{USER} {plain(turn.text, MESSAGE_CHARACTERS)}"
        if turn.role == "user"
        else reply_part(unfill(turn.text, facts))
        for turn in turns
    )


def reply_part(text: str) -> str:
    """Return a finished reply: marker, text, end marker; slots in the text become their markers."""
    return f"{REPLY}{slots_to_markers(f' {plain(text)}')}{END}"


def slots_to_markers(text: str) -> str:
    """Return a text with slots as the speaker writes it: `` my {wear}`` -> `` my<|wear|>``."""
    return _SLOT.sub(r"<|\1|>", text)


def markers_to_slots(text: str) -> str:
    """Return what the speaker wrote as a text with slots, a space before each where a word could stand."""
    return _MARKER.sub(lambda match: f"{'' if text[: match.start()][-1:] in _OPENERS else ' '}{{{match[1]}}}", text)


def recent(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Return the opening and the last turns; the ones between are forgotten, oldest first."""
    if len(turns) <= RECENT_TURNS + 1:
        return tuple(turns)
    opening = tuple(turns[:1]) if turns[0].role == "persona" else ()
    return opening + tuple(turns[-RECENT_TURNS:])


def plain(text: str, limit: int | None = None) -> str:
    """Return ``text`` on one line, at most ``limit`` characters, with no marker left in it.

    Putting a space into every ``<|`` can make no new one, so one pass is enough.
    """
    line = " ".join(text.split())[:limit].strip()
    return line.replace("<|", "< |")
