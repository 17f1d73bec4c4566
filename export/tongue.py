"""Measure what the bot says: fluency, variety, voice, grounding, dialogue and speed, on scenes training never saw.

Half of the scenes are written ones held out by their caption, half are validation photos as the bot itself sees them;
two voices answer each, all 24 equally often, always the first sample. Everything runs from the shipped ONNX files.
Where a judge had to be trained (voice, contradictions, questions) the same figure of authored held-out replies stands
beside the bot's: that, not 1, is what a perfect speaker gets. tongue.md is for a human marker.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, get_args

import numpy as np
from tokenizers import Tokenizer

from bot.app import TalkingPhotos
from bot.domain import VOICES, Reply, Scene, Source
from bot.runtime.session import Session
from bot.speech.decoder import Decoder
from bot.speech.frames import Frames
from bot.speech.intents import intent_messages
from export import replies
from export.tongue_facts import Contradictions, is_grounded
from export.tongue_judges import Asked, QuestionJudge, VoiceJudge, corrected, mismatched
from export.tongue_scenes import Said, alternating, ask_follow_ups, ask_openings, messages, rotation, speed
from export.tongue_text import Copies, distinct, foresight, repeats
from models.data.corpus import Block, held_out, read_corpus
from models.data.pairs import Pair

MOST_ASKED = 56  # authored follow-ups that are asked; about 35 other wordings come on top
SHUFFLES = 3  # other scenes that every reply is compared with
ON_SHEET = 2  # replies of each voice on the marker's sheet
OBJECTIONS = 30  # of each kind, below it
T = TypeVar("T")
JSON_KEYS = (
    "perplexity", "distinct1", "distinct2", "distinct3", "copied", "voice_accuracy", "voice_accuracy_authored",
    "grounded", "grounded_shuffled", "contradicted", "on_question", "tokens_per_s", "reply_ms", "reply_ms_batch8",
)  # fmt: skip


@dataclass
class Figures:
    """The bot's figures by name, what to read them against, shares of the sources, and what the judges object to."""

    bot: dict[str, float] = field(default_factory=dict)
    yardstick: dict[str, str] = field(default_factory=dict)
    sources: dict[str, float] = field(default_factory=dict)
    objections: dict[str, list[str]] = field(default_factory=dict)


def report(args: argparse.Namespace) -> None:
    """Measure everything, print a table or one JSON object and write the marker's sheet."""
    started = time.perf_counter()
    figures, openings = measure(args)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "tongue.md").write_text(as_sheet(openings, figures.objections), encoding="utf-8")
    print(json.dumps(as_json(figures)) if args.json else as_table(figures))
    print(f"measured in {time.perf_counter() - started:.0f} s; to mark: {args.out / 'tongue.md'}", file=sys.stderr)


