"""Concepts for the decoder's training: guesses of images that are as honest as at inference, and of plain text."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from models.captioner import Captioner, ConceptHead
from models.data.caption_set import CaptionSet
from models.data.seen_images import SeenImages
from models.train.run import cosine, set_learning_rate

FOLDS = 3
EPOCHS = 12
BATCH = 256
MIXUP = 0.2  # beta distribution (Zhang et al. 2018, arXiv:1710.09412)


def learn_concepts(network: Captioner, data: CaptionSet, seen: SeenImages) -> np.ndarray:
    """Train the concept head and return honest logits (rows, concepts) for every training view.

    A head that is blind to a third of the images guesses their concepts; the network's own sees everything.
    """
    pooled = seen.pooled(network, np.arange(len(seen)))
    rows = np.array([row for sample in data.samples for row, _ in sample.views])
    owner = np.array([i for i, sample in enumerate(data.samples) for _ in sample.views])
    targets = concept_targets(data)
    fold = np.random.default_rng(0).permutation(len(data.samples)) % FOLDS
    guesses = np.zeros((len(seen), targets.shape[1]), np.float32)
    for number in tqdm(range(FOLDS + 1), desc="concept heads"):
        inside = fold[owner] != number  # the last head sees everything
        head = ConceptHead(pooled.shape[1], network.config.hidden, targets.shape[1])
        fit_concepts(head, pooled, rows[inside], torch.from_numpy(targets), owner[inside])
        if number < FOLDS:
            with torch.inference_mode():
                guesses[rows[~inside]] = head(pooled[rows[~inside]]).numpy()
    network.concept_head.load_state_dict(head.state_dict())
    network.concept_head.eval().requires_grad_(requires_grad=False)
    return guesses


def concept_targets(data: CaptionSet) -> np.ndarray:
    """Return which concepts the captions of each sample name: (samples, concepts) of 0 and 1."""
    return np.stack([data.concept_targets([words for _, words in sample.captions]) for sample in data.samples])


def fit_concepts(head: ConceptHead, pooled: Tensor, rows: np.ndarray, targets: Tensor, owner: np.ndarray) -> None:
    """Fit one head by binary cross-entropy with mixup; leaves it in eval mode."""
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.3)
    steps = EPOCHS * len(rows) // BATCH
    nn.init.constant_(head.classify.bias, -4.0)  # most words are absent from most photos
    for step in range(steps):
        set_learning_rate(optimizer, cosine(step / steps))
        some, other = np.random.randint(len(rows), size=(2, BATCH))
        share = torch.from_numpy(np.random.beta(MIXUP, MIXUP, (BATCH, 1)).astype(np.float32))
        inputs = torch.lerp(pooled[rows[other]], pooled[rows[some]], share)
        wanted = torch.lerp(targets[owner[other]], targets[owner[some]], share)
        loss = F.binary_cross_entropy_with_logits(head(inputs), wanted, reduction="none")
        optimizer.zero_grad(set_to_none=True)
        loss.sum(1).mean().backward()
        optimizer.step()
    head.eval()


class ToldConcepts:
    """Concept logits for plain text: as if a head had looked at the photo the text tells of."""

    def __init__(self, guesses: np.ndarray, data: CaptionSet) -> None:
        """Measure how the honest heads score words that are said and words that are not."""
        said = np.zeros(guesses.shape, bool)
        for sample, targets in zip(data.samples, concept_targets(data), strict=True):
            said[[row for row, _ in sample.views]] = targets > 0
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
