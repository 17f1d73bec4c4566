"""Train the captioner's words: ``python -m models.train.captioner --minutes 22``, after models.train.captioner_top.

The features of the frozen trunk (ten minutes) and of the tuned tops are computed first, once; they stay
in cache/ and are not part of the budget. Every training image is seen by the top that was tuned without
it. Then the concept head learns which words go with a photo. Three more heads, each blind to a third of
the images, say what it would find in images it never saw: the decoder must learn to read honest guesses,
not remembered ones. Then the decoder learns from photos, portraits, face crops and plain COCO text.
``words.pt`` is what models.train.captioner_scst goes on from.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from bot.vision.captioner import UNKNOWN
from models.captioner import Captioner, CaptionerConfig, Seen, Top
from models.data.caption_set import FOLDS, IGNORE, CaptionSet
from models.data.seen_images import SeenImages, see_held_out, see_training
from models.efficientnet_lite0 import EfficientNetLite0, pretrained
from models.train.caption_concepts import ToldConcepts, learn_concepts
from models.train.caption_judging import blind, describe_all, evaluate, judge, recall, worst_captions
from models.train.run import (
    BEST,
    RUNS,
    TrainingRun,
    arguments,
    cosine,
    need,
    seed_everything,
    set_learning_rate,
    weight_groups,
)  # fmt: skip

SAVE_SECONDS = 360.0  # validation and a checkpoint that often
PHOTOS, OTHERS = 28, (3, 5)  # images a batch: photos, (portraits, faces); two captions each
TEXTS = 96
TEXT_SHARE = (0.4, 0.08)  # share of plain-text batches at the start and the end
WORD_DROP = 0.08  # share of input words hidden, so that the photo counts more than the habit
WORDS = "words.pt"  # the result: what models.train.captioner_scst goes on from


def main() -> None:
    """Train, evaluate and keep the captioner."""
    parser = arguments("captioner", __doc__.splitlines()[0], minutes=22)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--top", type=Path, default=RUNS / "captioner_top" / BEST, help="the tuned tops")
    args = parser.parse_args()
    data, network, seen, held, guesses = beginning(args)
    told = ToldConcepts(guesses, data)
    network.prior.copy_(torch.from_numpy(told.prior))

    run = TrainingRun(args)  # its clock starts here
    optimizer = torch.optim.AdamW(weight_groups(network, args.lr, 0.05), betas=(0.9, 0.98))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.995))
    averaged: Captioner = average.module  # type: ignore[assignment]
    dice = random.Random(args.seed)
    run.resume(network=network, average=average, optimizer=optimizer)
    for _ in run.steps():
        network.train()
        network.head.eval()
        network.concept_head.eval()
        set_learning_rate(optimizer, cosine(run.progress))
        share = TEXT_SHARE[0] + (TEXT_SHARE[1] - TEXT_SHARE[0]) * run.progress
        images: Seen | None = None
        if dice.random() < share:
            named, ids, targets = data.text_batch(TEXTS, dice)
            concepts, kind = told.of(named), "text"
        else:
            rows, ids, targets = data.image_batch(PHOTOS, OTHERS, dice)
            images, concepts, kind = seen.by(network, rows), torch.from_numpy(guesses[rows]), "photo"
        # no autocast: at this width bfloat16 takes 1.7 times as long as float32 on a CPU
        loss = caption_loss(network, images, concepts, ids, targets)
        descend(loss, network, average, optimizer)
        run.log({kind: loss.item()})
        if run.due(SAVE_SECONDS):
            checkpoint(run, averaged, data, held, network=network, average=average, optimizer=optimizer)
    finish(run, averaged, data, held, WORDS, BEST)


class Beginning(NamedTuple):
    """What both stages of training start from; ``guesses`` (rows, concepts) are honest concept logits."""

    data: CaptionSet
    network: Captioner
    seen: SeenImages
    held: SeenImages
    guesses: np.ndarray


def beginning(args: argparse.Namespace) -> Beginning:
    """Read the data, compute what is not cached and train the concept head."""
    seed_everything(args.seed)
    if args.threads:
        torch.set_num_threads(args.threads)
    data = CaptionSet(args.data, CaptionerConfig.size, args.threads)
    saved = torch.load(need(args.top, "the tuned tops; run python -m models.train.captioner_top"), weights_only=False)
    tops = nn.ModuleList(Top(EfficientNetLite0()) for _ in range(FOLDS))
    tops.load_state_dict(saved["tops"])
    network = Captioner(CaptionerConfig(words=len(data.vocabulary.words), concepts=tuple(data.concepts)))
    network.top.load_state_dict(saved["top"])
    network.head.load_state_dict(pretrained().head.state_dict())
    for part in (network.top, network.head):
        part.eval().requires_grad_(requires_grad=False)
    seen, held = see_training(data, tops, args.threads), see_held_out(data, network.top, args.threads)
    mean, spread = seen.moments(np.arange(data.photos))
    network.low_mean.copy_(mean)
    network.low_spread.copy_(spread)
    guesses = learn_concepts(network, data, seen)
    logits, wanted = network.concepts(held.by(network, np.arange(len(held)))), data.held_out_targets()
    loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none").sum(1).mean()
    print(f"concept head: held-out loss {loss:.2f}, recall {recall(logits, wanted, network.config.top):.4f}")
    return Beginning(data, network, seen, held, guesses)


def descend(loss: Tensor, network: Captioner, average: AveragedModel, optimizer: torch.optim.Optimizer) -> None:
    """Take one step down the gradient of ``loss`` and move the average along."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    average.update_parameters(network)


