from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bot.domain import Failure
from bot.runtime.bundle import ModelEntry
from bot.runtime.session import Session, available_cores
from bot.runtime.timing import Stopwatch


@pytest.fixture
def entry(tmp_path: Path) -> ModelEntry:
    """A graph that doubles its input."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "double", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "double.onnx")
    return ModelEntry("double", tmp_path / "double.onnx", {})


def test_arrays_in_and_out_by_name(entry: ModelEntry) -> None:
    session = Session(entry)
    out = session.run({"x": np.array([1, 2], np.float32)})
    assert list(out) == ["y"]
    assert out["y"].tolist() == [2, 4]
    assert session.provider in {"CPUExecutionProvider", "CUDAExecutionProvider"}


def test_cuda_on_a_machine_without_it_is_one_sentence(entry: ModelEntry) -> None:
    if Session(entry).provider == "CUDAExecutionProvider":
        pytest.skip("this machine has a GPU")
    with pytest.raises(Failure, match=r"^No CUDA GPU answers; set PROVIDER=auto"):
        Session(entry, provider="cuda")


def test_a_file_that_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(Failure, match=r"cannot load text\.onnx") as caught:
        Session(ModelEntry("text", tmp_path / "text.onnx", {}))
    assert "\n" not in str(caught.value)


def test_at_least_one_core_is_available() -> None:
    assert available_cores() >= 1


def test_a_stopwatch_adds_up_stages_that_repeat() -> None:
    stopwatch = Stopwatch()
    for _ in range(2):
        with stopwatch("a"):
            pass
    before = stopwatch.timings_ms["a"]
    stopwatch.add({"a": 1000.0, "b": 5.0})
    assert stopwatch.timings_ms == {"a": before + 1000.0, "b": 5.0}
    assert stopwatch.total_ms == pytest.approx(before + 1005.0)


def test_a_stopwatch_counts_a_stage_that_fails() -> None:
    stopwatch = Stopwatch()
    with pytest.raises(RuntimeError), stopwatch("a"):
        raise RuntimeError
    assert "a" in stopwatch.timings_ms
