import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bot.vision.captioner import COMMA, SPECIALS
from models.captioner import LOW, Captioner, CaptionerConfig
from models.data.caption_set import Sample
from models.data.seen_images import SeenImages
from models.train.captioner_scst import References, critical_loss

WORDS = [*SPECIALS, "left", "right", *(f"word{i}" for i in range(32)), COMMA]


@pytest.fixture
def told() -> References:
    samples = [
        Sample(((1, ["left", COMMA, f"word{i}", "word9"]), (2, ["word8", f"word{i}"])), ((i, False), (i + 6, True)))
        for i in range(6)
    ]
    return References(SimpleNamespace(samples=samples, photos=6, vocabulary=SimpleNamespace(words=WORDS)))


def test_captions_of_a_mirrored_view_are_mirrored(told):
    rows, captions = told.views(6, random.Random(1))
    assert sorted(row % 6 for row in rows) == list(range(6))
    for row, references in zip(rows, captions, strict=True):
        assert references[0] == ["left" if row < 6 else "right", f"word{row % 6}", "word9"]


def test_a_caption_like_the_references_earns_more(told):
    captions = [["left", "word3", "word9"], ["word8", "word3"]]
    ids = [WORDS.index(word) for word in ("left", COMMA, "word3", "word9")]
    assert told.reward(ids, captions) > told.reward(ids[:1], captions) >= 0
    assert told.reward([], captions) == 0


def test_only_differences_between_samples_of_one_photo_teach(told):
    torch.manual_seed(0)
    config = CaptionerConfig(words=40, concepts=tuple(range(5, 25)), size=64, width=32, heads=4, inner=64, top=3)
    network = Captioner(config).eval()
    noise = np.random.default_rng(0)
    grids = (noise.normal(size=(12, channels, 2, 2)).astype(np.float16) for channels in (320, LOW))
    seen, guesses = SeenImages(*grids), noise.normal(size=(12, 20)).astype(np.float32)
    never_said = [[["unheard", "of"]]] * 4
    loss, figures = critical_loss(network, seen, guesses, [0, 1, 2, 3], never_said, told)
    assert loss.item() == 0.0
    assert figures["reward"] == 0.0
    said = [[[word] for word in WORDS[5:-1]]] * 4  # whatever is sampled earns something
    loss, figures = critical_loss(network, seen, guesses, [0, 1, 2, 3], said, told)
    assert figures["reward"] > 0.0
    loss.backward()
    assert network.embed.weight.grad.abs().sum() > 0
