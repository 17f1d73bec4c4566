"""What a message is about: a noun phrase in our own words, turned to the speaker's side."""

from __future__ import annotations

import pytest

from bot.speech.asked import asked_about


@pytest.mark.parametrize(
    ("message", "about"),
    [
        ("did you win the race", "the race"),
        ("whats ur job", "my job"),
        ("my wifi is slow", "your wifi"),
        ("can i have a cracker", "a cracker"),
        ("i like kites", "kites"),
        ("do u like pizza", "pizza"),
        ("this coffee is awful", "that coffee"),
        ("how long does the train take", "the train"),
        ("say hello to my sister mia", "your sister mia"),
        ("my arms would fall off", "your arms"),
        ("is the ice safe", "the ice"),
        ("lol", ""),
        ("is it true", ""),
        ("what did you see", ""),
        ("show me that thing", ""),
        ("tell me about the glorbnax", ""),
        ("my fucking dog", ""),
        ("look at https://evil.example my dog", "your dog"),
    ],
)
def test_phrases(message: str, about: str) -> None:
    assert asked_about(message) == about


def test_some_voices_have_their_own_words_for_mine_and_yours() -> None:
    assert asked_about("whats ur job", "queen") == "our job"
    assert asked_about("my cat is angry", "pirate") == "yer cat"
    assert asked_about("my cat is angry", "knight") == "thy cat"
