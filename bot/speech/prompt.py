"""THE prompt format of the speaker: one place for training and serving.

    <|scene|> CAPTION | WHO, AGE, EXPRESSION, WHERE ; ...<|voice:V|><|trait:T|>...
    <|reply|> OPENING<|end|><|user|> MESSAGE<|reply|> ANSWER<|end|> ... <|reply|>

Every text follows its marker after one space, so that a word is the same token in the scene, in a
message and inside a reply. Markers inside someone's text are broken up before they get here.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import TRAITS, VOICES, Scene, Turn

PAD, SCENE, USER, REPLY, END = "<|pad|>", "<|scene|>", "<|user|>", "<|reply|>", "<|end|>"
SPECIALS: tuple[str, ...] = (
    PAD, SCENE, USER, REPLY, END, *(f"<|voice:{v}|>" for v in VOICES), *(f"<|trait:{t}|>" for t in TRAITS)
)  # fmt: skip

RECENT_TURNS = 5  # user, persona, user, persona, user
MESSAGE_CHARACTERS = 240
CAPTION_CHARACTERS = 240


def build_prompt(scene: Scene, voice: str, traits: Sequence[str], turns: Sequence[Turn]) -> str:
    """Return the text the speaker continues, ending in the reply marker.

    ``scene`` has the speaking person first; ``turns`` are all earlier turns, oldest first.
    """
    return scene_part(scene) + voice_part(voice, traits) + turns_part(recent(turns)) + REPLY


def scene_part(scene: Scene) -> str:
    """Return the part of the prompt that every voice of a scene shares."""
    return f"{SCENE} {plain(Scene(plain(scene.caption, CAPTION_CHARACTERS), scene.people).as_text())}"


def voice_part(voice: str, traits: Sequence[str]) -> str:
    """Return the markers of a voice and its traits."""
    return f"<|voice:{voice}|>" + "".join(f"<|trait:{trait}|>" for trait in traits)


def turns_part(turns: Sequence[Turn]) -> str:
    """Return earlier turns, each behind its marker; what the persona said ends with the end marker."""
    return "".join(
        f"{USER} {plain(turn.text, MESSAGE_CHARACTERS)}" if turn.role == "user" else reply_part(turn.text)
        for turn in turns
    )


def reply_part(text: str) -> str:
    """Return a finished reply: marker, text, end marker."""
    return f"{REPLY} {plain(text)}{END}"


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
