"""Write the shipped speaker anew in the present graph, without its checkpoint: python -m export.speaker_rewrite.

The int8 weights of the file are scaled back and put into the PyTorch network, which is exported like a checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from export.__main__ import build
from export.graphs.speaker import speaker_graph
from models.speaker import Speaker, SpeakerConfig

PARTS = ("attention.qkv", "attention.out", "gate_up", "down")  # matrices of a block in the order of the graph
NORMS = ("norm1", "norm2")
KEPT = ("labels", "training_data", "licence", "metrics")  # of the manifest entry


def recover(path: Path) -> Speaker:
    """Return the network of an exported speaker, its weights as the int8 file has them."""
    graph = onnx.load(path).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    matrices, norms = [], []
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            name = node.input[1].removesuffix("_quantized")
            matrices.append(tensors[node.input[1]].astype(np.float32) * tensors[f"{name}_scale"])  # (in, out)
    *blocks, head = matrices
    for node in graph.node:
        used = [name for name in node.input if name in tensors and not name.endswith(("_scale", "_zero_point"))]
        norms += [tensors[name] for name in used if tensors[name].shape == head.shape[:1]]
    shape = next(node for node in graph.input if node.name == "past_k_0").type.tensor_type.shape
    width, vocabulary = head.shape
    layers, hidden = len(blocks) // len(PARTS), blocks[2].shape[1] // 2
    speaker = Speaker(SpeakerConfig(vocabulary, width, layers, shape.dim[1].dim_value, hidden))
    weights = {"embedding.weight": head.T, "norm.weight": norms.pop()}
    for names, values in ((PARTS, [matrix.T for matrix in blocks]), (NORMS, norms)):
        assert len(values) == layers * len(names), f"{path} is no speaker of {layers} blocks"
        for i, value in enumerate(values):
            weights[f"blocks.{i // len(names)}.{names[i % len(names)]}.weight"] = value
    speaker.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    return speaker.eval()


def main() -> None:
    """Rewrite the speaker of a bundle in place."""
    parser = argparse.ArgumentParser(prog="python -m export.speaker_rewrite", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    args = parser.parse_args()
    entry = Bundle(args.bundle).model("speaker")
    if any(node["name"] == "wanted" for node in entry.about["inputs"]):
        print(f"{entry.path} is in the present graph already")
        return
    graph = speaker_graph(recover(entry.path), {key: entry.about[key] for key in KEPT if key in entry.about})
    build([graph], {}, args.bundle)


if __name__ == "__main__":
    main()
