from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from export.face_detector_rewrite import takes_any_shape
from export.graph import Exported, Graph, export
from export.graphs.face_detector import graphs
from models.face_detector import FaceDetectorConfig, FaceDetectorNet

# One block of each kind: as it is exported with free sides, every layer takes the exporter a good part of a second.
CONFIG = FaceDetectorConfig(
    stages=((1, 8, 1, 1, 3), (1, 8, 1, 2, 3), (2, 8, 2, 2, 5), (1, 16, 1, 2, 3)),
    frozen=2,
    deep=16,
    deep_blocks=1,
    pyramid=8,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Graph, Exported]:
    """Return the graph of a checkpoint and what it is exported to, a file to be read only."""
    folder = tmp_path_factory.mktemp("detector")
    torch.manual_seed(0)
    metrics = {"threshold": 0.4, "recall": 0.9}
    torch.save(
        {"config": asdict(CONFIG), "network": FaceDetectorNet(CONFIG).state_dict(), "metrics": metrics},
        folder / "best.pt",
    )
    (graph,) = graphs(folder / "best.pt")
    return graph, export(graph, folder)


def session_of(path: Path) -> ort.InferenceSession:
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def test_the_graph_takes_any_batch_and_frame_and_says_its_threshold(made: tuple[Graph, Exported]) -> None:
    graph, exported = made
    assert exported.entry["labels"] == {"threshold": 0.4}
    assert exported.entry["metrics"] == {"recall": 0.9}
    assert (exported.entry["normalisation"]["size"], exported.entry["normalisation"]["step"]) == (320, 32)
    assert takes_any_shape(exported.path)
    session = session_of(exported.path)
    for batch, height, width in ((1, 320, 320), (3, 320, 320), (1, 256, 320), (2, 320, 64)):
        pixels = torch.rand(batch, 3, height, width) * 2 - 1
        with torch.no_grad():
            expected = graph.module(pixels)
        got = session.run(None, {"pixels": pixels.numpy()})
        assert got[0].shape == (batch, sum(height * width // stride**2 for stride in (8, 16, 32)))
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other.numpy(), atol=2.0, rtol=0.02)  # pixels; weights are halves


@pytest.mark.parametrize("fixed", [{2: 320, 3: 320}, {3: 320}])
def test_a_file_that_wants_squares_is_told_apart(
    made: tuple[Graph, Exported], tmp_path: Path, fixed: dict[int, int]
) -> None:
    model, path = onnx.load(made[1].path), tmp_path / "square.onnx"
    for axis, side in fixed.items():
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = side
    onnx.save(model, path)
    session = session_of(path)
    assert session.run(None, {"pixels": np.zeros((2, 3, 320, 320), np.float32)})[0].shape == (2, 2100)
    with pytest.raises(ort.capi.onnxruntime_pybind11_state.InvalidArgument):  # it does want them
        session.run(None, {"pixels": np.zeros((2, 3, 320, 256), np.float32)})
    assert not takes_any_shape(path)
