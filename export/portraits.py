"""Measure the bundle's GAN and VAE: how like real faces, how varied, how obedient, how fast; with sheets to look at."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bot.portrait.artist import Artist
from bot.portrait.morpher import CHANGES, Morpher
from bot.portrait.pictures import as_gif
from bot.portrait.wishes import CONDITIONS, Wish
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from export.latency import milliseconds
from export.portrait_faces import SOBER, Looker, happy, morphed, shown_morph, unlikeness, years
from export.portrait_likeness import cached_features, colour_noise, memory_figures, nearest, precision_and_recall
from export.portrait_sheets import draw_morphs, draw_pairs, draw_samples
from models.data.aligned_faces import SMILE_FROM, AlignedFaces
from models.data.portrait_models import BATCH, PortraitModels, batches
from models.train.generated import frechet_distance, image_features, read_faces
from models.train.vae import psnr

MORPHED = 300  # faces that are made to smile and to age
PAIRS = 5  # on the sheet of the drawn faces that are most like a training face
WANTED = (
    "fd_gan", "fd_vae", "fd_real", "fd_noise", "face_found", "condition_agrees",
    "vae_psnr", "smile_success", "gan_ms", "vae_ms", "gan_bytes", "vae_bytes",
)  # fmt: skip

Figures = dict[str, float]


@dataclass(frozen=True)
class Real:
    """Faces nobody trained on, all training faces, and the features of both."""

    held_out: AlignedFaces
    training: AlignedFaces
    features: np.ndarray
    training_features: np.ndarray

    @classmethod
    def load(cls, folder: Path, count: int, seed: int) -> Real:
        """Load ``count`` validation faces, 0 for all, and every training face."""
        held_out, training = AlignedFaces.load(folder, "val"), AlignedFaces.load(folder, "train")
        chosen = np.random.default_rng(seed).permutation(len(held_out.files))[: count or None]
        features = cached_features(held_out.pixels)[chosen]
        return cls(held_out.take(chosen), training, features, cached_features(training.pixels))


def report(args: argparse.Namespace) -> None:
    """Measure everything, print a table or one JSON object, and draw the three sheets."""
    started = time.perf_counter()
    bundle = Bundle(args.bundle)
    models = PortraitModels(bundle, args.threads)
    critic = Session(bundle.model("face_reader"), provider="cpu", threads=args.threads)
    artist, morpher = Artist(models.gan, critic), Morpher(models.encoder, models.decoder)
    real = Real.load(args.data / "faces", args.faces, args.seed)
    drawn = args.drawn or len(real.features)
    conditions = real.held_out.conditions[np.arange(drawn) % len(real.features)]
    faces = draw(artist, conditions, range(drawn))
    features = image_features(faces)
    distances, places, _ = nearest(features, real.training_features)
    closest = np.argsort(distances)[:PAIRS]
    args.out.mkdir(parents=True, exist_ok=True)
    draw_pairs(faces[closest], real.training.pixels[places[closest]], distances[closest]).save(args.out / "pairs.png")
    draw_samples(partial(draw, artist)).save(args.out / "portraits.png")
    draw_morphs(morpher, sober_faces(real.held_out)).save(args.out / "morphs.png")

    figures: Figures = {"faces": len(real.features), "drawn": drawn, "training_faces": len(real.training.files)}
    figures |= distance_figures(models, real, features, args.seed)
    figures |= memory_figures(features, real.features, real.training_features)
    looked = Looker(bundle, args.threads)
    figures |= looked.figures(faces, conditions)
    figures |= looked.figures(real.held_out.pixels, real.held_out.conditions, "real_")
    if artist_chooses(models, faces, conditions):
        raw = models.draw(conditions, range(drawn))  # the first of the faces that it chooses from
        figures |= looked.figures(raw, conditions, "raw_")
        figures["raw_fd_gan"] = equal_distance(image_features(raw), real.features)
    figures |= vae_figures(models, morpher, real.held_out)
    figures |= speed_figures(models, artist, morpher, real.held_out.pixels[0])
    print(f"measured in {time.perf_counter() - started:.0f} s; sheets: {args.out}/*.png", file=sys.stderr)
    print(json.dumps(as_json(figures)) if args.json else as_table(figures))


def draw(artist: Artist, conditions: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
    """Return the bot's drawing (N, 128, 128, 3) uint8 for each row of conditions and its seed."""
    labels = list(CONDITIONS.values())
    wishes = [Wish(*(labels[i][number] for i, number in enumerate(row))) for row in conditions]
    images = [image for i in batches(len(wishes)) for image in artist.draw_many(wishes[i], list(seeds[i]))]
    return np.stack([np.asarray(image) for image in images])


