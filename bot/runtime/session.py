"""ONNX Runtime sessions: which provider really runs, with how many threads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort

from bot.domain import Failure
from bot.runtime.bundle import ModelEntry

ort.set_default_logger_severity(4)  # a missing GPU is normal here and decided from get_providers()

PROVIDERS: dict[str, Sequence[str]] = {
    "auto": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "cuda": ("CUDAExecutionProvider",),
    "cpu": ("CPUExecutionProvider",),
}


class Session:
    """One loaded model. Arrays in, arrays out, both by name; safe to call from several threads."""

    def __init__(self, entry: ModelEntry, *, provider: str = "auto", threads: int = 0) -> None:
        """Load ``entry``; ``threads`` 0 means every core this process may use.

        Raises Failure when the file cannot be loaded or ``provider`` is "cuda" and no GPU answers.
        """
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        # Spinning threads fight each other when several models share two cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(str(entry.path), options, providers=list(PROVIDERS[provider]))
        except Exception as error:  # onnxruntime raises many unrelated types
            raise Failure(f"ONNX Runtime cannot load {entry.path.name}: {str(error).splitlines()[0]}") from error
        if provider == "cuda" and self.provider != "CUDAExecutionProvider":
            raise Failure("No CUDA GPU answers; set PROVIDER=auto or install the CUDA libraries of onnxruntime-gpu.")
        self.entry = entry
        self.output_names: list[str] = [output.name for output in self._session.get_outputs()]
        self.input_shapes: dict[str, list[Any]] = {node.name: node.shape for node in self._session.get_inputs()}

    @property
    def provider(self) -> str:
        """The execution provider in use; only the session knows, not get_available_providers()."""
        return str(self._session.get_providers()[0])

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model once and return every output by name."""
        return dict(zip(self.output_names, self._session.run(None, dict(feeds)), strict=True))


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1
