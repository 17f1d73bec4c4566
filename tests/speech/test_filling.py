"""Filling: facts go into slots grammatically, and come out of texts again."""

from __future__ import annotations

import pytest

from bot.speech.facts import Facts
from bot.speech.filling import fill, fillable, fits_wording, slot_rules, unfill, usable, usable_frames
from bot.speech.frames import Frames

KITE = Facts(thing="orange kite", thing_article="an", doing="holding my kite on the beach", place="beach", at="on")
COAT = Facts(wear="red coat", the_other="my two friends", place="park", at="in")


def test_articles_owners_and_places_agree() -> None:
    text = fill("A {thing}! I was {doing} {at_place}.", KITE, "queen")
    assert text == "An orange kite! I was holding our kite on the beach."


def test_the_queen_speaks_of_us() -> None:
    assert (
        fill("We like {the_other}.", Facts(the_other="the woman beside me"), "queen") == "We like the woman beside us."
    )


def test_a_slot_that_starts_a_sentence_gets_a_capital() -> None:
    assert fill("{this_wear}? Mine. {the_place} knows.", COAT) == "This red coat? Mine. The park knows."


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("This is my red coat, and the park agrees.", "This is my {wear}, and {the_place} agrees."),
        ("I keep this red coat in the park.", "I keep {this_wear} {at_place}."),
        ("A red coat is a red coat.", "A {wear} is {a_wear}."),
        ("The parking was bad, infrared coats too.", "The parking was bad, infrared coats too."),
        ("Nothing of it.", "Nothing of it."),
    ],
)
def test_unfill_puts_slots_where_facts_are_named(text: str, form: str) -> None:
    assert unfill(text, COAT) == form


def test_unfilled_texts_fill_again() -> None:
    for text in ("Look at this red coat in the park with my two friends!", "my red coat"):
        assert fill(unfill(text, COAT), COAT) in {text, text[0].upper() + text[1:]}


def test_rules_name_what_may_not_follow() -> None:
    rules = slot_rules(COAT)
    assert "hair" not in rules
    assert {"wear", "this_wear", "a_wear"} <= rules["wear"]
    assert "the_place" not in rules["wear"]
    same = Facts(thing="bench", thing_article="a", place="bench", at="on")
    assert "at_place" in slot_rules(same)["the_thing"]
    assert not fillable({"the_thing", "at_place"}, same)


def test_a_place_is_not_said_twice() -> None:
    walk = Facts(doing="walking on a sandy beach", place="sandy beach", at="on")
    assert not fits_wording("I'm {doing} on the beach and happy.", walk)
    assert fits_wording("I'm {doing}. The beach is happy.", walk)
    assert fits_wording("I'm {doing} on the beach.", Facts(doing="flying a kite", place="sandy beach", at="on"))


def test_number_of_a_garment_must_suit_the_wording() -> None:
    glasses = Facts(wear="glasses", wear_plural=True)
    assert not fits_wording("Oh, {this_wear} is mine.", glasses)
    assert fits_wording("Oh, I like {this_wear}.", glasses)
    assert not fits_wording("{hair}", glasses)


def test_what_is_done_with_a_thing_is_not_named_beside_it() -> None:
    hitting = Facts(thing="tennis ball", thing_article="a", doing="hitting a ball")
    assert not fillable({"the_thing", "doing"}, hitting)
    assert fillable({"the_thing"}, hitting)


def test_frames_are_as_usable_together_as_one_by_one() -> None:
    frames = list(Frames().voices["self"].frames())
    boots = Facts(wear="brown boots", wear_plural=True, doing="walking on the beach", place="beach", at="on")
    for facts in (KITE, COAT, boots):
        found = usable_frames(frames, facts)
        assert found == [frame for frame in frames if usable(frame, facts)]
        assert 0 < len(found) < len(frames)
