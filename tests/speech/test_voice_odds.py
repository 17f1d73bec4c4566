"""Voice odds: the table tells voices by words, shouting and small starts."""

from __future__ import annotations

import pytest

from bot.domain import VOICES
from bot.speech.voice_odds import cues, likeliest, voice_odds
from models.data.corpus import held_out, read_corpus
from models.data.voice_words import accuracy, odds


@pytest.mark.parametrize(
    ("text", "voice"),
    [
        ("Arr, me hearties, there be treasure in this galleon!", "pirate"),
        ("DROP and give me twenty, recruit! That is an ORDER!", "sergeant"),
        ("ngl bestie this is lowkey iconic", "teen"),
        ("Duuude, the waves were gnarly, bro.", "surfer"),
        ("Very good, sir. One has polished the silver.", "butler"),
    ],
)
def test_plain_cases(text: str, voice: str) -> None:
    assert likeliest(text, VOICES) == voice
    assert voice_odds(text, voice) > max(0.0, voice_odds(text, "philosopher"))


def test_odds_are_bounded_and_short_texts_count_less() -> None:
    assert voice_odds("", "pirate") == 0.0
    assert voice_odds("Qwxz", "pirate") == 0.0
    assert 0 < voice_odds("Arr", "pirate") < 0.7
    assert all(-1 <= voice_odds("sir sir sir sir sir sir sir sir sir sir", voice) <= 1 for voice in VOICES)


def test_signs_are_read() -> None:
    assert cues("no WAY!") == ["no", "way", "<!>", "<caps>", "<small>"]


def test_words_of_one_voice_speak_for_it_and_common_ones_against_those_that_avoid_them() -> None:
    replies = {voice: ["well well the cat sat on the mat"] * 40 for voice in VOICES}
    replies["pirate"] = ["arr the cat be on the mat"] * 40
    table = odds(replies)
    assert table["pirate"]["arr"] > 100
    assert "arr" not in table["queen"]  # too rare to speak against it
    assert table["pirate"]["well"] < -50
    assert "cat" not in table["queen"]


def test_the_table_is_that_of_the_corpus() -> None:
    blocks = [block for block in read_corpus() if held_out(block.scene)]
    assert accuracy(blocks) > 0.7
