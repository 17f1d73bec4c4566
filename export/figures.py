"""Draw the pictures of docs/how-it-works.md from the bundle: ``python -m export.figures [NAME ...]``.

What is in them comes from the models that run: kernels and cells, probabilities, attention, samples, scores. Those
of the GAN and the VAE are left out while the bundle has none of them. ``collapse.webp`` alone is not drawn: it shows
faces of two training runs that are gone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from export import figure_attention, figure_numbers, figure_portraits, figure_seeing, figure_speaking
from export.figure_paper import ROOT, Models, save

FOLDER = ROOT / "docs" / "how-it-works"
FIGURES: dict[str, Callable[[Models], Figure]] = {
    "way": figure_numbers.way,
    "convolution": figure_seeing.convolution,
    "detector": figure_seeing.detector,
    "reader": figure_seeing.reader,
    "caption": figure_attention.glances,
    "attention": figure_attention.heads,
    "sampling": figure_speaking.sampling,
    "branches": figure_speaking.branches,
    "ranking": figure_speaking.ranking,
    "game": figure_portraits.game,
    "gan": figure_portraits.walks,
    "latent": figure_portraits.latent,
    "vae": figure_portraits.morphs,
    "int8": figure_numbers.int8,
    "cost": figure_numbers.cost,
}
PHOTOGRAPHIC = {"convolution", "detector", "reader", "caption", "gan", "vae"}  # smaller as WebP
NEEDS: dict[str, tuple[str, ...]] = {"gan": ("gan",), "vae": ("vae_encoder", "vae_decoder")}


def main() -> int:
    """Draw the named pictures, or all."""
    parser = argparse.ArgumentParser(prog="python -m export.figures", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"pictures to draw: {', '.join(FIGURES)}")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="folder of the models")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write into")
    args = parser.parse_args()
    if unknown := set(args.names) - set(FIGURES):
        parser.error(f"unknown picture {', '.join(sorted(unknown))}; choose from {', '.join(FIGURES)}")
    draw(Models(Bundle(args.bundle)), args.names or list(FIGURES), args.out)
    return 0


def draw(models: Models, names: list[str], folder: Path) -> None:
    """Draw pictures into a folder and say how large each became."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if not models.has(*NEEDS.get(name, ())):
            print(f"{file_of(name)}: left out, the bundle has no {', '.join(NEEDS[name])}")
            continue
        size = save(FIGURES[name](models), folder / file_of(name))
        print(f"{file_of(name)}: {size / 1000:.0f} KB")


def file_of(name: str) -> str:
    """Return the name of a picture's file."""
    return f"{name}.{'webp' if name in PHOTOGRAPHIC else 'png'}"


if __name__ == "__main__":
    sys.exit(main())
