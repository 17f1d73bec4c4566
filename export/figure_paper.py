"""The paper that the pictures of docs/how-it-works.md are drawn on: one style, small files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from bot.app import TalkingPhotos
from bot.domain import Scene
from bot.runtime.bundle import Bundle
from bot.vision.photo import Photo, open_photo

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "docs" / "screens" / "photos"  # public domain or CC0, see its README
INK, MUTED, BLUE, ORANGE, GREEN, RED, PAPER = "#1f2328", "#6e7781", "#2f6fd0", "#e8710a", "#2b8a3e", "#c92a2a", "white"
MOST_BYTES = 150_000  # of one picture
COLOURS, QUALITY = 192, 84  # of PNG and of WebP

plt.rcParams.update({
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9.5, "axes.edgecolor": MUTED, "text.color": INK,
    "axes.labelcolor": INK, "xtick.color": MUTED, "ytick.color": MUTED, "axes.spines.top": False,
    "axes.spines.right": False, "figure.facecolor": PAPER, "savefig.facecolor": PAPER, "figure.dpi": 100,
    "svg.hashsalt": "0",
})  # fmt: skip


@dataclass
class Models:
    """What is drawn from: a bundle, the bot's own eyes and tongue on it, and photos that may be shown."""

    bundle: Bundle
    _engine: TalkingPhotos | None = None
    _scenes: dict[str, Scene] = field(default_factory=dict)

    @property
    def engine(self) -> TalkingPhotos:
        """The bot without Discord, loaded when it is first asked for; on one thread, so that figures stay alike."""
        if self._engine is None:
            self._engine = TalkingPhotos(self.bundle.folder, provider="cpu", threads=1)
        return self._engine

    def has(self, *names: str) -> bool:
        """Tell whether the bundle lists all these models."""
        return all(name in self.bundle.manifest["models"] for name in names)

    def scene(self, name: str) -> Scene:
        """Return what is seen in a photo."""
        if name not in self._scenes:
            self._scenes[name] = self.engine.observe(photo(name))
        return self._scenes[name]


def photo(name: str) -> Photo:
    """Return a photo of docs/screens/photos."""
    return open_photo(PHOTOS / f"{name}.jpg")


def sheet(width: float, height: float, **options: Any) -> Figure:
    """Return an empty figure of so many inches, 100 pixels each."""
    return plt.figure(figsize=(width, height), layout="constrained", **options)


def bare(axes: Axes, title: str = "") -> Axes:
    """Take ticks and frame away."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_title(title)
    return axes


def show(axes: Axes, image: Image.Image | np.ndarray, title: str = "", **options: Any) -> Axes:
    """Draw an image without axes around it."""
    axes.imshow(image if isinstance(image, np.ndarray) else np.asarray(image), **options)
    return bare(axes, title)


def box(axes: Axes, x: float, y: float, text: str, colour: str = BLUE, **options: Any) -> Text:
    """Write text into a rounded box with its middle at (x, y)."""
    style = {"boxstyle": "round,pad=0.45", "facecolor": PAPER, "edgecolor": colour, "linewidth": 1.4}
    return axes.text(x, y, text, ha="center", va="center", bbox=style, zorder=3, **options)


def link(start: Text, *ends: Text, colour: str = MUTED, bend: float = 0) -> None:
    """Draw arrows from the edge of one box to the edges of others."""
    axes = start.axes
    assert isinstance(axes, Axes)
    style = {"arrowstyle": "-|>", "color": colour, "linewidth": 1.3, "connectionstyle": f"arc3,rad={bend}"}
    for end in ends:
        sides = {"patchA": start.get_bbox_patch(), "patchB": end.get_bbox_patch(), "shrinkA": 3, "shrinkB": 3}
        axes.annotate("", end.get_position(), start.get_position(), arrowprops={**style, **sides}, zorder=2)


def numbers(axes: Axes, values: np.ndarray, form: str = "{:.0f}", size: float = 9, dark: float | None = None) -> None:
    """Write the values of a small matrix into its cells, in white where the cell is darker than ``dark``."""
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if dark is not None and value < dark else INK
        axes.text(column, row, form.format(value), ha="center", va="center", fontsize=size, color=colour)


def save(figure: Figure, path: Path) -> int:
    """Write a figure as WebP, or as a PNG of few colours, as the path says; return its bytes."""
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    plt.close(figure)
    buffer.seek(0)
    data = encoded(Image.open(buffer).convert("RGB"), path.suffix)
    path.write_bytes(data)
    return len(data)


def encoded(image: Image.Image, suffix: str) -> bytes:
    """Return an image as WebP or as PNG."""
    out = BytesIO()
    if suffix == ".webp":
        image.save(out, "WEBP", quality=QUALITY, method=6)
    else:
        image.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def size_of(entries: Mapping[str, Any], *names: str) -> str:
    """Return the size of models together, by their manifest entries."""
    return f"{sum(entries[name]['bytes'] for name in names) / 2**20:.1f} MiB"
