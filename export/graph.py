"""A graph to export: its module, inputs, dynamic axes, tolerance and what its manifest entry says."""

from __future__ import annotations

import inspect
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from bot.runtime.bundle import sha256
from export.precision import store_fp16, store_int8, store_int8_weights

Precision = Literal["fp32", "fp16", "int8_weights", "int8"]
STORE = {"fp16": store_fp16, "int8_weights": store_int8_weights, "int8": store_int8}


class ParityError(AssertionError):
    """The exported graph does not compute what the PyTorch module computes."""


@dataclass(frozen=True)
class Graph:
    """One ONNX file to be.

    ``name`` is its manifest name and the file is ``name.onnx``. ``module`` is in eval mode; its
    forward takes ``inputs`` (example tensors by name) by position and returns ``outputs``. Give
    dynamic axes sizes of at least 2 there, since the exporter makes a 1 constant. ``dynamic`` names
    axes by input, e.g. ``{"ids": {0: "batch", 1: "sequence"}}``; axes that may differ need different
    names. ``tolerance`` is the largest absolute difference to PyTorch before weights are rounded.
    ``precision`` is how weights are stored: fp32, fp16 (cast back at load, free in quality), int8_weights
    (scaled back at load, a quarter of the size) or int8 (dynamic quantisation of matrix products).
    ``about`` holds normalisation, labels, training_data, licence and metrics for the manifest.
    """

    name: str
    module: nn.Module
    inputs: Mapping[str, Tensor]
    outputs: tuple[str, ...]
    tolerance: float
    dynamic: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    precision: Precision = "fp16"
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """What came of a Graph: its file, manifest entry and largest difference to PyTorch by stage."""

    path: Path
    entry: dict[str, Any]
    differences: dict[str, float]


def export(graph: Graph, folder: Path) -> Exported:
    """Export, verify against PyTorch, store in ``graph.precision``, describe.

    Raises ParityError when the fp32 graph differs from PyTorch by more than ``graph.tolerance``.
    """
    path = folder / f"{graph.name}.onnx"
    module = graph.module.eval()
    dynamic = dynamic_shapes(graph)
    with torch.no_grad():
        torch.onnx.export(
            module,
            tuple(graph.inputs.values()),
            str(path),
            dynamo=True,
            opset_version=20,
            external_data=False,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=dynamic,
            verbose=False,
        )
    differences = {"fp32": difference(graph, path)}
    if differences["fp32"] > graph.tolerance:
        raise ParityError(f"{graph.name}: differs from PyTorch by {differences['fp32']:.2e} > {graph.tolerance:.0e}")
    if graph.precision != "fp32":
        STORE[graph.precision](path)
        differences[graph.precision] = difference(graph, path)
    entry = describe(graph, path, differences)
    return Exported(path, entry, differences)


def dynamic_shapes(graph: Graph) -> tuple[Any, ...] | None:
    """Return the dynamic axes in the shape of forward's arguments, or None when every size is fixed."""
    if not graph.dynamic:
        return None
    shapes = [dict(graph.dynamic.get(name, {})) for name in graph.inputs]
    kinds = [parameter.kind for parameter in inspect.signature(graph.module.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(shapes)
    named = kinds.index(inspect.Parameter.VAR_POSITIONAL)  # forward(a, *rest) takes the rest as one tuple
    return (*shapes[:named], tuple(shapes[named:]))


def difference(graph: Graph, path: Path) -> float:
    """Return the largest absolute difference between the file's outputs and PyTorch's; names of words have none."""
    with torch.no_grad():
        expected = graph.module(*graph.inputs.values())
    expected = expected if isinstance(expected, tuple | list) else (expected,)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(list(graph.outputs), {name: value.numpy() for name, value in graph.inputs.items()})
    return max(
        float(np.abs(a.numpy() - b).max())
        for a, b in zip(expected, got, strict=True)
        if a.numel() and a.is_floating_point()
    )


def describe(graph: Graph, path: Path, differences: Mapping[str, float]) -> dict[str, Any]:
    """Write the metadata into the file itself and return its manifest entry."""
    about = {**graph.about, "precision": graph.precision, "max_difference": dict(differences), "commit": commit()}
    model = onnx.load(path)
    forget_origins(model)
    onnx.helper.set_model_props(model, {key: json.dumps(value) for key, value in about.items()})
    onnx.save(model, path)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return {
        "file": path.name,
        "sha256": sha256(path),
        "bytes": path.stat().st_size,
        "inputs": [{"name": n.name, "shape": n.shape, "dtype": n.type} for n in session.get_inputs()],
        "outputs": [{"name": n.name, "shape": n.shape, "dtype": n.type} for n in session.get_outputs()],
        **about,
    }


def forget_origins(model: onnx.ModelProto) -> None:
    """Drop what the exporter notes of the lines of Python that each node stems from: up to a third of a small file."""
    graph = model.graph
    del graph.value_info[:]  # shapes between the nodes, which ONNX Runtime infers itself
    for part in (*graph.node, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.doc_string = ""


def commit() -> str:
    """Return the short hash of the checked-out commit, or "unknown" outside git."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
