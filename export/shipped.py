"""Write a shipped model anew without its checkpoint: the int8 weights of its file are scaled back."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from export.__main__ import build
from export.graph import Graph

KEPT = ("labels", "training_data", "licence", "metrics")  # of the manifest entry

Recovery = Callable[[Bundle, dict[str, Any]], Graph]


def arrays(graph: onnx.GraphProto) -> dict[str, np.ndarray]:
    """Return the initializers of a graph by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}


def int8_matrices(graph: onnx.GraphProto) -> list[np.ndarray]:
    """Return the int8 matrices (K, N) that are multiplied by, in the order of the graph."""
    tensors = arrays(graph)
    return [tensors[node.input[1]] for node in graph.node if node.op_type == "MatMulInteger"]


def float_matrices(graph: onnx.GraphProto) -> list[np.ndarray]:
    """Return the same matrices scaled back to float32."""
    tensors = arrays(graph)
    names = [node.input[1].removesuffix("_quantized") for node in graph.node if node.op_type == "MatMulInteger"]
    scales = [tensors[f"{name}_scale"] for name in names]
    return [matrix.astype(np.float32) * scale for matrix, scale in zip(int8_matrices(graph), scales, strict=True)]


def rewrite(name: str, is_present: Callable[[Path], bool], recover: Recovery) -> None:
    """Write model ``name`` of the bundle named on the command line anew, unless ``is_present`` says that it is.

    ``recover`` makes the graph of the bundle and of what the manifest entry tells of the model.
    """
    parser = argparse.ArgumentParser(description=f"Write the shipped {name} anew in its present form.")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    folder = parser.parse_args().bundle
    bundle = Bundle(folder)
    entry = bundle.model(name)
    if is_present(entry.path):
        print(f"{entry.path} is in its present form already")
        return
    build([recover(bundle, {key: entry.about[key] for key in KEPT if key in entry.about})], {}, folder)
