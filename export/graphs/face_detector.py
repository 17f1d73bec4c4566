"""The face detector's graph: decoded boxes and landmarks of every cell, a dynamic batch."""

from __future__ import annotations

from pathlib import Path

import torch

from bot.vision.pixels import MEAN, STD
from export.graph import Graph
from models.face_detector import FRAME, DetectorForExport, FaceDetectorConfig, FaceDetectorNet


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the one graph of ``checkpoint``; its metrics hold the threshold."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = FaceDetectorNet(FaceDetectorConfig(**saved["config"]))
    network.load_state_dict(saved["network"])
    metrics = dict(saved["metrics"])
    generator = torch.Generator().manual_seed(1)
    return [
        Graph(
            name="face_detector",
            module=DetectorForExport(network.eval()),
            inputs={"pixels": torch.rand((2, 3, FRAME, FRAME), generator=generator) * 2 - 1},
            outputs=("scores", "boxes", "landmarks"),
            dynamic={"pixels": {0: "batch"}},
            tolerance=5e-3,  # of boxes in pixels, which reach a few hundred
            precision="fp16",
            about={
                "normalisation": {"size": FRAME, "mean": list(MEAN), "std": list(STD)},
                "labels": {"threshold": metrics.pop("threshold")},
                "training_data": "COCO photos with boxes that the detectors YuNet and RFB-640 agree on; FairFace crops "
                "(Karkkainen & Joo 2021) pasted into face-free ones",
                "licence": "MIT; FairFace CC BY 4.0 (credit in the model card); teachers YuNet Apache-2.0, RFB MIT",
                "metrics": metrics,
            },
        )
    ]
