"""The characters people make: kept, found by name, bounded, deleted."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain import BadInput, Persona
from bot.store.database import Database
from bot.store.limits import MAX_CATCHPHRASE, MAX_DESCRIPTION, MAX_GREETING, MAX_LIKE, MAX_LIKES, MAX_NAME
from bot.store.personas import MAX_AVATAR_BYTES, MAX_OWN, MAX_SERVER, Personas
from bot.store.scopes import Place, Scopes
from tests.store.connections import open_connections

ITSELF = Persona("self", "The One in the Photo")
PIRATE = Persona("pirate", "Captain Barnacle", "pirate", ("grumpy",))
SOCK = Persona(
    id="",
    name="Captain Sock",
    voice="pirate",
    traits=("shy", "wise"),
    description="A lost sock.",
    catchphrase="By my heel!",
    greeting="Ahoy.",
    likes=("drawers", "rain"),
    temperature=0.6,
    talkativeness=0.9,
)
ADA, BOB = 5, 6
HERE, THERE = 1, 2


@pytest.fixture
def personas(database: Database) -> Personas:
    return Personas(database, {"self": ITSELF, "pirate": PIRATE})


async def names(personas: Personas, guild_id: int | None, user_id: int) -> list[str]:
    return [persona.name for persona in (await personas.visible(guild_id, user_id)).values()]


async def test_a_character_comes_back_whole(database: Database, personas: Personas) -> None:
    card = {"spec": "chara_card_v2", "data": {"name": "Sock", "extensions": {"x": [1, None, "\x00"]}}}
    made = await personas.add(SOCK, owner_id=ADA, guild_id=HERE, avatar=b"\x89PNG", card=card)
    assert made.persona == replace(SOCK, id=made.persona.id)
    assert (made.owner_id, made.guild_id, made.has_avatar, made.card) == (ADA, HERE, True, card)
    again = Personas(database, {})
    assert await again.own(made.persona.id) == made
    assert await again.get(made.persona.id) == made.persona
    assert await again.avatar(made.persona.id) == b"\x89PNG"


async def test_a_character_without_picture_and_card_has_none(personas: Personas) -> None:
    made = await personas.add(SOCK, owner_id=ADA)
    assert (made.has_avatar, made.card, made.guild_id) == (False, None, None)
    assert await personas.own(made.persona.id) == made
    assert await personas.avatar(made.persona.id) is None


async def test_built_in_ones_are_had_by_id_but_are_nobodys(personas: Personas) -> None:
    assert await personas.get("pirate") == PIRATE
    assert await personas.own("pirate") is None
    assert await personas.get("nobody") is await personas.own("nobody") is await personas.avatar("nobody") is None


async def test_ids_tell_nothing_and_differ(personas: Personas) -> None:
    first = await personas.add(replace(SOCK, id="pirate"), owner_id=ADA)
    second = await personas.add(SOCK, owner_id=BOB)
    assert len({first.persona.id, second.persona.id, "pirate"}) == 3
    assert "sock" not in first.persona.id.casefold()


async def test_everyone_sees_their_own_the_servers_and_the_built_in_ones(personas: Personas) -> None:
    await personas.add(replace(SOCK, name="Zoe"), owner_id=ADA)
    await personas.add(replace(SOCK, name="anna"), owner_id=ADA)
    await personas.add(replace(SOCK, name="Here's"), owner_id=BOB, guild_id=HERE)
    await personas.add(replace(SOCK, name="There's"), owner_id=ADA, guild_id=THERE)
    await personas.add(replace(SOCK, name="Bob's"), owner_id=BOB)
    built_in = [ITSELF.name, PIRATE.name]
    assert await names(personas, HERE, ADA) == ["anna", "Zoe", "Here's", *built_in]
    assert await names(personas, THERE, BOB) == ["Bob's", "There's", *built_in]
    assert await names(personas, None, ADA) == ["anna", "Zoe", *built_in]
    assert await names(personas, None, 99) == built_in


async def test_characters_are_found_by_id_else_name_else_voice(personas: Personas) -> None:
    made = await personas.add(replace(SOCK, name="Pirate", voice="robot"), owner_id=ADA)
    assert await personas.find(made.persona.id, None, ADA) == made.persona
    assert await personas.find("PIRATE", None, ADA) == PIRATE  # its id, which goes before a name
    assert await personas.find(" captain barnacle ", None, ADA) == PIRATE
    assert await personas.find("robot", None, ADA) == made.persona
    sock = await personas.add(SOCK, owner_id=ADA)
    assert await personas.find("captain sock", HERE, ADA) == sock.persona


async def test_of_two_with_one_name_the_users_own_is_found(personas: Personas) -> None:
    of_server = await personas.add(SOCK, owner_id=BOB, guild_id=HERE)
    own = await personas.add(SOCK, owner_id=ADA)
    assert await personas.find("captain sock", HERE, ADA) == own.persona
    assert await personas.find("captain sock", HERE, BOB) == of_server.persona


async def test_a_wrong_name_is_answered_with_near_names_never_with_ids(personas: Personas) -> None:
    made = await personas.add(SOCK, owner_id=ADA)
    with pytest.raises(BadInput, match="did you mean Captain Sock") as near:
        await personas.find("captain sok", None, ADA)
    assert made.persona.id not in str(near.value)
    with pytest.raises(BadInput, match="choose one of self, pirate") as far:
        await personas.find("x" * 5000, None, ADA)
    assert len(str(far.value)) < 300
    with pytest.raises(BadInput, match="no persona"):  # somebody else's is not found by its id either
        await personas.find(made.persona.id, None, BOB)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("  Captain \n\t Sock\x00 ", "Captain Sock"),
        ("So\u200bck\u202e", "Sock"),
        ("Sock\u2028Two", "Sock Two"),
        ("袜子船长", "袜子船长"),
        ("👩\u200d🚀 Zoë", "👩\u200d🚀 Zoë"),
        ("n" * MAX_NAME, "n" * MAX_NAME),
    ],
)
async def test_names_are_one_clean_line(personas: Personas, name: str, kept: str) -> None:
    assert (await personas.add(replace(SOCK, name=name), owner_id=ADA)).persona.name == kept


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"name": " \n\u200b"}, "needs a name"),
        ({"name": "n" * (MAX_NAME + 1)}, "within 80 characters"),
        ({"name": "Mr DisCord"}, "no character have 'discord'"),
        ({"name": "Bonnie & CLYDE"}, "no character have 'clyde'"),
        ({"name": "dis\u200bcord"}, "no character have 'discord'"),
        ({"name": "free-nitro.com"}, "cannot speak under that name"),
        ({"name": "F.u.c.k"}, "cannot speak under that name"),
        ({"description": "d" * (MAX_DESCRIPTION + 1)}, "description is too long; keep it within 2000"),
        ({"catchphrase": "c" * (MAX_CATCHPHRASE + 1)}, "catchphrase is too long; keep it within 200"),
        ({"greeting": "g" * (MAX_GREETING + 1)}, "greeting is too long; keep it within 400"),
        ({"likes": ("tea",) * (MAX_LIKES + 1)}, "at most 10 things"),
        ({"likes": ("t" * (MAX_LIKE + 1),)}, "at most 60 characters"),
    ],
)
async def test_what_cannot_be_kept_is_one_sentence(
    personas: Personas, values: dict[str, str | tuple[str, ...]], expected: str
) -> None:
    good = await personas.add(SOCK, owner_id=ADA)
    with pytest.raises(BadInput, match=expected):
        await personas.add(replace(SOCK, **{"name": "Other", **values}), owner_id=ADA)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=expected):
        await personas.change(replace(good.persona, **values))  # type: ignore[arg-type]
    assert await personas.own(good.persona.id) == good


async def test_texts_are_kept_as_given_to_their_bounds(personas: Personas) -> None:
    full = replace(
        SOCK,
        description="d\n" * (MAX_DESCRIPTION // 2),
        catchphrase=" c" * (MAX_CATCHPHRASE // 2),
        greeting="g" * MAX_GREETING,
        likes=(" t " * (MAX_LIKE // 3),) * MAX_LIKES,
    )
    made = await personas.add(full, owner_id=ADA)
    assert await personas.get(made.persona.id) == replace(full, id=made.persona.id)


async def test_pictures_are_bounded(personas: Personas) -> None:
    made = await personas.add(SOCK, owner_id=ADA, avatar=b"x" * MAX_AVATAR_BYTES)
    with pytest.raises(BadInput, match="larger than 256 KB"):
        await personas.change(made.persona, avatar=b"x" * (MAX_AVATAR_BYTES + 1))
    with pytest.raises(BadInput, match="larger than 256 KB"):
        await personas.add(replace(SOCK, name="Two"), owner_id=ADA, avatar=b"x" * (MAX_AVATAR_BYTES + 1))


async def test_a_name_is_taken_once_among_those_seen_together(personas: Personas) -> None:
    await personas.add(SOCK, owner_id=ADA)
    await personas.add(SOCK, owner_id=BOB)
    await personas.add(replace(SOCK, name="Straße"), owner_id=BOB, guild_id=HERE)
    for name, owner, guild in (
        ("captain SOCK", ADA, None),
        ("Captain Sock", ADA, HERE),  # Ada sees both in that server
        ("CAPTAIN BARNACLE", ADA, None),
        ("the one in the photo", BOB, THERE),
        ("STRASSE", ADA, HERE),
    ):
        with pytest.raises(BadInput, match=r"called .* already; choose another name"):
            await personas.add(replace(SOCK, name=name), owner_id=owner, guild_id=guild)
    await personas.add(replace(SOCK, name="Straße"), owner_id=ADA, guild_id=THERE)


async def test_a_name_wanted_twice_at_once_is_given_once(database: Database, personas: Personas) -> None:
    await open_connections(database)
    results = await asyncio.gather(*(personas.add(SOCK, owner_id=ADA) for _ in range(4)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["BadInput"] * 3 + ["OwnPersona"]


async def test_users_and_servers_have_room_for_so_many(personas: Personas) -> None:
    for number in range(MAX_OWN):
        await personas.add(replace(SOCK, name=f"Sock {number}"), owner_id=ADA)
    with pytest.raises(BadInput, match="You have 25 characters"):
        await personas.add(SOCK, owner_id=ADA)
    await personas.add(SOCK, owner_id=BOB)
    for number in range(MAX_SERVER):
        await personas.add(replace(SOCK, name=f"Shoe {number}"), owner_id=ADA, guild_id=HERE)
    with pytest.raises(BadInput, match="This server has 100 characters"):
        await personas.add(SOCK, owner_id=7, guild_id=HERE)
    await personas.add(SOCK, owner_id=7, guild_id=THERE)


async def test_a_changed_character_keeps_its_id_owner_card_and_picture(personas: Personas) -> None:
    made = await personas.add(SOCK, owner_id=ADA, guild_id=HERE, avatar=b"old", card={"data": 1})
    new = replace(made.persona, name="Captain SOCK", voice="robot", traits=(), likes=(), catchphrase="Beep.")
    changed = await personas.change(new)
    assert changed == replace(made, persona=new, version=changed.version)
    assert changed.version > made.version
    assert await personas.own(new.id) == changed
    assert await personas.avatar(new.id) == b"old"
    pictured = await personas.change(new, avatar=b"new")
    assert await personas.avatar(new.id) == b"new"
    assert pictured.version > changed.version
    bare = await personas.add(replace(SOCK, name="Two"), owner_id=ADA)
    assert (await personas.change(bare.persona)).has_avatar is False


async def test_what_is_gone_or_built_in_cannot_be_changed(personas: Personas) -> None:
    made = await personas.add(SOCK, owner_id=ADA)
    await personas.remove(made.persona.id)
    for persona in (made.persona, replace(PIRATE, name="Mine")):
        with pytest.raises(BadInput, match="gone; make a new one"):
            await personas.change(persona)


async def test_a_removed_character_is_chosen_nowhere_any_more(database: Database, personas: Personas) -> None:
    scopes, place = Scopes(database), Place(HERE, 2, 3, ADA)
    made = await personas.add(SOCK, owner_id=ADA)
    other = await personas.add(replace(SOCK, name="Two"), owner_id=ADA)
    await scopes.put("server", place, persona_id=other.persona.id)
    await scopes.put("channel", place, persona_id=made.persona.id, listen="every")
    await scopes.put("member", place, persona_id=made.persona.id)
    await personas.remove(made.persona.id)
    choice = await scopes.resolve(place)
    assert (choice.persona_id, choice.listen) == (other.persona.id, "every")
    assert (await database.counts())["scopes"] == 2
    assert await personas.get(made.persona.id) is None


async def test_a_server_that_is_gone_takes_its_characters_along(database: Database, personas: Personas) -> None:
    await personas.add(SOCK, owner_id=ADA, guild_id=HERE)
    kept = [await personas.add(SOCK, owner_id=ADA, guild_id=THERE), await personas.add(SOCK, owner_id=BOB)]
    await personas.forget_guild(HERE)
    assert (await database.counts())["personas"] == 2
    assert [await personas.own(own.persona.id) for own in kept] == kept
