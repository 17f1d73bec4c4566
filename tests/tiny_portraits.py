"""Portrait models that draw one plain colour: a bundle of a few kilobytes with the graphs' real names and shapes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE, sha256

NOISE, SIDE = 8, 128
# What each condition adds to red, green and blue, of -1..1: ages are told by red, gender by green, a smile by blue
COLOURS = np.diag([0.2, 0.8, 0.8]).astype(np.float32)
DIRECTIONS = {"smile": (0.0, 0.0, 0.5), "age": (0.8, 0.0, 0.0), "glasses": (0.0, 0.5, 0.0)}
FLOAT, INTEGER = TensorProto.FLOAT, TensorProto.INT64
FACES = ["batch", 3, SIDE, SIDE]


def colour_of(conditions: np.ndarray) -> np.ndarray:
    """Return the colours (N, 3), 0..255, around which faces of these conditions (N, 3) are drawn."""
    return (conditions @ COLOURS - 0.4 + 1) * 127.5


def write_bundle(folder: Path) -> Path:
    """Write the three models, and beside them the shipped detector and face reader."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = json.loads((SHIPPED_BUNDLE / MANIFEST).read_text())["models"]
    models: dict[str, Any] = {name: shipped[name] for name in ("face_detector", "face_reader")}
    for entry in models.values():
        shutil.copy(SHIPPED_BUNDLE / entry["file"], folder)
    models["gan"] = write(
        folder / "gan.onnx",
        {"noise": (FLOAT, ["batch", NOISE]), "conditions": (INTEGER, ["batch", 3])},
        ("faces", FACES),
        [
            ("Cast", ["conditions"], "asked", {"to": FLOAT}),
            ("MatMul", ["asked", "colours"], "colour", {}),
            ("MatMul", ["noise", "little"], "other", {}),
            ("Sum", ["colour", "other", "dark"], "flat", {}),
            *spread("flat"),
        ],
        {"colours": COLOURS, "little": np.eye(NOISE, 3, dtype=np.float32) * 0.02, "dark": np.float32([-0.4])},
        labels={},
    )
    models["vae_encoder"] = write(
        folder / "vae_encoder.onnx", {"faces": (FLOAT, FACES)}, ("latent", ["batch", 3]),
        [("ReduceMean", ["faces", "sides"], "latent", {"keepdims": 0})], {"sides": np.int64([2, 3])}, labels={},
    )  # fmt: skip
    models["vae_decoder"] = write(
        folder / "vae_decoder.onnx",
        {"latent": (FLOAT, ["batch", 3]), "strengths": (FLOAT, ["batch", len(DIRECTIONS)])},
        ("faces", FACES),
        [("MatMul", ["strengths", "ways"], "walk", {}), ("Add", ["latent", "walk"], "flat", {}), *spread("flat")],
        {"ways": np.float32(list(DIRECTIONS.values()))},
        labels={"directions": list(DIRECTIONS)},
    )
    (folder / MANIFEST).write_text(json.dumps({"version": 1, "models": models, "files": {}}))
    return folder


def spread(colour: str) -> list[tuple[str, list[str], str, dict[str, Any]]]:
    """Return the steps from colours (B, 3) to faces (B, 3, SIDE, SIDE) of them."""
    return [("Unsqueeze", [colour, "sides"], "pixel", {}), ("Expand", ["pixel", "size"], "faces", {})]


def write(path: Path, inputs: dict, output: tuple, steps: list, constants: dict, labels: dict) -> dict[str, Any]:
    """Write one graph and return its manifest entry."""
    constants = {"sides": np.int64([2, 3]), "size": np.int64([1, 3, SIDE, SIDE]), **constants}
    nodes = [helper.make_node(kind, names, [made], **options) for kind, names, made, options in steps]
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, *about) for name, about in inputs.items()],
        [helper.make_tensor_value_info(output[0], FLOAT, output[1])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), str(path))
    return {"file": path.name, "sha256": sha256(path), "bytes": path.stat().st_size, "labels": labels}
