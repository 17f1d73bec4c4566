"""Dialogue acts: the form of messages people really typed, and lines of every voice that answer it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.domain import VOICES, Person, Scene
from bot.speech.dialogue_acts import ACTS, dialogue_act
from bot.speech.frame_files import SLOT
from bot.speech.frames import Frames
from bot.speech.intents import OTHER, classify_intent
from bot.speech.safety import is_wholesome

LABELLED = Path(__file__).parent / "data" / "dialogue_acts.tsv"
ANYBODY = Scene("a man stands", (Person("man", "adult", "neutral", "center"),))


def test_the_form_of_messages_drawn_by_chance_is_told() -> None:
    """Messages of the corpus that are of no known kind, labelled by hand; a label may allow several acts."""
    rows = [line.split("\t") for line in LABELLED.read_text(encoding="utf-8").splitlines()]
    wrong = [(labels, message) for labels, message in rows if dialogue_act(message) not in labels.split("|")]
    assert len(rows) >= 190
    assert {act for labels, _ in rows for act in labels.split("|")} == set(ACTS)
    assert len(wrong) <= 0.06 * len(rows), wrong


@pytest.mark.parametrize(
    ("message", "act"),
    [
        ("the guy who won is my uncle", "remark"),
        ("do a trick", "request"),
        ("do you bite", "yes_no"),
        ("right i guess. are u nervous", "yes_no"),
        ("yikes what is that thing doing", "what"),
        ("how was the boat ride", "what"),
        ("captain how do you steer it", "how"),
        ("\U0001f5ff", OTHER),
        ("как тебя зовут", OTHER),
        ("", OTHER),
    ],
)
def test_plain_cases(message: str, act: str) -> None:
    assert dialogue_act(message) == act


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_answers_every_form_whatever_the_photo_shows(voice: str) -> None:
    frames = Frames()
    for act in ACTS:
        lines = frames.answers(ANYBODY, voice, act)
        assert len({line.text for line in lines}) >= 4, act
        assert {line.voice for line in lines} == {voice}
    texts = [frame.text for act in ACTS for frame in frames.voices[voice].answers[act]]
    assert len(set(texts)) == len(texts) >= 55
    assert all(is_wholesome(SLOT.sub("", text)) for text in texts)


def test_forms_are_asked_for_only_where_no_kind_is_known() -> None:
    assert classify_intent("who drank the bottle") == OTHER
    assert not set(ACTS) & {classify_intent(message) for message in ("hello", "who is that", "what are you wearing")}
