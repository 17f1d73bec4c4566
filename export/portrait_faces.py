"""Whether the bot's own eyes take drawn faces for faces: detector, face reader, and both VAE figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image

from bot.domain import Box, Face
from bot.portrait.alignment import SIZE, TEMPLATE
from bot.portrait.morpher import Morpher
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.boxes import iou
from bot.vision.detector import FaceDetector
from bot.vision.face_labels import CROP_MARGIN, HEADS
from bot.vision.photo import Photo
from bot.vision.pixels import GREY
from models.data.aligned_faces import to_network
from models.data.generated_faces import SQUARE
from models.data.portrait_models import batches
from models.train.generated import agreement, read_faces
from models.train.vae import YEARS
from models.vae import Perception

LEAST_OVERLAP = 0.4  # IoU of the found face with where it must be
SOBER = 0.3  # probability of happy below which a face is one to make smile


class Looker:
    """Looks at drawn faces with the shipped detector and face reader."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        self.detector = FaceDetector(Session(bundle.model("face_detector"), provider="cpu", threads=threads))

    def figures(self, faces: np.ndarray, conditions: np.ndarray, prefix: str = "") -> dict[str, float]:
        """Return how often a face is found, on a plain canvas twice as wide and without one, and read as asked for."""
        found = {
            "face_found": float(self.found(faces, border=0.5).mean()),
            "face_found_alone": float(self.found(faces, border=0.0).mean()),
        }
        return {prefix + name: value for name, value in (found | agreement(read_faces(faces), conditions)).items()}

    def found(self, faces: np.ndarray, border: float) -> np.ndarray:
        """Return for each face (N, S, S, 3) whether it is found where it is, (N,) bool.

        ``border`` is the width of the plain grey around it in sides of the face: 0.5 is a canvas twice as wide.
        """
        side = faces.shape[1]
        edge = round(border * side)
        place = face_box(side, edge)
        hits = []
        for i in batches(len(faces)):
            canvases = []
            for face in faces[i]:
                canvas = Image.new("RGB", (side + 2 * edge,) * 2, GREY)
                canvas.paste(Image.fromarray(face), (edge, edge))
                canvases.append(canvas)
            for seen in self.detector.detect_many(canvases):
                boxes = np.array([(f.box.x, f.box.y, f.box.w, f.box.h) for f in seen]).reshape(-1, 4)
                hits.append(bool((iou(place, boxes) >= LEAST_OVERLAP).any()))
        return np.array(hits, bool)


def face_box(side: int, edge: int) -> np.ndarray:
    """Return the box (1, 4) that detectors find around an aligned face ``edge`` pixels from the canvas's corner."""
    scale = side / SIZE
    x, y, crop = (value * scale for value in SQUARE)
    size = crop / (1 + 2 * CROP_MARGIN)
    box = Box(x - size / 2 + edge, y - size / 2 + edge, size, size)
    return np.array([[box.x, box.y, box.w, box.h]])


def happy(read: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the reader's probability (N,) that a face smiles."""
    return read["expression"][:, HEADS["expression"].index("happy")]


def years(read: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the age (N,) that the reader expects, in years."""
    return read["age_band"] @ np.array(YEARS)


def shown_morph(morpher: Morpher, face: np.ndarray, change: str) -> tuple[list[Image.Image], list[int]]:
    """Return the frames and milliseconds of a morph as the bot makes it, of an aligned face (S, S, 3) as the photo."""
    side = face.shape[0]
    whole = Face(Box(0, 0, side, side), 1.0, TEMPLATE)
    return morpher.morph(Photo(Image.fromarray(face), side, side), whole, change)


def morphed(morpher: Morpher, faces: np.ndarray, change: str) -> tuple[np.ndarray, np.ndarray]:
    """Return each aligned face (N, S, S, 3) as the first frame of its morph shows it, and as the middle one does."""
    size = faces.shape[2], faces.shape[1]
    shown = [shown_morph(morpher, face, change)[0] for face in faces]
    before, after = (
        np.stack([np.asarray(frame.resize(size, Image.Resampling.BOX)) for frame in frames])
        for frames in zip(*((one[0], one[len(one) // 2]) for one in shown), strict=True)
    )
    return before, after


def unlikeness(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean perceptual distance of faces (N, S, S, 3) uint8, as the VAE's training takes it."""
    looks = Perception()
    with torch.inference_mode():
        parts = [float(looks(to_network(first[i]), to_network(second[i]))) * len(first[i]) for i in batches(len(first))]
    return sum(parts) / len(first)
