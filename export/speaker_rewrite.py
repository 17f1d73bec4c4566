"""Write the shipped speaker anew in the present graph, without its checkpoint: python -m export.speaker_rewrite.

The int8 weights of the file are scaled back and put into the PyTorch network, which is exported like a checkpoint.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from bot.runtime.bundle import Bundle
from export.bench.weights import Stored
from export.graph import Graph
from export.graphs.speaker import speaker_graph
from export.shipped import rewrite
from models.speaker import Speaker, SpeakerConfig

PARTS = ("attention.qkv", "attention.out", "gate_up", "down")  # matrices of a block in the order of the graph
NORMS = ("norm1", "norm2")


def recover(path: Path) -> Speaker:
    """Return the network of an exported speaker, its weights as the int8 file has them."""
    stored = Stored(path)
    *blocks, head = stored.matrices()
    vocabulary, width = head.shape
    used = [name for node in stored.graph.node for name in node.input if not name.endswith(("_scale", "_zero_point"))]
    norms = [tensor for name in used if (tensor := stored.get(name)) is not None and tensor.shape == (width,)]
    shape = next(node for node in stored.graph.input if node.name == "past_k_0").type.tensor_type.shape
    layers, hidden = len(blocks) // len(PARTS), blocks[2].shape[0] // 2
    speaker = Speaker(SpeakerConfig(vocabulary, width, layers, shape.dim[1].dim_value, hidden))
    weights = {"embedding.weight": head, "norm.weight": norms.pop()}
    for names, values in ((PARTS, blocks), (NORMS, norms)):
        assert len(values) == layers * len(names), f"{path} is no speaker of {layers} blocks"
        for i, value in enumerate(values):
            weights[f"blocks.{i // len(names)}.{names[i % len(names)]}.weight"] = value
    speaker.load_state_dict(weights)
    return speaker.eval()


def is_tree(path: Path) -> bool:
    """Return whether an exported speaker takes a tree of replies."""
    return any(node.name == "wanted" for node in onnx.load(path).graph.input)


def graph_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's speaker."""
    return speaker_graph(recover(bundle.model("speaker").path), about)


def main() -> None:
    """Rewrite the speaker of a bundle in place."""
    rewrite("speaker", is_tree, graph_of)


if __name__ == "__main__":
    main()