def measure(args: argparse.Namespace) -> tuple[Figures, list[Said]]:
    """Let the bot answer everything, and judge it; return the figures and the openings in the order they were said."""
    engine = TalkingPhotos(provider="cpu", threads=args.threads)
    blocks = read_corpus()
    tests = [block for block in blocks if held_out(block.scene)]
    random.Random(args.seed).shuffle(tests)
    written = [block.scene for block in tests][: args.scenes]
    seen = [engine.look(data) for _, data in replies.scenes(args.data, args.scenes, args.seed)]
    pairs = rotation(alternating(written, seen))
    engine.reply(pairs[0][0], engine.personas[pairs[0][1]], (), seed=0)  # warm
    openings = ask_openings(engine.reply, engine.personas, pairs, args.seed)

    figures, frames = Figures(), Frames()
    tokenizer_path = engine.bundle.file("speaker_tokenizer")
    decoder = Decoder(Session(engine.bundle.model("speaker"), provider="cpu", threads=args.threads), tokenizer_path)
    timed = speed(decoder, engine.reply, engine.personas, pairs)
    figures.bot["tokens_per_s"], figures.bot["reply_ms_batch8"] = timed.tokens_per_s, timed.reply_ms_of_8
    figures.bot["reply_ms"] = statistics.median(one.milliseconds for one in openings)
    figures.yardstick["tokens_per_s"] = f"{timed.tokens_per_s_of_8:.0f} with 8 samples at once"
    figures.yardstick["reply_ms_batch8"] = f"each waits {timed.waited_ms_of_8:.0f}"

    scored = spread([pair for block in tests for pair in block.pairs], args.scored)
    nats = foresight(decoder, Tokenizer.from_file(str(tokenizer_path)), scored)
    figures.bot["perplexity"] = nats.perplexity
    figures.yardstick["perplexity"] = f"{nats.word_perplexity:.1f} a word, {nats.replies} authored replies"

    judge_text(figures, openings, tests, Copies([p.reply for b in blocks for p in b.pairs], frames))
    judge_voices(figures, openings, blocks)
    judge_facts(figures, openings, blocks, args.seed)
    lines = {intent: tuple(texts) for intent, texts in frames.lines_by_intent().items()}
    answered = [as_asked(pair) for block in blocks if not held_out(block.scene) for pair in block.answers]
    judge = QuestionJudge(intent_messages(), lines, answered)
    clear = [pair for block in tests for pair in block.answers if judge.kind(pair.turns[-1].text)]
    examples = [text for texts in intent_messages().values() for text in texts]
    asked = messages(spread(clear, min(MOST_ASKED, args.scenes)), openings, examples, args.seed)
    follow_ups = ask_follow_ups(engine.reply, engine.personas, asked, args.seed)
    judge_answers(figures, follow_ups, clear, judge)
    return figures, openings


def judge_text(figures: Figures, openings: Sequence[Said], tests: Sequence[Block], copies: Copies) -> None:
    """Fill in variety, beside that of as many authored replies, the shares of the sources and of copies."""
    texts = [one.reply.text for one in openings]
    authored = spread([pair.reply for block in tests for pair in block.openings], len(texts))
    for n in (1, 2, 3):
        figures.bot[f"distinct{n}"] = distinct(texts, n)
        figures.yardstick[f"distinct{n}"] = f"{distinct(authored, n):.3f} authored ({len(authored)})"
    figures.sources = shares_of([one.reply for one in openings])
    free = [one for one in openings if one.reply.source == "generated"]
    copied = [one for one in free if copies.holds(one.reply.text, one.scene, one.voice)]
    figures.bot["copied"] = len(copied) / max(len(free), 1)
    figures.objections["written before, word for word"] = [one.reply.text for one in copied]
    figures.yardstick["copied"] = f"of {len(free)} generated"


def judge_voices(figures: Figures, openings: Sequence[Said], blocks: Sequence[Block]) -> None:
    """Fill in how often a classifier taught on authored training replies names the voice."""
    plain = [(held_out(b.scene), bool(p.turns), p) for b in blocks for p in b.pairs if not p.traits]
    taught = [pair for test, _, pair in plain if not test]
    tested = [pair for test, follow_up, pair in plain if test and not follow_up]
    judge = VoiceJudge([pair.reply for pair in taught], [pair.voice for pair in taught])
    named = judge.accuracy([one.reply.text for one in openings], [one.voice for one in openings])
    authored = judge.accuracy([pair.reply for pair in tested], [pair.voice for pair in tested])
    figures.bot |= {"voice_accuracy": named, "voice_accuracy_authored": authored}
    figures.yardstick["voice_accuracy"] = f"{authored:.3f} authored ({named / authored:.0%} of it)"


