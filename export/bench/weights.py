"""Read the weights of an exported file back into a network of models/: for comparisons where checkpoints are gone.

Convolutions come back with their norms folded in, as the exporter stored them: in PyTorch that is quicker, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

SUFFIXES = ("_fp16", "_int8", "_quantized")  # of names under which export/precision.py stores small weights


class Stored:
    """The tensors of an exported file by their names in PyTorch, as float32."""

    def __init__(self, path: Path) -> None:
        self.graph = onnx.load(path).graph
        tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.graph.initializer}
        self.tensors: dict[str, np.ndarray] = {}
        for name, values in tensors.items():
            plain = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
            scale = tensors.get(f"{plain}_scale") if values.dtype in (np.int8, np.uint8) else None
            if scale is not None:
                zero = tensors.get(f"{plain}_zero_point", np.zeros(1, np.int8)).astype(np.float32)
                values = (values.astype(np.float32) - zero) * scale
            self.tensors[plain] = values

    def get(self, name: str) -> Tensor | None:
        """Return a tensor, if the file has it under this name."""
        values = self.tensors.get(name)
        return None if values is None else torch.from_numpy(np.array(values)).float()

    def matrices(self) -> Iterator[Tensor]:
        """Yield the constant matrices that something is multiplied with, (out, in), in the order of the graph."""
        for node in self.graph.node:
            if node.op_type in ("MatMul", "MatMulInteger"):
                matrix = self.get(node.input[1].removesuffix("_quantized"))
                if matrix is not None:
                    yield matrix.T


def read_back(module: nn.Module, stored: Stored) -> None:
    """Fill a module with what the file holds under its names; what was stored without a name is left as it is."""
    for node in stored.graph.node:
        if node.op_type == "Conv" and len(node.input) > 2:
            _fold(module, node.input[1].removesuffix(".weight"), stored.get(node.input[2]))
    with torch.no_grad():
        for name, tensor in [*module.named_parameters(), *module.named_buffers()]:
            values = stored.get(name)
            if values is not None:
                tensor.copy_(values.view_as(tensor))


def _fold(module: nn.Module, path: str, bias: Tensor | None) -> None:
    """Give a convolution the bias that stands for the norm behind it, which then does nothing."""
    assert bias is not None, f"the file has no bias for {path}"
    parent, _, place = path.rpartition(".")
    module.get_submodule(path).bias = nn.Parameter(bias, requires_grad=False)
    row = module.get_submodule(parent)
    if isinstance(row, nn.Sequential) and isinstance(row[int(place) + 1], nn.BatchNorm2d):
        row[int(place) + 1] = nn.Identity()
