"""Pictures of the tongue: what the next token may be, replies as branches, and what the ranker makes of them."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.domain import Persona
from bot.speech.branches import Branches, LanguageModel
from bot.speech.decoder import Decoder, Sample
from bot.speech.ranker import Scored
from bot.speech.speaker import COOLED, SAMPLES
from export.figure_paper import BLUE, GREEN, INK, MUTED, ORANGE, RED, Models, bare, sheet

VOICE, SEED = "pirate", 3
HEATS = (0.4, 1.0, 1.6)  # temperatures beside the one that is used
TOKENS = 9  # of a distribution that are drawn
NUCLEUS = 0.95
SHOWN = 9  # tokens from the start of a branch
BLANK = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
PARTS = {  # parts of a score that are drawn, with their colours
    "facts": "#2b8a3e", "voice": "#2f6fd0", "topic": "#15aabf", "chance": "#ced4da", "fluency": "#9c36b5",
    "framed": "#868e96", "ungrounded": "#f08c00",
}  # fmt: skip


@dataclass
class Recorder:
    """A language model that notes what is asked of another one: logits behind the prompt, and every new token."""

    model: LanguageModel
    first: np.ndarray = field(default_factory=lambda: np.zeros(0))
    steps: list[tuple[list[int], list[int]]] = field(default_factory=list)  # parents and tokens of each call

    @contextmanager
    def open(self, chunks: Sequence[Sequence[int]], room: int) -> Iterator[Branches]:
        """Open a prompt, see bot.speech.branches.LanguageModel."""
        with self.model.open(chunks, room) as branches:
            self.first = branches.first
            yield Recorded(branches, self)


class Recorded:
    """Branches that are written down."""

    def __init__(self, branches: Branches, recorder: Recorder) -> None:
        self._branches, self._recorder, self.first = branches, recorder, branches.first

    def grow(self, parents: np.ndarray, tokens: np.ndarray) -> np.ndarray:
        """Put tokens behind beginnings, see bot.speech.branches.Branches."""
        self._recorder.steps.append((parents.tolist(), tokens.tolist()))
        return self._branches.grow(parents, tokens)

    def follow(self, ids: Sequence[int]) -> np.ndarray:
        """Return logits behind each of ids, see bot.speech.branches.Branches."""
        return self._branches.follow(ids)


def persona(models: Models) -> Persona:
    """Return the character that the cat speaks as."""
    return next(one for one in models.engine.personas.values() if one.voice == VOICE)


@dataclass(frozen=True)
class Writing:
    """How the cat came to say something: what was asked of the speaker, its samples, and everything that was ranked."""

    decoder: Decoder
    recorder: Recorder
    samples: list[Sample]
    ranked: list[Scored]


def written(models: Models) -> Writing:
    """Let the cat say something as the bot does, and note how."""
    speaker = models.engine._speaker
    decoder = speaker._decoder
    assert decoder is not None
    recorder, sample, samples = Recorder(decoder._model), decoder.sample, list[Sample]()

    def noted(*args: Any, **options: Any) -> list[Sample]:
        samples.extend(sample(*args, **options))
        return samples

    with patch.object(decoder, "_model", recorder), patch.object(decoder, "sample", noted):
        ranked = speaker.rank(models.scene("cat"), persona(models), (), random.Random(SEED))
    return Writing(decoder, recorder, samples, ranked)


def chances(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return softmax(logits / temperature)."""
    scores = logits.astype(np.float64) / temperature
    odds = np.exp(scores - scores.max())
    return odds / odds.sum()


def sampling(models: Models) -> Figure:
    """Draw the likeliest first tokens of the cat's reply at several temperatures, and which are in the nucleus."""
    one = written(models)
    used = COOLED * persona(models).temperature
    figure = sheet(9, 2.9)
    heats = sorted((*HEATS, round(used, 2)))
    for axes, heat in zip(figure.subplots(1, len(heats)), heats, strict=True):
        odds = chances(one.recorder.first, heat)
        order = odds.argsort()[::-1]
        before = np.cumsum(odds[order]) - odds[order]
        nucleus = int((before < NUCLEUS).sum())
        names = [one.decoder.tokenizer.decode([int(i)], skip_special_tokens=False) for i in order[:TOKENS]]
        colours = [BLUE if i < nucleus else "#ced4da" for i in range(TOKENS)]
        axes.barh([f"{i} {name}" for i, name in enumerate(names)], odds[order[:TOKENS]], color=colours)
        axes.set_yticks(range(TOKENS), [name.replace(" ", "\u2423", 1) for name in names], fontsize=7.5)
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.tick_params(labelsize=7.5, length=0)
        axes.set_title(f"T = {heat:g}{' (used)' if heat == round(used, 2) else ''}\nnucleus: {nucleus} tokens")
    return figure


