"""The face reader's graph, and what the exported file is worth: python -m export.graphs.face_reader."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.vision.face_labels import CROP_MARGIN, CROP_SIZE, HEADS, THRESHOLDS
from bot.vision.pixels import MEAN, STD
from export.graph import Graph
from export.latency import milliseconds
from models.face_reader import CalibratedFaceReader, FaceReaderConfig, FaceReaderNet
from models.train.face_metrics import by_group, confusion, measure
from models.train.face_reader import validation
from models.train.run import DATA

TRAINING_DATA = (
    "FairFace, 23,497 faces with age band and gender (Karkkainen & Joo 2021, CC BY 4.0); "
    "our own labels of expression, glasses, hair, headwear and eyes for 2,497 of them (MIT); "
    "trunk initialised from EfficientNet-Lite0's ImageNet weights (Apache-2.0)"
)
LICENCE = "MIT; FairFace data CC BY 4.0, attribution: Karkkainen & Joo 2021; EfficientNet-Lite0 weights Apache-2.0"


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the graph of a checkpoint: ``faces`` (B, 3, 128, 128) to probabilities (B, labels) by head."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    config = dict(state["config"])
    temperatures = config.pop("temperatures")
    network = FaceReaderNet(FaceReaderConfig(**config))
    network.load_state_dict(state["network"])
    torch.manual_seed(0)
    return [
        Graph(
            name="face_reader",
            precision="int8_weights",
            module=CalibratedFaceReader(network, temperatures),
            inputs={"faces": torch.rand(3, 3, CROP_SIZE, CROP_SIZE) * 2 - 1},
            outputs=tuple(config["heads"]),
            dynamic={"faces": {0: "batch"}},
            tolerance=1e-4,
            about={
                "normalisation": {"size": CROP_SIZE, "margin": CROP_MARGIN, "mean": list(MEAN), "std": list(STD)},
                "labels": {**{head: list(labels) for head, labels in HEADS.items()}, "thresholds": THRESHOLDS},
                "temperatures": temperatures,
                "training_data": TRAINING_DATA,
                "licence": LICENCE,
                "metrics": {name: round(value, 4) for name, value in state["metrics"].items()},
            },
        )
    ]


def main() -> None:
    """Measure the bundle's file on the validation faces and print the tables of the model card."""
    parser = argparse.ArgumentParser(prog="python -m export.graphs.face_reader", description=main.__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    session = Session(Bundle(args.bundle).model("face_reader"), provider="cpu", threads=args.threads)

    scores, truth = validation(args.data / "faces", reading_with(session))
    for name, value in measure(scores, truth, THRESHOLDS).items():
        print(f"{name:28} {value:.4f}" if isinstance(value, float) else f"{name:28} {value}")
    print("\n| gender | age | faces | gender accuracy | age accuracy | within one |\n|---|---|---|---|---|---|")
    for gender, band, faces, *accuracies in by_group(scores, truth):
        print(f"| {gender} | {band} | {faces} | " + " | ".join(f"{value:.3f}" for value in accuracies) + " |")
    for head in scores.keys() - {"age_band", "gender"}:
        labels = HEADS[head]
        print(f"\n| true {head} | " + " | ".join(labels) + " |\n|" + "---|" * (len(labels) + 1))
        for label, row in zip(labels, confusion(scores[head], truth[head]), strict=True):
            print(f"| {label} | " + " | ".join(map(str, row)) + " |")
    for batch in (1, 4):
        print(f"\n{batch} face(s): {face_milliseconds(session, batch):.2f} ms a face on {args.threads} threads")


def reading_with(session: Session) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Return a function from crops (N, 3, 128, 128) to the session's probabilities (N, labels) by head."""

    def read(crops: np.ndarray) -> dict[str, np.ndarray]:
        parts = [session.run({"faces": crops[i : i + 32]}) for i in range(0, len(crops), 32)]
        return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}

    return read


def face_milliseconds(session: Session, batch: int) -> float:
    """Return the median time of one face in batches of ``batch``."""
    faces = np.random.default_rng(0).normal(size=(batch, 3, CROP_SIZE, CROP_SIZE)).astype(np.float32)
    return milliseconds(lambda: session.run({"faces": faces})) / batch


if __name__ == "__main__":
    main()