def artist_chooses(models: PortraitModels, faces: np.ndarray, conditions: np.ndarray) -> bool:
    """Return whether what the bot draws is not simply the generator's face of each seed."""
    first = conditions[:BATCH]
    return not np.array_equal(models.draw(first, range(len(first))), faces[: len(first)])


def equal_distance(features: np.ndarray, others: np.ndarray) -> float:
    """Return the Frechet distance of as many features of both."""
    count = min(len(features), len(others))
    return frechet_distance(features[:count], others[:count])


def distance_figures(models: PortraitModels, real: Real, drawn: np.ndarray, seed: int) -> Figures:
    """Return Frechet distances to validation faces, all of equal counts, and precision and recall of the GAN.

    ``fd_real``, the floor, is of training faces; ``fd_noise``, the ceiling, of noise around the mean colour;
    ``fd_vae`` of faces decoded from the prior N(0, 1).
    """
    count = min(len(drawn), len(real.features))
    random = np.random.default_rng(seed)
    sample = random.permutation(len(real.training.files))[:count]
    latents = random.standard_normal((count, models.latent), dtype=np.float32)
    precision, recall = precision_and_recall(real.features[:count], drawn[:count])
    ceiling = precision_and_recall(real.features[:count], real.training_features[sample])
    return {
        "compared": count,
        "fd_gan": equal_distance(drawn, real.features),
        "fd_vae": equal_distance(image_features(models.decode(latents)), real.features),
        "fd_real": equal_distance(real.training_features[sample], real.features),
        "fd_noise": equal_distance(image_features(colour_noise(real.training.pixels, count, seed)), real.features),
        "precision": precision,
        "recall": recall,
        "real_precision": ceiling[0],
        "real_recall": ceiling[1],
    }


def sober_faces(faces: AlignedFaces) -> np.ndarray:
    """Return the faces that do not smile, as the reader sees the photo."""
    return faces.pixels[happy(faces.read) < SOBER]


def vae_figures(models: PortraitModels, morpher: Morpher, faces: AlignedFaces) -> Figures:
    """Return how near reconstructions are and what the walks do, as the face reader sees them.

    ``smile_success``: sober faces that smile at the end of the morph that is shown, ``smile_decoded`` of the
    decoder's own picture. Years are those between the first frame and the changed one.
    """
    again = models.decode(models.encode(faces.pixels))
    sober = sober_faces(faces)[:MORPHED]
    decoded = np.stack([morpher.walk(face, "smile", [1.0])[0] for face in sober]).clip(0, 255).astype(np.uint8)
    before, after = (smiling(shown) for shown in morphed(morpher, sober, "smile"))
    figures = {
        "vae_psnr": psnr(again, faces.pixels),
        "vae_unlikeness": unlikeness(again, faces.pixels),
        "vae_fd_reconstructed": equal_distance(image_features(again), cached_features(faces.pixels)),
        "sober_faces": len(sober),
        "smile_before": before,
        "smile_success": after,
        "smile_decoded": smiling(decoded),
    }
    for change in CHANGES.keys() & {"older", "younger"}:
        start, end = (years(read_faces(shown)) for shown in morphed(morpher, faces.pixels[:MORPHED], change))
        figures[f"years_{change}"] = float((end - start).mean())
    return figures


def smiling(faces: np.ndarray) -> float:
    """Return the share of faces in which the reader sees a smile."""
    return float((happy(read_faces(faces)) >= SMILE_FROM).mean())