def checkpoint(run: TrainingRun, judged: Captioner, data: CaptionSet, held: SeenImages, **parts: Any) -> None:
    """Judge a network on some held-out photos, tell how it does and save the run's ``parts``."""
    metrics = evaluate(judged, data, held, photos=96)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
    tqdm.write(f"step {run.step}, {run.minutes:.1f} min: {shown}")
    run.log(metrics, "val")
    run.save(config=about(judged.config, data), **parts)


def finish(run: TrainingRun, network: Captioner, data: CaptionSet, held: SeenImages, *files: str) -> None:
    """Judge the network on all held-out photos, write its checkpoint(s), captions and worst captions."""
    captions, found = describe_all(network, data, held)
    run.metrics = {**judge(captions, data), "concept_recall": found, **blind(network, data)}
    print(run.metrics)
    for file in files:
        run.save(file, config=about(network.config, data), network=network)
    lines = [f"{file}\t{caption}\n" for file, caption in zip(data.held_files, captions, strict=True)]
    (run.out / "captions.tsv").write_text("".join(lines), encoding="utf-8")
    worst_captions(captions, data).save(run.out / "worst.png")


def about(config: CaptionerConfig, data: CaptionSet) -> dict[str, object]:
    """Return what a checkpoint needs to be understood: sizes and words."""
    return {**asdict(config), "vocabulary": data.vocabulary.words}


def caption_loss(network: Captioner, seen: Seen | None, concepts: Tensor, ids: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of the next word with smoothed labels; part of the input words is hidden.

    ``seen`` and ``concepts`` (M, C) belong to M photos, ids and targets (B, T) to B / M captions each.
    """
    hide = torch.rand(ids.shape) < WORD_DROP
    hide[:, 0] = False
    hidden = network(ids.masked_fill(hide, UNKNOWN), *network.memory(seen, concepts))
    counts = targets != IGNORE
    photo = counts.nonzero()[:, 0] // (len(ids) // len(concepts))
    scores = network.scores(hidden[counts], network.lift(concepts)[photo])
    return F.cross_entropy(scores, targets[counts], label_smoothing=0.1)


if __name__ == "__main__":
    main()
