"""ONNX Runtime sessions: which provider really runs, with how many threads and which memory.

What is chosen here was measured on two cores with the shipped models. Every graph optimisation: 3 times as fast
as only the basic ones. One memory arena for all models that grows by what is asked for: as fast as an arena for
each and 31 MB less; no arena at all takes 19 MB less than one for each but 10 % more time. Several pieces of work
at a time with one thread each: half as many photos again per second as one with a thread for each core.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from bot.domain import Failure
from bot.runtime import metrics
from bot.runtime.bundle import ModelEntry

ort.set_default_logger_severity(4)  # a missing GPU is normal here and decided from get_providers()

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
# TensorRT builds an engine for every model when it is first used, which takes minutes: only who asks for it gets it.
PROVIDERS: dict[str, Sequence[str]] = {
    "auto": (CUDA, CPU),
    "tensorrt": (TENSORRT, CUDA, CPU),
    "cuda": (CUDA, CPU),  # what the GPU cannot do is done by the CPU
    "cpu": (CPU,),
}
OPTIONS: dict[str, dict[str, str]] = {
    TENSORRT: {"trt_engine_cache_enable": "1", "trt_engine_cache_path": "data/tensorrt"},
}
MISSING = {
    "cuda": "No CUDA GPU answers; set PROVIDER=auto or install the CUDA libraries of onnxruntime-gpu.",
    "tensorrt": "TensorRT does not answer; set PROVIDER=auto or install the TensorRT libraries of onnxruntime-gpu.",
}
MOST_WORKERS = 4  # unless the settings say otherwise; each holds a photo and a talk in memory
AS_REQUESTED = 1  # onnxruntime's arena_extend_strategy; the other one doubles


class Session:
    """One loaded model. Arrays in, arrays out, both by name; safe to call from several threads."""

    def __init__(
        self,
        entry: ModelEntry,
        *,
        provider: str = "auto",
        threads: int = 0,
        spins: bool = False,
        trace: Path | None = None,
    ) -> None:
        """Load ``entry``; ``threads`` 0 means every core this process may use.

        With ``spins`` threads that wait for each other within a run keep their cores, so that nothing else should run.
        With ``trace``, the beginning of a path, ONNX Runtime writes down what each operator takes, see end_trace.
        Raises Failure when the file cannot be loaded or ``provider`` is "cuda" or "tensorrt" and does not answer.
        """
        _share_arena()
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        if trace:
            options.enable_profiling, options.profile_file_prefix = True, str(trace)
        options.add_session_config_entry("session.use_env_allocators", "1")
        # Spinning threads fight each other when several models share two cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spins)))
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            self._session = _open(entry.path, options, PROVIDERS[provider])
        except Exception as error:  # onnxruntime raises many unrelated types
            raise Failure(f"ONNX Runtime cannot load {entry.path.name}: {str(error).splitlines()[0]}") from error
        if provider in MISSING and self.provider != PROVIDERS[provider][0]:
            raise Failure(MISSING[provider])
        self.entry = entry
        self.output_names: list[str] = [output.name for output in self._session.get_outputs()]
        self.input_shapes: dict[str, list[Any]] = {node.name: node.shape for node in self._session.get_inputs()}
        self.batches = metrics.BATCH_SIZE.labels(entry.name)

    @property
    def provider(self) -> str:
        """The execution provider in use; only the session knows, not get_available_providers()."""
        return str(self._session.get_providers()[0])

    def end_trace(self) -> Path:
        """End a trace and return its file, JSON in Chrome's trace event format."""
        return Path(self._session.end_profiling())

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the model once and return every output by name."""
        self.batches.observe(len(next(iter(feeds.values()))))
        return dict(zip(self.output_names, self._session.run(None, dict(feeds)), strict=True))


def _open(path: Path, options: ort.SessionOptions, providers: Sequence[str]) -> ort.InferenceSession:
    """Load a model for the first of the providers that takes it; onnxruntime's own way to do this prints a report."""
    wanted = [(name, OPTIONS.get(name, {})) for name in providers]
    try:
        return ort.InferenceSession(str(path), options, providers=wanted, enable_fallback=False)
    except Exception:
        if len(providers) == 1:
            raise
    return _open(path, options, providers[1:])


@cache
def _share_arena() -> None:
    """Make the memory arena that every session of this process uses on the CPU."""
    place = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    ort.create_and_register_allocator(place, ort.OrtArenaCfg({"arena_extend_strategy": AS_REQUESTED}))


def available_cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS has no affinity
        return os.cpu_count() or 1


def share_cores(workers: int = 0, threads: int = 0) -> tuple[int, int]:
    """Return how many pieces of work run at a time, and on how many threads each; 0 stands for what is best."""
    cores = available_cores()
    workers = workers or min(cores, MOST_WORKERS)
    return workers, threads or max(1, cores // workers)


def short_name(provider: str) -> str:
    """Return "CPU", "CUDA" or "TensorRT" for an execution provider."""
    name = provider.removesuffix("ExecutionProvider")
    return "TensorRT" if name == "Tensorrt" else name
