"""Train the captioner: ``python -m models.train.captioner --minutes 27``.

Features of the frozen backbone are computed first (ten minutes, once; they stay in cache/) and are not
part of the budget. Then the concept head learns which words go with a photo. Three more heads, each
blind to a third of the images, say what it would find in images it never saw: the decoder must learn
to read honest guesses, not remembered ones. Then the decoder learns from photos, face crops and plain
COCO text.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from bot.vision.captioner import UNKNOWN, search, to_text
from models.captioner import Captioner, CaptionerConfig, ConceptHead
from models.data.caption_metrics import bleu4, cider_d, words_only
from models.data.caption_set import IGNORE, CaptionSet
from models.data.captions import Vocabulary
from models.efficientnet_lite0 import pretrained
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

SAVE_SECONDS = 360.0  # validation and a checkpoint that often
FOLDS = 3
CONCEPT_EPOCHS = 12
PHOTOS, FACES = 28, 8  # images a batch, two captions each
TEXTS = 96
TEXT_SHARE = (0.45, 0.1)  # share of plain-text batches at the start and the end
WORD_DROP = 0.08  # share of input words hidden, so that the photo counts more than the habit


def main() -> None:
    """Train, evaluate and keep the captioner."""
    parser = arguments("captioner", __doc__.splitlines()[0], minutes=27)
    parser.add_argument("--lr", type=float, default=1.5e-3)
    train(parser.parse_args())


def train(args: argparse.Namespace) -> dict[str, float]:
    """Run the whole training and return its validation metrics."""
    data = CaptionSet(args.data, CaptionerConfig.size, args.threads)
    run = TrainingRun(args)
    config = CaptionerConfig(words=len(data.vocabulary.words), concepts=tuple(data.concepts))
    network = Captioner(config)
    network.head.load_state_dict(pretrained().head.state_dict())
    network.head.eval().requires_grad_(requires_grad=False)
    guesses = learn_concepts(network, data)
    told = ToldConcepts(guesses, data)
    network.prior.copy_(torch.from_numpy(told.prior))

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
        if dice.random() < share:
            named, ids, targets = data.text_batch(TEXTS, dice)
            grid, concepts, kind = None, told.of(named), "text"
        else:
            rows, ids, targets = data.image_batch(PHOTOS, FACES, dice)
            grid, kind = torch.from_numpy(data.features[rows].astype(np.float32)), "photo"
            concepts = torch.from_numpy(guesses[rows])
        # no autocast: at this width bfloat16 takes 1.7 times as long as float32 on a CPU
        seen = None if grid is None else network.see(grid)
        loss = caption_loss(network, seen, concepts, ids, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        run.log({kind: loss.item()})
        if run.due(SAVE_SECONDS):
            metrics = evaluate(averaged, data, photos=96)
            shown = ", ".join(f"{name} {value:.3f}" for name, value in metrics.items())
            tqdm.write(f"step {run.step}, {run.minutes:.1f} min: {shown}")
            run.log(metrics, "val")
            run.save(config=about(config, data), network=network, average=average, optimizer=optimizer)
    run.metrics = {**evaluate(averaged, data), **baselines(averaged, data)}
    print(run.metrics)
    run.save(BEST, config=about(config, data), network=averaged)
    return run.metrics


def about(config: CaptionerConfig, data: CaptionSet) -> dict[str, object]:
    """Return what a checkpoint needs to be understood: sizes and words."""
    return {**asdict(config), "vocabulary": data.vocabulary.words}


def caption_loss(network: Captioner, grid: Tensor | None, concepts: Tensor, ids: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of the next word with smoothed labels; part of the input words is hidden.

    ``grid`` (M, N, 1280) and ``concepts`` (M, C) belong to M photos, ids and targets (B, T) to B / M captions each.
    """
    hide = torch.rand(ids.shape) < WORD_DROP
    hide[:, 0] = False
    hidden = network(ids.masked_fill(hide, UNKNOWN), *network.memory(grid, concepts))
    counts = targets != IGNORE
    photo = counts.nonzero()[:, 0] // (len(ids) // len(concepts))
    scores = network.scores(hidden[counts], network.lift(concepts)[photo])
    return F.cross_entropy(scores, targets[counts], label_smoothing=0.1)


# -- concepts ---------------------------------------------------------------------------------------


def learn_concepts(network: Captioner, data: CaptionSet) -> np.ndarray:
    """Train the concept head and return honest logits (rows, concepts) for every training view."""
    pooled = pool(network, data.features)
    rows = np.array([row for sample in data.samples for row, _ in sample.views])
    owner = np.array([i for i, sample in enumerate(data.samples) for _ in sample.views])
    targets = np.stack([data.concept_targets([words for _, words in s.captions]) for s in data.samples])
    fold = np.random.default_rng(0).permutation(len(data.samples)) % FOLDS
    guesses = np.zeros((len(data.features), targets.shape[1]), np.float32)
    for number in tqdm(range(FOLDS + 1), desc="concept heads"):
        inside = fold[owner] != number  # the last head sees everything
        head = ConceptHead(1280, network.config.hidden, targets.shape[1])
        fit_concepts(head, pooled, rows[inside], torch.from_numpy(targets), owner[inside])
        if number < FOLDS:
            with torch.inference_mode():
                guesses[rows[~inside]] = head(pooled[rows[~inside]]).numpy()
    network.concept_head.load_state_dict(head.state_dict())
    network.concept_head.eval().requires_grad_(requires_grad=False)
    return guesses


