"""A vision language model of SmolVLM-256M's shape with random weights, written as ONNX node by node.

SigLIP-base looks at one tile of 512 pixels, pixel shuffle makes 64 tokens of its 1,024 patches, SmolLM2-135M goes on
from them (Marafioti et al. 2025, arXiv:2504.05299). Only the shape is theirs: time does not depend on the values.
Everything is fused as well as ONNX Runtime can: it is the rival at its best.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MICROSOFT, OPSET, IR = "com.microsoft", 20, 10
BLOCK = 32  # weights that share a scale in 4 bits
Bits = Literal["int8", "4-bit"]


@dataclass(frozen=True)
class Shape:
    """Sizes; the defaults are SmolVLM-256M's, 256 million weights."""

    pixels: int = 512
    patch: int = 16
    see_width: int = 768
    see_layers: int = 12
    see_heads: int = 12
    see_hidden: int = 3072
    shuffle: int = 4  # patches on each side that become one token
    width: int = 576
    layers: int = 30
    heads: int = 9
    kv_heads: int = 3
    hidden: int = 1536
    vocabulary: int = 49280

    @property
    def side(self) -> int:
        """Patches along a side of the photo."""
        return self.pixels // self.patch

    @property
    def image_tokens(self) -> int:
        """Tokens that stand for a photo."""
        return (self.side // self.shuffle) ** 2

    @property
    def head_size(self) -> int:
        """Numbers of a head's key."""
        return self.width // self.heads


class Writer:
    """Collects nodes and random weights of a graph; every method returns the name of what it computes."""

    def __init__(self, bits: Bits, seed: int = 0) -> None:
        self._bits, self._rng = bits, np.random.default_rng(seed)
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: Sequence[str], count: int = 1, domain: str = "", **attributes: Any) -> list[str]:
        """Add a node and return the names of its outputs."""
        outputs = [f"{kind}_{len(self._nodes)}_{i}" for i in range(count)]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, domain=domain, **attributes))
        return outputs

    def fused(self, kind: str, inputs: Sequence[str], count: int = 1, **attributes: Any) -> list[str]:
        """Add one of ONNX Runtime's own operators."""
        return self.node(kind, inputs, count, MICROSOFT, **attributes)

    def constant(self, values: np.ndarray) -> str:
        """Add a tensor."""
        name = f"weight_{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(values, name))
        return name

    def random(self, *shape: int) -> str:
        """Add a small random tensor."""
        return self.constant(self._rng.normal(scale=0.02, size=shape).astype(np.float32))

    def ones(self, count: int) -> str:
        """Add the weight of a norm."""
        return self.constant(np.ones(count, np.float32))

    def linear(self, x: str, size: int, out: int, *, bias: bool = False) -> str:
        """Multiply (..., size) with a matrix (size, out) stored in few bits."""
        spread = size**-0.5
        offset = self.random(out) if bias else ""
        if self._bits == "int8":
            stored = self._rng.integers(-127, 128, (size, out), np.int8)
            scale = self.constant(np.full(out, spread / 73, np.float32))  # 73: how far from 0 they are, in the mean
            inputs = [x, self.constant(stored), scale, "", offset]
            return self.fused("DynamicQuantizeMatMul", inputs if bias else inputs[:3])[0]
        blocks = size // BLOCK
        packed = self._rng.integers(0, 256, (out, blocks, BLOCK // 2), np.uint8)
        scales = self.constant(np.full(out * blocks, spread / 4.6, np.float32))
        inputs = [x, self.constant(packed), scales, "", "", offset]
        sizes = {"K": size, "N": out, "bits": 4, "block_size": BLOCK, "accuracy_level": 4}
        return self.fused("MatMulNBits", inputs if bias else inputs[:3], **sizes)[0]

    def save(self, path: Path, inputs: Sequence[onnx.ValueInfoProto], outputs: dict[str, str]) -> Path:
        """Write the graph; ``outputs`` are the names that callers know by the names here, which nothing else reads."""
        wanted = {here: name for name, here in outputs.items()}
        for node in self._nodes:
            for i, name in enumerate(node.output):
                node.output[i] = wanted.get(name, name)
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self._nodes, path.stem, list(inputs), ends, self._weights)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=IR), path)
        return path


