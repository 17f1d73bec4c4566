"""Character cards come in, become personas and go out equal."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.domain import Persona
from bot.speech.card_json import BACKFILLED
from bot.speech.cards import Card, Mapped, check_card, persona_of_card, read_card, write_card
from bot.speech.personas import load_personas
from tests.character_cards import V1, V2, V3, json_card, picture, png_card, png_with, text_chunk, texts_of

SAMPLES = {"v1": V1, "v2": V2, "v3": V3}
CHARACTERS = json.loads((Path(__file__).parent / "data" / "cards.json").read_text(encoding="utf-8"))


def v2(**fields: Any) -> dict[str, Any]:
    return {"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": "Ann", **fields}}


def persona(card: dict[str, Any]) -> Persona:
    return persona_of_card(check_card(card), "ann").persona


def again(one: Persona, card: Card | None, kind: Any = "json") -> tuple[dict[str, Any], Persona]:
    """Return the JSON of a persona's export and the persona it becomes when it is imported."""
    read = read_card(write_card(one, card, None, kind=kind))
    return read.data, persona_of_card(read, one.id).persona


@pytest.mark.parametrize("kind", ["png", "json"])
@pytest.mark.parametrize("sent", [json_card, png_card])
@pytest.mark.parametrize("sample", SAMPLES)
def test_an_unchanged_card_goes_out_equal(sample, sent, kind):
    card = read_card(sent(SAMPLES[sample]))
    assert (card.spec, card.data) == (f"chara_card_{sample}", SAMPLES[sample])
    one = persona_of_card(card, "x").persona
    assert again(one, card, kind) == (SAMPLES[sample], one)


def test_other_programs_find_the_card_in_the_picture():
    for sample in (V1, V2):
        card = check_card(sample)
        png = write_card(persona_of_card(card, "x").persona, card, picture(), kind="png")
        assert texts_of(png) == {"chara": sample}
    card = check_card(V3)
    texts = texts_of(write_card(persona_of_card(card, "x").persona, card, None, kind="png"))
    assert texts["ccv3"] == V3
    older = texts["chara"]
    assert (older["spec"], older["spec_version"]) == ("chara_card_v2", "2.0")
    assert older["data"]["creator_notes"].startswith(BACKFILLED)
    assert older["data"]["creator_notes"].endswith("English notes")
    assert "assets" not in older["data"]
    assert all(
        older["data"][field] == V3["data"][field] for field in ("name", "first_mes", "extensions", "character_book")
    )
    assert check_card(older).spec == "chara_card_v2"


def test_version_3_wins_over_its_backfill_in_any_order_and_case():
    for chunks in ([("chara", V2), ("ccv3", V3)], [("CCV3", V3), ("Chara", V2)]):
        assert read_card(png_with(*(text_chunk(*one) for one in chunks))).data == V3


def test_files_that_are_odd_but_fine():
    assert read_card(b"\xef\xbb\xbf" + json_card(V1)).data == V1
    wrapped = text_chunk("chara", b"eyJuYW1lIjoi\nQW5uIiwiZGVz Y3JpcHRpb24iOiIifQ")  # no padding, broken lines
    assert read_card(png_with(wrapped)).data == {"name": "Ann", "description": ""}
    odd = v2(tags=None, extensions=None, description=None, first_mes="Hi \ud83d there", extra="\ud800\u0000")
    card = read_card(json_card(odd))
    assert persona_of_card(card, "x").persona.greeting == "Hi there"
    assert again(persona_of_card(card, "x").persona, card, "png")[0] == odd
    assert check_card({**V3, "spec_version": "3.7"}).spec == "chara_card_v3"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_the_picture_becomes_a_square_avatar(mode):
    card = read_card(png_with(text_chunk("chara", V1), base=picture(600, 900, mode)))
    assert card.image
    with Image.open(BytesIO(card.image)) as opened:
        assert (opened.size, opened.format, opened.info) == ((256, 256), "PNG", {})
        grey = opened.convert("L")
    # A tall picture is cut near its top, where the face is: the gradient grows darker upwards.
    assert grey.getpixel((128, 0)) < 40 or mode == "1"
    assert 120 < grey.getpixel((128, 255)) < 210 or mode == "1"
    assert read_card(json_card(V1)).image is None


