import json
from pathlib import Path

import pytest

from bot.domain import Failure
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle, sha256

MODELS = {"face_detector", "face_reader", "captioner_encoder", "captioner_decoder", "speaker"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.onnx").write_bytes(b"weights")
    entry = {"file": "one.onnx", "sha256": sha256(tmp_path / "one.onnx"), "bytes": 7, "labels": {"a": ["b"]}}
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "models": {"one": entry}, "files": {}}))
    return tmp_path


def test_a_good_bundle_opens(folder: Path) -> None:
    bundle = Bundle(folder)
    assert bundle.verify() == ["one"]
    assert bundle.model("one").path.read_bytes() == b"weights"
    assert bundle.model("one").labels == {"a": ["b"]}


def test_a_changed_file_is_named_with_its_mend(folder: Path) -> None:
    (folder / "one.onnx").write_bytes(b"weighty")
    with pytest.raises(Failure, match=r"one\.onnx is not the one .*sha256.*install the bot again"):
        Bundle(folder).model("one")


def test_a_missing_file_is_named_with_its_mend(folder: Path) -> None:
    (folder / "one.onnx").unlink()
    with pytest.raises(Failure, match=r"one\.onnx is missing; install the bot again"):
        Bundle(folder).model("one")


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "damaged"), ("[]", "damaged"), ('{"models": {"one": {}}, "files": {}}', "damaged"), (None, "has no")],
)
def test_a_bad_manifest_is_one_sentence(folder: Path, text: str | None, message: str) -> None:
    if text is None:
        (folder / "manifest.json").unlink()
    else:
        (folder / "manifest.json").write_text(text)
    with pytest.raises(Failure, match=message) as caught:
        Bundle(folder).model("one")
    assert "\n" not in str(caught.value)


def test_an_unlisted_model_is_named(folder: Path) -> None:
    with pytest.raises(Failure, match="lists no two"):
        Bundle(folder).model("two")


def test_the_shipped_bundle_is_whole_small_and_documented() -> None:
    bundle = Bundle(SHIPPED_BUNDLE)
    bundle.verify()
    assert set(bundle.manifest["models"]) >= MODELS
    entries = [*bundle.manifest["models"].values(), *bundle.manifest["files"].values()]
    assert sum(entry["bytes"] for entry in entries) <= 32 * 2**20
    for name, about in bundle.manifest["models"].items():
        assert about["training_data"], name
        assert about["licence"], name
        assert about["metrics"], name
        assert about["inputs"], name
        assert about["outputs"], name
        assert about["precision"] in {"fp32", "fp16", "int8_weights", "int8"}, name


def test_every_file_of_the_shipped_bundle_is_listed() -> None:
    bundle = Bundle(SHIPPED_BUNDLE)
    listed = {entry["file"] for kind in ("models", "files") for entry in bundle.manifest[kind].values()}
    there = {path.name for path in SHIPPED_BUNDLE.iterdir()} - {"manifest.json"}
    assert there == listed