def write_eyes(path: Path, shape: Shape, bits: Bits) -> Path:
    """Write photo (1, 3, pixels, pixels) -> tokens (1, image_tokens, width)."""
    w, s = Writer(bits), shape
    places = s.side**2
    kernels = w.random(s.see_width, 3, s.patch, s.patch)
    x = w.node("Conv", ["photo", kernels, w.random(s.see_width)], strides=[s.patch] * 2)[0]
    x = w.node("Reshape", [x, w.constant(np.array([1, s.see_width, places]))])[0]
    x = w.node("Transpose", [x], perm=[0, 2, 1])[0]
    x = w.node("Add", [x, w.random(1, places, s.see_width)])[0]

    def norm(y: str) -> str:
        return w.node("LayerNormalization", [y, w.ones(s.see_width), w.random(s.see_width)], epsilon=1e-6)[0]

    for _ in range(s.see_layers):
        both = w.linear(norm(x), s.see_width, 3 * s.see_width, bias=True)
        qkv = w.node("Split", [both], 3, axis=-1, num_outputs=3)
        seen = w.fused("MultiHeadAttention", qkv, num_heads=s.see_heads)[0]
        x = w.node("Add", [x, w.linear(seen, s.see_width, s.see_width, bias=True)])[0]
        wide = w.fused("FastGelu", [w.linear(norm(x), s.see_width, s.see_hidden, bias=True)])[0]
        x = w.node("Add", [x, w.linear(wide, s.see_hidden, s.see_width, bias=True)])[0]
    # pixel shuffle: neighbours in a square of shuffle x shuffle patches are laid behind one another
    few, many = s.side // s.shuffle, s.shuffle**2 * s.see_width
    x = w.node("Reshape", [norm(x), w.constant(np.array([few, s.shuffle, few, s.shuffle * s.see_width]))])[0]
    x = w.node("Transpose", [x], perm=[0, 2, 1, 3])[0]
    x = w.node("Reshape", [x, w.constant(np.array([1, s.image_tokens, many]))])[0]
    photo = helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 3, s.pixels, s.pixels])
    return w.save(path, [photo], {"tokens": w.linear(x, many, s.width)})


def write_tongue(path: Path, shape: Shape, bits: Bits) -> Path:
    """Write embedded (1, T, width) and a cache that is written in place -> logits (1, 1, vocabulary) of the next token.

    Inputs and outputs of the cache are named and shaped like those of the bot's speaker.
    """
    w, s = Writer(bits), shape
    cache = [f"{kind}_{i}" for i in range(s.layers) for kind in ("k", "v")]
    shared = ["last", "total", "cos", "sin"]
    x = "embedded"
    normed = w.node("SimplifiedLayerNormalization", [x, w.ones(s.width)], axis=-1, epsilon=1e-5)[0]
    outputs: dict[str, str] = {}

    def add_norm(y: str) -> tuple[str, str]:
        found = w.fused("SkipSimplifiedLayerNormalization", [x, y, w.ones(s.width)], 4, epsilon=1e-5)
        return found[0], found[3]

    for i in range(s.layers):
        qkv = w.linear(normed, s.width, (s.heads + 2 * s.kv_heads) * s.head_size)
        pasts = [f"past_k_{i}", f"past_v_{i}"]
        sizes = {"num_heads": s.heads, "kv_num_heads": s.kv_heads, "do_rotary": 1}
        seen, k, v = w.fused("GroupQueryAttention", [qkv, "", "", *pasts, *shared], 3, **sizes)
        outputs |= {f"present_k_{i}": k, f"present_v_{i}": v}
        normed, x = add_norm(w.linear(seen, s.width, s.width))
        gate, up = w.node("Split", [w.linear(normed, s.width, 2 * s.hidden)], 2, axis=-1, num_outputs=2)
        wide = w.node("Mul", [w.fused("QuickGelu", [gate], alpha=1.0)[0], up])[0]
        normed, x = add_norm(w.linear(wide, s.hidden, s.width))
    last = w.node("Gather", [normed, w.constant(np.array([-1]))], axis=1)[0]
    logits = w.linear(last, s.width, s.vocabulary)
    inputs = [
        helper.make_tensor_value_info("embedded", TensorProto.FLOAT, [1, "new", s.width]),
        helper.make_tensor_value_info("last", TensorProto.INT32, [1]),
        helper.make_tensor_value_info("total", TensorProto.INT32, []),
        *(helper.make_tensor_value_info(n, TensorProto.FLOAT, ["turns", s.head_size // 2]) for n in ("cos", "sin")),
        *(
            helper.make_tensor_value_info(f"past_{n}", TensorProto.FLOAT, [1, s.kv_heads, "room", s.head_size])
            for n in cache
        ),
    ]
    return w.save(path, inputs, {"logits": logits, **outputs})
