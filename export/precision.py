"""Smaller weights: half-precision storage and int8 matrix products."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

SMALLEST = 256  # elements; below this a cast costs more than it saves


def store_fp16(path: Path) -> None:
    """Rewrite float32 initializers as float16 with a Cast back.

    ONNX Runtime folds the casts at load, so the arithmetic and the speed stay float32; only the
    file halves. The weights are rounded to 11 significant bits.
    """
    model = onnx.load(path)
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST or np.abs(values).max() > 65000:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_fp16"))
        casts.append(helper.make_node("Cast", [f"{name}_fp16"], [name], f"{name}_cast", to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    onnx.save(model, path)


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
