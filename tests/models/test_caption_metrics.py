import math

import pytest

from models.data.caption_metrics import CiderD, bleu4, cider_d, words_only

A = ["a", "man", "in", "a", "red", "jacket", "skis", "down", "a", "snowy", "slope"]
B = ["two", "cats", "sleep", "on", "a", "grey", "sofa", "by", "the", "window"]
C = ["a", "plate", "of", "pasta", "stands", "on", "a", "wooden", "table"]


def test_words_only_drops_punctuation_and_case():
    assert words_only("A dark-haired Man, smiling.") == ["a", "dark-haired", "man", "smiling"]


def test_perfect_captions_score_the_maximum():
    assert bleu4([A, B], [[A], [B]]) == pytest.approx(1.0)
    assert cider_d([A, B], [[A], [B]]) == pytest.approx([10.0, 10.0])


def test_swapped_captions_score_nothing():
    assert bleu4([A, B], [[B], [A]]) == 0.0
    assert max(cider_d([A, B], [[B], [A]])) < 0.5


def test_bleu_punishes_brevity():
    short = A[:8]
    assert bleu4([short], [[A]]) == pytest.approx(math.exp(1 - len(A) / 8))


def test_bleu_clips_repeated_words():
    assert bleu4([["the"] * 7], [["the", "cat", "is", "on", "the", "mat"]]) == 0.0


def test_cider_averages_references_and_punishes_length():
    half = cider_d([A, B, C], [[A, B], [B], [C]])[0]
    assert half == pytest.approx(5.0, abs=0.3)
    longer = cider_d([A + A, B, C], [[A], [B], [C]])[0]
    assert longer < 10 * math.exp(-(len(A) ** 2) / 72)


def test_words_in_every_reference_weigh_nothing():
    assert cider_d([["a", "a"], B], [[["a", "b"]], [["a", "c"]]])[0] == 0.0


def test_frequencies_of_other_documents_decide_what_counts():
    scorer = CiderD([[["a", "dog"]], [["a", "cat"]]])
    assert scorer.score(["a", "dog"], [["a", "dog"]]) > scorer.score(["a", "dog"], [["a", "yak"]]) == 0.0
    assert scorer.score(["a", "dog"], [["a", "dog"], ["a", "yak"]]) == pytest.approx(
        scorer.score(["a", "dog"], [["a", "dog"]]) / 2
    )
