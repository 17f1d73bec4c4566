from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from bot.domain import Failure
from bot.runtime import session
from bot.runtime.bundle import ModelEntry
from bot.runtime.metrics import REGISTRY
from bot.runtime.session import CPU, CUDA, TENSORRT, Session, available_cores, share_cores, short_name
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
    double = Session(entry)
    out = double.run({"x": np.array([1, 2], np.float32)})
    assert list(out) == ["y"]
    assert out["y"].tolist() == [2, 4]
    assert double.provider in {"CPUExecutionProvider", "CUDAExecutionProvider"}


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


def test_tensorrt_on_a_machine_without_it_is_one_sentence(entry: ModelEntry, capfd: pytest.CaptureFixture[str]) -> None:
    if Session(entry).provider == CUDA:
        pytest.skip("this machine has a GPU")
    with pytest.raises(Failure, match=r"^TensorRT does not answer; set PROVIDER=auto"):
        Session(entry, provider="tensorrt")
    assert capfd.readouterr() == ("", "")


def test_runs_are_counted_by_the_size_of_their_batch(entry: ModelEntry) -> None:
    def counted(most: str) -> float:
        labels = {"model": "double", "le": most}
        return REGISTRY.get_sample_value("talking_photos_batch_size_bucket", labels) or 0.0

    double = Session(entry)
    before = [counted("2.0"), counted("3.0")]
    double.run({"x": np.zeros(3, np.float32)})
    assert [counted("2.0"), counted("3.0")] == [before[0], before[1] + 1]


@pytest.mark.parametrize(
    ("cores", "asked", "given"),
    [
        (1, (0, 0), (1, 1)),
        (2, (0, 0), (2, 1)),
        (16, (0, 0), (4, 4)),
        (16, (8, 0), (8, 2)),
        (2, (8, 0), (8, 1)),
        (2, (1, 0), (1, 2)),
        (2, (0, 3), (2, 3)),
    ],
)
def test_cores_are_shared_out(
    monkeypatch: pytest.MonkeyPatch, cores: int, asked: tuple[int, int], given: tuple[int, int]
) -> None:
    monkeypatch.setattr(session, "available_cores", lambda: cores)
    assert share_cores(*asked) == given


@pytest.mark.parametrize(("provider", "name"), [(CPU, "CPU"), (CUDA, "CUDA"), (TENSORRT, "TensorRT")])
def test_providers_have_short_names(provider: str, name: str) -> None:
    assert short_name(provider) == name


def test_a_file_that_is_no_model_is_tried_in_silence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    for provider in ("auto", "tensorrt"):
        with pytest.raises(Failure, match=r"cannot load text\.onnx"):
            Session(ModelEntry("text", tmp_path / "text.onnx", {}), provider=provider)
    assert capfd.readouterr() == ("", "")