def speed_figures(models: PortraitModels, artist: Artist, morpher: Morpher, face: np.ndarray) -> Figures:
    """Return medians in ms and sizes in bytes; ``vae_ms`` is a face encoded and decoded once, ``gif_ms`` the whole."""
    vae = models.encoder.entry.path.stat().st_size + models.decoder.entry.path.stat().st_size
    wish, plain = Wish("senior", "male", "happy"), Artist(models.gan)
    return {
        "gan_ms": milliseconds(lambda: artist.draw(wish, 7)),
        "network_ms": milliseconds(lambda: plain.draw(wish, 7)),
        "vae_ms": milliseconds(lambda: morpher.walk(face, "smile", [1.0])),
        "morph_ms": milliseconds(lambda: shown_morph(morpher, face, "smile"), rounds=10),
        "gif_ms": milliseconds(lambda: as_gif(*shown_morph(morpher, face, "smile")), rounds=10),
        "gan_bytes": models.gan.entry.path.stat().st_size,
        "vae_bytes": vae,
    }


def as_json(figures: Figures) -> Figures:
    """Return the figures a later evaluation is compared by, then the rest."""
    return {name: figures[name] for name in WANTED} | figures


def as_table(figures: Figures) -> str:
    """Return a table in markdown: each figure, that of the generator's first face, that of real faces, and the goal."""
    n = f"{figures['compared']:.0f}"
    told = [
        (f"Frechet distance, GAN to validation faces, {n} each", "fd_gan", "fd_real", ""),
        (f"the same of VAE samples, {n} each", "fd_vae", "fd_real", ""),
        (f"the same of noise around the mean colour, {n} each", "fd_noise", "fd_real", ""),
        ("precision: drawn faces among real ones", "precision", "real_precision", ""),
        ("recall: real faces among drawn ones", "recall", "real_recall", ""),
        ("detector finds the face, canvas twice as wide", "face_found", "real_face_found", ">= 0.95"),
        ("detector finds the face, no canvas", "face_found_alone", "real_face_found_alone", ""),
        ("reader agrees with all three conditions", "condition_agrees", "real_condition_agrees", ">= 0.75"),
        ("with all, age within one group", "condition_within_one", "real_condition_within_one", ""),
        ("with the age group", "age_agrees", "real_age_agrees", ""),
        ("with the age within one group", "age_within_one", "real_age_within_one", ""),
        ("with the gender", "gender_agrees", "real_gender_agrees", ""),
        ("with the smile", "smile_agrees", "real_smile_agrees", ""),
        ("distance to the nearest training face, median", "nearest_drawn", "nearest_real", ""),
        ("as near to one alone as 1 % of unseen real faces", "copies", "", "about 0.01 or less"),
        ("VAE reconstruction, PSNR in dB", "vae_psnr", "", ""),
        ("its perceptual distance", "vae_unlikeness", "", ""),
        ("sober faces that smile after the morph", "smile_success", "smile_before", ">= 0.80"),
        ("the same, the decoder's own picture", "smile_decoded", "smile_before", ""),
        ("years older after the morph", "years_older", "", ""),
        ("years younger after the morph", "years_younger", "", ""),
        ("ms a portrait; one run of the network", "gan_ms", "network_ms", "<= 40"),
        ("ms to encode and decode a face", "vae_ms", "", ""),
        ("ms for all frames of a morph; as a GIF", "morph_ms", "gif_ms", ""),
        ("bytes of the GAN", "gan_bytes", "", "<= 10,000,000"),
        ("bytes of the VAE", "vae_bytes", "", "<= 8,000,000"),
    ]
    lines = ["| figure | measured | without a choice | beside it | goal |", "|---|---|---|---|---|"]
    for what, name, beside, goal in told:
        values = [f"{figures[key]:.4g}" if key in figures else "" for key in (name, f"raw_{name}", beside)]
        lines.append(f"| {what} (`{name}`) | {' | '.join(values)} | {goal} |")
    return "\n".join(lines)
