from pathlib import Path

import numpy as np
import onnx
import pytest

from bot.runtime.bundle import ModelEntry
from bot.runtime.session import Session
from bot.speech.decoder import Decoder
from bot.speech.prompt import build_prompt
from export.graph import export
from export.graphs.speaker import speaker_graph
from models.speaker import EagerSession, Speaker
from tests.tiny_speaker import SCENE, save_tokenizer, tiny_speaker, tiny_tokenizer


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    return tiny_speaker(tiny_tokenizer())


@pytest.fixture(scope="module")
def session(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Session:
    exported = export(speaker_graph(speaker, {}), tmp_path_factory.mktemp("graph"))
    assert exported.differences["fp32"] < 1e-3
    return Session(ModelEntry("speaker", exported.path, exported.entry), provider="cpu", threads=1)


@pytest.mark.parametrize(("batch", "new", "cached"), [(1, 7, 0), (1, 1, 3), (3, 1, 5), (2, 4, 6)])
def test_any_batch_length_and_cache_runs(speaker: Speaker, session: Session, batch: int, new: int, cached: int) -> None:
    rng = np.random.default_rng(0)
    feeds = {"ids": rng.integers(0, 300, (batch, new))}
    feeds |= {n: rng.normal(size=(batch, 2, cached, 16)).astype(np.float32) for n in session.input_shapes if n != "ids"}
    got, expected = session.run(feeds), EagerSession(speaker).run(feeds)
    assert set(got) == set(expected)
    for name, value in expected.items():
        assert got[name].shape == value.shape
        assert np.abs(got[name] - value).max() < 0.1 * np.abs(value).max()  # int8


def test_no_large_float_weight_is_left(session: Session) -> None:
    """The tied head and the embedding are quantised too."""
    weights = onnx.load(session.entry.path).graph.initializer
    floats = [w.name for w in weights if w.data_type == onnx.TensorProto.FLOAT and np.prod(w.dims) >= 32 * 32]
    assert floats == []


def test_the_decoder_writes_with_the_exported_graph(session: Session, tmp_path: Path) -> None:
    decoder = Decoder(session, save_tokenizer(tmp_path))
    samples = decoder.sample(build_prompt(SCENE, "pirate", (), ()), n=3, temperature=1.0, seed=1, max_tokens=6)
    assert len(samples) == 3
    assert all(sample.text for sample in samples)
