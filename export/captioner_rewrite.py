"""Store the shipped captioner's decoder anew, without its checkpoint: python -m export.captioner_rewrite.

Its int8 weights are scaled back, put into the PyTorch network and stored such that no two products overflow 16 bits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from bot.runtime.bundle import Bundle
from export.bench.eager import captioner_networks
from export.graph import Graph
from export.graphs.captioner import SEEN, decoder_graph, noise
from export.precision import pairs_fit
from export.shipped import int8_matrices, rewrite


def is_safe(path: Path) -> bool:
    """Return whether no product of the file can overflow."""
    return all(pairs_fit(matrix) for matrix in int8_matrices(path))


def graph_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's decoder, which is tried on what the bundle's encoder sees."""
    encoder, decoder = captioner_networks(bundle)
    network = decoder.network.eval()
    with torch.no_grad():
        seen = encoder.eval()(noise(network.config.size))
    return decoder_graph(network, dict(zip(SEEN, seen, strict=True)), about)


def main() -> None:
    """Rewrite the decoder of a bundle in place."""
    rewrite("captioner_decoder", is_safe, graph_of)


if __name__ == "__main__":
    main()
