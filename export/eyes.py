"""Measure the bundle's eyes on held-out data: detector, face reader, captioner, and the scenes they make together."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bot.app import TalkingPhotos
from bot.domain import ANIMALS, Scene
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from bot.vision.face_labels import HEADS, THRESHOLDS
from bot.vision.photo import Photo
from bot.vision.pixels import letterbox, to_batch
from export.caption_figures import caption_figures, load_captioner
from export.graphs.face_reader import face_milliseconds, reading_with
from export.latency import milliseconds
from models.data.face_boxes import CACHE, FaceBoxes, Teachers, load, teach
from models.data.face_frames import boxed_frame
from models.data.photos import PhotoItem, Photos
from models.face_detector import FRAME
from models.face_metrics import Truth, judge
from models.train.contact_sheet import contact_sheet
from models.train.face_metrics import measure
from models.train.face_reader import validation

LEAST_FACE = 20.0  # pixels in the detector's frame
FAINTEST = 0.05  # score of the faintest detection that is looked at

Figures = dict[str, float]


def report(args: argparse.Namespace) -> None:
    """Measure everything, print a table or one JSON object, and draw the contact sheet of scenes."""
    bundle, photos = Bundle(), Photos(args.data / "photos")
    results: dict[str, Figures] = {}
    started = time.perf_counter()
    results["detector"] = detector_figures(bundle, photos, args.data, args.threads)
    results["face_reader"] = reader_figures(bundle, args.data, args.threads)
    results["captioner"] = captioner_figures(bundle, args.data, args.threads)
    engine = TalkingPhotos(threads=args.threads)
    items = photos.items("val", captioned=True)
    scenes = [engine.observe(as_photo(photos.image(item.file))) for item in items]
    results["observer"] = scene_figures(items, scenes)
    shown = np.random.default_rng(args.seed).permutation(len(items))[: args.scenes]
    sheet = draw_scenes([photos.image(items[i].file) for i in shown], [scenes[i] for i in shown])
    args.out.mkdir(parents=True, exist_ok=True)
    sheet.save(args.out / "eyes.png")
    print(f"measured in {time.perf_counter() - started:.0f} s; scenes: {args.out / 'eyes.png'}", file=sys.stderr)
    if args.json:
        print(json.dumps(as_json(results, len(shown))))
    else:
        print(
            "\n".join(f"{part:12} {name:24} {value:.4g}" for part in results for name, value in results[part].items())
        )


def as_json(results: dict[str, Figures], scenes: int) -> dict[str, object]:
    """Return the figures a later evaluation is compared by: shares in 0..1, CIDEr-D x 1, medians in ms."""
    wanted = {
        "detector": ("recall", "precision", "ms"),
        "face_reader": ("gender", "age_exact", "age_within_one", "happy", "expression", "glasses", "ms"),
        "captioner": ("cider", "cider_nearest", "cider_no_image", "bleu4", "ms"),
    }
    return {part: {key: results[part][key] for key in keys} for part, keys in wanted.items()} | {"scenes_read": scenes}


def detector_figures(bundle: Bundle, photos: Photos, data: Path, threads: int) -> Figures:
    """Return recall and precision at the shipped threshold on the held-out photos, faces of LEAST_FACE px, IoU 0.5.

    Truth is what both teachers are sure of; what one alone or both faintly see is ignored. ``ms`` is the
    network's time for one photo, ``photo_ms`` that of a whole call with letterboxing and decoding.
    """
    session = Session(bundle.model("face_detector"), provider="cpu", threads=threads)
    detector = FaceDetector(session, threshold=FAINTEST)
    items = photos.items("val")
    known = held_out_boxes(photos, items, data)
    found, truths = [], []
    for item in items:
        image = photos.image(item.file)
        scale = FRAME / max(image.size)
        faces = detector.detect(image)
        boxes = np.array([face.box.as_list() for face in faces]).reshape(-1, 4) * scale
        found.append((boxes, np.array([face.score for face in faces])))
        frame = boxed_frame(photos, item, known[item.file])
        truths.append(Truth(frame.boxes, frame.ignore))
    judged = judge(found, truths, least=LEAST_FACE)
    recall, precision = judged.at(float(session.entry.labels["threshold"]))
    pixels = to_batch([letterbox(image, FRAME)[0]], detector._mean, detector._std)
    return {
        "recall": recall,
        "precision": precision,
        "faces": judged.faces,
        "ms": milliseconds(lambda: session.run({"pixels": pixels})),
        "photo_ms": milliseconds(lambda: FaceDetector(session).detect(image)),
    }


def held_out_boxes(photos: Photos, items: Sequence[PhotoItem], data: Path) -> dict[str, FaceBoxes]:
    """Return the teachers' boxes of ``items``, from training's cache where there is one."""
    if CACHE.exists():
        return load(CACHE)
    return teach(photos, Teachers(data / "teachers"), [item.file for item in items])


def reader_figures(bundle: Bundle, data: Path, threads: int) -> Figures:
    """Return accuracies on the held-out faces; ``ms`` is one face, ``ms_of_four`` a face of a batch of four."""
    session = Session(bundle.model("face_reader"), provider="cpu", threads=threads)
    scores, truth = validation(data / "faces", reading_with(session))
    heads = [head for head in HEADS if head in scores]
    metrics = measure(scores, {head: truth[head] for head in heads}, THRESHOLDS)
    names = {"age_band": "age_exact"}
    figures = {names.get(head, head): metrics[f"{head}_accuracy"] for head in heads}
    figures |= {"age_within_one": metrics["age_within_one"], "happy": metrics["happy_or_not"]}
    figures |= {name: value for name, value in metrics.items() if "answer" in name or name.endswith("_ece")}
    figures["ms"] = face_milliseconds(session, 1)
    figures["ms_of_four"] = face_milliseconds(session, 4)
    return figures


def captioner_figures(bundle: Bundle, data: Path, threads: int) -> Figures:
    """Return CIDEr-D and BLEU-4 of the captioner and its two rivals, and its median time."""
    figures = caption_figures(load_captioner(bundle, threads=threads), data, threads=threads)
    return {name: value for name, value in vars(figures).items() if isinstance(value, float)}


def scene_figures(items: Sequence[PhotoItem], scenes: Sequence[Scene]) -> Figures:
    """Compare scenes with what was written by eye about the same photos, as shares in 0..1.

    ``speaker_kind``: the first to speak is a human, an animal or nobody, as written. ``speaker_who``: the
    very same who ("woman", "boy"), where both name one; ``speaker_unclear``: where it was written, but only
    "person" was seen. ``humans``: as many humans as written.
    """
    written = [[who.split(",")[0].strip() for who in item.people.split(";")] for item in items]
    seen = [[person.who for person in scene.people] for scene in scenes]
    kinds = [_kind(a[0]) == _kind(b[0]) for a, b in zip(written, seen, strict=True)]
    named = [(a[0], b[0]) for a, b in zip(written, seen, strict=True) if {_kind(a[0]), _kind(b[0])} == {"human"}]
    named = [(one, other) for one, other in named if one != "person"]
    clear = [one == other for one, other in named if other != "person"]
    humans = [
        sum(_kind(one) == "human" for one in a) == sum(_kind(one) == "human" for one in b)
        for a, b in zip(written, seen, strict=True)
    ]
    return {
        "speaker_kind": float(np.mean(kinds)),
        "speaker_who": float(np.mean(clear)) if clear else 0.0,
        "speaker_unclear": 1 - len(clear) / max(len(named), 1),
        "humans": float(np.mean(humans)),
        "scenes": len(scenes),
    }


def _kind(who: str) -> str:
    return "animal" if who in ANIMALS else "nobody" if who == "nobody" else "human"


def as_photo(image: Image.Image) -> Photo:
    """Return a decoded upright image as the observer takes it."""
    return Photo(image, *image.size)


def draw_scenes(images: Sequence[Image.Image], scenes: Sequence[Scene]) -> Image.Image:
    """Return a contact sheet of photos over the scenes seen in them."""
    return contact_sheet(images, [scene.as_text().replace(" | ", "\n") for scene in scenes], columns=6)