def judge_facts(figures: Figures, openings: Sequence[Said], blocks: Sequence[Block], seed: int) -> None:
    """Fill in grounding and contradictions of the bot and of authored held-out openings, own scene and others."""
    finder = Contradictions([pair for b in blocks if not held_out(b.scene) for pair in b.openings])
    authored = [(p.scene, p.voice, p.reply) for b in blocks if held_out(b.scene) for p in b.openings]
    found = {
        name: (fact_shares(told, finder), fact_shares(shuffled(told, seed), finder))
        for name, told in (("bot", [(o.scene, o.voice, o.reply.text) for o in openings]), ("authored", authored))
    }
    (grounded, contradicted), (other_grounded, other_contradicted) = found["bot"]
    figures.bot |= {"grounded": grounded, "grounded_shuffled": other_grounded, "contradicted": contradicted}
    for one in openings:
        text, objected = f"{one.reply.text} ({one.voice}: {one.scene.as_text()})", figures.objections
        if not is_grounded(one.reply.text, one.scene):
            objected.setdefault("names nothing of the photo", []).append(text)
        if wrong := finder.find(one.reply.text, one.scene, one.voice):
            objected.setdefault("names what is not there", []).append(f"{', '.join(wrong)}: {text}")
    own, other = found["authored"]
    figures.yardstick["grounded"] = f"{own[0]:.3f} authored"
    figures.yardstick["grounded_shuffled"] = f"{other[0]:.3f} authored"
    figures.yardstick["contradicted"] = (
        f"{own[1]:.3f} authored; with another scene {other[1]:.3f} authored, {other_contradicted:.3f} bot"
    )


def judge_answers(figures: Figures, said: Sequence[Said], clear: Sequence[Pair], judge: QuestionJudge) -> None:
    """Fill in the share of answers on the question, beside what the judge says of authored and of exchanged answers."""
    authored = [as_asked(pair) for pair in clear]
    asked = [(one.turns[-1].text, one.reply.text, one.voice) for one in said]
    kinds = [one.kind or judge.kind(one.turns[-1].text) for one in said]
    passed = judge.passes(asked, kinds)
    raw = float(np.mean(passed))
    figures.objections["may not be on the question (the judge is weak)"] = [
        f"{question} -> {answer} ({voice})"
        for (question, answer, voice), on in zip(asked, passed, strict=True)
        if not on
    ]
    hits = float(np.mean(judge.passes(authored)))
    false_alarms = passed_exchanged(judge, authored, [judge.kind(question) for question, _, _ in authored])
    exchanged = passed_exchanged(judge, asked, kinds)
    figures.bot["on_question"] = raw
    figures.yardstick["on_question"] = (
        f"the judge passes {hits:.2f} of {len(authored)} authored answers, {false_alarms:.2f} of them exchanged and "
        f"{exchanged:.2f} of the bot's {len(said)} exchanged; {corrected(raw, hits, false_alarms):.2f} less its errors"
    )
    figures.bot["repeats_opening"] = share(lambda one: repeats(one.reply.text, one.turns[0].text), said)
    shares = shares_of([one.reply for one in said])
    figures.yardstick["repeats_opening"] = "answers: " + ", ".join(
        f"{name} {part:.2f}" for name, part in shares.items()
    )


def passed_exchanged(judge: QuestionJudge, asked: Sequence[Asked], kinds: Sequence[str]) -> float:
    """Return the share of answers that pass for another kind of question, by SHUFFLES exchanges."""
    passed: list[bool] = []
    for seed in range(SHUFFLES):
        wrong = mismatched(asked, kinds, seed)
        exchanged = [(question, asked[j][1], voice) for (question, _, voice), j in zip(asked, wrong, strict=True)]
        passed += judge.passes(exchanged, kinds)
    return float(np.mean(passed))


Told = tuple[Scene, str, str]  # scene, voice and reply


def fact_shares(told: Sequence[Told], finder: Contradictions) -> tuple[float, float]:
    """Return the shares of replies that name something of their scene, and that contradict it."""
    return (
        share(lambda one: is_grounded(one[2], one[0]), told),
        share(lambda one: bool(finder.find(one[2], one[0], one[1])), told),
    )


def shuffled(told: Sequence[Told], seed: int) -> list[Told]:
    """Return every reply SHUFFLES times, each time with the scene of a reply about another photo."""
    rng = random.Random(seed)
    scenes = sorted({scene for scene, _, _ in told}, key=Scene.as_text)
    pools = {scene: [other for other in scenes if other.caption != scene.caption] or scenes for scene in scenes}
    return [(rng.choice(pools[scene]), voice, text) for scene, voice, text in told for _ in range(SHUFFLES)]


