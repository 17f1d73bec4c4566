"""Beginnings of replies: what may follow them, what is read of them, and that guesses change nothing but the runs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from bot.domain import Person, Scene, Turn
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.speech.decoder import Decoder, Sample
from bot.speech.facts import read_facts
from bot.speech.filling import slot_rules
from bot.speech.frames import Frames
from bot.speech.grove import MOST, choices
from bot.speech.phrases import PhraseBook
from bot.speech.prompt import build_prompt
from bot.speech.tree import Tree, TreeModel

SCENE = Scene("a man in a red jacket sits on a bench", (Person("man", "adult", "happy", "center"),))
TURNS = (Turn("persona", "Fine snow today!"), Turn("user", "what do you do here?"))


def test_draws_keep_to_the_nucleus_and_to_their_weights() -> None:
    rng = np.random.default_rng(0)
    probs = np.array([[0.5, 0.3, 0.15, 0.05], [0.01, 0.01, 0.97, 0.01]])
    scores = np.log(np.concatenate([probs, np.full((2, 300), 1e-9)], axis=1)).astype(np.float32)
    wide, narrow = choices(scores, scores, 0.9)
    assert {narrow.draw(chance)[0] for chance in rng.random(1000)} == {2}
    drawn = [wide.draw(chance)[0] for chance in rng.random(8000)]
    shares = np.bincount(drawn, minlength=4) / len(drawn)
    assert shares == pytest.approx([0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95, 0.0], abs=0.03)
    assert narrow.draw(0.5)[1] == pytest.approx(np.log(0.97), abs=1e-3)


def test_many_equal_tokens_are_cut_to_the_most_that_may_be_drawn() -> None:
    level = np.zeros((2, 1000), np.float32)
    for choice in choices(level, level, 1.0):
        drawn = {choice.draw(chance)[0] for chance in np.linspace(0, 1, 4000)}
        assert len(drawn) == len(choice.tokens) == MOST


def test_what_may_be_drawn_is_told_by_the_scores_and_its_log_probability_by_the_logits() -> None:
    logits = np.log(np.array([[0.7, 0.2, 0.1]], np.float32))
    scores = logits.copy()
    scores[0, 0] = -np.inf  # barred
    (choice,) = choices(scores, logits, 1.0)
    assert choice.tokens == [1, 2]
    assert choice.log_probs == pytest.approx(np.log([0.2, 0.1]), abs=1e-5)


class Stepwise:
    """The shipped speaker with its runs counted, and without its gift to read ahead: as any other network can do it."""

    first: np.ndarray
    branches: Tree

    def __init__(self, model: TreeModel) -> None:
        self.model, self.runs = model, 0

    @contextmanager
    def open(self, chunks: Sequence[Sequence[int]], room: int) -> Iterator["Stepwise"]:
        with self.model.open(chunks, room) as self.branches:
            self.first = self.branches.first
            yield self

    def grow(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        self.runs += 1
        return self.branches.grow(parents, tokens)

    def follow(self, ids: Sequence[int]) -> np.ndarray:
        return self.branches.follow(ids)


class Ahead(Stepwise):
    """The same with that gift."""

    def graft(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        self.runs += 1
        return self.branches.graft(parents, tokens)


@pytest.mark.parametrize("turns", [(), TURNS])
def test_reading_ahead_takes_far_fewer_runs_and_draws_nearly_the_same(
    turns: tuple[Turn, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(Bundle().model("speaker"), provider="cpu", threads=1)
    decoder = Decoder(session, Bundle().file("speaker_tokenizer"))
    model = decoder._model
    assert isinstance(model, TreeModel)
    texts, runs = [], []
    for counted in (Ahead(model), Stepwise(model)):
        monkeypatch.setattr(decoder, "_model", counted)
        texts.append([one.text for voice in ("pirate", "queen", "comedian") for one in samples(decoder, voice, turns)])
        runs.append(counted.runs)
    assert runs[0] < 0.6 * runs[1]
    same = sum(one == other for one, other in zip(*texts, strict=True))
    assert same > len(texts[0]) / 2  # int8 rounds by all that stands in a run, so that now and then another is drawn


def samples(decoder: Decoder, voice: str, turns: tuple[Turn, ...]) -> list[Sample]:
    lines = Frames().phrases(SCENE, voice, answers=bool(turns))
    phrases = PhraseBook(decoder.tokenizer).phrases(lines)
    prompt, slots = build_prompt(SCENE, voice, (), turns), slot_rules(read_facts(SCENE))
    return decoder.sample(prompt, n=8, temperature=0.5, seed=2, slots=slots, phrases=phrases)
