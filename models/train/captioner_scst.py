"""Polish the captioner's words: ``python -m models.train.captioner_scst --minutes 18``, after models.train.captioner.

Self-critical sequence training (Rennie et al. 2017, arXiv:1612.00563): the decoder says several captions
of a photo by chance, and those with a higher CIDEr-D than their siblings' mean (Luo 2020,
arXiv:2003.09971) become likelier. Document frequencies are the training references'. The usual loss keeps
its part, or sentences end in "with a" and the like, which CIDEr-D does not mind.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from bot.vision.captioner import COMMA, END, MAX_WORDS, PLAIN, UNKNOWN
from models.captioner import Captioner
from models.data.caption_metrics import CiderD
from models.data.caption_set import IGNORE, Caption, CaptionSet
from models.data.captions import mirrored
from models.data.seen_images import SeenImages
from models.train.captioner import WORDS, beginning, caption_loss, checkpoint, descend, finish
from models.train.run import BEST, RUNS, TrainingRun, arguments, cosine, need, set_learning_rate, weight_groups

SAVE_SECONDS = 240.0
PHOTOS, SAMPLES = 14, 5
OTHERS = (2, 3)  # portraits and faces a batch of the usual loss
USUAL = 0.2  # weight of the usual loss
USUAL_PHOTOS = 6


def main() -> None:
    """Train, evaluate and keep the polished captioner."""
    parser = arguments("captioner_scst", __doc__.splitlines()[0], minutes=18)
    parser.add_argument("--lr", type=float, default=3e-4)
    parser.add_argument("--top", type=Path, default=RUNS / "captioner_top" / BEST, help="the tuned tops")
    parser.add_argument("--words", type=Path, default=RUNS / "captioner" / WORDS, help="the captioner to polish")
    args = parser.parse_args()
    data, network, seen, held, guesses = beginning(args)
    saved = torch.load(need(args.words, "the captioner; run python -m models.train.captioner"), weights_only=False)
    network.load_state_dict(saved["network"])
    told = References(data)

    run = TrainingRun(args)  # its clock starts here
    optimizer = torch.optim.AdamW(weight_groups(network, args.lr, 0.01), betas=(0.9, 0.98))
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.99))
    averaged: Captioner = average.module  # type: ignore[assignment]
    dice = random.Random(args.seed)
    run.resume(network=network, average=average, optimizer=optimizer)
    for _ in run.steps():
        set_learning_rate(optimizer, cosine(run.progress))
        network.eval()
        critical, figures = critical_loss(network, seen, guesses, *told.views(PHOTOS, dice), told)

        network.train()
        for part in (network.top, network.head, network.concept_head):
            part.eval()
        rows, inputs, targets = data.image_batch(USUAL_PHOTOS, OTHERS, dice)
        usual = caption_loss(network, seen.by(network, rows), torch.from_numpy(guesses[rows]), inputs, targets)
        loss = critical + USUAL * usual
        descend(loss, network, average, optimizer)
        run.log({**figures, "usual": usual.item()})
        if run.due(SAVE_SECONDS):
            checkpoint(run, averaged, data, held, network=network, average=average, optimizer=optimizer)
    finish(run, averaged, data, held, BEST)
    if run.metrics["cider_d"] > saved["metrics"]["cider_d"]:
        shutil.copy(run.out / BEST, args.words.with_name(BEST))  # the one that gets exported


class References:
    """Training photos with the captions that rewards are counted by."""

    def __init__(self, data: CaptionSet) -> None:
        """Count document frequencies over the photos' captions."""
        self._samples, self.words = data.samples[: data.photos], data.vocabulary.words
        self._captions = [unique(sample.captions) for sample in self._samples]
        self._scorer = CiderD(self._captions)

    def views(self, photos: int, dice: random.Random) -> tuple[list[int], list[list[list[str]]]]:
        """Draw photos: a feature row and the captions of each."""
        rows, captions = [], []
        for i in dice.sample(range(len(self._samples)), photos):
            row, mirror = dice.choice(self._samples[i].views)
            rows.append(row)
            captions.append([mirrored(words) for words in self._captions[i]] if mirror else self._captions[i])
        return rows, captions

    def reward(self, ids: Sequence[int], captions: list[list[str]]) -> float:
        """Return CIDEr-D of a sampled caption."""
        return self._scorer.score(without_commas(self.words[i] for i in ids if i > UNKNOWN), captions)


