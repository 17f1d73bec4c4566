"""Write a shipped model anew without its checkpoint, from the weights in its file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from export.__main__ import build
from export.graph import Graph

KEPT = ("normalisation", "labels", "training_data", "licence", "metrics")  # of the manifest entry

Recovery = Callable[[Bundle, dict[str, Any]], Graph]


def int8_matrices(path: Path) -> Iterator[np.ndarray]:
    """Yield the matrices (K, N) that a file multiplies bytes with, as they are stored."""
    graph = onnx.load(path).graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            yield numpy_helper.to_array(tensors[node.input[1]])


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
