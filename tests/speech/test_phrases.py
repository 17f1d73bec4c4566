"""Phrases: what may follow what in a voice, learnt from its lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from bot.speech.decoder import Decoder
from bot.speech.phrases import PhraseBook
from bot.speech.prompt import END, PAD, REPLY, build_prompt
from models.speaker import EagerSession
from tests.tiny_speaker import SCENE, save_tokenizer, tiny_speaker

LINES = ("Arr, this red coat be mine.", "This dog is [small|mine]. So be it.")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def tokenizer(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def followers(tokenizer: Tokenizer, text: str, penalties: tuple[float, float]) -> set[str]:
    """Return what may follow a text for nothing."""
    scores = np.zeros((1, tokenizer.get_vocab_size()))
    written = [tokenizer.encode(f" {text}", add_special_tokens=False).ids if text else []]
    PhraseBook(tokenizer).phrases(LINES).penalise(scores, tokenizer.token_to_id(REPLY), written, penalties)
    return {tokenizer.decode([int(i)], skip_special_tokens=False) for i in np.flatnonzero(scores[0] == 0)}


def test_first_words_are_those_of_lines(tokenizer: Tokenizer) -> None:
    assert followers(tokenizer, "", (3.0, 0.0)) == {" Arr", " This"}


def test_every_alternative_may_follow_and_nothing_else(tokenizer: Tokenizer) -> None:
    begun = {text[:2] for text in followers(tokenizer, "This dog is", (3.0, 1.0))}
    assert begun == {" s", " m"}


def test_after_a_sentence_any_beginning_of_one_may_follow(tokenizer: Tokenizer) -> None:
    begun = followers(tokenizer, "Arr, this red coat be mine.", (3.0, 1.0))
    assert begun == {"<|end|>", " "}  # this tokenizer writes the space of an unknown word by itself


def test_an_unknown_context_forbids_nothing(tokenizer: Tokenizer) -> None:
    scores = np.zeros((1, tokenizer.get_vocab_size()))
    written = [tokenizer.encode(" 12 12 12", add_special_tokens=False).ids]
    PhraseBook(tokenizer).phrases(LINES).penalise(scores, tokenizer.token_to_id(REPLY), written, (3.0, 1.0))
    assert not scores.any()


def test_penalties_add_up(tokenizer: Tokenizer) -> None:
    scores = np.zeros((2, tokenizer.get_vocab_size()))
    written = [tokenizer.encode(" This dog", add_special_tokens=False).ids, []]
    PhraseBook(tokenizer).phrases(LINES).penalise(scores, tokenizer.token_to_id(REPLY), written, (3.0, 1.0))
    assert set(np.unique(scores)) == {-4.0, 0.0}


def test_a_strong_penalty_keeps_even_a_foolish_model_to_the_lines(path: Path, tokenizer: Tokenizer) -> None:
    decoder = Decoder(EagerSession(tiny_speaker(tokenizer)), path)
    phrases = PhraseBook(tokenizer).phrases(LINES)
    kept = decoder.sample(
        build_prompt(SCENE, "pirate", (), ()), n=12, temperature=1.0, seed=1, phrases=phrases, penalties=(200.0, 200.0)
    )
    begun = {sample.text.split(",")[0].split(" ")[0] for sample in kept}
    assert begun <= {"Arr", "This"}
    assert any(sample.text in {"Arr, this red coat be mine.", "This dog is mine."} for sample in kept)


def test_attested_is_the_share_of_words_in_known_sentences(tokenizer: Tokenizer) -> None:
    phrases = PhraseBook(tokenizer).phrases(LINES)
    assert phrases.attested("This dog is mine. So be it.") == 1.0
    assert phrases.attested("So be it. This dog is small.") == 1.0
    assert phrases.attested("So be it. I like tea.") == 0.5
    assert phrases.attested("I like tea.") == 0.0


def test_nothing_leads_from_one_line_into_the_next(tokenizer: Tokenizer) -> None:
    scores = np.zeros((2, tokenizer.get_vocab_size()))
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)
    last = tokenizer.encode(" So be it.", add_special_tokens=False).ids
    written = [[*last, end], [*last, end, pad]]
    PhraseBook(tokenizer).phrases(LINES).penalise(scores, tokenizer.token_to_id(REPLY), written, (3.0, 1.0))
    assert not scores.any()


def test_a_line_read_before_gives_the_same_phrases_again(tokenizer: Tokenizer) -> None:
    book = PhraseBook(tokenizer)
    book.phrases([LINES[1], LINES[1]])
    again, fresh = book.phrases(LINES), PhraseBook(tokenizer).phrases(LINES)
    written = [tokenizer.encode(text, add_special_tokens=False).ids for text in (" This dog is", " Arr, this", "")]
    scores = [np.zeros((3, tokenizer.get_vocab_size())) for _ in range(2)]
    for phrases, array in zip((again, fresh), scores, strict=True):
        phrases.penalise(array, tokenizer.token_to_id(REPLY), written, (3.0, 1.0))
    assert scores[0].any()
    assert np.array_equal(*scores)


def test_without_lines_nothing_is_forbidden_and_nothing_attested(tokenizer: Tokenizer) -> None:
    phrases, scores = PhraseBook(tokenizer).phrases([]), np.zeros((1, tokenizer.get_vocab_size()))
    phrases.penalise(scores, tokenizer.token_to_id(REPLY), [[]], (3.0, 1.0))
    assert not scores.any()
    assert phrases.attested("So be it.") == 0.0


def test_certain_is_what_alone_follows_in_the_lines(tokenizer: Tokenizer) -> None:
    phrases, reply = PhraseBook(tokenizer).phrases(LINES), tokenizer.token_to_id(REPLY)
    ids = tokenizer.encode(f" {LINES[0]}", add_special_tokens=False).ids
    guesses = [phrases.certain(reply, ids[:i]) for i in range(len(ids))]
    assert guesses[0] is None  # the lines begin in several ways
    assert sum(guess is not None for guess in guesses) > len(ids) / 2
    assert {guess == token for guess, token in zip(guesses, ids, strict=True) if guess is not None} == {True}
    assert phrases.certain(reply, ids) is None  # behind a full stop anything may begin
    assert phrases.certain(reply, tokenizer.encode(" 12 12 12", add_special_tokens=False).ids) is None
