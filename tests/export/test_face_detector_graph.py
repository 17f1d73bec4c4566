from dataclasses import asdict

import numpy as np
import onnxruntime as ort
import torch

from export.graph import export
from export.graphs.face_detector import graphs
from models.face_detector import FaceDetectorConfig, FaceDetectorNet


def test_the_graph_takes_any_batch_and_says_its_threshold(tmp_path):
    config = FaceDetectorConfig(
        stages=((1, 8, 1, 1, 3), (2, 8, 2, 2, 3), (2, 8, 2, 2, 5), (2, 16, 2, 2, 3)), deep=16, deep_blocks=1, pyramid=8
    )
    metrics = {"threshold": 0.4, "recall": 0.9}
    torch.save(
        {"config": asdict(config), "network": FaceDetectorNet(config).state_dict(), "metrics": metrics},
        tmp_path / "best.pt",
    )
    (graph,) = graphs(tmp_path / "best.pt")
    exported = export(graph, tmp_path)
    assert exported.entry["labels"] == {"threshold": 0.4}
    assert exported.entry["metrics"] == {"recall": 0.9}
    assert exported.entry["normalisation"]["size"] == 320
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    for batch in (1, 3):
        scores, boxes, landmarks = session.run(None, {"pixels": np.zeros((batch, 3, 320, 320), np.float32)})
        assert (scores.shape, boxes.shape, landmarks.shape) == ((batch, 2100), (batch, 2100, 4), (batch, 2100, 10))
        assert (boxes[..., 2:] > 0).all()
