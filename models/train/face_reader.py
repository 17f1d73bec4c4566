"""Train the face reader on FairFace's ages and genders and our own labels of expression, hair and the rest.

    python -m models.train.face_reader --minutes 33 --threads 1

Two cores allow about 100,000 faces in 33 minutes, so a first part of the budget runs at 96 px and the
rest at 128 px (progressive resizing: Tan & Le 2021, arXiv:2104.00298), and the stem and the first three
blocks keep their ImageNet weights. A part of every batch are faces with all labels, rare ones more often.
Once the averaged network has learned from those, it labels all other faces softly for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bot.runtime.bundle import SHIPPED_BUNDLE
from bot.vision.face_labels import CROP_SIZE, HEADS, THRESHOLDS
from models.data.generated_faces import KINDS, maker
from models.face_reader import FaceReaderConfig, FaceReaderNet, from_imagenet, mirrored_logits
from models.train.contact_sheet import contact_sheet
from models.train.face_batches import Batches, FaceSet, MadeFaces, split_held_out
from models.train.face_metrics import draw_confusions, measure, temperature
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

FROZEN_BLOCKS = 3
SMALL_SIZE = 96  # pixels, in the first part of the budget
SMALL_SHARE = 0.6
HEAD_WEIGHTS: dict[str, float] = {"age_band": 1.0, "gender": 1.0, "expression": 0.8}
OTHER_WEIGHT = 0.35  # of each other head's loss
SELF_FROM, SELF_WEIGHT = 0.4, 0.5  # of the budget: when the unlabelled faces get soft labels; what these weigh
EMA_DECAY = 0.998


def masked_losses(logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the mean cross-entropy of each head over the faces that have its label."""
    losses = {}
    for head, target in targets.items():
        each = -(target * logits[head].float().log_softmax(1)).sum(1)
        losses[head] = each.sum() / target.sum().clamp(min=1)
    return losses


def set_training(network: FaceReaderNet) -> None:
    """Switch to training mode, the frozen part excepted."""
    network.train()
    for part in [network.trunk.stem, *list(network.trunk.blocks)[:FROZEN_BLOCKS]]:
        part.requires_grad_(False).eval()


def start_from(checkpoint: Path, *networks: nn.Module) -> None:
    """Load the weights of an earlier reader wherever names and shapes match: questions may have been added since."""
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)["network"]
    for network in networks:
        own = network.state_dict()
        network.load_state_dict({**own, **{k: v for k, v in weights.items() if k in own and v.shape == own[k].shape}})


@torch.inference_mode()
def self_labels(
    network: FaceReaderNet, batches: Batches, device: torch.device, batch: int = 128
) -> dict[str, np.ndarray]:
    """Return the network's probabilities (N, labels) by head for every training face, at the small size."""
    network.eval()
    parts = []
    for i in range(0, len(batches.faces.rows), batch):
        logits = network(batches.plain(i, i + batch, SMALL_SIZE).to(device, memory_format=torch.channels_last))
        parts.append({head: value.float().softmax(1).cpu().numpy() for head, value in logits.items()})
    return {head: np.concatenate([part[head] for part in parts]) for head in parts[0]}


def moving_average(average: Tensor, value: Tensor, updates: Tensor | int) -> Tensor:
    """Return the next exponential average; the decay warms up, or a short run would remember its start."""
    decay = min(EMA_DECAY, (1 + float(updates)) / (10 + float(updates)))
    return average + (1 - decay) * (value - average)


@torch.inference_mode()
def logits_of(
    network: FaceReaderNet, crops: np.ndarray, device: torch.device, batch: int = 64
) -> dict[str, np.ndarray]:
    """Return the mirrored logits (N, labels) of normalised crops by head, as the exported graph computes them."""
    network.eval()
    parts = [
        mirrored_logits(network, torch.from_numpy(crops[i : i + batch]).to(device)) for i in range(0, len(crops), batch)
    ]
    return {head: torch.cat([part[head] for part in parts]).float().cpu().numpy() for head in parts[0]}


def probabilities_of(logits: Mapping[str, np.ndarray], temperatures: Mapping[str, float]) -> dict[str, np.ndarray]:
    """Return softmax probabilities (N, labels) at each head's temperature."""
    return {h: torch.from_numpy(v / temperatures.get(h, 1.0)).softmax(1).numpy() for h, v in logits.items()}


