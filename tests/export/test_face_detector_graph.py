from dataclasses import asdict, replace

import numpy as np
import onnxruntime as ort
import torch

from export.face_detector_rewrite import takes_any_shape
from export.graph import export
from export.graphs.face_detector import detector_graph, graphs
from models.face_detector import DetectorForExport, FaceDetectorConfig, FaceDetectorNet

CONFIG = FaceDetectorConfig(
    stages=((1, 8, 1, 1, 3), (2, 8, 2, 2, 3), (2, 8, 2, 2, 5), (2, 16, 2, 2, 3)), deep=16, deep_blocks=1, pyramid=8
)


def test_the_graph_takes_any_batch_and_frame_and_says_its_threshold(tmp_path):
    metrics = {"threshold": 0.4, "recall": 0.9}
    torch.save(
        {"config": asdict(CONFIG), "network": FaceDetectorNet(CONFIG).state_dict(), "metrics": metrics},
        tmp_path / "best.pt",
    )
    (graph,) = graphs(tmp_path / "best.pt")
    exported = export(graph, tmp_path)
    assert exported.entry["labels"] == {"threshold": 0.4}
    assert exported.entry["metrics"] == {"recall": 0.9}
    assert (exported.entry["normalisation"]["size"], exported.entry["normalisation"]["step"]) == (320, 32)
    assert takes_any_shape(exported.path)
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    for batch, height, width in ((1, 320, 320), (3, 320, 320), (1, 256, 320), (2, 320, 64)):
        pixels = torch.rand(batch, 3, height, width) * 2 - 1
        with torch.no_grad():
            expected = graph.module(pixels)
        got = session.run(None, {"pixels": pixels.numpy()})
        assert got[0].shape == (batch, sum(height * width // stride**2 for stride in (8, 16, 32)))
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=2.0, rtol=0.02)  # pixels; weights are halves


def test_a_file_that_wants_squares_is_told_apart(tmp_path):
    network, example = DetectorForExport(FaceDetectorNet(CONFIG)), torch.rand(2, 3, 64, 64)
    about = {"labels": {"threshold": 0.4}, "metrics": {}}
    square = replace(detector_graph(network, about), inputs={"pixels": example}, dynamic={"pixels": {0: "batch"}})
    assert not takes_any_shape(export(square, tmp_path).path)
