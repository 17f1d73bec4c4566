"""One training example of the speaker: what is seen and said so far, and the reply."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain import Scene, Turn


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and its reply; ``scene`` has the one who speaks first.

    ``turns`` are the earlier turns, the opening reply first and the user's last message last; they
    are empty when ``reply`` is the opening. Training packs neighbouring pairs of equal scenes into
    one sequence that holds the scene once, so sources yield several pairs a scene in a row. ``form`` is the
    reply with slots where facts of the scene stand, as the speaker is to write it; empty where it is not known.
    """

    scene: Scene
    voice: str
    traits: tuple[str, ...]
    turns: tuple[Turn, ...]
    reply: str
    form: str = ""
