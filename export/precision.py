"""Smaller weights: half-precision or int8 storage, and int8 matrix products."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

SMALLEST = 256  # elements; below this a cast costs more than it saves
CHANNEL_AXES = {"Conv": 0, "Gemm": 0, "MatMul": -1}  # where the output channels of a weight lie; Gemm's is transposed
CLIPS = np.linspace(0.7, 1.0, 13)  # shares of a channel's largest weight at which its int8 range may end


def store_fp16(path: Path) -> None:
    """Rewrite float32 initializers as float16 with a Cast back.

    ONNX Runtime folds the casts at load, so the arithmetic and the speed stay float32; only the
    file halves. The weights are rounded to 11 significant bits.
    """
    _store_small(path, int8=False)


def store_int8_weights(path: Path) -> None:
    """Rewrite float32 kernels and matrices as int8 with a scale per output channel, the rest as float16.

    Cast and Mul turn them back and are folded at load: arithmetic and speed stay float32, only the file
    shrinks to a quarter. Each channel's range is clipped where that makes the squared error least.
    """
    _store_small(path, int8=True)


def _store_small(path: Path, *, int8: bool) -> None:
    model = onnx.load(path)
    graph = model.graph
    axes = {node.input[1]: CHANNEL_AXES[node.op_type] for node in graph.node if node.op_type in CHANNEL_AXES}
    nodes, scales = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST or np.abs(values).max() > 65000:
            continue
        name = tensor.name
        if int8 and name in axes:
            stored, scale = int8_channels(values, axes[name] % values.ndim)
            tensor.CopyFrom(numpy_helper.from_array(stored, f"{name}_int8"))
            scales.append(numpy_helper.from_array(scale, f"{name}_scale"))
            nodes.append(helper.make_node("Cast", [f"{name}_int8"], [f"{name}_steps"], to=TensorProto.FLOAT))
            nodes.append(helper.make_node("Mul", [f"{name}_steps", f"{name}_scale"], [name]))
        else:
            tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
            nodes.append(helper.make_node("Cast", [f"{name}_fp16"], [name], to=TensorProto.FLOAT))
    graph.initializer.extend(scales)
    nodes += list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


def int8_channels(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``values`` as int8 and the float32 scale of each channel along ``axis``, shaped to multiply."""
    others = tuple(i for i in range(values.ndim) if i != axis)
    largest = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-12).astype(np.float32)
    best, least = largest / 127, np.full_like(largest, np.inf)
    for clip in CLIPS:
        scale = largest * np.float32(clip) / 127
        rounded = np.clip(np.round(values / scale), -127, 127) * scale
        error = ((values - rounded) ** 2).sum(axis=others, keepdims=True)
        best, least = np.where(error < least, scale, best), np.minimum(error, least)
    return np.clip(np.round(values / best), -127, 127).astype(np.int8), best


def fold_constant_transposes(model: onnx.ModelProto) -> None:
    """Replace Transpose(initializer) by a transposed initializer.

    A tied language-model head exports as Transpose + MatMul, which the quantiser skips in silence.
    """
    graph = model.graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in initializers:
            values = numpy_helper.to_array(initializers[node.input[0]])
            order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            folded = np.ascontiguousarray(np.transpose(values, order))
            graph.initializer.append(numpy_helper.from_array(folded, node.output[0]))
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def store_int8(path: Path) -> None:
    """Quantise matrix products and embeddings to int8 with dynamic activations (per channel)."""
    model = onnx.load(path)
    fold_constant_transposes(model)
    del model.graph.value_info[:]
    onnx.save(model, path)
    quantize_dynamic(
        path, path, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gemm", "Gather"]
    )
