"""Variety, copies, repeats and perplexity, on texts whose figures are known."""

import math
from collections.abc import Sequence

import pytest

from bot.domain import Scene, Turn
from export.tongue_text import Copies, distinct, foresight, repeats, reply_form, words_of
from models.data.pairs import Pair
from tests.tiny_speaker import SCENE, tiny_tokenizer


class Lines:
    """Frames that hold one line, for one voice."""

    def holds(self, text: str, scene: Scene, voice: str) -> bool:
        return (text, scene, voice) == ("A red coat, arr!", SCENE, "pirate")


class Told:
    """A decoder that finds the first word of a reply as likely as it says."""

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def score(self, prompt: str, replies: Sequence[str]) -> list[float]:
        self.prompts.append(prompt)
        return [{"sure": -0.5, "hmm": -4.0}[reply.split()[0]] for reply in replies]


def test_distinct_counts_runs_inside_replies_only() -> None:
    replies = ["A dog, a DOG!", "a dog"]
    assert distinct(replies, 1) == pytest.approx(2 / 6)
    assert distinct(replies, 2) == pytest.approx(2 / 4)  # a dog, dog a; never dog | a across replies
    assert distinct(replies, 3) == 1.0
    assert distinct([], 1) == 0.0


def test_a_copy_is_a_copy_whatever_its_stops_and_capitals() -> None:
    copies = Copies(["The wind took it, dear."], Lines())
    assert copies.holds("the wind took it, DEAR!", SCENE, "grandma")
    assert copies.holds("A red coat, arr!", SCENE, "pirate")
    assert not copies.holds("A red coat, arr!", SCENE, "queen")
    assert not copies.holds("The wind took it, dear, again.", SCENE, "grandma")


def test_half_of_the_opening_is_a_repeat() -> None:
    opening = "This red coat is the best thing I own."
    assert repeats("This red coat is the best thing I know.", opening)
    assert repeats("This red coat is the best.", opening)
    assert not repeats("My name is Rosa and this is my dog.", opening)
    assert repeats("No.", "No.")
    assert not repeats("No.", "Yes.")


def test_every_token_counts_the_same() -> None:
    tokenizer = tiny_tokenizer()
    lines = "sure", "hmm a red coat is mine"
    pairs = [Pair(SCENE, "self", (), (Turn("user", "hi"),), line, form=line) for line in lines]
    counts = [len(tokenizer.encode(f" {pair.reply}", add_special_tokens=False).ids) + 1 for pair in pairs]
    nats = 0.5 * counts[0] + 4.0 * counts[1]
    decoder = Told()
    found = foresight(decoder, tokenizer, pairs)  # type: ignore[arg-type]
    assert counts[0] != counts[1]
    assert found.perplexity == pytest.approx(math.exp(nats / sum(counts)))
    assert found.word_perplexity == pytest.approx(math.exp(nats / 7))
    assert found.replies == 2
    assert "hi" in decoder.prompts[0]


def test_the_speaker_is_scored_on_the_form_it_writes() -> None:
    assert reply_form(Pair(SCENE, "self", (), (), "My red coat.", form="My {wear}.")) == "My {wear}."
    assert "{" in reply_form(Pair(SCENE, "self", (), (), "I like this red coat."))


def test_words_keep_what_is_inside_them() -> None:
    assert words_of("Ain\u2019t half-bad, skiin'!") == ["ain't", "half-bad", "skiin'"]
