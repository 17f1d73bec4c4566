"""The pictures of the built-in characters: there, small, marked as drawn, and those of the shipped GAN."""

import io

import numpy as np
import pytest
from PIL import Image

from bot.portrait.pictures import DRAWN, SIDE
from bot.portrait.studio import Studio
from bot.portrait.wishes import Wish
from bot.runtime.bundle import Bundle
from bot.speech.personas import AVATARS, built_in_avatar, load_personas
from export.avatars import SEEDS, avatar, wish

PERSONAS = load_personas()


@pytest.fixture(scope="module")
def studio() -> Studio:
    return Studio(Bundle(), provider="cpu", threads=1)


def test_every_built_in_character_has_a_picture_and_nobody_else() -> None:
    assert {path.stem for path in AVATARS.iterdir()} == set(PERSONAS) == set(SEEDS)
    assert built_in_avatar("somebody else") is None


@pytest.mark.parametrize("persona_id", list(PERSONAS))
def test_a_picture_is_what_the_shipped_gan_draws_from_its_seed(studio: Studio, persona_id: str) -> None:
    data = built_in_avatar(persona_id)
    assert data
    assert len(data) < 24_000
    assert DRAWN.encode() in data
    shipped = Image.open(io.BytesIO(data))
    assert (shipped.format, shipped.size) == ("JPEG", (SIDE, SIDE))
    drawn = avatar(studio, PERSONAS[persona_id], SEEDS[persona_id])
    gap = np.abs(np.asarray(shipped, np.int16) - np.asarray(drawn, np.int16))
    assert gap.mean() < 5


def test_names_decide_whom_descriptions_leave_open() -> None:
    assert wish(PERSONAS["pirate"]).gender == "female"
    assert wish(PERSONAS["grandma"]) == Wish("senior", "female", "happy")
    assert all(wish(persona).gender for key, persona in PERSONAS.items() if key != "self")
