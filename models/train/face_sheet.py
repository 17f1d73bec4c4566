"""A sheet of the photos in which a face detector is most often wrong, for looking at by eye."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from models.face_metrics import Detections, Truth, judge

COLUMNS, ROWS = 8, 6  # of the sheet


def draw_mistakes(
    pictures: Sequence[Image.Image],
    found: Sequence[Detections],
    truths: Sequence[Truth],
    threshold: float,
    *,
    least: float,
) -> Image.Image:
    """Return the pictures (S x S, as the network saw them) with most misses and false alarms, worst first.

    Faces are green, those to ignore grey, detections of at least ``threshold`` red with their score.
    """
    side = pictures[0].width
    sheet = Image.new("RGB", (COLUMNS * side, ROWS * side), "white")
    counts = [mistakes(*pair, threshold, least) for pair in zip(found, truths, strict=True)]
    worst = sorted(range(len(pictures)), key=lambda i: -counts[i])[: COLUMNS * ROWS]
    for place, i in enumerate(worst):
        picture = pictures[i].copy()
        draw = ImageDraw.Draw(picture)
        for (x, y, w, h), ignored in zip(truths[i].boxes, truths[i].ignore, strict=True):
            draw.rectangle((x, y, x + w, y + h), outline="grey" if ignored else "lime")
        for (x, y, w, h), score in zip(*found[i], strict=True):
            if score >= threshold:
                draw.rectangle((x, y, x + w, y + h), outline="red")
                draw.text((x, y - 11), f"{score:.2f}", fill="red")
        sheet.paste(picture, (place % COLUMNS * side, place // COLUMNS * side))
    return sheet


def mistakes(found: Detections, truth: Truth, threshold: float, least: float) -> int:
    """Return how many faces of one photo are missed and how many detections are wrong."""
    judged = judge([found], [truth], least=least)
    sure = judged.scores >= threshold
    return judged.faces - int((judged.right & sure).sum()) + int((~judged.right & sure).sum())
