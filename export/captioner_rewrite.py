"""Store the shipped captioner's decoder anew, without its checkpoint: python -m export.captioner_rewrite.

Its int8 weights are scaled back, put into the PyTorch network and stored such that no two products overflow 16 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch

from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from export.graph import Graph
from export.graphs.captioner import decoder_graph, noise
from export.precision import pairs_fit
from export.shipped import arrays, float_matrices, int8_matrices, rewrite
from models.captioner import Captioner, CaptionerConfig

PREFIX = "network."  # of the names the exporter gives to parameters that are no matrix
PARTS = ("qkv", "out", "query", "cross_out", "wide", "narrow")  # matrices of a block in the order of the graph
ENCODERS = (
    "top.", "head.", "concept_head.", "look", "low_", "place", "blank", "strength.", "memory_norm.", "keys_values.",
    "prior",
)  # fmt: skip


def recover(path: Path) -> Captioner:
    """Return the network of an exported decoder, weights as the int8 file has them; what the encoder needs is empty."""
    graph = onnx.load(path).graph
    tensors = arrays(graph)
    *blocks, embedding, gate = float_matrices(graph)
    width, words = embedding.shape
    layers = len(blocks) // len(PARTS)
    past = next(node for node in graph.input if node.name == "past").type.tensor_type.shape
    sizes = {"width": width, "layers": layers, "heads": past.dim[3].dim_value, "inner": blocks[4].shape[1]}
    network = Captioner(CaptionerConfig(words, (0,), **sizes))
    weights = {f"blocks.{i // len(PARTS)}.{PARTS[i % len(PARTS)]}.weight": part.T for i, part in enumerate(blocks)}
    weights |= {"embed.weight": embedding.T, "gate.weight": gate.T}
    wanted = {name for name in network.state_dict() if not name.startswith(ENCODERS)}
    weights |= {name: tensors[f"{PREFIX}{name}"] for name in wanted - set(weights)}
    assert set(weights) == wanted, f"{path} is no decoder of {layers} blocks"
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()}, strict=False)
    return network.eval()


def is_safe(path: Path) -> bool:
    """Return whether no product of the file can overflow."""
    return all(pairs_fit(matrix) for matrix in int8_matrices(onnx.load(path).graph))


def graph_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's decoder, which is tried on what the bundle's encoder sees."""
    encoder = Session(bundle.model("captioner_encoder"), provider="cpu")
    seen = encoder.run({"image": noise(encoder.entry.normalisation["size"]).numpy()})
    network = recover(bundle.model("captioner_decoder").path)
    return decoder_graph(network, {name: torch.from_numpy(array) for name, array in seen.items()}, about)


def main() -> None:
    """Rewrite the decoder of a bundle in place."""
    rewrite("captioner_decoder", is_safe, graph_of)


if __name__ == "__main__":
    main()
