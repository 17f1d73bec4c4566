import itertools
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.runtime.spare import SpareCores, Wide
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import (
    BEAMS,
    END,
    FUNCTION_WORDS,
    LIKELIEST,
    MAX_WORDS,
    MIN_WORDS,
    PLAIN,
    SPECIALS,
    Captioner,
    forbidden,
    prepare,
    search,
    to_text,
)

WORDS = 40
VOCABULARY = [*SPECIALS, "a", "the", "of", "in", "on", *(f"word{i}" for i in range(WORDS - 10))]


def bigram_model(table: np.ndarray):
    return lambda ids, parents: likeliest(table[ids[:, -1]])


def likeliest(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    words = np.argsort(-log_probs, axis=1)[:, :LIKELIEST]
    return words, np.take_along_axis(log_probs, words, axis=1)


def random_table(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 3, (WORDS, WORDS)).astype(np.float32)


@pytest.mark.parametrize("seed", range(5))
def test_search_obeys_the_rules_of_a_caption(seed):
    found = search(bigram_model(random_table(seed)), VOCABULARY)
    assert 1 <= len(found) <= BEAMS
    assert [beam.normalised for beam in found] == sorted((beam.normalised for beam in found), reverse=True)
    for beam in found:
        words = beam.ids[1:-1]
        assert beam.ids[0] == PLAIN
        assert beam.ids[-1] == END
        assert min(words) >= len(SPECIALS)
        assert MIN_WORDS <= len(words) <= MAX_WORDS
        assert all(a != b for a, b in itertools.pairwise(words))
        content = [word for word in words if VOCABULARY[word] not in FUNCTION_WORDS]
        assert len(set(content)) == len(content)
        runs = [words[i : i + 3] for i in range(len(words) - 2)]
        assert len(set(runs)) == len(runs)


def test_search_follows_the_likeliest_words():
    table = np.full((WORDS, WORDS), -5.0, np.float32)
    path = [PLAIN, 10, 11, 12, 13, 14, 15, END]
    for word, following in itertools.pairwise(path):
        table[word, following] = 5.0
    assert list(search(bigram_model(table), VOCABULARY)[0].ids) == path


def test_search_looks_past_the_greedy_choice():
    table = np.full((WORDS, WORDS), -9.0, np.float32)
    table[PLAIN, [10, 20]] = 1.0, 0.9
    table[10] = 0.0  # the greedy word leads nowhere sure
    for word, following in zip([20, 21, 22, 23, 24, 25], [21, 22, 23, 24, 25, END], strict=True):
        table[word, following] = 9.0
    assert search(bigram_model(table), VOCABULARY)[0].ids[1] == 20


def test_search_says_which_caption_each_has_grown_from():
    table, before = random_table(3), list[np.ndarray]()

    def next_words(ids: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert len(parents) == len(ids)
        if before:
            assert np.array_equal(before[-1][parents], ids[:, :-1])
        before.append(ids)
        return likeliest(table[ids[:, -1]])

    search(next_words, VOCABULARY)
    assert len(before) > MIN_WORDS


def test_a_caption_ends_at_its_longest_even_where_the_end_is_not_among_the_likeliest_words():
    a, the = 5, 6  # the only words that may be said for ever

    def next_words(ids: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.tile(np.arange(5, 5 + 5), (len(ids), 1)), np.tile(np.float32([-1, -1, -1, -1, -9]), (len(ids), 1))

    found = search(next_words, VOCABULARY)
    assert {len(beam.ids) for beam in found} == {MAX_WORDS + 2}
    assert {beam.ids[-1] for beam in found} == {END}
    assert a in found[0].ids
    assert the in found[0].ids


def test_forbidden_words_are_the_last_those_that_repeat_three_and_all_that_say_something():
    a, the, of, cat = 5, 6, 7, 12
    assert forbidden([PLAIN], VOCABULARY) == [PLAIN]
    assert set(forbidden([PLAIN, a, cat, of], VOCABULARY)) == {cat, of}
    assert set(forbidden([PLAIN, a, the, of, a, the], VOCABULARY)) == {the, of}


def test_text_has_no_space_before_a_comma():
    assert to_text(["a", "red", ",", "big", "dog", ","]) == "a red, big dog"


def test_prepare_squashes_any_shape():
    pixels = prepare(Image.new("RGB", (300, 20), (255, 0, 127)), 64, (127, 127, 127), (128, 128, 128))
    assert pixels.shape == (1, 3, 64, 64)
    assert pixels.dtype == np.float32
    assert pixels[0, :, 0, 0] == pytest.approx([1.0, -127 / 128, 0.0])


class FakeWriter:
    words = VOCABULARY

    def __init__(self, table: np.ndarray) -> None:
        self.table, self.seen = table, []

    @contextmanager
    def open(self, memory):
        self.seen.append(memory)
        yield bigram_model(self.table)


def test_captioner_turns_ids_into_words():
    encoder = SimpleNamespace(
        entry=SimpleNamespace(normalisation={"size": 32, "mean": [127] * 3, "std": [128] * 3}),
        run=lambda feeds: {"keys": feeds["image"]},
    )
    table = random_table(1)
    writer = FakeWriter(table)
    captioner = Captioner(encoder, writer)
    results = captioner.captions(Image.new("RGB", (50, 40)))
    best = search(bigram_model(table), VOCABULARY)[0]
    assert results[0] == (" ".join(VOCABULARY[i] for i in best.ids[1:-1]), best.normalised)
    assert writer.seen[0]["keys"].shape == (1, 3, 32, 32)
    assert captioner.caption(Image.new("L", (1, 1))) == results[0][0]


@pytest.mark.skipif(not (SHIPPED_BUNDLE / "captioner_encoder.onnx").exists(), reason="no captioner in the bundle")
def test_the_shipped_captioner_speaks_plain_words():
    bundle = Bundle()
    encoder, decoder = (Session(bundle.model(f"captioner_{part}"), provider="cpu") for part in ("encoder", "decoder"))
    captioner = Captioner(encoder, CaptionWriter(decoder))
    image = Image.effect_mandelbrot((320, 200), (-2, -1, 1, 1), 50).convert("RGB")
    texts = [text for text, _ in captioner.captions(image)]
    assert texts
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert text == text.lower()
        assert "<" not in text
        assert MIN_WORDS <= len(text.replace(",", " ,").split()) <= MAX_WORDS


def test_a_second_core_gives_the_same_captions_and_is_free_again_for_the_words():
    bundle, cores = Bundle(), SpareCores(1)
    encoder, twin, decoder = (
        Session(bundle.model(f"captioner_{part}"), provider="cpu", threads=threads, spins=threads > 1)
        for part, threads in (("encoder", 1), ("encoder", 2), ("decoder", 1))
    )
    captioner = Captioner(encoder, CaptionWriter(decoder))
    image = Image.effect_mandelbrot((320, 200), (-2, -1, 1, 1), 50).convert("RGB")
    alone = captioner.captions(image)
    used: list[bool] = []
    captioner.widen(Wide(twin, cores.borrowed))

    def meanwhile() -> None:
        with cores.borrowed() as free:
            used.append(not free)

    assert captioner.captions(image, meanwhile) == alone
    assert used == [True, False]