def as_asked(pair: Pair) -> Asked:
    """Return an authored follow-up as the judge of questions takes it."""
    return pair.turns[-1].text, pair.reply, pair.voice


def share(test: Callable[[T], bool], items: Sequence[T]) -> float:
    """Return the share of items that pass a test; 0 for none at all."""
    return sum(map(test, items)) / max(len(items), 1)


def spread(items: Sequence[T], count: int) -> list[T]:
    """Return at most ``count`` items, evenly spread over all."""
    return [items[i] for i in np.linspace(0, len(items) - 1, min(count, len(items))).astype(int)] if items else []


def shares_of(said: Sequence[Reply]) -> dict[str, float]:
    """Return the share of every source."""
    counts = Counter(reply.source for reply in said)
    return {source: counts[source] / max(len(said), 1) for source in get_args(Source)}


def as_json(figures: Figures) -> dict[str, object]:
    """Return the figures a later evaluation is compared by: shares in 0..1, times in ms."""
    return {key: figures.bot[key] for key in JSON_KEYS} | {"sources": figures.sources}


def as_table(figures: Figures) -> str:
    """Return every figure as a Markdown table, with its goal and what it is to be read against."""
    bot = figures.bot
    goals = {
        "copied": ("<= 0.10", bot["copied"] <= 0.10),
        "voice_accuracy": ("85 % of authored", bot["voice_accuracy"] >= 0.85 * bot["voice_accuracy_authored"]),
        "grounded": (">= 0.90", bot["grounded"] >= 0.90),
        "contradicted": ("<= 0.05", bot["contradicted"] <= 0.05),
        "on_question": (">= 0.80", bot["on_question"] >= 0.80),
        "repeats_opening": ("0", bot["repeats_opening"] == 0),
    }
    lines = ["| figure | bot | goal | met | beside it |", "|---|---|---|---|---|"]
    for name in (*JSON_KEYS, "repeats_opening"):
        goal, met = goals.get(name, ("", None))
        verdict = {None: "", True: "yes", False: "NO"}[met]
        digits = 0 if name.endswith(("_s", "_ms", "_batch8")) else 1 if name == "perplexity" else 3
        lines.append(f"| {name} | {bot[name]:.{digits}f} | {goal} | {verdict} | {figures.yardstick.get(name, '')} |")
    for source, part in figures.sources.items():
        goal, verdict = (">= 0.60", "yes" if part >= 0.6 else "NO") if source == "generated" else ("", "")
        lines.append(f"| {source} | {part:.3f} | {goal} | {verdict} | share of the openings |")
    return "\n".join(lines)


def as_sheet(openings: Sequence[Said], objections: Mapping[str, Sequence[str]]) -> str:
    """Return the first openings of every voice, not picked, as a Markdown table for a human marker.

    What the judges object to among all replies stands below it.
    """
    lines = [
        "# Replies to mark",
        "",
        "Each voice twice, held-out scenes, first sample, not picked. Mark 1 or 0: fluent, fits the photo, in voice.",
        "",
        "| # | scene | voice | source | reply | fluent | fits | in voice |",
        "|---|---|---|---|---|---|---|---|",
    ]
    chosen = [one for voice in VOICES for one in [o for o in openings if o.voice == voice][:ON_SHEET]]
    for number, one in enumerate(chosen, 1):
        scene, text = (part.replace("|", "/") for part in (one.scene.as_text(), one.reply.text))
        lines.append(f"| {number} | {scene} | {one.voice} | {one.reply.source} | {text} | | | |")
    for reason, found in objections.items():
        lines += ["", f"## {reason.capitalize()}: {len(found)}", "", *(f"- {text}" for text in found[:OBJECTIONS])]
    return "\n".join(lines) + "\n"