def branches(models: Models) -> Figure:
    """Draw the beginnings of all replies as a tree behind the prompt."""
    one = written(models)
    figure = sheet(9, 4.6)
    axes = bare(figure.subplots())
    depth = min(SHOWN, len(one.recorder.steps))
    levels = one.recorder.steps[:depth]
    children: list[list[list[int]]] = []  # by level and parent
    for parents, _ in levels:
        above = len(levels[len(children) - 1][1]) if children else 1
        children.append([[i for i, parent in enumerate(parents) if parent == p] for p in range(above)])
    heights = _heights(children)
    axes.text(-0.15, heights[0][0], "prompt", ha="right", va="center", color=MUTED)
    for level, (parents, tokens) in enumerate(levels):
        for i, (parent, token) in enumerate(zip(parents, tokens, strict=True)):
            y, from_y = heights[level + 1][i], heights[level][parent]
            axes.plot([level, level + 0.35], [from_y, y], color="#adb5bd", lw=1, zorder=1)
            shared = len(children[level + 1][i]) > 1 if level + 1 < depth else False
            name = one.decoder.tokenizer.decode([token], skip_special_tokens=False)
            colour = GREEN if name.startswith("<|") else ORANGE if shared else INK
            axes.text(level + 0.36, y, name.strip(), va="center", fontsize=8, color=colour, bbox=BLANK, zorder=2)
    axes.set_xlim(-0.9, depth + 0.7)
    alone = sum(len(sample.log_probs) - 1 for sample in one.samples)  # nothing is computed behind the last token
    computed = sum(len(tokens) for _, tokens in one.recorder.steps)
    axes.set_title(
        f"the first tokens of {SAMPLES} replies: {computed} tokens computed, not {alone}, as many begin alike"
    )
    return figure


def _heights(children: list[list[list[int]]]) -> list[list[float]]:
    """Return where each beginning of each level stands: leaves one below the other, parents in their middle."""
    heights: list[list[float]] = [[0.0]] + [[0.0] * sum(map(len, level)) for level in children]
    row = 0.0

    def place(level: int, node: int) -> float:
        nonlocal row
        below = children[level][node] if level < len(children) else []
        if not below:
            row -= 1
            heights[level][node] = row
        else:
            heights[level][node] = float(np.mean([place(level + 1, child) for child in below]))
        return heights[level][node]

    place(0, 0)
    return heights


def ranking(models: Models) -> Figure:
    """Draw the parts of every candidate's score."""
    found = written(models).ranked
    figure = sheet(9.6, 0.42 * len(found) + 0.8)
    axes = figure.subplots()
    for row, one in enumerate(found):
        _bar(axes, row, one)
    texts = [textwrap.shorten(one.candidate.text, 78, placeholder=" ...") for one in found]
    axes.set_yticks(range(len(found)), texts, fontsize=7)
    for label, one in zip(axes.get_yticklabels(), found, strict=True):
        label.set_color(BLUE if one.candidate.source == "generated" else INK)
    axes.invert_yaxis()
    axes.axvline(0, color=MUTED, lw=0.8)
    axes.tick_params(length=0)
    drawn = {name for one in found for name in one.parts}
    for name in [part for part in PARTS if part in drawn] + (["other faults"] if drawn - set(PARTS) else []):
        axes.barh(0, 0, color=PARTS.get(name, RED), label=name)
    axes.legend(ncols=8, fontsize=7.5, frameon=False, loc="upper center", bbox_to_anchor=(0.3, -0.06))
    axes.set_title("score = all parts together (the dot); the best is said. Blue: written by the speaker", loc="left")
    return figure


def _bar(axes: Axes, row: int, one: Scored) -> None:
    """Draw what adds to a score to the right of zero and what takes from it to the left."""
    ends = {True: 0.0, False: 0.0}
    for name, value in sorted(
        one.parts.items(), key=lambda part: list(PARTS).index(part[0]) if part[0] in PARTS else 99
    ):
        axes.barh(row, value, left=ends[value > 0], color=PARTS.get(name, RED), height=0.62)
        ends[value > 0] += value
    axes.plot(one.score, row, "o", color=INK, ms=5)
    axes.text(ends[True] + 0.04, row, f"{one.score:.2f}", va="center", fontsize=7.5)
