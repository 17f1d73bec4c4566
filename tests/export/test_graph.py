import functools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from bot.runtime.bundle import Bundle
from export.__main__ import build
from export.graph import Exported, Graph, ParityError, Precision, export
from export.precision import int8_channels


class Tied(nn.Module):
    """An embedding whose transpose is the head, as in a language model."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(96, 64)
        self.mix = nn.Linear(64, 64)

    def forward(self, ids: Tensor) -> Tensor:
        return self.mix(self.embedding(ids)) @ self.embedding.weight.T


class Moody(nn.Module):
    """Computes something else in PyTorch than what is traced."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        if torch.compiler.is_exporting():
            return x * 1.0
        return x * 1.5


def graph(precision: Precision) -> Graph:
    ids = torch.arange(6).reshape(2, 3)
    about = {"licence": "MIT", "metrics": {"loss": 1.0}}
    dynamic = {"ids": {0: "batch", 1: "sequence"}}
    return Graph("tied", Tied(), {"ids": ids}, ("logits",), 1e-4, dynamic, precision, about)


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Precision], Exported]:
    """Return what exports the graph in a precision, once for all tests; they only read the files."""
    return functools.cache(lambda precision: export(graph(precision), tmp_path_factory.mktemp(precision)))


@pytest.mark.parametrize(("precision", "worst"), [("fp32", 1e-5), ("fp16", 1e-2), ("int8_weights", 0.1), ("int8", 0.5)])
def test_each_precision_stays_close_to_pytorch(
    tied: Callable[[Precision], Exported], precision: Precision, worst: float
) -> None:
    exported = tied(precision)
    assert exported.differences[precision] <= worst
    assert exported.entry["max_difference"] == exported.differences


def test_dynamic_axes_take_other_sizes(tied: Callable[[Precision], Exported]) -> None:
    session = ort.InferenceSession(str(tied("fp16").path), providers=["CPUExecutionProvider"])
    ids = np.array([[5]], np.int64)
    (logits,) = session.run(None, {"ids": ids})
    assert np.abs(logits - Tied()(torch.from_numpy(ids)).detach().numpy()).max() < 1e-2


def test_smaller_precisions_are_smaller_and_int8_reaches_the_tied_head(tied: Callable[[Precision], Exported]) -> None:
    precisions: tuple[Precision, ...] = ("fp32", "fp16", "int8")
    sizes = {precision: tied(precision).path.stat().st_size for precision in precisions}
    kinds = {node.op_type for node in onnx.load(tied("int8").path).graph.node}
    assert sizes["fp16"] < 0.7 * sizes["fp32"]
    assert "Transpose" not in kinds
    assert "MatMul" not in kinds, "the head was left in float"


def test_a_graph_that_differs_from_pytorch_is_refused(tmp_path: Path) -> None:
    wrong = Graph("moody", Moody(), {"x": torch.ones(2, 2)}, ("y",), 1e-4)
    with pytest.raises(ParityError, match=r"moody: differs from PyTorch by 5\.00e-01"):
        export(wrong, tmp_path)


def test_the_bundle_and_the_file_itself_say_what_the_model_is(tmp_path: Path) -> None:
    vocabulary = tmp_path / "words.json"
    vocabulary.write_text("[]")
    folder = tmp_path / "bundle"
    folder.mkdir()
    build([graph("fp16")], {"words": vocabulary}, folder)
    bundle = Bundle(folder)
    assert bundle.verify() == ["tied", "words"]
    about = bundle.model("tied").about
    assert about["inputs"] == [{"name": "ids", "shape": ["batch", "sequence"], "dtype": "tensor(int64)"}]
    model = onnx.load(folder / "tied.onnx")
    assert b"test_graph.py" not in model.SerializeToString()  # the exporter notes where each node stems from
    inside = {p.key: json.loads(p.value) for p in model.metadata_props}
    assert inside["licence"] == "MIT"
    assert inside["metrics"] == {"loss": 1.0}


def test_int8_weights_quarter_a_convolution_and_stay_within_half_a_step(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 64, 5), nn.Conv2d(64, 64, 3, groups=64), nn.Conv2d(64, 96, 3)).eval()
    image = torch.rand(1, 3, 16, 16)
    made = {}
    for precision in ("fp32", "int8_weights"):
        made[precision] = export(Graph("net", network, {"image": image}, ("y",), 1e-4, {}, precision), tmp_path)
    sizes = {precision: exported.entry["bytes"] for precision, exported in made.items()}
    assert sizes["int8_weights"] < 0.3 * sizes["fp32"]
    assert made["int8_weights"].differences["int8_weights"] < 0.02
    weights = network[2].get_parameter("weight").detach().numpy()
    stored, scale = int8_channels(weights, 0)
    assert stored.dtype == np.int8
    assert scale.shape == (96, 1, 1, 1)
    assert np.sqrt(((stored * scale - weights) ** 2).mean()) < np.abs(weights).max() / 127 / 2
