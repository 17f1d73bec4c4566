"""Smaller weights: half-precision or int8 storage, and int8 matrix products."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

SMALLEST = 256  # elements; below this a cast costs more than it saves
# Where the output channels of a weight lie; Gemm's is transposed
CHANNEL_AXES = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0, "MatMul": -1}
STRETCHES = np.linspace(0.7, 2.0, 53)  # the same for int8_pairs; beyond 1 no weight is clipped, but more pairs fit
SHARED = 8192  # elements of a tied matrix or a table; below this the nodes that turn it around or scale it cost more
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


def fold_constant_transposes(model: onnx.ModelProto) -> dict[str, str]:
    """Replace Transpose(initializer) by a transposed initializer; return the new ones' names by the old ones'.

    A tied language-model head exports as Transpose + MatMul, which the quantiser skips in silence.
    """
    graph = model.graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}
    kept, names = [], {}
    for node in graph.node:
        if node.op_type == "Transpose" and node.input[0] in initializers:
            values = numpy_helper.to_array(initializers[node.input[0]])
            order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            folded = np.ascontiguousarray(np.transpose(values, order))
            graph.initializer.append(numpy_helper.from_array(folded, node.output[0]))
            names[node.input[0]] = node.output[0]
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)
    return names


def store_int8(path: Path) -> None:
    """Quantise matrix products and embeddings to int8 with dynamic activations (per channel).

    Weights are such that a processor with AVX2 but without VNNI computes the same as others, and an embedding
    that is the head as well is stored once.
    """
    model = onnx.load(path)
    tied = fold_constant_transposes(model)
    del model.graph.value_info[:]
    floats = {
        node.input[1]: numpy_helper.to_array(tensor)
        for node in model.graph.node
        for tensor in model.graph.initializer
        if node.op_type == "MatMul" and tensor.name == node.input[1]
    }
    onnx.save(model, path)
    quantize_dynamic(
        path,
        path,
        op_types_to_quantize=["MatMul", "Gemm", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=_small_tables(model),
        extra_options={"DefaultTensorType": TensorProto.FLOAT},  # operators outside of ONNX tell no type
    )
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        name = tensor.name.removesuffix("_quantized")
        if name in floats and name != tensor.name:
            stored, scale = int8_pairs(floats[name])
            _replace(model, tensor.name, stored)
            _replace(model, f"{name}_scale", scale)
    for embedding, head in tied.items():
        if floats.get(head, np.zeros(0)).size >= SHARED:
            _read_from_head(model, embedding, head)
    onnx.save(model, path)


def _small_tables(model: onnx.ModelProto) -> list[str]:
    """Return the nodes that look something up in a table too small to be worth the nodes that scale it back."""
    small = {tensor.name for tensor in model.graph.initializer if math.prod(tensor.dims) < SHARED}
    return [node.name for node in model.graph.node if node.op_type == "Gather" and node.input[0] in small]


def int8_pairs(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix (K, N) as int8 and the float32 scale of each column, safe for 16-bit sums of two products.

    AVX2 multiplies unsigned with signed bytes and adds neighbours into 16 bits, where 255 * 127 * 2 does not fit:
    without a word it saturates. So two weights of one sign that stand together add up to 128 at most. Each
    column has the scale at which clipping, such pairs and rounding together make the squared error least.
    """
    largest = np.maximum(np.abs(values).max(axis=0), 1e-12).astype(np.float32)
    best, least = largest / 127, np.full_like(largest, np.inf)
    stored = np.zeros(values.shape, np.int8)
    for stretch in STRETCHES:
        scale = largest * np.float32(stretch) / 127
        steps = _shrink_pairs(np.clip(np.round(values / scale), -127, 127))
        error = ((steps * scale - values) ** 2).sum(axis=0)
        better = error < least
        best, least = np.where(better, scale, best), np.minimum(error, least)
        stored[:, better] = steps[:, better].astype(np.int8)
    return stored, best


def pairs_fit(steps: np.ndarray) -> bool:
    """Return whether no two of one sign that stand together in int8 (K, N) add up to more than 128."""
    return not _excess(_pairs(steps)).any()


def _shrink_pairs(steps: np.ndarray) -> np.ndarray:
    """Make rows 0 and 1, 2 and 3, ... of steps (K, N) smaller where two of one sign add up to more than 128."""
    pairs = _pairs(steps)
    over = _excess(pairs)
    less = np.stack([np.ceil(over / 2), np.floor(over / 2)], axis=1)
    return (pairs - np.sign(pairs) * less).reshape(-1, steps.shape[1])[: len(steps)]


def _pairs(steps: np.ndarray) -> np.ndarray:
    """Return (K, N) as float32 (K / 2, 2, N); a last row without a neighbour stands beside zeros."""
    padded = np.pad(steps.astype(np.float32), ((0, len(steps) % 2), (0, 0)))
    return padded.reshape(-1, 2, steps.shape[1])


def _excess(pairs: np.ndarray) -> np.ndarray:
    """Return by how much each pair adds up to more than 128: (K / 2, N)."""
    return np.maximum(np.abs(pairs.sum(axis=1)) - 128, 0) * (pairs.prod(axis=1) > 0)


def _replace(model: onnx.ModelProto, name: str, values: np.ndarray) -> None:
    """Give an initializer other values."""
    tensor = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(values.reshape(tuple(tensor.dims)), name))


def _read_from_head(model: onnx.ModelProto, embedding: str, head: str) -> None:
    """Read embeddings from the quantised head, which ONNX Runtime turns around at load, and drop their own matrix."""
    graph = model.graph
    gather = next((node for node in graph.node if f"{embedding}_quantized" in node.input), None)
    if gather is None:  # no embedding, a matrix that is used both ways
        return
    scaled = next(node for node in graph.node if gather.output[0] in node.input)
    y = scaled.output[0]
    found = [
        helper.make_node("Transpose", [f"{head}_quantized"], [f"{embedding}_rows"], perm=[1, 0]),
        helper.make_node("Gather", [f"{embedding}_rows", gather.input[1]], [f"{y}_steps"]),
        helper.make_node("Cast", [f"{y}_steps"], [f"{y}_floats"], to=TensorProto.FLOAT),
        helper.make_node("Gather", [f"{head}_scale", gather.input[1]], [f"{y}_scales"]),
        helper.make_node("Unsqueeze", [f"{y}_scales", f"{y}_last"], [f"{y}_scale"]),
        helper.make_node("Mul", [f"{y}_floats", f"{y}_scale"], [y]),
    ]
    nodes = [new for node in graph.node for new in (found if node is gather else () if node is scaled else (node,))]
    kept = [tensor for tensor in graph.initializer if not tensor.name.startswith(f"{embedding}_")]
    kept.append(numpy_helper.from_array(np.array([-1], np.int64), f"{y}_last"))
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(kept)
