"""The benchmark's figures as JSON and as a Markdown table with the goals they were built to meet."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from export.bench.measure import KEYS

# figure: (what it is, at least or at most, goal)
GOALS: dict[str, tuple[str, str, float | None]] = {
    "reply_p50_ms": ("photo to reply, one at a time, one face: median ms", "<=", 150),
    "reply_p95_ms": ("the same: 95 of 100 are faster, ms", "", None),
    "reply_12mp_p50_ms": ("the same with photos of 12 MP: median ms", "", None),
    "turn_p50_ms": ("answer to a message: median ms", "<=", 60),
    "photos_per_s_8": ("photos a second, 8 at a time", ">=", 12),
    "wait_p95_ms_8": ("then 95 of 100 wait less than, ms", "", None),
    "cold_start_s": ("fresh process: start to first reply, s", "<=", 2),
    "rss_mb": ("its memory in the end (50 replies; fewer with --quick), MiB", "<=", 450),
    "bundle_mb": ("models on disk, MiB", "", None),
    "x_torch_eager": ("times our reply: PyTorch eager, same weights", ">=", 4),
    "x_naive_ort": ("times our reply: plain ONNX Runtime loop, fp32, sample by sample", "", None),
    "x_naive_ort_batched": ("times our reply: the same, all samples in a batch", "", None),
    "x_smolvlm_int8": ("times our reply: SmolVLM-256M's shape, one tile, 40 tokens, in int8", "", None),
    "x_smolvlm_4bit": ("times our reply: the same in 4 bits", "", None),
    "x_smolvlm_shape": ("times our reply: the quicker of the two", ">=", 6),
    "bandwidth_share": ("of memory bandwidth in a token step (above 1: weights stay in cache)", "", None),
    "memory_read_gb_s": ("memory that as many threads read, GB/s", "", None),
    "busy_with_others": ("cores that other programs used meanwhile: should be 0", "", None),
}
STAGE_GOALS = {"decode_12mp": 40.0}
STAGES = {
    "decode_12mp": "12 MP JPEG to pixels",
    "decode": "the measured photos to pixels",
    "resize": "one small copy for all networks",
    "detector": "face detector alone",
    "detector_2": "the same for two photos in one run, each",
    "detect": "waiting for faces and what they show, behind the caption",
    "captioner": "captioner alone",
    "caption": "captioner beside detector and face reader",
    "face_reader": "face reader, one face",
    "face_reader_2": "the same for two faces in one run, each",
    "read": "doubtful faces, and colours",
    "facts": "facts and frames",
    "prefill": "speaker reads a whole prompt",
    "step_1": "speaker, a token of one reply",
    "step_10": "speaker, a token of ten replies",
    "step_20": "speaker, a token of twenty replies",
    "generate": "ten replies written",
    "rank": "ranking",
}


def to_json(figures: Mapping[str, Any], skipped: Mapping[str, str]) -> str:
    """Return one JSON object: the figures a later run is compared by, then all others; what was skipped is null."""
    ordered = {key: figures.get(key) for key in (*KEYS, *figures)}
    numbers = {key: rounded(value) for key, value in ordered.items()}
    return json.dumps({**numbers, "skipped": dict(skipped), "machine": machine()})


def rounded(value: Any) -> Any:
    """Return a value with four digits that count."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def to_table(figures: Mapping[str, Any], skipped: Mapping[str, str]) -> str:
    """Return two Markdown tables: the whole and its stages."""
    workers, threads = figures["workers"], figures["threads_each"]
    lines = [f"{machine()}; {workers} pieces of work at a time with {threads} threads each", ""]
    lines += ["| figure | value | goal | met | what it is |", "|---|---|---|---|---|"]
    for name, (what, sign, goal) in GOALS.items():
        value = figures.get(name)
        if value is not None:
            lines.append(
                f"| {name} | {value:.4g} | {sign if goal else ''} {goal or ''} | {met(value, sign, goal)} | {what} |"
            )
    lines += ["", "| stage | ms | goal | met | what it is |", "|---|---|---|---|---|"]
    stages = figures["stages"]
    for name in sorted(stages, key=lambda one: [*STAGES, one].index(one)):
        goal, value = STAGE_GOALS.get(name), stages[name]
        bound = f"<= {goal:.0f}" if goal else ""
        lines.append(f"| {name} | {value:.2f} | {bound} | {met(value, '<=', goal)} | {STAGES.get(name, '')} |")
    lines += ["", *(f"{name} was skipped: {reason}." for name, reason in skipped.items())]
    return "\n".join(lines)


def met(value: float, sign: str, goal: float | None) -> str:
    """Return "yes", "NO", or nothing where there is no goal."""
    if goal is None:
        return ""
    return "yes" if (value <= goal if sign == "<=" else value >= goal) else "NO"


def machine() -> str:
    """Return the processor's name and the system."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {platform.system()}"