def train(
    run: TrainingRun,
    data: Path,
    batch: int,
    lr: float,
    start: Path | None = None,
    limit: int = 0,
    make: Callable[[FaceSet], MadeFaces] | None = None,
) -> None:
    """Train within the run's budget, calibrate, measure on the held-out splits and save the best checkpoint.

    ``limit`` trains on so many faces only. ``make`` makes further faces for those that are trained on.
    """
    faces = FaceSet.read(data, "train")
    training, kept = split_held_out(faces)
    if limit:
        training = sorted(np.random.default_rng(0).permutation(training)[:limit].tolist())
    held_out = faces.take(kept)
    held_crops, held_truth = held_out.crops(), held_out.truth()
    real = faces.take(training)
    del faces  # take() copied what is needed; this frees a gigabyte
    batches = Batches(real, batch, run.args.seed, make(real) if make else None)
    config = FaceReaderConfig()
    network = from_imagenet(config).to(run.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    set_training(network)
    average = AveragedModel(network, avg_fn=moving_average, use_buffers=True)
    optimizer = torch.optim.AdamW(weight_groups(network, lr, 0.02))
    parts: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer}
    if not run.resume(**parts) and start:
        start_from(start, network, average.module)
    smoothed = cast(FaceReaderNet, average.module)
    guessed = False
    for step in run.steps():
        set_learning_rate(optimizer, cosine(run.progress))
        if run.progress >= SELF_FROM and not guessed:
            batches.guess(self_labels(smoothed, batches, run.device), SELF_WEIGHT)
            guessed = True
            set_training(network)
        pixels, targets = batches.draw(step, SMALL_SIZE if run.progress < SMALL_SHARE else CROP_SIZE)
        logits = network(pixels.to(run.device, memory_format=torch.channels_last))
        losses = masked_losses(logits, {head: target.to(run.device) for head, target in targets.items()})
        loss = torch.stack([HEAD_WEIGHTS.get(head, OTHER_WEIGHT) * value for head, value in losses.items()]).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update_parameters(network)
        if step % 20 == 0:
            run.log({head: value.item() for head, value in losses.items()})
        if run.due(300):
            found = probabilities_of(logits_of(smoothed, held_crops[::3], run.device), {})
            accuracies = measure(found, {head: labels[::3] for head, labels in held_truth.items()}, {})
            run.log(accuracies, "held_out")
            print(f"step {step}", {name: round(value, 3) for name, value in accuracies.items()}, flush=True)
            run.save(config=asdict(config), **parts)
            set_training(network)
    run.save(config=asdict(config), **parts)
    finish(run, smoothed, config, (held_crops, held_truth), data)


def finish(
    run: TrainingRun, network: FaceReaderNet, config: FaceReaderConfig, held_out: tuple[np.ndarray, dict], data: Path
) -> None:
    """Fit the temperatures on the held-out training faces, measure on val, draw, save ``best.pt``."""
    crops, truth = held_out
    logits = logits_of(network, crops, run.device)
    temperatures = {head: temperature(logits[head][truth[head] >= 0], v[v >= 0]) for head, v in truth.items()}
    scores, truth = validation(
        data, lambda crops: probabilities_of(logits_of(network, crops, run.device), temperatures)
    )
    run.metrics = measure(scores, truth, THRESHOLDS)
    run.log(run.metrics, "val")
    draw_confusions(scores, truth, run.out / "confusion.png")
    draw_mistakes(scores, truth, data).save(run.out / "mistakes.png")
    run.save(BEST, config={**asdict(config), "temperatures": temperatures}, network=network)
    print({"temperatures": temperatures, **run.metrics}, flush=True)


def validation(
    data: Path, read: Callable[[np.ndarray], dict[str, np.ndarray]]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return probabilities and truth of the validation faces: ages and genders of val, the rest of labelled-val."""
    scores: dict[str, np.ndarray] = {}
    truth: dict[str, np.ndarray] = {}
    for split in ("labelled-val", "val"):  # ages and genders of the second, larger one win
        faces = FaceSet.read(data, split)
        found, known = read(faces.crops()), faces.truth()
        heads = [head for head in found if (known[head] >= 0).any()]
        scores |= {head: found[head] for head in heads}
        truth |= {head: known[head] for head in heads}
    return scores, truth


def draw_mistakes(
    scores: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], data: Path, each: int = 10
) -> Image.Image:
    """Return a sheet of the validation faces of which each head was most certain and wrong."""
    faces = {split: FaceSet.read(data, split).pixels for split in ("val", "labelled-val")}
    pictures, captions = [], []
    for head, labels in truth.items():
        pixels = faces["val" if head in ("age_band", "gender") else "labelled-val"]
        read, score = scores[head].argmax(1), scores[head].max(1)
        wrong = np.flatnonzero((labels >= 0) & (read != labels))
        for i in wrong[np.argsort(-score[wrong])][:each]:
            pictures.append(Image.fromarray(pixels[i]))
            captions.append(f"{head}: {HEADS[head][read[i]]} {score[i]:.2f}\ntrue: {HEADS[head][labels[i]]}")
    return contact_sheet(pictures, captions, columns=each)


def main() -> None:
    """Parse arguments and train."""
    parser = arguments("face_reader", __doc__ or "", minutes=33)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--start", type=Path, help="begin with the weights of this checkpoint where they fit")
    parser.add_argument("--limit", type=int, default=0, help="train on so many faces only (0: all)")
    parser.add_argument("--augment", choices=KINDS, default="none", help="faces of our GAN or VAE in every batch")
    parser.add_argument("--augment-share", type=float, default=0.25, help="how much of a batch they are")
    parser.add_argument("--portraits", type=Path, default=SHIPPED_BUNDLE, help="bundle with the GAN and the VAE")
    args = parser.parse_args()
    make = maker(args.augment, args.augment_share, args.portraits, args.seed)
    train(TrainingRun(args), args.data / "faces", args.batch, args.lr, args.start, args.limit, make)


if __name__ == "__main__":
    main()
