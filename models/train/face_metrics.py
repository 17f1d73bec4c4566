"""What a face reader is worth: accuracies from probabilities, calibration, confusion pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
from matplotlib import pyplot as plt

from bot.vision.face_labels import AGE_BANDS, HEADS

Probabilities = Mapping[str, np.ndarray]  # head -> (N, labels)
Truth = Mapping[str, np.ndarray]  # head -> (N,) label numbers, -1 where there is none
TEMPERATURES = np.geomspace(0.2, 3.0, 400)


def measure(probabilities: Probabilities, truth: Truth, thresholds: Mapping[str, float]) -> dict[str, float]:
    """Return accuracies in 0..1 over the faces that have each label.

    Besides plain accuracy: age within one band, happy or not, the mean recall of the expressions, the
    expected calibration error, and for heads with a threshold how many faces get an answer and how many
    answers are right.
    """
    metrics: dict[str, float] = {}
    for head, labels in truth.items():
        known = labels >= 0
        if not known.any():
            continue
        wanted, p = labels[known], probabilities[head][known]
        best, score = p.argmax(1), p.max(1)
        right = best == wanted
        metrics[f"{head}_accuracy"] = float(right.mean())
        metrics[f"{head}_faces"] = int(known.sum())
        metrics[f"{head}_ece"] = calibration_error(score, right)
        if head == "age_band":
            metrics["age_within_one"] = float((abs(best - wanted) <= 1).mean())
        if head == "expression":
            happy = HEADS[head].index("happy")
            metrics["happy_or_not"] = float(((best == happy) == (wanted == happy)).mean())
            metrics["expression_mean_recall"] = float(np.mean([right[wanted == c].mean() for c in np.unique(wanted)]))
        if head in thresholds:
            sure = score >= thresholds[head]
            metrics[f"{head}_answered"] = float(sure.mean())
            metrics[f"{head}_answers_right"] = float(right[sure].mean()) if sure.any() else 0.0
    return metrics


def calibration_error(score: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error over equal-width bins (Guo et al. 2017)."""
    places = np.minimum((score * bins).astype(int), bins - 1)
    gaps = [
        abs(score[places == b].mean() - right[places == b].mean()) * (places == b).mean() for b in np.unique(places)
    ]
    return float(sum(gaps))


def temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that makes ``labels`` (N,) most likely under ``logits`` (N, labels); 1 for none."""
    if not len(labels):
        return 1.0
    scaled = logits[None] / TEMPERATURES[:, None, None]  # (T, N, labels)
    top = scaled.max(2, keepdims=True)
    log_total = np.log(np.exp(scaled - top).sum(2)) + top[..., 0]
    losses = (log_total - scaled[:, np.arange(len(labels)), labels]).mean(1)
    return float(TEMPERATURES[losses.argmin()])


def by_group(probabilities: Probabilities, truth: Truth) -> list[tuple[str, str, int, float, float, float]]:
    """Return (gender, age band, faces, gender accuracy, age accuracy, age within one) of every group."""
    rows = []
    for g, gender in enumerate(HEADS["gender"]):
        for a, band in enumerate(AGE_BANDS):
            group = (truth["gender"] == g) & (truth["age_band"] == a)
            if not group.any():
                continue
            ages = probabilities["age_band"][group].argmax(1)
            genders = probabilities["gender"][group].argmax(1)
            near = float((abs(ages - a) <= 1).mean())
            rows.append((gender, band, int(group.sum()), float((genders == g).mean()), float((ages == a).mean()), near))
    return rows


def confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return counts (true, read) over the faces that have a label."""
    count = probabilities.shape[1]
    known = labels >= 0
    counts = np.zeros((count, count), int)
    np.add.at(counts, (labels[known], probabilities[known].argmax(1)), 1)
    return counts


def draw_confusions(probabilities: Probabilities, truth: Truth, path: Path) -> None:
    """Write one picture with the confusion matrix of every head, rows normalised to the true label."""
    figure, axes = plt.subplots(1, len(truth), figsize=(6 * len(truth), 6))
    for axis, (head, labels) in zip(axes, truth.items(), strict=True):
        counts = confusion(probabilities[head], labels)
        axis.imshow(counts / np.maximum(counts.sum(1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            axis.text(column, row, str(count), ha="center", va="center", fontsize=8)
        axis.set_xticks(range(len(HEADS[head])), HEADS[head], rotation=60)
        axis.set_yticks(range(len(HEADS[head])), HEADS[head])
        axis.set(title=head, xlabel="read", ylabel="true")
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    plt.close(figure)
