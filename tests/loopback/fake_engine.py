"""An engine that needs no models: it sees the colour of a picture, answers by counting and draws plain colours."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Collection, Mapping, Sequence

from PIL import Image

from bot.domain import BadInput, Box, Person, Persona, Reply, Scene, Turn
from bot.portrait.artist import Portrait
from bot.portrait.pictures import Drawing, as_gif, drawing_of
from bot.portrait.wishes import Wish
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
        self.drawn: list[tuple[Wish, int]] = []
        self.morphed: list[tuple[str, int]] = []

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
        self._work()
        self.asked.append(tuple(turns))
        self.recent.append(tuple(recent))
        said = f"to {turns[-1].author}, who said {turns[-1].text!r}" if turns else "for the first time"
        text = f"I am in {scene.caption} and speak {said}, in a {persona.voice} voice, after {len(turns)} turns."
        return Reply(f"{text} " + "Word. " * 500 if self.long else text, "framed", {"total": 1.0})

    def draw(self, wish: Wish, seed: int) -> Drawing:
        self._work()
        self.drawn.append((wish, seed))
        decided = wish.decided(seed)
        return drawing_of(Portrait(plain(f"{decided} {seed}"), seed, decided))

    def morph(self, data: bytes, change: str, box: Box | None = None) -> bytes:
        photo = decode(data).image
        self._work()
        boxes = sorted((one.box for one in self.people if one.box), key=lambda one: one.area, reverse=True)
        if not boxes or box not in (None, *boxes):
            raise BadInput("There is no face in that photo.")
        face = boxes.index(box) if box else 0
        self.morphed.append((change, face))
        return as_gif([plain(repr(photo.getpixel((0, 0)))), plain(f"{change} {face}")], [100, 100])

    def _work(self) -> None:
        """Wait at the gate, and fail if that is wished."""
        assert self.gate.wait(30)
        if self.broken:
            raise RuntimeError("the fake engine is broken")


def plain(about: str) -> Image.Image:
    """Return a small picture in a colour that a text decides."""
    colour = zlib.crc32(about.encode())
    return Image.new("RGB", (32, 32), (colour & 255, colour >> 8 & 255, colour >> 16 & 255))
