"""The face detector's graph, and what the exported file is worth: python -m export.graphs.face_detector."""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from bot.vision.pixels import MEAN, STD, letterbox, smallest_frame
from export.graph import Graph
from models.data.face_boxes import face_boxes
from models.data.face_frames import CROP, people_free, read_crops
from models.data.photos import Photos
from models.face_detector import FRAME, STRIDES, DetectorForExport, FaceDetectorConfig, FaceDetectorNet
from models.face_metrics import Detections, Truth, judge
from models.train.face_detector import FAINTEST, LEAST_FACE, truths
from models.train.face_sheet import draw_mistakes
from models.train.run import DATA, RUNS

BANDS = (14.0, 20.0, 30.0, 60.0, 120.0, 320.0)  # pixels: limits of the face sizes that are told apart
PORTRAITS, PORTRAIT_SIDE = 400, 400  # held-out FairFace crops, and what they are enlarged to
LEVELS = (0.4, 0.5, 0.6, 0.7)  # scores at which photos without a human are counted


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the one graph of ``checkpoint``; its metrics hold the threshold."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = FaceDetectorNet(FaceDetectorConfig(**saved["config"]))
    network.load_state_dict(saved["network"])
    metrics = dict(saved["metrics"])
    about = {
        "labels": {"threshold": metrics.pop("threshold")},
        "training_data": "COCO photos with boxes that the detectors YuNet and RFB-640 agree on; FairFace crops "
        "(Karkkainen & Joo 2021) pasted into face-free ones; trunk initialised from EfficientNet-Lite0's "
        "ImageNet weights",
        "licence": "MIT; EfficientNet-Lite0 weights Apache-2.0; FairFace CC BY 4.0 (credit in the model card); "
        "teachers YuNet Apache-2.0, RFB MIT",
        "metrics": metrics,
    }
    return [detector_graph(DetectorForExport(network), about)]


def detector_graph(module: nn.Module, about: Mapping[str, Any]) -> Graph:
    """Return the graph of a detector, for frames whose sides are multiples of its coarsest stride up to FRAME.

    ``about`` holds labels, training_data, licence and metrics.
    """
    generator = torch.Generator().manual_seed(1)
    return Graph(
        name="face_detector",
        module=module.eval(),
        inputs={"pixels": torch.rand((2, 3, FRAME, FRAME - 2 * STRIDES[-1]), generator=generator) * 2 - 1},
        outputs=("scores", "boxes", "landmarks"),
        dynamic={"pixels": {0: "batch", 2: "height", 3: "width"}},
        tolerance=5e-3,  # of boxes in pixels, which reach a few hundred
        precision="fp16",
        about={**about, "normalisation": {"size": FRAME, "step": STRIDES[-1], "mean": list(MEAN), "std": list(STD)}},
    )


def main() -> None:
    """Measure the bundle's file on held-out photos and portraits and print the figures of the model card."""
    parser = argparse.ArgumentParser(prog="python -m export.graphs.face_detector", description=main.__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--split", default="val", choices=("val", "train"))
    parser.add_argument("--every", type=int, default=1, help="look at one in so many photos")
    parser.add_argument("--sheet", type=Path, default=RUNS / "face_detector" / "exported.jpg")
    args = parser.parse_args()
    session = Session(Bundle(args.bundle).model("face_detector"), provider="cpu", threads=args.threads)
    detector = FaceDetector(session, threshold=FAINTEST)
    threshold = float(session.entry.labels["threshold"])
    photos = Photos(args.data / "photos")
    items = photos.items(args.split)[:: args.every]
    images = [photos.image(item.file) for item in items]
    found = [detections(detector, image) for image in images]
    held = truths(photos, face_boxes(photos, args.data), items)
    judged = judge(found, held, least=LEAST_FACE)
    recall, precision = judged.at(threshold)
    print(f"{len(items)} photos, {judged.faces} faces of {LEAST_FACE:.0f} px and more, threshold {threshold:.2f}")
    print(f"recall {recall:.3f} precision {precision:.3f} average precision {judged.average_precision():.3f}")
    for level in (score / 100 for score in range(30, 80, 5)):
        print(f"  at {level:.2f}: recall {judged.at(level)[0]:.3f} precision {judged.at(level)[1]:.3f}")
    for least, most in itertools.pairwise(BANDS):
        band = judge(found, held, least=least, most=most)
        print(f"{least:.0f} to {most:.0f} px: {band.faces} faces, recall {band.at(threshold)[0]:.3f}")
    free = [scores.max(initial=0.0) for item, (_, scores) in zip(items, found, strict=True) if people_free(item)]
    shares = ", ".join(f"{level:.1f}: {sum(score >= level for score in free)}" for level in LEVELS)
    print(f"{len(free)} photos without a human, of them with a detection of at least {shares}")
    args.sheet.parent.mkdir(parents=True, exist_ok=True)
    tiles = [letterbox(image, FRAME)[0] for image in images]
    draw_mistakes(tiles, found, held, threshold, least=LEAST_FACE).save(args.sheet)
    print(f"sheet of mistakes: {args.sheet}")
    measure_portraits(detector, threshold, args.data)
    print(f"{milliseconds(session):.2f} ms a 4:3 photo for the network on {args.threads} threads")


def detections(detector: FaceDetector, image: Image.Image) -> Detections:
    """Return what production sees in one photo, its boxes in pixels of its frame, best score first."""
    faces = detector.detect(image)
    boxes = np.array([face.box.as_list() for face in faces]).reshape(-1, 4) * (FRAME / max(image.size))
    return boxes, np.array([face.score for face in faces])


def measure_portraits(detector: FaceDetector, threshold: float, data: Path) -> None:
    """Print the recall on held-out FairFace crops whose face fills the photo, and the boxes too many."""
    crops = read_crops(data / "faces", "val")
    chosen = crops[:: len(crops) // PORTRAITS][:PORTRAITS]
    images = [Image.fromarray(crop.pixels).resize((PORTRAIT_SIDE, PORTRAIT_SIDE)) for crop in chosen]
    held = [Truth(crop.boxes * (FRAME / CROP), crop.ignore) for crop in chosen]
    judged = judge([detections(detector, image) for image in images], held, least=LEAST_FACE)
    sure = judged.scores >= threshold
    found, wrong = int((judged.right & sure).sum()), int((~judged.right & sure).sum())
    print(f"{judged.faces} portraits: {found} found, {wrong} boxes too many")


def milliseconds(session: Session, rounds: int = 60) -> float:
    """Return the median time of the network for the frame of a 4:3 photo, after a warm-up."""
    width, height = smallest_frame([Image.new("RGB", (4, 3))], FRAME, STRIDES[-1])
    pixels = np.random.default_rng(0).normal(size=(1, 3, height, width)).astype(np.float32)
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        session.run({"pixels": pixels})
        times.append((time.perf_counter() - started) * 1000)
    return float(np.median(times[10:]))


if __name__ == "__main__":
    main()
