"""What the people of the tour bring along: photos, a character card, and an engine that needs no models."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from bot.domain import Box, Person, Scene
from bot.vision.photo import decode
from tests.cogs.persona_steps import WholeCast

PHOTOS = Path(__file__).parents[2] / "docs" / "screens" / "photos"
PORTRAIT, GROUP, CAT = ("portrait.jpg", "group.jpg", "cat.jpg")
CARD: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "data": {
        "name": "Captain Whiskers",
        "description": "{{char}} is a pirate captain with four paws. Likes: tuna, warm engine rooms, knocking things "
        "off the chart table.",
        "personality": "grumpy, boastful",
        "scenario": "The bridge of a very small ship.",
        "first_mes": "*yawns* Ye may scratch me chin. Once.",
        "mes_example": "",
        "creator_notes": "Made up for the tour of this project.",
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": ["*stares*"],
        "tags": ["cat", "pirate"],
        "creator": "Ada",
        "character_version": "1",
        "extensions": {"talkativeness": "0.8"},
    },
}


def photo(name: str) -> tuple[str, bytes]:
    """Return a photo as somebody posts it."""
    return name, (PHOTOS / name).read_bytes()


def card() -> tuple[str, bytes]:
    """Return a character card: a picture with the character in it."""
    image, out, text = Image.open(PHOTOS / CAT), BytesIO(), PngImagePlugin.PngInfo()
    text.add_text("chara", base64.b64encode(json.dumps(CARD).encode()).decode())
    image.crop((60, 0, 340, 300)).save(out, "PNG", pnginfo=text)
    return "captain-whiskers.png", out.getvalue()


def plain_card(name: str) -> tuple[str, bytes]:
    """Return a card that is only text, of somebody who thinks a lot."""
    empty = {"first_mes": "", "scenario": "", "tags": [], "extensions": {}}
    data = {"name": name, "description": "A philosopher.", "personality": "dramatic, boastful, sentimental"}
    return "card.json", json.dumps({**CARD, "data": {**CARD["data"], **empty, **data}}).encode()


class Extras(WholeCast):
    """Sees two people in wide pictures and one in others; everybody is there to play, and nobody says much."""

    def look(self, data: bytes) -> Scene:
        image = decode(data).image
        man = Person("man", "senior", "happy", "left", Box(100, 100, 180, 220), 0.9, ("glasses",))
        woman = Person("woman", "adult", "happy", "right", Box(520, 90, 200, 250), 0.9)
        wide = image.width > 1.5 * image.height
        self.people = (man, woman) if wide else (woman,)  # type: ignore[assignment]
        return super().look(data)
