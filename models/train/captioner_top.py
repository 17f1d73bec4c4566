"""Tune the captioner's backbone: ``python -m models.train.captioner_top --minutes 18``, before models.train.captioner.

The last two stages learn which words people say of a photo. Trained on all photos they would remember
them, and a decoder that learns from remembered features trusts them too much. So there are two tops,
each tuned on one half of the images: in the decoder's training every image is seen by the top that
does not know it. What ships is the average of their weights, which started from the same ImageNet ones
(a "model soup", Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from models.captioner import CaptionerConfig, ConceptHead, Top
from models.data.caption_set import FOLDS, CaptionSet
from models.efficientnet_lite0 import pretrained
from models.train.caption_judging import recall
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

SAVE_SECONDS = 240.0
PHOTOS, OTHERS = 26, 8  # images a batch; others are portraits and faces
HEAD_ALONE = 0.1  # share of the budget in which only the new head learns
WINDOW, WINDOW_SHARE = 12, 0.8  # cells of the cropped deep features, the share of the budget they are cropped in
MIXUP = 0.2  # beta distribution (Zhang et al. 2018, arXiv:1710.09412), on half of the batches


def main() -> None:
    """Tune one top a fold and keep them with their average."""
    parser = arguments("captioner_top", __doc__.splitlines()[0], minutes=18)
    parser.add_argument("--lr", type=float, default=4e-4)
    args = parser.parse_args()
    data = CaptionSet(args.data, CaptionerConfig.size, args.threads)
    run = TrainingRun(args)
    backbone = pretrained()
    last = backbone.head.eval().requires_grad_(requires_grad=False)
    tops = nn.ModuleList(Top(backbone).to(memory_format=torch.channels_last) for _ in range(FOLDS))  # type: ignore[call-overload]
    heads = nn.ModuleList(concept_head(len(data.concepts)) for _ in range(FOLDS))
    groups = [*weight_groups(tops, args.lr, 0.05), *weight_groups(heads, 4 * args.lr, 0.3)]
    optimizer = torch.optim.AdamW(groups)
    targets = torch.from_numpy(np.stack([data.concept_targets([w for _, w in s.captions]) for s in data.samples]))
    run.resume(tops=tops, heads=heads, optimizer=optimizer)
    run.writer.add_text("folds", str(np.bincount(data.fold).tolist()))
    for _ in run.steps():
        fold, progress = min(FOLDS - 1, int(FOLDS * run.progress)), FOLDS * run.progress % 1
        set_learning_rate(optimizer, cosine(progress))
        heads.train()
        deep, wanted = mixed(*batch(data, targets, fold, progress))
        with torch.set_grad_enabled(progress > HEAD_ALONE):
            pooled = last(tops[fold](deep)).mean((2, 3))
        loss = F.binary_cross_entropy_with_logits(heads[fold](pooled), wanted, reduction="none").sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(tops[fold].parameters(), 5.0)
        optimizer.step()
        run.log({f"fold {fold}": loss.item()})
        if run.due(SAVE_SECONDS):
            report(run, {f"fold {fold}": judge(last, tops[fold], heads[fold], data)})
            run.save(config={"folds": FOLDS}, tops=tops, heads=heads, optimizer=optimizer)
    soup = averaged(tops)
    report(run, {f"fold {i}": judge(last, tops[i], heads[i], data) for i in range(FOLDS)})
    report(run, {f"soup, head {i}": judge(last, soup, heads[i], data) for i in range(FOLDS)})
    run.save(BEST, config={"folds": FOLDS}, tops=tops, heads=heads, top=soup)


def concept_head(concepts: int) -> ConceptHead:
    """Return a new head that expects few concepts: most words are absent from most photos."""
    head = ConceptHead(1280, CaptionerConfig.hidden, concepts)
    nn.init.constant_(head.classify.bias, -4.0)
    return head


def batch(data: CaptionSet, targets: Tensor, fold: int, progress: float) -> tuple[Tensor, Tensor]:
    """Draw images of a fold's own half: deep features (B, 112, w, w), concepts (B, C)."""
    own = data.fold == fold
    photos, others = np.flatnonzero(own[: data.photos]), data.photos + np.flatnonzero(own[data.photos :])
    drawn = np.concatenate((np.random.choice(photos, PHOTOS), np.random.choice(others, OTHERS)))
    views = [data.samples[i].views for i in drawn]
    deep, _ = data.features.tensors([some[np.random.randint(len(some))][0] for some in views])
    if progress < WINDOW_SHARE:
        top, left = np.random.randint(deep.shape[-1] - WINDOW + 1, size=2)
        deep = deep[..., top : top + WINDOW, left : left + WINDOW]
    return deep.contiguous(memory_format=torch.channels_last), targets[drawn]


def mixed(deep: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Blend half of all batches with themselves in another order (mixup)."""
    if np.random.rand() < 0.5:
        return deep, targets
    share = np.random.beta(MIXUP, MIXUP)
    other = torch.randperm(len(deep))
    return share * deep + (1 - share) * deep[other], share * targets + (1 - share) * targets[other]


def averaged(tops: nn.ModuleList) -> Top:
    """Return a top whose weights are the mean of all."""
    soup = Top(pretrained())
    states = [top.state_dict() for top in tops]
    soup.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]})
    return soup.eval()


@torch.inference_mode()
def judge(last: nn.Module, top: nn.Module, head: nn.Module, data: CaptionSet) -> dict[str, float]:
    """Return the loss on held-out photos and the share of said concepts among the 20 likeliest."""
    head.eval()
    logits, wanted = [], data.held_out_targets()
    for rows in np.array_split(np.arange(len(wanted)), len(wanted) // 32):
        deep, _ = data.held_out.tensors(rows)
        logits.append(head(last(top(deep)).mean((2, 3))))
    guessed = torch.cat(logits)
    loss = F.binary_cross_entropy_with_logits(guessed, wanted, reduction="none").sum(1).mean()
    return {"loss": loss.item(), "recall": recall(guessed, wanted, CaptionerConfig.top)}


def report(run: TrainingRun, figures: dict[str, dict[str, float]]) -> None:
    """Print and log held-out figures by name."""
    for name, values in figures.items():
        run.log(values, f"val {name}")
        run.metrics.update({f"{name} {what}": value for what, value in values.items()})
        tqdm.write(
            f"step {run.step}, {run.minutes:.1f} min, {name}: " + ", ".join(f"{k} {v:.3f}" for k, v in values.items())
        )


if __name__ == "__main__":
    main()
