"""Who is chosen to speak."""

import pytest

from bot.cogs.casting import Casting
from bot.domain import BadInput, Persona

PERSONAS = {
    persona.id: persona
    for persona in (
        Persona("self", "The One in the Photo"),
        Persona("queen", "Queen", "queen"),
        Persona("hearts", "Queen of Hearts", "queen"),
        Persona("pirate", "Captain Barnacle", "pirate"),
    )
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "self"),
        ("pirate", "pirate"),
        ("Pirate!", "pirate"),
        (": pirate please", "pirate"),
        ("captain barnacle, look at this", "pirate"),
        ("queen of hearts", "hearts"),
        ("queen", "queen"),
        ("what do you say as a pirate?", "pirate"),
        ("say it as the queen", "queen"),
        ("my daughter the pirate", "self"),
        ("pirates everywhere", "self"),
        ("has queen", "self"),
    ],
)
def test_a_message_names_its_persona(text: str, expected: str) -> None:
    assert Casting(PERSONAS, "self").choose(text).id == expected


def test_the_default_may_be_an_id_or_a_name() -> None:
    assert Casting(PERSONAS, "captain barnacle").choose("hello").id == "pirate"


def test_an_unknown_default_is_refused_with_the_choices() -> None:
    with pytest.raises(
        BadInput, match=r"DEFAULT_PERSONA cannot be used: There is no persona 'nobody'; choose one of self, queen"
    ):
        Casting(PERSONAS, "nobody")
