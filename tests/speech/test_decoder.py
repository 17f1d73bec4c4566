from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from bot.domain import Failure
from bot.speech.decoder import Decoder
from bot.speech.prompt import SPECIALS, build_prompt
from models.speaker import EagerSession
from tests.tiny_speaker import SCENE, save_tokenizer, tiny_speaker

PROMPT = build_prompt(SCENE, "pirate", (), ())


@pytest.fixture(scope="module")
def tokenizer_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="module")
def decoder(tokenizer_path: Path) -> Decoder:
    return Decoder(EagerSession(tiny_speaker(Tokenizer.from_file(str(tokenizer_path)))), tokenizer_path)


class EndingSession:
    """Writes `` the`` and then wants markers most: only the end marker may come out."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.input_shapes = {"ids": ["batch", "sequence"], "past_k_0": ["batch", 1, "past", 2]}
        self.ids = {special: tokenizer.token_to_id(special) for special in SPECIALS}
        self.size, self.word = tokenizer.get_vocab_size(), tokenizer.encode(" a").ids[0]
        self.batches: list[int] = []

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        batch, new = feeds["ids"].shape
        logits = np.full((batch, new, self.size), -9.0, np.float32)
        logits[..., list(self.ids.values())] = 9.0  # on the first step even the end marker is not allowed
        logits[..., self.word] = 0.0
        logits[..., self.ids["<|end|>"]] = 8.0
        past = np.concatenate([feeds["past_k_0"], np.zeros((batch, 1, new, 2), np.float32)], axis=2)
        self.batches.append(batch)
        return {"logits": logits, "present_k_0": past}


def test_same_seed_same_replies_and_samples_differ(decoder: Decoder) -> None:
    first = decoder.sample(PROMPT, n=3, temperature=1.0, seed=7, max_tokens=12)
    again = decoder.sample(PROMPT, n=3, temperature=1.0, seed=7, max_tokens=12)
    other = decoder.sample(PROMPT, n=3, temperature=1.0, seed=8, max_tokens=12)
    assert first == again
    assert first != other
    assert len({sample.text for sample in first}) > 1


def test_no_marker_is_written_and_the_end_stops_early(tokenizer_path: Path) -> None:
    session = EndingSession(Tokenizer.from_file(str(tokenizer_path)))
    samples = Decoder(session, tokenizer_path).sample(PROMPT, n=2, temperature=1.0, seed=0, max_tokens=40)
    assert [(sample.text, sample.finished) for sample in samples] == [("a", True)] * 2
    assert session.batches == [1, 1]  # both begin alike


def test_unfinished_replies_say_so(decoder: Decoder) -> None:
    samples = decoder.sample(PROMPT, n=8, temperature=1.0, seed=1, max_tokens=1)
    assert not any(sample.finished for sample in samples)  # the first token is never the end
    assert all(sample.log_prob < 0 for sample in samples)


def test_score_is_the_log_probability_of_one_forward_pass(decoder: Decoder, tokenizer_path: Path) -> None:
    tokenizer = Tokenizer.from_file(str(tokenizer_path))
    speaker = tiny_speaker(tokenizer)
    replies = ["Arr, this red coat!", "A dog."]
    scores = decoder.score(PROMPT, replies)
    for reply, score in zip(replies, scores, strict=True):
        prompt, ids = tokenizer.encode(PROMPT).ids, tokenizer.encode(f"{PROMPT} {reply}<|end|>").ids
        session = EagerSession(speaker)
        empty = {name: np.zeros((1, 2, 0, 16), np.float32) for name in session.input_shapes if name != "ids"}
        logits = session.run({"ids": np.array([ids]), **empty})["logits"][0].astype(np.float64)
        logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        expected = np.mean([logp[i - 1, ids[i]] for i in range(len(prompt), len(ids))])
        assert score == pytest.approx(expected, abs=1e-4)
    assert decoder.score(PROMPT, []) == []


def test_low_temperature_and_small_nucleus_agree(decoder: Decoder) -> None:
    cold = decoder.sample(PROMPT, n=2, temperature=1e-3, seed=1, max_tokens=8)
    narrow = decoder.sample(PROMPT, n=2, temperature=1.0, top_p=1e-9, seed=2, max_tokens=8)
    assert [sample.text for sample in cold] == [sample.text for sample in narrow]


def test_another_tokenizer_is_refused(tmp_path: Path, decoder: Decoder, tokenizer_path: Path) -> None:
    text = tokenizer_path.read_text(encoding="utf-8").replace("voice:pirate", "voice:corsair")
    (tmp_path / "other.json").write_text(text, encoding="utf-8")
    with pytest.raises(Failure, match="no speaker tokenizer"):
        Decoder(EndingSession(decoder.tokenizer), tmp_path / "other.json")


def test_replies_that_begin_alike_are_computed_once(tokenizer_path: Path) -> None:
    session = CountingSession(tiny_speaker(Tokenizer.from_file(str(tokenizer_path))))
    decoder = Decoder(session, tokenizer_path)
    decoder.sample(PROMPT, n=16, temperature=1e-3, seed=2, max_tokens=4)
    assert session.batches == [1, 1, 1, 1]
    session.batches = []
    samples = decoder.sample(PROMPT, n=16, temperature=0.3, seed=2, max_tokens=2)
    assert 1 < session.batches[1] < len(samples)


class CountingSession(EagerSession):
    batches: list[int]

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.batches = [*getattr(self, "batches", []), len(feeds["ids"])]
        return super().run(feeds)
