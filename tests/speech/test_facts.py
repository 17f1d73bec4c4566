"""Facts read from captions: garments, places, doings and people go to the right person, or stay empty."""

from __future__ import annotations

import pytest

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


@pytest.mark.parametrize(
    ("caption", "doing"),
    [
        ("a brown bear lies on a dry grass near a tree", "lying on dry grass near a tree"),
        ("a herd of cows graze on a grassy field with a small black and white cows", "grazing on a grassy field"),
        ("a bear stands on a dry ground", "standing on the dry ground"),
        ("a brown horse stands on a sandy horses", "standing"),
        ("a man sits on a motorcycle in a woods", "sitting on a motorcycle in the woods"),
        ("a person sits on a skateboard in front of a shoes", "sitting on a skateboard"),
        ("a man swings a bat on a night", "swinging a bat"),
        ("a man throws from the plate with a catcher", ""),
        ("a woman waits at a ball on a court", "waiting for a ball on a court"),
        ("a woman waits at a bus stop", "waiting at a bus stop"),
        ("a man swings at a bat", "swinging a bat"),
        ("a man swings at the catcher and umpire", ""),
        ("a man throws the mound", ""),
        ("two women hang wallpaper and one strip has fallen", "hanging wallpaper"),
        ("three kids in the back seat of a car hold up bags of chips", "holding up bags of chips"),
        ("a man throws from the ball", ""),
        ("a woman rides a soccer ball on the grass", ""),
        ("a man walks on a motorcycle on a street", "walking"),
        ("a man holds a bat at a city street", "holding a bat on a city street"),
        ("a woman in a white shirt sit on a table", "sitting on a table"),
        ("a close selfie of a man and a woman with rain dripping down their faces", ""),
        ("a man waves from a glass cabin high above a city skyline", "waving from a glass cabin"),
    ],
)
def test_slips_of_the_captioner_are_set_right_or_left_out(caption: str, doing: str) -> None:
    assert slots(caption).get("doing", "") == doing


@pytest.mark.parametrize(
    ("caption", "place"),
    [
        ("a man throws from the mound", "on the mound"),
        ("a man stands at a city street", "on the city street"),
        ("a bench stands in a grassy hill", "on the grassy hill"),
        ("a man stands on a forest", "in the forest"),
        ("a man swings at the dugout", ""),
        ("five people float down a lazy river", "on the lazy river"),
        ("a girl glares at the camera from a couch", "on the couch"),
        ("a couple sits in the bed of a parked truck", ""),
        ("a traffic light hangs on a street sign under a cloudy sky", ""),
    ],
)
def test_places_get_the_preposition_of_being_there(caption: str, place: str) -> None:
    assert slots(caption).get("at_place", "") == place


def test_things_that_only_sound_like_things_or_animals() -> None:
    assert "thing" not in slots("a baseball batter in white swings at the plate with a catcher")
    assert "thing" not in slots("a man in a white shirt stands in front of a stone building")
    assert "animal" not in slots("a dog lies on a bed in front of a brown cattle")
    assert "thing" not in slots("a tray of rows of scissors")
    assert "thing" not in slots("a man dressed as a banana runs in a race")
    assert slots("a boy dressed as a dog runs in a park")["doing"] == "running in a park"
    assert "animal" not in slots("a boy dressed as a dog runs in a park")
    assert "animal" not in slots("a girl eats a corn dog")


def test_colours_of_the_photo_and_bare_words_are_no_looks() -> None:
    assert "wear" not in slots("a bride and groom touch foreheads in black and white", WOMAN, MAN)
    assert "wear" not in slots("a shirtless man in a white shirt hits a ball")
    assert "hair" not in slots("a portrait of a girl with hair")
    assert "hair" not in slots("a bearded dragon rests on a rock", Person("animal", "-", "neutral", "center"))
    assert slots("a close black and white portrait of a man with short dark hair")["hair"] == "short dark hair"


def test_a_grown_up_of_the_caption_is_not_the_child_of_the_list() -> None:
    child, man = Person("person", "child", "unclear", "left"), Person("man", "adult", "neutral", "right")
    found = slots("a man in a shirt sits on a bench at a restaurant table", child, man)
    assert not {"wear", "doing", "at_place"} & found.keys()
    assert found["the_other"] == "the man on the right"


def test_who_may_be_either_of_two_has_only_what_both_have() -> None:
    other = Person("man", "adult", "neutral", "right")
    found = slots("a man in a black suit and a man in a white suit dance in a park", MAN, other)
    assert "wear" not in found
    assert found["doing"] == "dancing in a park"
    third = Person("man", "adult", "angry", "center")
    found = slots("two referees in yellow shirts argue with a man in a suit", third, MAN, other)
    assert not {"wear", "doing"} & found.keys()
    assert found["the_other"] == "the two people beside me"
    found = slots("a man in a hat climbs a rope while his teammates watch", MAN, other)
    assert (found["wear"], found["doing"]) == ("hat", "climbing a rope")
