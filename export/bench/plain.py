"""ONNX Runtime and PyTorch as somebody takes them who reads no further than their first page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from bot.runtime.bundle import ModelEntry


class PlainSession:
    """What bot.runtime.session.Session is, with ONNX Runtime's own options but for the number of threads."""

    def __init__(self, path: Path, threads: int, entry: ModelEntry | None = None) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.entry = entry or ModelEntry(path.stem, path, {})
        self.output_names: list[str] = [output.name for output in self._session.get_outputs()]
        self.input_shapes: dict[str, list[Any]] = {node.name: node.shape for node in self._session.get_inputs()}

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model once and return every output by name."""
        return dict(zip(self.output_names, self._session.run(None, dict(feeds)), strict=True))
