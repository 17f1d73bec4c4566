"""Store the shipped captioner anew in its present form, without its checkpoint: python -m export.captioner_rewrite.

Its int8 weights are scaled back and put into the PyTorch network. The encoder looks at the photo once, not at its
mirror image as well; the decoder keeps its cache in one place, and no two of its products overflow 16 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from bot.runtime.bundle import Bundle
from export.bench.eager import captioner_networks
from export.graph import Graph
from export.graphs.captioner import decoder_graph, encoder_graph
from export.precision import pairs_fit
from export.shipped import int8_matrices, rewrite


def looks_once(path: Path) -> bool:
    """Return whether the encoder's first convolution sees the photo as it comes in."""
    return any(node.op_type == "Conv" and node.input[0] == "image" for node in onnx.load(path).graph.node)


def is_safe(path: Path) -> bool:
    """Return whether the decoder's cache stays in one place and no product of the file can overflow."""
    in_place = any(node.op_type == "GroupQueryAttention" for node in onnx.load(path).graph.node)
    return in_place and all(pairs_fit(matrix) for matrix in int8_matrices(path))


def encoder_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's encoder."""
    return encoder_graph(captioner_networks(bundle)[0], about)


def decoder_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's decoder."""
    return decoder_graph(captioner_networks(bundle)[1], about)


def main() -> None:
    """Rewrite both graphs of a bundle in place."""
    rewrite("captioner_encoder", looks_once, encoder_of)
    rewrite("captioner_decoder", is_safe, decoder_of)


if __name__ == "__main__":
    main()
