"""Pictures of the eyes: a convolution by its numbers, the detector's cells, what a face reads as."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from onnx import numpy_helper
from PIL import Image

from bot.domain import Face
from bot.runtime.session import Session
from bot.vision.boxes import nms, vote
from bot.vision.detector import LEAST_VOTE, OVERLAP, VOTERS, FaceDetector
from bot.vision.face_labels import CROP_MARGIN, CROP_SIZE, HEADS, THRESHOLDS
from bot.vision.pixels import MEAN, STD, crop_face, letterbox, to_batch
from export.figure_paper import GREEN, INK, ORANGE, Models, numbers, photo, sheet, show
from models.face_detector import FRAME, STRIDES

EDGE = 21  # of the stem's 32 kernels the one that answers to bright above dark
MAPS = (21, 15, 5, 27)  # kernels whose maps are drawn
RELU6 = 6.0
ANSWER = (4.0, 5.8)  # of the worked example: a clear yes


@dataclass(frozen=True)
class Example:
    """One output of one convolution: pixels (3, 3) in 0..255, kernel (3, 3), bias, where it lies, the result."""

    pixels: np.ndarray
    kernel: np.ndarray
    bias: float
    corner: tuple[int, int]  # row, column of the patch in the frame

    @property
    def inputs(self) -> np.ndarray:
        """The pixels as the network gets them."""
        return (self.pixels - MEAN[0]) / STD[0]

    @property
    def total(self) -> float:
        """The sum of the nine products and the bias, before ReLU6."""
        return float((self.inputs * self.kernel).sum() + self.bias)

    @property
    def result(self) -> float:
        """What the layer gives."""
        return float(np.clip(self.total, 0, RELU6))


def stem(models: Models) -> tuple[np.ndarray, np.ndarray]:
    """Return the detector's first kernels (32, 3, 3, 3) and biases (32,), its norms folded in."""
    graph = onnx.load(models.bundle.model("face_detector").path).graph
    node = next(node for node in graph.node if node.op_type == "Conv")
    stored = {tensor.name.removesuffix("_fp16"): numpy_helper.to_array(tensor) for tensor in graph.initializer}
    kernels, biases = (stored[name].astype(np.float32) for name in node.input[1:3])
    return kernels, biases


def grey_frame() -> np.ndarray:
    """Return the portrait in grey (320, 320), as the detector would get it: then three kernels add up to one."""
    square, _ = letterbox(photo("portrait").image.convert("L"), FRAME)
    return np.asarray(square.convert("L"), np.float32)