def test_small_pictures_stay_small_and_missing_ones_are_drawn():
    card = read_card(png_card(V1))
    with Image.open(BytesIO(card.image or b"")) as opened:
        assert opened.size == (60, 60)
    tiles = set()
    for name in ("Ann", "Bob", "英叔", "\U0001f600", "\ud800"):
        png = write_card(Persona("x", name), None, None, kind="png")
        with Image.open(BytesIO(png)) as opened:
            assert opened.size == (256, 256)
            tiles.add(opened.convert("RGB").tobytes())
    assert len(tiles) == 5


@pytest.mark.parametrize("kind", ["png", "json"])
def test_built_in_personas_come_back_equal(kind):
    for one in load_personas().values():
        data, back = again(one, None, kind)
        assert back == one
        assert data["data"]["first_mes"] == one.greeting
        assert one.catchphrase in data["data"]["mes_example"]


def test_built_in_personas_survive_programs_that_drop_what_they_do_not_know():
    same = 0
    for one in load_personas().values():
        data = read_card(write_card(one, None, None, kind="json")).data
        data["data"]["extensions"] = {}
        back = persona(data)
        assert (back.name, back.greeting) == (one.name, one.greeting)
        assert set(back.traits) >= set(one.traits)
        same += back.voice == one.voice
    assert same >= 23


def test_everything_of_an_own_persona_comes_back():
    one = Persona(
        "x", "小明 \U0001f468\u200d\U0001f373", "robot", ("shy", "wise", "hungry"), "One.\n\u3000第二行", "Beep!",
        'Hello *there* "friend"', ("tea; or coffee", "rain"), "", 1.25, 0.0,
    )  # fmt: skip
    assert again(one, None)[1] == one
    assert again(replace(one, greeting="", likes=(), voice="self", traits=()), None)[1].greeting == ""


def test_an_edit_changes_only_its_own_fields():
    card = check_card(V2)
    one = persona_of_card(card, "x").persona
    edited = replace(one, voice="robot", traits=("shy",), likes=(), temperature=1.0)
    data, back = again(edited, card)
    assert back == edited
    ours = data["data"]["extensions"].pop("talking_photos")
    assert ours == {"voice": "robot", "traits": ["shy"], "likes": [], "temperature": 1.0}
    assert data == V2

    renamed = replace(one, name="Vera H.", greeting="Hello.")
    data, back = again(renamed, card)
    assert back == renamed
    assert (data["data"]["name"], data["data"]["first_mes"]) == ("Vera H.", "Hello.")
    assert {**data["data"], "name": 0, "first_mes": 0, "extensions": 0} == {
        **V2["data"], "name": 0, "first_mes": 0, "extensions": 0,
    }  # fmt: skip
    assert card.data == V2  # the card itself is not touched


@pytest.mark.parametrize("sample", SAMPLES)
def test_edits_of_edits_come_back(sample):
    card = check_card(SAMPLES[sample])
    first = replace(persona_of_card(card, "x").persona, name="New Name", voice="surfer", greeting="", catchphrase="Yo.")
    card = read_card(write_card(first, card, None, kind="png"))
    assert persona_of_card(card, "x").persona == replace(
        first, description=first.description.replace("Brine", "New Name")
    )
    second = replace(
        persona_of_card(card, "x").persona, voice="pirate", greeting="Ahoy *mate*", catchphrase="", talkativeness=0.9
    )
    card = read_card(write_card(second, card, None, kind="png"))
    assert persona_of_card(card, "x").persona == second
    assert json.loads(write_card(second, card, None, kind="json")) == card.data


