"""Who is chosen to speak."""

from collections.abc import AsyncIterator

import pytest

from bot.cogs.casting import Casting, named
from bot.domain import BadInput, Persona
from bot.settings import Settings
from bot.store.database import Database
from bot.store.personas import Personas
from bot.store.scopes import Choice, Place

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
    found = named(text, PERSONAS)
    assert (found.id if found else "self") == expected


@pytest.fixture
async def personas(settings: Settings) -> AsyncIterator[Personas]:
    database = await Database.open(settings.database_url)
    yield Personas(database, PERSONAS)
    await database.close()


async def test_the_default_may_be_an_id_or_a_name(personas: Personas) -> None:
    assert Casting(personas, "captain barnacle").default.id == "pirate"


async def test_an_unknown_default_is_refused_with_the_choices(personas: Personas) -> None:
    with pytest.raises(
        BadInput, match=r"DEFAULT_PERSONA cannot be used: There is no persona 'nobody'; choose one of self, queen"
    ):
        Casting(personas, "nobody")


async def test_the_message_wins_over_the_place_and_the_place_over_the_default(personas: Personas) -> None:
    casting, place = Casting(personas, "self"), Place(1, 2, None, 3)
    assert (await casting.choose("as a pirate", place, Choice("queen"))).id == "pirate"
    assert (await casting.choose("hello", place, Choice("queen"))).id == "queen"
    assert (await casting.choose("hello", place, Choice())).id == "self"
    assert (await casting.choose("hello", place, Choice("deleted"))).id == "self"


async def test_the_characters_people_made_are_named_too_but_only_where_they_are(personas: Personas) -> None:
    own = await personas.add(Persona("", "Uncle Bob", "cowboy"), owner_id=3)
    casting = Casting(personas, "self")
    assert (await casting.choose("uncle bob!", Place(1, 2, None, 3), Choice())) == own.persona
    assert (await casting.choose("uncle bob!", Place(1, 2, None, 4), Choice())).id == "self"
