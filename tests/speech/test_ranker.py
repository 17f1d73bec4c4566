"""The ranker: true and fluent beats false and broken, repeats and unsafe lines never win."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from bot.domain import Person, Scene
from bot.speech.frames import FRAMES, Frames
from bot.speech.lexicon import VOCABULARY
from bot.speech.ranker import (
    ATTESTED,
    LIKELY,
    MIXED,
    UNTRIED,
    WORD,
    Candidate,
    Context,
    Ranker,
    contradictions,
    facts_named,
    faults,
    fluency,
    inventions,
)  # fmt: skip
from models.data.vocabulary import words

SCENE = Scene(
    "a man in a red jacket and a brown dog sit on a snowy bench",
    (Person("man", "adult", "happy", "center"), Person("dog", "-", "happy", "right")),
)
GOOD = "This red jacket and I came to the snowy bench for the quiet, and the dog came for my sandwich."


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    return Ranker(Frames())


def order(ranker: Ranker, *texts: str, **kwargs: object) -> list[str]:
    candidates = [Candidate(text, "generated", (-0.6,)) for text in texts]
    return [one.candidate.text for one in ranker.rank(candidates, Context(SCENE, "self", **kwargs))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "worse",
    [
        "This blue jacket and I came to the snowy bench for the quiet, and the dog came for my sandwich.",
        "This red jacket and I came to the snowy bench for the quiet, and the cat came for my sandwich.",
        "This red jacket and the the bench bench bench came to the dog and the dog and the dog.",
        "Thred jackench and I came to the snobench for the quiet, and the doggerwich came for my sandwich.",
        "I came here for the quiet, and everyone else came for my sandwich and a little talk about money.",
        "Red dog.",
    ],
)
def test_good_line_wins(ranker: Ranker, worse: str) -> None:
    assert order(ranker, worse, GOOD)[0] == GOOD


def test_unlikely_and_unfinished_lines_lose(ranker: Ranker) -> None:
    good = Candidate(GOOD, "generated", (-0.6,))
    odd = Candidate(GOOD + " Yes.", "generated", (-4.0,))
    cut = Candidate(GOOD + " And", "generated", (-0.6,), finished=False)
    assert ranker.rank([cut, odd, good], Context(SCENE, "self"))[0].candidate == good


def test_framed_is_the_floor(ranker: Ranker) -> None:
    framed = Candidate("I sat down on the snowy bench in this red jacket and forgot to be anywhere else.", "framed")
    broken = Candidate("this red jacket bench the the dog", "generated", (-3.0,), finished=False)
    good = Candidate(GOOD, "generated", (-0.6,), attested=0.9)
    assert ranker.rank([broken, framed], Context(SCENE, "self"))[0].candidate == framed
    assert ranker.rank([framed, good], Context(SCENE, "self"))[0].candidate == good


def test_fluency_prefers_likely_and_attested_texts() -> None:
    sure, unsure = Candidate("", "generated", (-0.2, -0.4), attested=1.0), Candidate("", "generated", (-0.2, -4.0))
    assert fluency(sure) == pytest.approx(LIKELY * -0.3 + ATTESTED - UNTRIED)
    assert fluency(sure) > fluency(replace(sure, attested=0.5)) > fluency(unsure)


def test_a_generated_answer_has_to_be_better_than_a_generated_opening(ranker: Ranker) -> None:
    one = Candidate(GOOD, "generated", (-0.3,), attested=1.0)
    opening = ranker.rank([one], Context(SCENE, "self"))[0]
    answer = ranker.rank([one], Context(SCENE, "self", message="so how is it going", intent="other"))[0]
    assert answer.parts["mixed"] == -MIXED
    assert "mixed" not in opening.parts


def test_chance_lets_equally_good_lines_take_turns(ranker: Ranker) -> None:
    lines = [
        Candidate(f"This red jacket and I wait on the snowy bench for {one}.", "framed") for one in ("tea", "toast")
    ]
    first = {ranker.rank(lines, Context(SCENE, "self", rng=random.Random(seed)))[0].candidate for seed in range(20)}
    assert len(first) == 2
    assert len({ranker.rank(lines, Context(SCENE, "self"))[0].candidate for _ in range(5)}) == 1


def test_repeats_lose_and_exact_repeats_are_vetoed(ranker: Ranker) -> None:
    other = "The dog says this bench is ours now, and I have learned not to argue with a dog in the snow."
    assert order(ranker, GOOD, other, recent=[GOOD])[0] == other
    vetoed = ranker.rank([Candidate(GOOD, "generated", (-0.6,))], Context(SCENE, "self", said=[GOOD]))[0]
    assert vetoed.score == -math.inf


def test_unsafe_lines_are_vetoed(ranker: Ranker) -> None:
    for text in ("See https://example.org for my red jacket", "Hey @everyone, my dog", "This shitty red jacket again."):
        assert ranker.rank([Candidate(text, "generated", (-0.5,))], Context(SCENE, "self"))[0].score == -math.inf


def test_scores_add_up(ranker: Ranker) -> None:
    for one in ranker.rank(
        [Candidate(GOOD, "generated", (-2.0,)), Candidate(GOOD, "framed")], Context(SCENE, "pirate")
    ):
        assert one.score == pytest.approx(sum(one.parts.values()))


def test_contradictions() -> None:
    def found(text: str) -> set[str]:
        return contradictions(WORD.findall(text.lower()), SCENE)

    assert found("my green jacket") == {"green jacket"}
    assert found("this yellow hat of mine") == {"hat"}
    assert found("the cat and the bus") == {"cat", "bus"}
    assert found("the woman beside me laughed") == {"woman"}
    assert not found("a parrot would like this coat, said the pup in my red jacket")


def test_inventions() -> None:
    assert inventions(WORD.findall("i put the dark phone in a kitchen"), SCENE) == {"phone", "kitchen"}
    assert not inventions(WORD.findall("a phone would be nice on this snowy bench"), SCENE)


def test_a_frame_that_the_speaker_wrote_word_for_word_counts_as_framed(ranker: Ranker) -> None:
    line = next(one for one in Frames().openings(SCENE, "pirate") if one.frame.slots)
    known, own = (
        Candidate(line.text, "generated", (-0.5,)),
        Candidate(f"{line.text} Or so I dreamt.", "generated", (-0.5,)),
    )
    sources = {one.candidate.text: one.candidate.source for one in ranker.rank([known, own], Context(SCENE, "pirate"))}
    assert sources == {known.text: "framed", own.text: "generated"}


def test_facts_named_reads_other_forms() -> None:
    assert facts_named(["sitting", "dogs", "benches"], SCENE) == {"sit", "dog", "bench"}
    assert facts_named(["pizza"], SCENE, "do you like pizza") == {"pizza"}


def test_faults() -> None:
    assert faults("I like it (a lot") == 1
    assert faults("we went to the the park") == 1
    assert faults("No, no, no! That is a fine hat.") == 0


def test_vocabulary_holds_our_words() -> None:
    listed = set(VOCABULARY.read_text(encoding="utf-8").split())
    missing = words(FRAMES) - listed
    assert not missing, f"run python -m models.data.vocabulary; missing {sorted(missing)[:10]}"


def test_answers_to_the_question_win(ranker: Ranker) -> None:
    joke = Candidate(
        "Why did the snowman laugh? Somebody told him a joke about a carrot, and he got it on the nose.", "framed"
    )
    night = Candidate(
        "Good night, sleep well and dream of soft pillows, the moon will keep the light on for you.", "framed"
    )
    for intent, best in (("joke", joke), ("good_night", night)):
        context = Context(SCENE, "self", message="hm", intent=intent)
        assert ranker.rank([night, joke], context)[0].candidate == best
        assert ranker.rank([joke, night], context)[0].candidate == best
