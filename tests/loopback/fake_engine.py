"""An engine that needs no models: it sees the colour of a picture and answers by counting."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence

from bot.domain import Box, Person, Persona, Reply, Scene, Turn
from bot.vision.photo import decode

COLOURS = ("red", "green", "blue")


class FakeEngine:
    """Deterministic; ``gate`` can be cleared to keep it busy, ``broken`` makes it fail."""

    def __init__(self) -> None:
        cast = (Persona("self", "The One in the Photo"), Persona("pirate", "Captain Barnacle", "pirate"))
        self.personas: Mapping[str, Persona] = {persona.id: persona for persona in cast}
        self.gate = threading.Event()
        self.gate.set()
        self.broken = False
        self.people: tuple[Person, ...] = (Person("woman", "adult", "happy", "center", Box(1, 2, 3, 4), 0.9, ("hat",)),)
        self.long = False
        self.looked = 0
        self.asked: list[tuple[Turn, ...]] = []
        self.recent: list[tuple[str, ...]] = []

    @property
    def provider(self) -> str:
        return "CPU"

    def look(self, data: bytes) -> Scene:
        photo = decode(data)
        self.looked += 1
        pixel = photo.image.resize((1, 1)).getpixel((0, 0))
        assert isinstance(pixel, tuple)
        colour = COLOURS[pixel.index(max(pixel))]
        return Scene(f"a {colour} picture", self.people)

    def reply(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn] = (),
        *,
        speaker: int = 0,
        seed: int | None = None,
        recent: Collection[str] = (),
    ) -> Reply:
        assert self.gate.wait(30)
        if self.broken:
            raise RuntimeError("the fake engine is broken")
        self.asked.append(tuple(turns))
        self.recent.append(tuple(recent))
        said = f"to {turns[-1].author}, who said {turns[-1].text!r}" if turns else "for the first time"
        text = f"I am in {scene.caption} and speak {said}, in a {persona.voice} voice, after {len(turns)} turns."
        return Reply(f"{text} " + "Word. " * 500 if self.long else text, "framed", {"total": 1.0})
