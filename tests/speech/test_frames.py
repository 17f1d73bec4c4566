"""Frames: only fitting ones are chosen, filled grammatically, in the right voice."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from bot.domain import NOBODY, VOICES, Failure, Person, Scene
from bot.speech.facts import Facts, read_facts
from bot.speech.filling import fill, usable
from bot.speech.frame_files import Frame, is_variant, read_frames, vary
from bot.speech.frames import FRAMES, Frames, Line, fill_all
from bot.vision.caption_people import infer_people

SKIER = Scene("a man in a red jacket skis down a snowy slope", (Person("man", "adult", "happy", "center"),))


@pytest.fixture(scope="module")
def frames() -> Frames:
    return Frames()


def test_lines_of_a_voice_are_read_when_it_is_first_asked_for(tmp_path: Path) -> None:
    shutil.copytree(FRAMES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "pirate.txt").write_text("no frame\n", encoding="utf-8")
    frames = Frames(tmp_path)
    assert frames.openings(SKIER, "butler")
    with pytest.raises(Failure, match=r"pirate\.txt"):
        frames.openings(SKIER, "pirate")


def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    shutil.copytree(FRAMES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "topics" / "traits" / "shy.txt").unlink()
    with pytest.raises(Failure, match=r"shy\.txt is missing"):
        Frames(tmp_path)


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


TENNIS = Scene("a man in a white shirt swings a tennis racket", (Person("man", "adult", "happy", "center"),))


def test_lines_about_the_photos_topic_fit_it_alone(frames: Frames) -> None:
    for voice in VOICES:
        topics = {line.frame.topic for line in frames.openings(TENNIS, voice)}
        assert "tennis" in topics, voice
        assert topics <= {"", "tennis"}
        assert "tennis" not in {line.frame.topic for line in frames.openings(SKIER, voice)}


def test_alternatives_vary_by_seed_and_every_variant_is_known(frames: Frames) -> None:
    seen = set()
    for seed in range(12):
        for line in frames.openings(TENNIS, "pirate", rng=random.Random(seed)):
            assert not set("[]|{}") & set(line.text)
            assert frames.holds(line.text, TENNIS, "pirate"), line.text
            seen.add(line.text)
    assert len(seen) > 2 * len(frames.openings(TENNIS, "pirate"))
    assert not frames.holds("I have never said this before, and nobody wrote it for me.", TENNIS, "pirate")


def test_leads_and_tails_stay_short_and_are_known(frames: Frames) -> None:
    rng, dressed = random.Random(3), 0
    for voice in VOICES:
        for line in frames.openings(TENNIS, voice):
            said = frames.adorn(line, TENNIS.people[0], rng)
            dressed += said.text != line.text
            assert line.text in said.text
            assert said.text == line.text or len(said.text.split()) <= 36
            assert frames.holds(said.text, TENNIS, voice), said.text
    assert dressed > 20


def test_a_draw_is_one_of_the_openings(frames: Frames) -> None:
    rng = random.Random(5)
    known = {line.frame for line in frames.openings(TENNIS, "queen")}
    drawn = [frames.draw(TENNIS, "queen", (), rng) for _ in range(40)]
    assert {line.frame for line in drawn if line} <= known
    topical = sum(bool(line and line.frame.topic) for line in drawn)
    assert topical > 10  # lines about the topic come more often than others


def test_an_answer_may_be_asked_for(frames: Frames) -> None:
    line = frames.draw(TENNIS, "self", (), random.Random(1), "are_you_bot")
    assert line is not None
    assert line.frame.intent == "are_you_bot"


@pytest.mark.parametrize(
    ("text", "first"),
    [("I want [tea|a nap|].", "I want tea."), ("No choice.", "No choice."), ("Go[, dear|] now", "Go, dear now")],
)
def test_vary_takes_the_first_alternatives_without_a_generator(text: str, first: str) -> None:
    assert vary(text) == first


def test_an_empty_alternative_leaves_no_space() -> None:
    texts = {vary("Well [quite|], then.", random.Random(seed)) for seed in range(20)}
    assert texts == {"Well quite, then.", "Well, then."}


def test_a_variant_has_one_alternative_of_each_group_and_nothing_else() -> None:
    form = "A [map|map and a lawyer], [please|now]!"
    assert is_variant("A map, now!", form)
    assert is_variant("A map and a lawyer, please!", form)
    assert not any(is_variant(text, form) for text in ("A map, now", "A map, now!!", "A lawyer, now!", form, ""))


def test_a_variant_that_does_not_agree_with_the_garment_is_left_out() -> None:
    frame = Frame("I like {wear} [and it likes me|a lot].", frozenset({"wear"}))
    texts = {
        line.text
        for seed in range(20)
        for line in fill_all([frame], Facts(wear="glasses", wear_plural=True), "self", random.Random(seed))
    }
    assert texts == {"I like glasses a lot."}


def test_form_is_the_text_with_its_slots(frames: Frames) -> None:
    facts = read_facts(TENNIS)
    for line in frames.openings(TENNIS, "butler", rng=random.Random(2)):
        assert fill(line.form, facts, "butler") == line.text


def test_phrases_are_of_lines_that_fit_the_photo(frames: Frames) -> None:
    lines = frames.phrases(TENNIS, "pirate")
    openings = [line.frame.text for line in frames.openings(TENNIS, "pirate")]
    assert set(openings) < set(lines)
    assert not set(lines) & {frame.text for frame in frames.voices["pirate"].openings if frame.topic == "pizza"}
    assert not set(lines) & {frame.text for frame in frames.voices["pirate"].openings if frame.mood == "angry"}
    assert {extra.text for extra in frames.voices["pirate"].tails if extra.mood in {"any", "happy"}} < set(lines)


def test_phrases_of_answers_and_traits(frames: Frames) -> None:
    answers = frames.phrases(TENNIS, "butler", answers=True)
    assert {line.frame.text for line in frames.answers(TENNIS, "butler", "are_you_bot")} < set(answers)
    shy = frames.phrases(TENNIS, "self", ("shy",))
    assert {line.frame.text for line in frames.openings(TENNIS, "self", ("shy",))} < set(shy)
