"""Sheets of drawn faces, of the most alike pairs and of morphs, for looking at by eye."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bot.portrait.morpher import CHANGES, STEPS, Morpher
from bot.portrait.wishes import CONDITIONS
from export.portrait_faces import shown_morph

SAMPLES, MORPHS, COLUMNS = 64, 16, 8
FIRST_SEED = 1000  # of the samples: other faces than those that are measured
GAP, TEXT = 4, 29  # pixels around a tile, and of the two lines of words under it
TILE = 160  # pixels of a frame on the sheet of morphs
MORPH_FRAMES = (0, 3, 5, 7, STEPS)


def tiled(pictures: Sequence[Image.Image], words: Sequence[str], columns: int) -> Image.Image:
    """Return a white sheet of pictures of one size in rows, each over its words."""
    width, height = pictures[0].width + GAP, pictures[0].height + GAP + TEXT
    sheet = Image.new("RGB", (columns * width + GAP, -(-len(pictures) // columns) * height + GAP), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for i, (picture, word) in enumerate(zip(pictures, words, strict=True)):
        left, top = GAP + i % columns * width, GAP + i // columns * height
        sheet.paste(picture, (left, top))
        pen.text((left, top + picture.height + 1), word, fill="black", font=font)
    return sheet


def draw_samples(draw: Callable[[np.ndarray, Sequence[int]], np.ndarray]) -> Image.Image:
    """Return SAMPLES faces that ``draw`` makes of conditions (N, 3) and seeds, all kinds about equally often."""
    kinds = list(itertools.product(*(range(len(labels)) for labels in CONDITIONS.values())))
    conditions = np.array([kinds[i * len(kinds) // SAMPLES] for i in range(SAMPLES)], np.int64)
    labels = list(CONDITIONS.values())
    words = [", ".join(labels[i][number] for i, number in enumerate(row)).replace(", ", "\n", 1) for row in conditions]
    return tiled(
        [Image.fromarray(face) for face in draw(conditions, range(FIRST_SEED, FIRST_SEED + SAMPLES))], words, COLUMNS
    )


def draw_pairs(drawn: np.ndarray, training: np.ndarray, distances: np.ndarray) -> Image.Image:
    """Return drawn faces (N, S, S, 3), the nearest first, each over the training face that is most like it."""
    pictures = [Image.fromarray(face) for face in (*drawn, *training)]
    words = [f"drawn, distance {distance:.1f}" for distance in distances] + ["training face"] * len(training)
    return tiled(pictures, words, len(drawn))


def draw_morphs(morpher: Morpher, faces: np.ndarray) -> Image.Image:
    """Return MORPHS aligned faces, one a row: some frames of what the bot shows, half of them of the smile."""
    others = [change for change in CHANGES if change != "smile"]
    changes = ["smile"] * (MORPHS // 2) + [others[i % len(others)] for i in range(MORPHS // 2)]
    pictures, words = [], []
    for face, change in zip(faces, changes, strict=False):
        frames, _ = shown_morph(morpher, face, change)
        pictures += [frames[number].resize((TILE, TILE)) for number in MORPH_FRAMES]
        words += ["as it is", *[""] * (len(MORPH_FRAMES) - 2), change]
    return tiled(pictures, words, 2 * len(MORPH_FRAMES))
