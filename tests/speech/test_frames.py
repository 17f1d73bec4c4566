"""Frames: only fitting ones are chosen, filled grammatically, in the right voice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bot.domain import NOBODY, VOICES, Failure, Person, Scene
from bot.speech.facts import Facts, read_facts
from bot.speech.frames import Frame, Frames, Line, fill, read_frames, usable
from bot.vision.caption_people import infer_people

SKIER = Scene("a man in a red jacket skis down a snowy slope", (Person("man", "adult", "happy", "center"),))


@pytest.fixture(scope="module")
def frames() -> Frames:
    return Frames()


def test_every_voice_opens_and_names_the_scene(frames: Frames) -> None:
    for voice in VOICES:
        lines = frames.openings(SKIER, voice)
        assert len(lines) >= 8, voice
        for line in lines:
            assert "{" not in line.text
            assert line.frame.mood in {"happy", "any"}
            assert line.frame.who == "human"


def test_kind_of_speaker_is_respected(frames: Frames) -> None:
    dog = Scene("a brown dog sleeps on a sofa", (Person("dog", "-", "neutral", "center"),))
    empty = Scene("a red bus on a street", (NOBODY,))
    assert {line.frame.who for line in frames.openings(dog, "pirate")} == {"animal"}
    assert {line.frame.who for line in frames.openings(empty, "pirate")} == {"nobody"}


def test_traits_speak_for_self_only(frames: Frames) -> None:
    shy = frames.openings(SKIER, "self", ("shy",))
    own = {frame.text for frame in frames.traits["shy"].openings}
    assert shy
    assert {line.frame.text for line in shy} <= own
    assert {line.voice for line in frames.openings(SKIER, "pirate", ("shy",))} == {"pirate"}


def test_question_about_the_photo_gets_its_facts(frames: Frames) -> None:
    for line in frames.answers(SKIER, "butler", "where"):
        assert "slope" in line.text


def test_fill_agrees() -> None:
    facts = Facts(thing="orange kite", thing_article="an", doing="holding my kite on the beach", place="beach", at="on")
    text = fill(
        Frame("A {thing}! I was {doing} {at_place}.", frozenset({"thing", "doing", "at_place"})), facts, "queen"
    )
    assert text == "An orange kite! I was holding our kite on the beach."


def test_plural_garments_avoid_singular_wording(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(
        "[happy] <human> (this_wear): Oh, {this_wear} is mine.\n[happy] <human> (this_wear): I like {this_wear}.\n"
    )
    singular, either = read_frames(path).openings
    glasses = Facts(wear="glasses", wear_plural=True)
    assert not usable(singular, glasses)
    assert usable(either, glasses)
    assert usable(singular, Facts(wear="hat"))


def test_bad_frame_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("[happy] <human> (thing): no slot here\n")
    with pytest.raises(Failure, match=r"Line 1 of .*x\.txt"):
        read_frames(path)


def test_choice_is_deterministic_and_avoids_recent() -> None:
    lines = [Line(str(i), Frame(str(i), frozenset()), "self") for i in range(5)]
    assert Frames.choose(lines, random.Random(1)) == Frames.choose(lines, random.Random(1))
    said = {"0", "1", "2", "3"}
    assert {Frames.choose(lines, random.Random(seed), said) for seed in range(20)} == {lines[4]}


def test_openings_are_never_half_filled_on_any_caption(frames: Frames) -> None:
    captions = ["two dogs run on a beach", "people in suits stand near a bus", "a pizza on a table", "a baby in a tub"]
    for caption in captions:
        scene = Scene(caption, infer_people(caption))
        for voice in ("self", "queen", "alien"):
            assert all("{" not in line.text for line in frames.openings(scene, voice)), read_facts(scene)


def test_an_animal_whose_face_nobody_read_may_be_happy() -> None:
    cat = Scene("a gray and white cat lies on a wooden floor", (Person("cat", "-", "neutral", "center"),))
    lines = [line.text for line in Frames().openings(cat, "self")]
    assert any("lying on a wooden floor" in line for line in lines), lines