def fit_concepts(head: ConceptHead, pooled: Tensor, rows: np.ndarray, targets: Tensor, owner: np.ndarray) -> None:
    """Fit one head by binary cross-entropy; leaves it in eval mode."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.3)
    steps = CONCEPT_EPOCHS * len(rows) // 256
    nn.init.constant_(head.classify.bias, -4.0)  # most words are absent from most photos
    for step in range(steps):
        set_learning_rate(optimizer, cosine(step / steps))
        some = np.random.randint(len(rows), size=256)
        loss = F.binary_cross_entropy_with_logits(head(pooled[rows[some]]), targets[owner[some]], reduction="none")
        optimizer.zero_grad(set_to_none=True)
        loss.sum(1).mean().backward()
        optimizer.step()
    head.eval()


@torch.inference_mode()
def pool(network: Captioner, features: np.ndarray) -> Tensor:
    """Return average-pooled features (rows, 1280) of grid features (rows, 320, g, g)."""
    parts = np.array_split(features, max(1, len(features) // 128))
    return torch.cat([network.see(torch.from_numpy(part.astype(np.float32))).mean(1) for part in parts])


class ToldConcepts:
    """Concept logits for plain text: as if a head had looked at the photo the text tells of."""

    def __init__(self, guesses: np.ndarray, data: CaptionSet) -> None:
        """Measure how the honest heads score words that are said and words that are not."""
        said = np.zeros(guesses.shape, bool)
        for sample in data.samples:
            said[[row for row, _ in sample.views]] = data.concept_targets([words for _, words in sample.captions]) > 0
        self.prior = guesses.mean(0)
        self.mean = np.where(said, np.nan, guesses)
        self.mean, self.spread = np.nanmean(self.mean, 0), np.nanstd(self.mean, 0)
        lift = (guesses - self.mean)[said]
        self.lift, self.lift_spread = float(lift.mean()), float(lift.std())

    def of(self, named: np.ndarray) -> Tensor:
        """Return noisy logits (B, concepts) for named (B, concepts) of 0 and 1; some rows know nothing."""
        logits = self.mean + self.spread * np.random.randn(*named.shape)
        lifted = self.mean + self.lift + self.lift_spread * np.random.randn(*named.shape)
        logits = np.where(named > 0, lifted, logits)
        unknown = np.random.rand(len(named), 1) < 0.1
        return torch.from_numpy(np.where(unknown, self.prior, logits).astype(np.float32))


# -- evaluation -------------------------------------------------------------------------------------


@torch.inference_mode()
def describe(network: Captioner, vocabulary: Vocabulary, grid: Tensor | None, concepts: Tensor) -> str:
    """Return the best caption of grid (1, N, 1280) and concept logits (1, C) by the search the bot uses."""
    keys, values = network.memory(grid, concepts)
    lift = network.lift(concepts)

    def next_scores(ids: np.ndarray) -> np.ndarray:
        return network.scores(network(torch.from_numpy(ids), keys, values)[:, -1], lift).numpy()

    return to_text([vocabulary.words[i] for i in search(next_scores, vocabulary.words)[0].ids[1:-1]])


def judge(captions: Sequence[str], data: CaptionSet) -> dict[str, float]:
    """Return CIDEr-D and BLEU-4 of captions of the first held-out photos."""
    candidates = [words_only(caption) for caption in captions]
    references = data.references[: len(captions)]
    return {"cider_d": float(np.mean(cider_d(candidates, references))), "bleu4": bleu4(candidates, references)}


@torch.inference_mode()
def evaluate(network: Captioner, data: CaptionSet, *, photos: int = 0) -> dict[str, float]:
    """Return CIDEr-D and BLEU-4 on held-out photos (0: all).

    ``concept_recall`` is the share of the references' concept words among those handed to the decoder.
    """
    network.eval()
    captions, found = [], list[float]()
    for features, references in zip(data.held_out[: photos or None], data.references, strict=False):
        grid = network.see(torch.from_numpy(features[None].astype(np.float32)))
        concepts = network.concept_head(grid.mean(1))
        captions.append(describe(network, data.vocabulary, grid, concepts))
        wanted = data.concept_targets(references)
        found.append(float(wanted[concepts.topk(network.config.top).indices[0]].sum() / max(1.0, wanted.sum())))
    return {**judge(captions, data), "concept_recall": float(np.mean(found))}


@torch.inference_mode()
def baselines(network: Captioner, data: CaptionSet) -> dict[str, float]:
    """Return the same figures for two rivals.

    ``nearest`` borrows the plain caption of the training photo with the most similar pooled features,
    ``blind`` is the decoder without the photo: it knows only how common every concept is.
    """
    network.eval()
    held, known = (F.normalize(pool(network, some), dim=1) for some in (data.held_out, data.features[: data.photos]))
    borrowed = [" ".join(data.samples[i].captions[0][1]) for i in (held @ known.T).argmax(1).tolist()]
    blind = [describe(network, data.vocabulary, None, network.prior[None])] * len(held)
    rivals = {"nearest": borrowed, "blind": blind}
    return {f"{who}_{name}": value for who, said in rivals.items() for name, value in judge(said, data).items()}


if __name__ == "__main__":
    main()