def test_a_new_name_changes_no_voice_and_no_first_message():
    card = check_card({**V1, "description": "Likes: fog.", "personality": "", "scenario": "", "name": "Captain Pirate"})
    one = replace(persona_of_card(card, "x").persona, name="Robot Android")
    data, back = again(one, card)
    assert (back.voice, back.likes) == ("pirate", ("fog",))
    assert back.greeting == one.greeting.replace("Captain Pirate", "Robot Android")
    assert data == {**card.data, "name": "Robot Android", "extensions": {"talking_photos": {"voice": "pirate"}}}


def test_a_greeting_changed_by_another_program_is_newer_than_ours():
    data = read_card(write_card(Persona("x", "Ann", greeting="Hello."), None, None, kind="json")).data
    data["data"]["first_mes"] = "*nods* Good evening."
    assert persona(data).greeting == "Good evening."


@pytest.mark.parametrize(
    "ours",
    [
        [], "pirate", {"voice": "parrot"}, {"voice": ["pirate"]}, {"traits": ["shy"] * 4}, {"traits": ["tall"]},
        {"traits": "shy"}, {"temperature": 0}, {"temperature": True}, {"temperature": 1e300}, {"talkativeness": -1},
        {"likes": ["x" * 2000]}, {"likes": [1]}, {"likes": [[]]}, {"likes": ["a"] * 99},
        {"catchphrase": "see www.x.com"}, {"traits": ["shy", "shy"]},
        {"catchphrase": "\u0000"}, {"description": "\ud800"}, {"avatar": "/etc/passwd"}, {"id": "y"}, {"name": "Eve"},
    ],
)  # fmt: skip
def test_what_is_wrong_in_our_extension_is_ignored(ours):
    assert persona(v2(extensions={"talking_photos": ours})) == persona(v2())


def test_shows_what_became_of_the_fields():
    mapped = persona_of_card(check_card(V2), "x")
    assert mapped.near
    assert mapped.mapped == (
        ("name", "Vera Holt"),
        ("tags, personality, description, system_prompt", "voice detective, traits sarcastic, suspicious"),
        ("first_mes", "greeting"),
        ("description", "likes"),
        ("extensions.talkativeness", "talkativeness"),
    )
    assert mapped.persona.talkativeness == 0.3
    assert {"alternate_greetings", "character_book", "creator", "extensions.chub", "avatar"} <= set(mapped.kept)
    assert not {"mes_example", "description", "extensions.talkativeness"} & set(mapped.kept)
    plain = persona_of_card(check_card(v2(description="Somebody.")), "x")
    assert (plain.persona.voice, plain.near) == ("self", False)
    many = persona_of_card(check_card(v2(**{f"{i}\n{'x' * 500}": 1 for i in range(5000)})), "x")
    assert len(many.kept) <= 40
    assert all(len(field) <= 60 and field.isprintable() for field in many.kept)


def test_edited_cards_say_that_our_extension_was_used():
    mapped: Mapped = persona_of_card(
        check_card(v2(extensions={"talking_photos": {"voice": "robot", "catchphrase": "Beep."}})), "x"
    )
    assert mapped.near
    assert ("extensions.talking_photos", "voice robot") in mapped.mapped
    assert ("extensions.talking_photos", "catchphrase") in mapped.mapped


@pytest.mark.parametrize(
    ("first", "greeting"),
    [
        ("Hello, {{user}}! I am <BOT>.", "Hello, you! I am Ann."),
        ("*waves* Hi! *sits\ndown* How are {{USER}}?", "Hi! How are you?"),
        ("I **really** like {{user}}'s hat, I *love* it.", "I really like your hat, I love it."),
        ('The door opens. "Come in," she says, "sit." It is cold.', "Come in, sit."),
        ("\u201cOh!\u201d He looks up. \u201cYou came.\u201d", "Oh! You came."),
        ('They call me "The Blade" here.', 'They call me "The Blade" here.'),
        ("Ann: Good day.", "Good day."),
        ("![pic](https://x.org/a.png)\n# Night\n<b>Hi</b> there. {{random:a,{{roll:2}}}}", "Night Hi there."),
        ("_She nods._ Well, well.", "Well, well."),
        ("*The whole text is one action", ""),
        ("Short. " + "And then a very long sentence " * 9 + ".", "Short."),
        ("One very long sentence " * 9, ""),
        ("My name is Dr. Strange Hat. " + "x" * 95, "My name is Dr. Strange Hat."),
        ("你好。" + "我" * 118 + "。", "你好。"),
        ("Visit www.badsite.com now!", ""),
        ("Hi. You are ugly.", "Hi."),
        ("\U0001f600\U0001f44b", ""),
        ("...", ""),
    ],
)  # fmt: skip
def test_greetings(first, greeting):
    assert persona(v2(first_mes=first)).greeting == greeting