def unique(captions: Sequence[Caption]) -> list[list[str]]:
    """Return the different captions of a photo as CIDEr-D counts them, whatever their style."""
    return [list(words) for words in dict.fromkeys(tuple(without_commas(words)) for _, words in captions)]


def without_commas(words: Iterable[str]) -> list[str]:
    """Return the words of a caption as CIDEr-D counts them."""
    return [word for word in words if word != COMMA]


def critical_loss(
    network: Captioner,
    seen: SeenImages,
    guesses: np.ndarray,
    rows: list[int],
    captions: list[list[list[str]]],
    told: References,
) -> tuple[Tensor, dict[str, float]]:
    """Return the self-critical loss a word of sampled captions of some rows, and figures to watch."""
    images, concepts = seen.by(network, rows), torch.from_numpy(guesses[rows])
    memory, lift = network.memory(images, concepts), network.lift(concepts)
    ids = sample(network, memory, lift, SAMPLES)
    rewards = torch.tensor([told.reward(line, captions[i // SAMPLES]) for i, line in enumerate(ids[:, 1:].tolist())])
    rewards = rewards.view(-1, SAMPLES)
    better = SAMPLES / (SAMPLES - 1) * (rewards - rewards.mean(1, keepdim=True))  # than the mean of the others
    words = (ids[:, 1:] != IGNORE).sum()
    loss = -(better.flatten() * log_likelihood(network, memory, lift, ids)).sum() / words
    return loss, {"reward": rewards.mean().item(), "words": words.item() / len(ids)}


@torch.no_grad()
def sample(network: Captioner, memory: tuple[Tensor, Tensor], lift: Tensor, captions: int) -> Tensor:
    """Draw captions of each photo by chance: ids (photos * captions, T), the style word first, IGNORE after END."""
    lift = lift.repeat_interleave(captions, 0)
    ids = torch.full((len(lift), 1), PLAIN)
    past, ended = network.no_past(len(lift)), torch.zeros(len(lift), dtype=torch.bool)
    for _ in range(MAX_WORDS):
        hidden, past = network.step(ids[:, -1:].clamp(min=END), past, *memory)
        following = torch.multinomial(spoken(network.scores(hidden[:, 0], lift)).softmax(-1), 1)
        ids = torch.cat((ids, following.masked_fill(ended[:, None], IGNORE)), dim=1)
        ended |= following[:, 0] == END
        if ended.all():
            break
    return ids


def spoken(scores: Tensor) -> Tensor:
    """Return logits (..., words) without the words that no one says."""
    return scores.index_fill(-1, torch.arange(PLAIN, UNKNOWN + 1), -torch.inf)


def log_likelihood(network: Captioner, memory: tuple[Tensor, Tensor], lift: Tensor, ids: Tensor) -> Tensor:
    """Return the log-probability (B,) of each caption in ids (B, T), IGNORE not counted."""
    hidden = network(ids[:, :-1].clamp(min=END), *memory)
    counts = ids[:, 1:] != IGNORE
    caption = counts.nonzero()[:, 0]
    scores = spoken(network.scores(hidden[counts], lift[caption // (len(ids) // len(lift))]))
    chosen = scores.log_softmax(-1).gather(1, ids[:, 1:][counts][:, None])[:, 0]
    return torch.zeros(len(ids)).index_add(0, caption, chosen)


if __name__ == "__main__":
    main()
