import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from bot.runtime.bundle import Bundle, ModelEntry
from bot.runtime.session import Session
from bot.speech.decoder import Decoder, Sample
from bot.speech.prompt import build_prompt
from bot.speech.tree import TreeModel
from export.__main__ import build
from export.graph import Exported, Graph, Precision, export
from export.graphs.speaker import speaker_graph
from export.precision import int8_pairs
from export.speaker_rewrite import main, recover
from models.speaker import CachedSpeaker, EagerSession, Speaker
from tests.tiny_speaker import SCENE, save_tokenizer, tiny_speaker, tiny_tokenizer

ABOUT = {"labels": {"tokenizer": "speaker_tokenizer"}, "metrics": {"nats_authored": 4.366}}
PROMPT = build_prompt(SCENE, "pirate", (), ())


@pytest.fixture(scope="module")
def speaker() -> Speaker:
    return tiny_speaker(tiny_tokenizer())


def plain_graph(speaker: Speaker) -> Graph:  # the form that was shipped before the tree
    config = speaker.config
    names = [f"{kind}_{i}" for i in range(config.layers) for kind in ("k", "v")]
    past = torch.randn(2, config.heads, 4, config.width // config.heads)
    inputs = {"ids": torch.randint(0, config.vocabulary, (2, 3)), **{f"past_{name}": past for name in names}}
    dynamic = {"ids": {0: "batch", 1: "sequence"}, **{f"past_{name}": {0: "batch", 2: "past"} for name in names}}
    outputs = ("logits", *(f"present_{name}" for name in names))
    return Graph("speaker", CachedSpeaker(speaker), inputs, outputs, 1e-3, dynamic=dynamic, precision="int8")


def exported_as(speaker: Speaker, precision: Precision, folder: Path) -> Exported:
    exported = export(replace(speaker_graph(speaker, {}), precision=precision), folder)
    assert exported.differences["fp32"] < 1e-3
    return exported


def session_of(exported: Exported) -> Session:
    return Session(ModelEntry("speaker", exported.path, exported.entry), provider="cpu", threads=1)


@pytest.fixture(scope="module")
def full(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session_of(exported_as(speaker, "fp32", tmp_path_factory.mktemp("full")))


@pytest.fixture(scope="module")
def small(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return session_of(exported_as(speaker, "int8", tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def old_bundle(speaker: Speaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a bundle with the form before the tree, to be read or copied."""
    folder = tmp_path_factory.mktemp("plain")
    build([replace(plain_graph(speaker), about=ABOUT)], {"speaker_tokenizer": save_tokenizer(folder)}, folder)
    return folder


def torch_logits(speaker: Speaker, ids: list[int]) -> np.ndarray:
    session = EagerSession(speaker)
    empty = {name: np.zeros((1, 2, 0, 16), np.float32) for name in session.input_shapes if name != "ids"}
    return session.run({"ids": np.array([ids]), **empty})["logits"][0]


def test_every_branch_sees_its_own_reply_and_no_other(speaker: Speaker, full: Session) -> None:
    model = TreeModel(full, speaker.config.vocabulary)
    with model.open([[1, 2, 3], [4, 5]], room=16) as tree:
        assert tree.first == pytest.approx(torch_logits(speaker, [1, 2, 3, 4, 5])[-1], abs=1e-3)
        tree.grow(np.array([0, 0, 0]), np.array([7, 8, 9]))
        tree.grow(np.array([2, 0]), np.array([10, 11]))  # the second one is left, the first is second now
        logits = tree.grow(np.array([1, 0, 1]), np.array([12, 13, 14]))
        after = tree.follow([20, 21])
    replies = [[7, 11, 12], [9, 10, 13], [7, 11, 14]]
    for row, reply in zip(logits, replies, strict=True):
        assert row == pytest.approx(torch_logits(speaker, [1, 2, 3, 4, 5, *reply])[-1], abs=1e-3)
    assert after == pytest.approx(torch_logits(speaker, [1, 2, 3, 4, 5, 20, 21])[-2:], abs=1e-3)


def test_tokens_may_be_put_behind_any_beginning_and_behind_one_another(speaker: Speaker, full: Session) -> None:
    with TreeModel(full, speaker.config.vocabulary).open([[1, 2, 3], [4, 5]], room=16) as tree:
        tree.graft(np.array([0, 0, 2]), np.array([7, 8, 9]))  # beginnings 1, 2 and 3
        logits = tree.graft(np.array([1, 3, 5, 0]), np.array([10, 11, 12, 13]))  # 4, 5, 6 and 7
    for row, reply in zip(logits, [[7, 10], [8, 9, 11], [8, 9, 11, 12], [13]], strict=True):
        assert row == pytest.approx(torch_logits(speaker, [1, 2, 3, 4, 5, *reply])[-1], abs=1e-3)


def test_a_used_buffer_leaves_no_trace(speaker: Speaker, full: Session) -> None:
    model = TreeModel(full, speaker.config.vocabulary)
    with model.open([[30, 31, 32, 33]], room=16) as tree:
        tree.grow(np.array([0, 0]), np.array([7, 8]))
    with model.open([[1, 2]], room=2000) as longer, model.open([[1, 2]], room=16) as other:
        assert longer is not other
        assert longer.first == pytest.approx(torch_logits(speaker, [1, 2])[-1], abs=1e-3)
        rows = longer.grow(np.array([0]), np.array([9])), other.grow(np.array([0]), np.array([9]))
    for row in rows:
        assert row[0] == pytest.approx(torch_logits(speaker, [1, 2, 9])[-1], abs=1e-3)


def test_the_graph_writes_what_pytorch_writes(speaker: Speaker, full: Session, tmp_path: Path) -> None:
    path = save_tokenizer(tmp_path)
    wanted = sampled(Decoder(EagerSession(speaker), path))
    got = sampled(Decoder(full, path))
    assert [sample.text for sample in got] == [sample.text for sample in wanted]
    for one, other in zip(got, wanted, strict=True):
        assert one.log_probs == pytest.approx(other.log_probs, abs=1e-3)


def sampled(decoder: Decoder) -> list[Sample]:
    return decoder.sample(PROMPT, n=8, temperature=0.5, seed=3, max_tokens=12)


def test_int8_stays_close(full: Session, small: Session, tmp_path: Path) -> None:
    path = save_tokenizer(tmp_path)
    replies = ["Arr, this red coat!", "A dog."]
    scores = [Decoder(session, path).score(PROMPT, replies) for session in (full, small)]
    assert scores[0] == pytest.approx(scores[1], rel=0.02)


def test_no_large_float_weight_is_left_and_embedding_and_head_are_one(small: Session) -> None:
    weights = onnx.load(small.entry.path).graph.initializer
    floats = [w.name for w in weights if w.data_type == onnx.TensorProto.FLOAT and np.prod(w.dims) >= 32 * 32]
    assert floats == []
    assert [sorted(w.dims) for w in weights if 364 in w.dims and len(w.dims) > 1] == [[32, 364]]


def test_no_two_neighbours_overflow_sixteen_bits(small: Session) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(65, 40)).astype(np.float32)
    values[:2] = 4.0  # these two would saturate
    stored, scale = int8_pairs(values)
    assert np.abs(stored * scale - values).max() < 0.1
    matrices = [numpy_helper.to_array(w) for w in onnx.load(small.entry.path).graph.initializer]
    for matrix in (stored[:64], *(m for m in matrices if m.dtype == np.int8 and m.ndim == 2)):
        pairs = matrix.astype(int).reshape(-1, 2, matrix.shape[1])
        assert np.abs(pairs.sum(axis=1)[(pairs.prod(axis=1) > 0)]).max() <= 128


def test_a_file_of_either_form_gives_its_weights_back(speaker: Speaker, small: Session, old_bundle: Path) -> None:
    for path in (Bundle(old_bundle).model("speaker").path, small.entry.path):
        again = recover(path)
        assert again.config == speaker.config
        for (name, one), other in zip(again.named_parameters(), speaker.parameters(), strict=True):
            assert (one - other).abs().max() <= 0.01 * other.abs().max(), name


def test_a_bundle_is_rewritten_in_place(
    old_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(old_bundle, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "speaker_tokenizer.json"
    before = sampled(Decoder(Session(Bundle(tmp_path).model("speaker"), provider="cpu"), path))
    monkeypatch.setattr("sys.argv", ["speaker_rewrite", "--bundle", str(tmp_path)])
    main()
    entry = Bundle(tmp_path).model("speaker")
    assert {"wanted", "bias"} <= {node["name"] for node in entry.about["inputs"]}
    assert {key: entry.about[key] for key in ABOUT} == ABOUT
    after = sampled(Decoder(Session(entry, provider="cpu"), path))
    assert np.mean([s.log_prob for s in after]) == pytest.approx(np.mean([s.log_prob for s in before]), abs=0.5)
    kept = entry.path.read_bytes()
    main()
    assert "already" in capsys.readouterr().out
    assert entry.path.read_bytes() == kept
