import pytest

from bot.domain import TRAITS, VOICES, BadInput, Failure
from bot.speech.personas import find_persona, load_personas

GOOD = 'id = "gull"\nname = "Gull"\nvoice = "pirate"\ntraits = ["grumpy"]\ntemperature = 1\n'


@pytest.fixture(scope="module")
def personas():
    return load_personas()


def test_there_is_one_persona_for_every_voice(personas):
    assert sorted(persona.voice for persona in personas.values()) == sorted(VOICES)
    assert list(personas) == [persona.id for persona in personas.values()]


def test_every_persona_has_a_character_of_its_own(personas):
    for attribute in ("name", "description", "catchphrase", "greeting"):
        texts = [getattr(persona, attribute) for persona in personas.values()]
        assert len(set(texts)) == len(texts)
        assert all(texts)
    for persona in personas.values():
        assert persona.description.endswith(".")
        assert len(persona.description) <= 120
        assert len(persona.likes) >= 2
        assert 0.5 <= persona.temperature <= 1.0
        # Discord refuses longer webhook names, and these two words in them.
        assert len(persona.name) <= 80
        assert not {"clyde", "discord"} & {*persona.name.casefold().split()}
        assert set(persona.traits) <= set(TRAITS)


@pytest.mark.parametrize(
    "query", ["pirate", "PIRATE", " Pirate ", "captain maribel saltmarrow", "Captain Maribel Saltmarrow"]
)
def test_finds_by_id_name_or_voice(personas, query):
    assert find_persona(personas, query).voice == "pirate"


def test_finds_by_voice_when_the_id_differs(tmp_path):
    (tmp_path / "gull.toml").write_text(GOOD)
    found = find_persona(load_personas(tmp_path), "Pirate")
    assert (found.id, found.traits, found.temperature) == ("gull", ("grumpy",), 1.0)


def test_unknown_personas_get_close_matches(personas):
    with pytest.raises(BadInput, match=r"There is no persona 'pirat'; did you mean pirate"):
        find_persona(personas, "pirat")
    with pytest.raises(BadInput, match="did you mean detective"):
        find_persona(personas, "lampblak")
    with pytest.raises(BadInput, match=r"choose one of alien, bard, .*wizard\."):
        find_persona(personas, "zzzzz")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "Invalid value"),
        ('id = "gull"', "lacks name"),
        (GOOD.replace("pirate", "parrot"), "unknown voice 'parrot'"),
        (GOOD.replace("grumpy", "tall"), "at most 3 traits"),
        (GOOD + "wings = 2", "unknown key wings"),
        (GOOD + 'likes = "fish"', "likes must be a list of words"),
        (GOOD.replace("= 1", "= true"), "temperature must be a number"),
        (GOOD.replace("= 1", "= 9"), "temperature must be a number"),
        (GOOD + "greeting = 3", "greeting must be one line of text"),
        (GOOD.replace('id = "gull"', 'id = "tern"'), "must be called tern.toml"),
        ("\udcff", "gull.toml cannot be used"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, says):
    (tmp_path / "gull.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Failure, match=r"The persona file .*gull\.toml cannot be used: .*\.$") as caught:
        load_personas(tmp_path)
    assert says in str(caught.value)


def test_an_empty_folder_and_twin_names_are_failures(tmp_path):
    with pytest.raises(Failure, match="no personas in"):
        load_personas(tmp_path)
    (tmp_path / "gull.toml").write_text(GOOD)
    (tmp_path / "tern.toml").write_text(GOOD.replace('"gull"', '"tern"'))
    with pytest.raises(Failure, match="gull and tern are both called Gull"):
        load_personas(tmp_path)