@pytest.mark.parametrize(
    ("description", "likes"),
    [
        ("Likes: tea, long walks and rain.\nDislikes: noise", ("tea", "long walks and rain")),
        ('Age("30") Likes("tea" + "rain") Dislikes("noise")', ("tea", "rain")),
        ("[Ann: tall, shy; likes: tea, rain; dislikes: noise]", ("tea", "rain")),
        ("**Likes:**\n- tea\n- rain\n\nOther", ("tea", "rain")),
        ("Loves = [tea, rain]", ("tea", "rain")),
        ("Hobbies: a, b, c, d, e, f, g", ("a", "b", "c", "d", "e")),
        ("喜欢：茶、雨", ("茶", "雨")),
        ("Dislikes: noise. She likes tea.", ()),
        ("Likes: " + "x" * 61 + ", tea, tea, www.x.com", ("tea",)),
        ("Likes:", ()),
    ],
)
def test_likes(description, likes):
    assert persona(v2(description=description)).likes == likes


def test_names_are_fit_for_a_message():
    assert persona(v2(name="  Ann\n of\t the   Hill ")).name == "Ann of the Hill"
    assert persona(v2(name="\u202eAnn\u200b")).name == "Ann"
    assert persona(v2(name="\U0001f468\u200d\U0001f373")).name == "\U0001f468\u200d\U0001f373"
    assert persona(v2(nickname="Annie")).name == "Annie"
    long = v2(name="Ann " * 100)
    assert len(persona(long).name) <= 80
    assert again(persona(long), check_card(long))[0] == long
    renamed = replace(persona(v2(nickname="Annie")), name="Bea")
    assert again(renamed, check_card(v2(nickname="Annie")))[1].name == "Bea"


@pytest.mark.parametrize(
    ("voice", "description"),
    [
        ("pirate", "{{char}} is a retired buccaneer who runs a tavern full of stolen figureheads."),
        ("detective", "A private eye with a flask and a filing cabinet of unsolved cases."),
        ("wizard", "Court sorcerer, 300 years old, allergic to his own familiar."),
        ("robot", "A household android, Model 5, whose firmware is older than the house."),
        ("queen", "Her Majesty of a very small island, and of everyone in the room."),
        ("grandma", "Somebody's nonna, always cooking, never sitting down."),
        ("vampire", "[species: vampire; age: 400; lives in: a crypt with broadband]"),
        ("knight", 'Occupation("paladin") Creed("protect the weak") Weapon("sword")'),
        ("teen", "A high school student glued to her phone, full of slang."),
        ("surfer", "Laid back beach dude who teaches surfing at dawn."),
        ("villain", "An evil genius planning world domination from a lair."),
        ("butler", "The valet of an old family, discreet, with white gloves."),
    ],
)
def test_descriptions_find_a_plausible_voice(voice, description):
    mapped = persona_of_card(check_card(v2(description=description)), "x")
    assert (mapped.persona.voice, mapped.near) == (voice, True)


@pytest.mark.parametrize(("seen", "least"), [(True, 19), (False, 9)])
def test_cards_get_the_voice_a_person_would_choose(seen, least):
    cards = [one for one in CHARACTERS if one["seen"] is seen]
    found = [(persona(one["card"]), one) for one in cards]
    assert sum(one.voice in wanted["voices"] for one, wanted in found) >= least
    assert sum(bool(set(one.traits) & set(wanted["traits"])) for one, wanted in found) >= 0.7 * len(cards)
