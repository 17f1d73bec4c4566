"""Pictures of the whole and of its price: the way of a photo, weights as bytes, milliseconds."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from export.figure_paper import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    RED,
    ROOT,
    Models,
    bare,
    box,
    link,
    numbers,
    photo,
    sheet,
    show,
    size_of,
)
from export.figure_seeing import worked_example
from export.figure_speaking import SEED, persona
from export.precision import pairs_fit
from export.shipped import int8_matrices

BENCHMARK = ROOT / "docs" / "benchmark.md"
MOST = 128  # that two weights of one sign add up to, see export/precision.py
STAGES = ("decode", "caption", "detect", "read", "facts", "generate", "rank")  # of a reply, one after the other
RIVALS = {
    "x_naive_ort_batched": "plain ONNX Runtime, samples together",
    "x_torch_eager": "PyTorch, op by op",
    "x_naive_ort": "plain ONNX Runtime, sample by sample",
    "x_smolvlm_int8": "SmolVLM-256M's shape, int8",
    "x_smolvlm_4bit": "SmolVLM-256M's shape, 4 bits",
}


@dataclass(frozen=True)
class Bytes:
    """A kernel as bytes: steps in -127..127, the scale of a step, and what they are turned back into."""

    steps: np.ndarray
    scale: float

    @property
    def back(self) -> np.ndarray:
        """The weights that the bytes stand for."""
        return self.steps * self.scale


def as_bytes(weights: np.ndarray) -> Bytes:
    """Round weights to 255 steps, the largest at 127."""
    scale = float(np.abs(weights).max()) / 127
    return Bytes(np.round(weights / scale), scale)


def way(models: Models) -> Figure:
    """Draw the way of a photo to its reply, with what came of a real one."""
    entries = models.bundle.manifest["models"]
    scene = models.scene("cat")
    reply = models.engine.reply(scene, persona(models), seed=SEED)
    figure = sheet(9.6, 4.6)
    axes = bare(figure.subplots())
    axes.set_xlim(0, 20)
    axes.set_ylim(0, 10)
    axes.imshow(np.asarray(photo("cat").image), extent=(0.1, 3.5, 6.2, 8.8), aspect="auto", zorder=4)
    sent = box(axes, 1.8, 7.5, "photo\n(bytes)", MUTED)
    decode = box(axes, 5.4, 7.5, "safe\ndecode", MUTED)
    detector = box(axes, 8.3, 9, f"face detector\n{size_of(entries, 'face_detector')}")
    reader = box(axes, 12, 9, f"face reader\n{size_of(entries, 'face_reader')}")
    captioner = box(axes, 10.1, 6.3, f"captioner\n{size_of(entries, 'captioner_encoder', 'captioner_decoder')}")
    seen = box(axes, 16.8, 7.6, "Scene\n" + textwrap.fill(scene.as_text(), 30), GREEN, fontsize=8.5)
    facts = box(axes, 17.2, 3.2, "facts\nfor slots", MUTED)
    speaker = box(axes, 12.4, 4.1, f"speaker: 10 samples\n{size_of(entries, 'speaker')}")
    lines = box(axes, 12.4, 1.7, "authored lines that fit:\nup to 8 framed", MUTED)
    ranker = box(axes, 7.9, 2.9, "ranker", ORANGE)
    said = box(axes, 3, 2.9, f"{reply.source} reply\n" + textwrap.fill(reply.text, 30), GREEN, fontsize=8.5)
    for start, ends in (
        (sent, (decode,)), (decode, (detector, captioner)), (detector, (reader,)), (reader, (seen,)),
        (captioner, (seen,)), (seen, (facts, speaker)), (facts, (speaker, lines)), (speaker, (ranker,)),
        (lines, (ranker,)), (ranker, (said,)),
    ):  # fmt: skip
        link(start, *ends)
    axes.text(12.5, 2.9, "persona and earlier turns", ha="center", color=MUTED, fontsize=8)
    return figure


def int8(models: Models) -> Figure:
    """Draw a kernel as bytes and back, and neighbouring weights of the speaker, rounded plainly and as shipped."""
    kernel = worked_example(models).kernel
    stored = as_bytes(kernel)
    figure = sheet(9, 5.4)
    axes = figure.subplot_mosaic([list("ABC"), list("DDE")], height_ratios=(1, 1.35))
    limit = 1.6 * float(np.abs(kernel).max())
    for name, values, title, form in (
        ("A", kernel, "weights", "{:.2f}"),
        ("B", stored.steps, f"bytes: weight / {stored.scale:.4f}", "{:.0f}"),
        ("C", stored.back, "bytes x scale", "{:.2f}"),
    ):
        reach = limit / stored.scale if name == "B" else limit
        show(axes[name], values, title, cmap="RdBu", vmin=-reach, vmax=reach)
        numbers(axes[name], values, form)
    matrix = max(int8_matrices(models.bundle.model("speaker").path), key=np.size)
    plain = np.round(matrix * (127 / np.abs(matrix.astype(np.float32)).max(axis=0)))
    _sums(axes["D"], plain, matrix)
    _saturation(axes["E"])
    return figure


def _sums(axes: Axes, plain: np.ndarray, shipped: np.ndarray) -> None:
    """Draw how large two neighbours of one sign are together in a matrix."""
    edges = [float(edge) for edge in range(0, 257, 8)]
    for matrix, colour, name in ((plain, RED, "rounded plainly"), (shipped, BLUE, "as shipped")):
        sums = pair_sums(matrix)
        axes.hist(sums, edges, histtype="step", color=colour, lw=1.6, label=f"{name}: largest {sums.max():.0f}")
        assert name != "as shipped" or pairs_fit(matrix)
    axes.axvline(MOST, color=INK, ls="--", lw=1)
    axes.set_yscale("log")
    axes.set_xlabel("two neighbouring weights of one sign, added (bytes)")
    axes.set_ylabel("pairs")
    axes.set_title(f"the speaker's largest matrix, {shipped.shape[0]} x {shipped.shape[1]}")
    axes.legend(frameon=False, fontsize=8)


def pair_sums(matrix: np.ndarray) -> np.ndarray:
    """Return what rows 0 and 1, 2 and 3, ... add up to without sign, where both have the same one."""
    first, second = matrix[0::2].astype(np.int32), matrix[1::2].astype(np.int32)
    return np.abs(first + second)[first * second > 0]


def _saturation(axes: Axes) -> None:
    """Draw what a 16-bit sum of two products becomes."""
    total = np.arange(0, 256)
    true = 255 * total
    axes.plot(total, true, color=MUTED, ls=":", label="true sum")
    axes.plot(total, true.clip(max=2**15 - 1), color=RED, label="in 16 bits")
    axes.axvline(MOST, color=INK, ls="--", lw=1)
    axes.set_xlabel("two weights, added")
    axes.set_title("255 x both, on AVX2")
    axes.legend(frameon=False, fontsize=8)
    axes.tick_params(labelsize=7.5)


def measured() -> dict[str, float]:
    """Return the figures of docs/benchmark.md by name."""
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \|", BENCHMARK.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: float(value) for name, value in rows}


def cost(models: Models) -> Figure:
    """Draw what a reply's stages cost, and other ways to do the same work, as docs/benchmark.md has them."""
    del models
    figures = measured()
    figure = sheet(9, 2.6)
    stages, rivals = figure.subplots(1, 2, width_ratios=(1, 1.1))
    times = [figures[name] for name in STAGES]
    stages.barh(STAGES, times, color=[BLUE if time > 50 else "#a5c4ee" for time in times])
    for row, time in enumerate(times):
        stages.text(time + 3, row, f"{time:.1f}", va="center", fontsize=8)
    stages.invert_yaxis()
    stages.set_xlim(0, 1.18 * max(times))
    stages.set_title(f"a reply's stages in ms; photo to reply: {figures['reply_p50_ms']:.0f} ms (median)")
    rivals.barh(["the bot", *RIVALS.values()], [1, *(figures[name] for name in RIVALS)], color=[BLUE, *["#ced4da"] * 5])
    for row, name in enumerate(("", *RIVALS)):
        rivals.text(
            (figures[name] if name else 1) + 0.1, row, f"{figures[name] if name else 1:.1f}", va="center", fontsize=8
        )
    rivals.invert_yaxis()
    rivals.set_title("time of other ways, as multiples")
    for axes in (stages, rivals):
        axes.tick_params(labelsize=8, length=0)
    return figure
