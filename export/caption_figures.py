"""How good the shipped captioner is on the held-out photos, beside two rivals in the same run."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import Captioner
from models.data.caption_metrics import bleu4, cider_d, words_only
from models.data.image_features import imagenet_features
from models.data.photos import PhotoItem, Photos


@dataclass(frozen=True)
class CaptionFigures:
    """CIDEr-D (x 1) and BLEU-4 (0..1) of captioner and rivals, median time, captions by file name."""

    cider: float
    bleu4: float
    cider_nearest: float
    bleu4_nearest: float
    cider_no_image: float
    bleu4_no_image: float
    ms: float
    captions: dict[str, str]


def load_captioner(bundle: Bundle, *, threads: int = 2) -> Captioner:
    """Return the captioner of a bundle on the CPU."""
    encoder, decoder = (
        Session(bundle.model(f"captioner_{part}"), provider="cpu", threads=threads) for part in ("encoder", "decoder")
    )
    return Captioner(encoder, CaptionWriter(decoder))


def caption_figures(captioner: Captioner, data: Path, *, threads: int = 2) -> CaptionFigures:
    """Caption every held-out photo that has our own captions; references are those and COCO's.

    ``nearest`` is the plain caption of the training photo with the most similar (cosine) average-pooled
    features of the untuned ImageNet backbone. ``no_image`` is what the decoder says of no photo in
    particular: keys and values averaged over all held-out photos, no word likelier than usual. Needs the
    ``train`` extra for the untuned backbone; its features are kept in cache/.
    """
    photos = Photos(data / "photos")
    held, known = photos.items("val", captioned=True), photos.items("train", captioned=True)
    said, seconds = list[str](), list[float]()
    total: dict[str, np.ndarray] = {}
    for item in held:
        image = photos.image(item.file)
        start = time.perf_counter()
        memory = captioner.look(image)
        said.append(captioner.tell(memory)[0][0])
        seconds.append(time.perf_counter() - start)
        total = {name: total.get(name, 0) + array for name, array in memory.items()}
    average = {name: (array / len(held)).astype(np.float32) for name, array in total.items()}
    average["lift"] = np.zeros_like(average["lift"])
    nothing = captioner.tell(average)[0][0]
    borrowed = nearest_captions(photos, held, known, threads)
    rivals = [judge(some, held) for some in (said, borrowed, [nothing] * len(held))]
    captions = {item.file: caption for item, caption in zip(held, said, strict=True)}
    return CaptionFigures(*rivals[0], *rivals[1], *rivals[2], 1000 * statistics.median(seconds), captions)


def nearest_captions(
    photos: Photos, held: list[PhotoItem], known: list[PhotoItem], threads: int, size: int = 256
) -> list[str]:
    """Return for every held-out photo the first caption of the known photo most similar to it."""
    both = [
        imagenet_features(name, [item.file for item in items], photos.image, size, threads)
        for name, items in (("imagenet-val", held), ("imagenet-train", known))
    ]
    ours, theirs = (some / np.linalg.norm(some, axis=1, keepdims=True) for some in both)
    return [known[i].captions[0] for i in (ours @ theirs.T).argmax(axis=1)]


def judge(captions: list[str], items: list[PhotoItem]) -> tuple[float, float]:
    """Return mean CIDEr-D and BLEU-4 of one caption a photo."""
    candidates = [words_only(caption) for caption in captions]
    references = [[words_only(text) for text in (*item.captions, item.coco_caption) if text] for item in items]
    return float(np.mean(cider_d(candidates, references))), bleu4(candidates, references)
