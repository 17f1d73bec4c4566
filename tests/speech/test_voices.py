"""Free descriptions and card texts find their voice; what fits nothing is spoken plainly."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import TRAITS, VOICES, Persona
from bot.speech.personas import load_personas
from bot.speech.voices import nearest_voice, persona_of

DATA = Path(__file__).parent / "data"


def share(name: str) -> tuple[int, float, float]:
    """Return the number of descriptions and the shares of right voices and traits."""
    rows = [line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    found = [(nearest_voice(text), voices.split("|"), traits.split("|")) for voices, traits, text in rows]
    traits = [bool(set(one.traits) & set(wanted)) for one, _, wanted in found if wanted != ["-"]]
    return len(rows), sum(one.voice in voices for one, voices, _ in found) / len(rows), sum(traits) / len(traits)


def test_descriptions_not_tuned_on() -> None:
    count, voices, traits = share("voices_held_out.tsv")
    assert count >= 40
    assert voices >= 0.85
    assert traits >= 0.85


def test_descriptions_tuned_on() -> None:
    count, voices, traits = share("voices_tuning.tsv")
    assert count >= 48
    assert voices >= 0.95
    assert traits >= 0.9


def test_built_in_personas_find_themselves() -> None:
    personas = load_personas().values()
    found = [nearest_voice(f"{one.name}. {one.description} {one.greeting}").voice == one.voice for one in personas]
    assert sum(found) >= len(VOICES) - 2


@pytest.mark.parametrize("text", ["", "   ", "Steve", "\u65e5\u672c\u8a9e", "asdf 123", "\x00" * 50])
def test_nothing_near_is_said_so(text: str) -> None:
    found = nearest_voice(text)
    assert (found.voice, found.near, found.margin) == ("self", False, 0.0)


def test_scores_are_ordered_and_usable() -> None:
    found = nearest_voice(
        "a grumpy, sarcastic, hungry and very sleepy retired sea captain " + "with a long story " * 5000
    )
    assert found.near
    assert found.voice == found.voices[0][0] == "pirate"
    assert found.score > 3
    assert found.margin > 0
    assert set(dict(found.voices)) == set(VOICES)
    assert set(found.traits) <= set(TRAITS)
    assert len(found.traits) == 3
    assert Persona("x", "X", found.voice, found.traits).voice == "pirate"


def test_a_word_denied_does_not_count() -> None:
    assert nearest_voice("He is not a pirate.").voice == "self"
    assert nearest_voice("She hunts vampires in a trench coat as a detective").voice == "detective"


def test_a_description_becomes_a_persona() -> None:
    persona = persona_of("  a grumpy retired\nsea captain ")
    assert (persona.name, persona.voice, persona.traits) == ("The grumpy retired sea captain", "pirate", ("grumpy",))
    assert persona.description == "a grumpy retired sea captain"
    assert persona_of("my potato in a hat").voice == "self"
