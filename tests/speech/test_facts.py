"""Facts read from captions: garments, places, doings and people go to the right person, or stay empty."""

from __future__ import annotations

from bot.domain import NOBODY, Person, Scene
from bot.speech.facts import Facts, read_facts
from bot.speech.lexicon import article, gerund, singular
from bot.vision.caption_people import infer_people

MAN, WOMAN = Person("man", "adult", "happy", "left"), Person("woman", "adult", "happy", "right")


def slots(caption: str, *people: Person) -> dict[str, str]:
    return read_facts(Scene(caption, people or infer_people(caption))).slots()


def test_reads_garment_place_and_doing() -> None:
    found = slots("a man in a red jacket skis down a snowy slope")
    assert found["this_wear"] == "this red jacket"
    assert found["a_wear"] == "a red jacket"
    assert found["doing"] == "skiing down a snowy slope"
    assert found["at_place"] == "on the snowy slope"
    assert "thing" not in found


def test_garments_go_to_their_owner() -> None:
    caption = "a man in a black suit and a woman in a white dress dance at a wedding"
    assert slots(caption, MAN, WOMAN)["wear"] == "black suit"
    assert slots(caption, WOMAN, MAN)["wear"] == "white dress"
    assert slots(caption, MAN, WOMAN)["doing"] == slots(caption, WOMAN, MAN)["doing"] == "dancing at a wedding"


def test_shared_plural_garments_become_one() -> None:
    found = slots("a young man and woman in red soccer shirts take a selfie", MAN, WOMAN)
    assert found["a_wear"] == "a red soccer shirt"
    assert found["the_other"] == "the woman on the right"


def test_plural_by_nature_needs_these() -> None:
    found = slots("a woman in sunglasses reads a book on the beach")
    assert (found["this_wear"], found["a_wear"]) == ("these sunglasses", "sunglasses")
    assert found["a_thing"] == "a book"


def test_glasses_of_the_face_reader_count() -> None:
    person = Person("man", "adult", "neutral", "center", wears=("glasses",))
    assert slots("a man looks at the camera", person)["this_wear"] == "these glasses"


def test_animal_speaker_is_not_the_animal() -> None:
    dog = Person("dog", "-", "happy", "center")
    found = slots("a brown dog chews its paw while a black cat sleeps on a sofa", dog)
    assert found["doing"] == "chewing my paw"
    assert found["the_animal"] == "the black cat"


def test_passing_a_place_is_not_being_in_it() -> None:
    assert slots("a woman walks past a toy store")["at_place"] == "by the toy store"
    assert "at_place" not in slots("a kitchen with a red sofa", Person("man", "adult", "happy", "center"))


def test_unsure_slots_stay_empty() -> None:
    assert not read_facts(Scene("a blorp near some zargs", (NOBODY,)))
    assert "doing" not in slots("a man is seen from behind")


def test_others_verbs_are_not_mine() -> None:
    found = slots("a woman watches a man riding a horse", WOMAN, MAN)
    assert found["doing"] == "watching a man riding a horse"


def test_morphology() -> None:
    assert [gerund(base) for base in ("ski", "ride", "run", "lie", "look", "carry", "tie", "see")] == [
        "skiing", "riding", "running", "lying", "looking", "carrying", "tying", "seeing",
    ]  # fmt: skip
    assert [article(word) for word in ("orange kite", "unicorn hat", "hour", "red hat")] == ["an", "a", "an", "a"]
    assert [singular(word) for word in ("knives", "boxes", "cities", "glass", "women")] == [
        "knife", "box", "city", "glass", "woman",
    ]  # fmt: skip


def test_mass_nouns_take_some() -> None:
    assert Facts(thing="soup", thing_article="some").slots()["a_thing"] == "some soup"


def test_how_the_photo_was_taken_is_no_place() -> None:
    facts = slots("a man with short dark hair looks at the camera in a close portrait")
    assert facts["doing"] == "looking at the camera"
    assert "place" not in facts
