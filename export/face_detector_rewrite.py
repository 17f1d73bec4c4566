"""Store the shipped face detector anew, without its checkpoint: python -m export.face_detector_rewrite.

Files from before it took frames of any shape wanted squares; weights and answers stay what they were.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx

from bot.runtime.bundle import Bundle
from export.bench.eager import detector_network
from export.graph import Graph
from export.graphs.face_detector import detector_graph
from export.shipped import rewrite


def takes_any_shape(path: Path) -> bool:
    """Return whether height and width of an exported detector's input are free."""
    (pixels,) = onnx.load(path).graph.input
    return all(side.dim_param for side in pixels.type.tensor_type.shape.dim[2:])


def graph_of(bundle: Bundle, about: dict[str, Any]) -> Graph:
    """Return the graph of a bundle's detector."""
    return detector_graph(detector_network(bundle), about)


def main() -> None:
    """Rewrite the detector of a bundle in place."""
    rewrite("face_detector", takes_any_shape, graph_of)


if __name__ == "__main__":
    main()
