"""Train the speaker on language, expanded frames and the authored corpus.

    python -m models.train.speaker --minutes 120

One run, one curriculum that follows its progress (models/data/curriculum.py): everyday language first,
expanded frames as the bulk (they teach to take words from the scene), the authored corpus more and more
towards the end. What the persona says is learned; scenes and messages are only read. Hidden matrices
learn with Muon (Jordan et al. 2024), the embedding and norms with AdamW.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from bot.domain import NOBODY, VOICES, Scene, Turn
from bot.speech.decoder import Decoder
from bot.speech.facts import read_facts
from bot.speech.filling import fill, slot_rules
from bot.speech.prompt import build_prompt
from bot.vision.caption_people import infer_people
from models.data import curriculum
from models.data.corpus import Block, held_out, read_corpus
from models.data.dialogue import read_coco_captions, read_conversations, read_photo_scenes, read_sketches
from models.data.packing import Batch, Document, Encoder, pack
from models.data.seen_scenes import read_seen_scenes
from models.speaker import EagerSession, Speaker, SpeakerConfig
from models.train.run import BEST, TrainingRun, arguments, need, set_learning_rate, trapezoid
from models.train.tokenizer import NAME, load_or_train

LENGTH = 384  # tokens a row: a scene with ten replies
EVERY = 360.0  # seconds between evaluations
EVALUATED = 48  # held-out scenes of each kind in an evaluation
SEEN_TIMES = 2  # how often observed scenes come among the written ones
NOBODY_KEPT = 6  # one in this many COCO captions without people or animals
QUESTIONS = ("why do you look like that", "where are you", "tell me a joke", "whats your name", "good night")


@dataclass(frozen=True)
class Texts:
    """Training and held-out material, split by scene."""

    blocks: list[Block]
    scenes: list[Scene]
    held_blocks: list[Block]
    held_scenes: list[Scene]


def read_texts(args: argparse.Namespace) -> Texts:
    """Read the corpus' scenes, the photos' and those of COCO captions; one scene in twenty is held out."""
    blocks = read_corpus()
    scenes = [block.scene for block in blocks] + read_photo_scenes(need(args.data / "photos", "photos.csv"))
    seen = read_seen_scenes()  # what the eyes make of photos is what the speaker will be asked about
    scenes += SEEN_TIMES * seen
    captions = read_coco_captions(need(args.data / "text", "the licensed text"))
    for number, caption in enumerate(captions):
        people = infer_people(caption)
        if people != (NOBODY,) or number % NOBODY_KEPT == 0:
            scenes.append(Scene(caption, people))
    return Texts(
        [block for block in blocks if not held_out(block.scene)],
        [scene for scene in scenes if not held_out(scene)],
        [block for block in blocks if held_out(block.scene)],
        [scene for scene in scenes if held_out(scene)],
    )


def training_batches(run: TrainingRun, texts: Texts, encoder: Encoder) -> Iterator[Batch]:
    """Yield batches for ever; a resumed run draws other expansions than before."""
    args, seed = run.args, run.args.seed + run.step
    text = need(args.data / "text", "the licensed text")
    captions = read_coco_captions(text)
    sources = {
        "language": curriculum.language(
            read_conversations(text), read_sketches(text), captions, encoder, seed, longest=LENGTH
        ),
        "authored": curriculum.authored(texts.blocks, encoder, seed),
        "expanded": curriculum.expanded(texts.scenes, encoder, seed),
    }
    return pack(curriculum.mixed(sources, lambda: run.progress), args.rows, LENGTH)


def held_out_documents(texts: Texts, encoder: Encoder) -> dict[str, list[Document]]:
    """Return what evaluations read: authored openings, the same behind a wrong scene, answers, expanded pairs."""
    openings = [encoder.document(block.openings) for block in texts.held_blocks[::2][:EVALUATED]]
    others = [*openings[1:], openings[0]][: EVALUATED // 2]
    talks = [encoder.document(block.answers[-1:]) for block in texts.held_blocks if block.answers]
    return {
        "authored": openings,
        "wrong_scene": [Document(b.trunk, a.branches) for a, b in zip(openings, others, strict=False)],
        "answers": talks[:EVALUATED],
        "expanded": list(islice(curriculum.expanded(texts.held_scenes, encoder, seed=0), EVALUATED)),
    }


def loss_sum(speaker: Speaker, batch: Batch, device: torch.device) -> tuple[Tensor, int]:
    """Return the summed cross entropy in nats and the number of learned tokens of a batch."""
    learned = batch.targets != -100
    features, _ = speaker(batch.ids.to(device), batch.positions.to(device), batch.mask.to(device))
    logits = speaker.head(features[learned.to(device)])  # (N, V): the head is a quarter of the work
    targets = batch.targets[learned].to(device)
    return F.cross_entropy(logits.float(), targets, reduction="sum"), len(targets)


def precision(run: TrainingRun) -> AbstractContextManager[Any]:
    """Return bfloat16 autocast where it is quicker, else no context."""
    return run.autocast() if run.fast_bfloat16 else nullcontext()


@torch.no_grad()
def nats(run: TrainingRun, speaker: Speaker, documents: Sequence[Document]) -> float:
    """Return the mean nats per learned token."""
    speaker.eval()
    total, count = 0.0, 0
    for batch in pack(documents, run.args.rows, LENGTH):
        with precision(run):
            loss, tokens = loss_sum(speaker, batch, run.device)
        total, count = total + float(loss), count + tokens
    speaker.train()
    return total / max(count, 1)


def samples(speaker: Speaker, run: TrainingRun, blocks: Sequence[Block]) -> str:
    """Return a few replies to held-out scenes, the voices in rotation, each with one follow-up answer."""
    decoder = Decoder(EagerSession(speaker), run.out / NAME)

    def say(scene: Scene, voice: str, turns: tuple[Turn, ...], seed: int) -> str:
        prompt, facts = build_prompt(scene, voice, (), turns), read_facts(scene)
        one = decoder.sample(prompt, n=1, temperature=0.8, seed=seed, slots=slot_rules(facts))[0]
        return fill(one.text, facts, voice)

    lines = []
    for i, block in enumerate(blocks[:6]):
        voice = VOICES[(i + run.step) % len(VOICES)]
        first = say(block.scene, voice, (), i)
        question = QUESTIONS[i % len(QUESTIONS)]
        answer = say(block.scene, voice, (Turn("persona", first), Turn("user", question)), i)
        lines += [block.scene.as_text(), f"  {voice}: {first}", f"  ? {question} -> {answer}"]
    speaker.train()
    return "\n".join(lines)


def optimisers(speaker: Speaker, args: argparse.Namespace) -> dict[str, torch.optim.Optimizer]:
    """Return Muon for the blocks' matrices and AdamW for embedding and norms."""
    matrices = [p for p in speaker.blocks.parameters() if p.ndim == 2]
    rest = [p for p in speaker.parameters() if all(p is not q for q in matrices)]
    return {
        "muon": torch.optim.Muon(matrices, lr=args.lr, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        "adamw": torch.optim.AdamW(rest, lr=args.lr, betas=(0.9, 0.95), weight_decay=0.0),
    }


def evaluate(run: TrainingRun, speaker: Speaker, documents: Mapping[str, Sequence[Document]], texts: Texts) -> float:
    """Log held-out nats and samples; return the mean of authored and expanded, by which the best is kept."""
    figures = {name: nats(run, speaker, part) for name, part in documents.items()}
    run.metrics.update(figures)
    run.log(figures, "val")
    written = samples(speaker, run, texts.held_blocks)
    run.writer.add_text("samples", written.replace("\n", "  \n"), run.step)
    shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
    tqdm.write(f"\nstep {run.step}, {run.minutes:.1f} minutes, held-out nats per reply token: {shown}\n{written}")
    return (figures["authored"] + figures["expanded"]) / 2


def keep(run: TrainingRun, parts: Mapping[str, Any], config: SpeakerConfig, score: float) -> None:
    """Save last.pt, and best.pt too when ``score`` (nats) is lower than that of the one there."""
    run.save(config=config.as_dict(), **parts)
    if score < run.metrics.get("best", float("inf")):
        run.metrics["best"] = score
        run.save(BEST, config=config.as_dict(), model=parts["model"])


def train(run: TrainingRun) -> None:
    """Train until the budget is spent; the best checkpoint by held-out nats is best.pt."""
    args = run.args
    tokenizer = load_or_train(run.out, args.data)
    config = SpeakerConfig(vocabulary=tokenizer.get_vocab_size(), dropout=args.dropout)
    speaker = Speaker(config).to(run.device)
    learners = optimisers(speaker, args)
    parts = {"model": speaker, **learners}
    if run.resume(**parts):
        for group in (group for learner in learners.values() for group in learner.param_groups):
            group["initial_lr"] = args.lr  # the command's word counts, not that of the run so far
    encoder, texts = Encoder(tokenizer), read_texts(args)
    documents = held_out_documents(texts, encoder)
    batches = training_batches(run, texts, encoder)
    tokens = 0
    for _ in run.steps():
        batch = next(batches)
        for learner in learners.values():
            set_learning_rate(learner, trapezoid(run.progress))
        with precision(run):
            loss, learned = loss_sum(speaker, batch, run.device)
        (loss / learned).backward()
        torch.nn.utils.clip_grad_norm_(speaker.parameters(), 1.0)
        for learner in learners.values():
            learner.step()
            learner.zero_grad(set_to_none=True)
        tokens += batch.ids.numel()
        if run.step % 20 == 0:
            run.log({"loss": float(loss.detach()) / learned, "tokens": float(tokens)})
        if run.due(EVERY):
            keep(run, parts, config, evaluate(run, speaker, documents, texts))
    keep(run, parts, config, evaluate(run, speaker, documents, texts))
    print(f"{run.step} steps, {tokens / 1e6:.2f}M tokens this session")


def main() -> None:
    """Parse the arguments and train."""
    parser = arguments("speaker", "Train the speaker's language model.", minutes=120)
    parser.add_argument("--rows", type=int, default=10, help=f"rows of {LENGTH} tokens a step")
    parser.add_argument("--lr", type=float, default=6e-3)
    parser.add_argument("--dropout", type=float, default=0.0, help="worth it once the corpus is read often")
    train(TrainingRun(parser.parse_args()))


if __name__ == "__main__":
    main()