def responses(frame: np.ndarray, kernel: np.ndarray, bias: float) -> np.ndarray:
    """Return a 3x3 kernel's map of a grey frame, stride 2, before ReLU6: (160, 160)."""
    padded = np.pad((frame - MEAN[0]) / STD[0], 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[::2, ::2]
    return np.einsum("hwij,ij->hw", windows, kernel) + bias


def worked_example(models: Models) -> Example:
    """Return the place around the portrait's eyes with the most contrast of those that ReLU6 does not cut off."""
    kernels, biases = stem(models)
    kernel, frame = kernels[EDGE].sum(0), grey_frame()
    rows, columns = slice(46, 62), slice(58, 82)  # of the map: brows, glasses and eyes
    answers = responses(frame, kernel, float(biases[EDGE]))[rows, columns]
    patches = np.lib.stride_tricks.sliding_window_view(np.pad(frame, 1), (3, 3))[::2, ::2][rows, columns]
    contrast = np.where((answers > ANSWER[0]) & (answers < ANSWER[1]), patches.std((2, 3)), -1)
    row, column = np.unravel_index(contrast.argmax(), contrast.shape)
    top, left = 2 * (int(row) + rows.start) - 1, 2 * (int(column) + columns.start) - 1
    return Example(frame[top : top + 3, left : left + 3], kernel, float(biases[EDGE]), (top, left))


def convolution(models: Models) -> Figure:
    """Draw nine pixels, nine weights, their products and sum, and the maps of four kernels."""
    kernels, biases = stem(models)
    one, frame = worked_example(models), grey_frame()
    figure = sheet(9, 5)
    axes = figure.subplot_mosaic([list("AABBCCDD"), list("EEFFGGHH")])
    show(axes["A"], frame, "portrait in grey, 320 x 320", cmap="gray", vmin=0, vmax=255)
    top, left = one.corner
    axes["A"].plot(left + 1, top + 1, "s", ms=9, mfc="none", mec=ORANGE, mew=2)
    show(axes["B"], one.pixels, "its 3 x 3 pixels there", cmap="gray", vmin=0, vmax=255)
    numbers(axes["B"], one.pixels, dark=110)
    limit = float(np.abs(one.kernel).max())
    show(axes["C"], one.kernel, f"kernel no. {EDGE}", cmap="RdBu", vmin=-1.6 * limit, vmax=1.6 * limit)
    numbers(axes["C"], one.kernel, "{:.2f}")
    products = one.inputs * one.kernel
    reach = 1.6 * float(np.abs(products).max())
    show(axes["D"], products, "products with (pixel - 127) / 128", cmap="RdBu", vmin=-reach, vmax=reach)
    numbers(axes["D"], products, "{:.2f}")
    axes["D"].set_xlabel(f"sum {products.sum():.2f} + bias {one.bias:.2f} = {one.total:.2f}")
    for name, index in zip("EFGH", MAPS, strict=True):
        answers = responses(frame, kernels[index].sum(0), float(biases[index])).clip(0, RELU6)
        show(axes[name], answers, f"map of kernel no. {index}, 160 x 160", cmap="gray")
    return figure


def detector(models: Models) -> Figure:
    """Draw the scores of all cells by level, every box that gets a vote, and what is left."""
    image = photo("group").image
    square, scale = letterbox(image, FRAME)
    session = models.engine.sessions["face_detector"]
    found = session.run({"pixels": to_batch([square])})
    scores, boxes, points = (found[name][0] for name in ("scores", "boxes", "landmarks"))
    figure = sheet(9, 4.6)
    axes = figure.subplot_mosaic([list("abc"), list("xyy")], height_ratios=(1, 1.25))
    start = 0
    for name, stride in zip("abc", STRIDES, strict=True):
        cells = FRAME // stride
        level = scores[start : start + cells**2].reshape(cells, cells)
        show(axes[name], np.asarray(square.convert("L")), cmap="gray", alpha=0.45)
        axes[name].imshow(level, cmap="magma", alpha=0.75, extent=(0, FRAME, FRAME, 0), vmin=0, vmax=1)
        axes[name].set_title(f"stride {stride}: {cells} x {cells} cells, best {level.max():.2f}")
        axes[name].set_ylim(round(image.height * scale), 0)
        start += cells**2
    voters = scores >= LEAST_VOTE
    shown = axes["x"]
    show(shown, image, f"{voters.sum()} of {len(scores)} boxes score {LEAST_VOTE} or more")
    for x, y, w, h in boxes[voters] / scale:
        shown.plot([x, x + w, x + w, x, x], [y, y, y + h, y + h, y], color=ORANGE, lw=0.8)
    kept = nms(boxes[voters], scores[voters], OVERLAP)
    kept = kept[scores[voters][kept] >= models.engine.bundle.model("face_detector").labels["threshold"]]
    shown = axes["y"]
    show(shown, image, "after non-maximum suppression and voting: boxes, scores, five landmarks")
    for number, (x, y, w, h) in enumerate(vote(boxes[voters], scores[voters], kept, VOTERS) / scale):
        shown.plot([x, x + w, x + w, x, x], [y, y, y + h, y + h, y], color="#3bd16f", lw=2)
        shown.text(x, y - 8, f"{scores[voters][kept[number]]:.2f}", color="#3bd16f", fontsize=11)
        marks = points[voters][kept[number]].reshape(5, 2) / scale
        shown.plot(marks[:, 0], marks[:, 1], "o", ms=3.5, color="#ffd43b")
    return figure


def reader(models: Models) -> Figure:
    """Draw two faces and the probabilities that the reader gives to some of its questions."""
    finder = FaceDetector(models.engine.sessions["face_detector"])
    asked = ("expression", "gender", "age_band")
    figure = sheet(9, 4.4)
    grid = figure.subplots(2, 4, width_ratios=(1, 1.35, 0.9, 1.35))
    for row, name in zip(grid, ("portrait", "group"), strict=True):
        image = photo(name).image
        face = max(finder.detect(image), key=lambda found: found.box.x)  # of the group the one on the right
        show(row[0], crop_face(image, face.box, CROP_SIZE, CROP_MARGIN), "128 x 128, as it is read")
        read = probabilities(models.engine.sessions["face_reader"], image, face)
        for axes, head in zip(row[1:], asked, strict=True):
            bars(axes, head, read[head])
    return figure


def probabilities(session: Session, image: Image.Image, face: Face) -> dict[str, np.ndarray]:
    """Return the face reader's probabilities of one face by head."""
    crop = crop_face(image, face.box, CROP_SIZE, CROP_MARGIN)
    return {head: values[0] for head, values in session.run({"faces": to_batch([crop])}).items()}


def bars(axes: Axes, head: str, values: np.ndarray) -> None:
    """Draw a head's probabilities and the threshold below which its answer is unclear."""
    best, least = int(values.argmax()), THRESHOLDS.get(head, 0.0)
    sure = values[best] >= least
    colours = [(GREEN if sure else ORANGE) if i == best else "#b6c7e3" for i in range(len(values))]
    axes.barh(HEADS[head], values, color=colours)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.tick_params(labelsize=7.5, length=0)
    if least:
        axes.axvline(least, color=INK, lw=1, ls="--")
    said = HEADS[head][best] if sure else "unclear"
    axes.set_title(f"{head.removesuffix('_band')}: {said} ({values[best]:.2f})", color=INK if sure else ORANGE)
