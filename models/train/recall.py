"""Train the dual encoder that recalls authored replies: ``python -m models.train.recall``. Three minutes on one core.

Pairs are the corpus' openings, in half of the blocks with colours or garments swapped in scene and replies alike.
The figures are recall@1 and @10: how often a held-out scene's own reply comes first, or among the first ten, of
1,000 held-out replies. Each voice is asked among all voices, and (``same_voice``) among its own replies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import torch
from tokenizers import Tokenizer
from torch import Tensor
from tqdm import tqdm

from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from models.data.augment import swapped
from models.data.corpus import Block, held_out, read_corpus
from models.data.pairs import Pair
from models.recall import Bags, DualEncoder, RecallConfig, bags, query
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups

POOL = 1000
EVERY = 20.0  # seconds between evaluations
SWAPPED = 0.5


def batches(blocks: Sequence[Block], size: int, rng: random.Random) -> Iterator[list[Pair]]:
    """Yield batches of different openings for ever."""
    while True:
        chosen = [swapped(block, rng) if rng.random() < SWAPPED else block for block in blocks]
        pairs = [pair for block in chosen for pair in block.openings]
        rng.shuffle(pairs)
        yield from (pairs[i : i + size] for i in range(0, len(pairs) - size + 1, size))


def sides(pairs: Sequence[Pair], tokenizer: Tokenizer, device: torch.device) -> tuple[Bags, Bags]:
    """Return the scenes and the replies of pairs."""
    scenes = bags([query(pair.scene, pair.voice, pair.traits) for pair in pairs], tokenizer, device)
    return scenes, bags([pair.reply for pair in pairs], tokenizer, device)


def held_out_pool(blocks: Sequence[Block], most: int = POOL) -> list[Pair]:
    """Return ``most`` openings of held-out scenes, always the same ones."""
    held = [pair for block in blocks if held_out(block.scene) for pair in block.openings]
    return random.Random(0).sample(held, min(most, len(held)))


def recall_at(scores: Tensor, most: int) -> float:
    """Return the share of rows (B, B) whose own column is among the ``most`` highest, 0..1; ties count against it."""
    own = scores.diagonal()[:, None]
    return float(((scores >= own).sum(1) <= most).float().mean())


def figures(scores: Tensor, pairs: Sequence[Pair]) -> dict[str, float]:
    """Return recall among all replies and among those of the own voice, from scores (scenes, replies) of pairs."""
    keys = [(pair.voice, pair.traits) for pair in pairs]
    other = torch.tensor([[one != two for two in keys] for one in keys], device=scores.device)
    parts = {"recall": scores, "same_voice_recall": scores.masked_fill(other, -2.0)}
    return {f"{name}{k}": round(recall_at(part, k), 3) for name, part in parts.items() for k in (1, 10)}


@torch.no_grad()
def evaluate(model: DualEncoder, pairs: Sequence[Pair], tokenizer: Tokenizer, device: torch.device) -> dict[str, float]:
    """Return the recall of the network, see ``figures``."""
    model.eval()
    scenes, replies = sides(pairs, tokenizer, device)
    scores = model.encode_scenes(scenes) @ model.encode_replies(replies).T
    model.train()
    return figures(scores, pairs)


def train(run: TrainingRun) -> None:
    """Train until the budget is spent; best.pt is the checkpoint with the highest recall@10."""
    args = run.args
    tokenizer = Tokenizer.from_file(str(Bundle(SHIPPED_BUNDLE).file("speaker_tokenizer")))
    config = RecallConfig(vocabulary=tokenizer.get_vocab_size())
    model = DualEncoder(config).to(run.device)
    optimizer = torch.optim.AdamW(weight_groups(model, args.lr, args.weight_decay))
    run.resume(model=model, optimizer=optimizer)
    blocks = read_corpus()
    held = held_out_pool(blocks)
    stream = batches([b for b in blocks if not held_out(b.scene)], args.batch, random.Random(args.seed + run.step))

    def keep() -> None:
        found = evaluate(model, held, tokenizer, run.device)
        run.metrics.update(found)
        run.log(found, "val")
        tqdm.write(f"\nstep {run.step}, {run.minutes:.1f} minutes: {found}")
        if found["recall10"] > run.metrics.get("best", 0.0):
            run.metrics["best"] = found["recall10"]
            run.save(BEST, config=asdict(config), model=model)
        run.save(config=asdict(config), model=model, optimizer=optimizer)

    for _ in run.steps():
        set_learning_rate(optimizer, cosine(run.progress))
        loss = model(*sides(next(stream), tokenizer, run.device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if run.step % 20 == 0:
            run.log({"loss": float(loss.detach()), "temperature": float((-model.log_scale.detach()).exp())})
        if run.due(EVERY):
            keep()
    keep()


def main() -> None:
    """Parse the arguments and train."""
    parser = arguments("recall", "Train the dual encoder that recalls authored replies.", minutes=3)
    parser.add_argument("--batch", type=int, default=512, help="pairs a step; all others' replies are negatives")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    train(TrainingRun(parser.parse_args()))


if __name__ == "__main__":
    main()
