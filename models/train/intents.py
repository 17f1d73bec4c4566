"""Learn to tell what a user message is about: ``python -m models.train.intents``. A minute on one core.

Softmax regression (Adam, full batch) over hashed words, word pairs and runs of characters, and over which
hand-written patterns match; the features are the bot's own. It learns from bot/resources/intents.toml: example
messages, and templates written out in random choices. Messages of the held-out files are left out. Weights are
stored as bytes with one scale an intent. Needs scipy, which the extra ``export`` brings.
"""

from __future__ import annotations

import argparse
import random
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from bot.speech.intents import FEATURES, INTENTS, WEIGHTS, classify_intent, features, intent_messages, normalise

TESTS = Path(__file__).parent.parent.parent / "tests" / "speech" / "data"
HELD_OUT = ("intents_corpus.tsv", "intents_typed.tsv")
PER_TEMPLATE = 32
TEMPLATE_WEIGHT = 0.6  # of a message written out from a template, beside an example's 1
CHOICE = re.compile(r"\(([^()]*)\)")
STEPS, RATE, DECAY = 300, 0.15, 5e-6

Floats = npt.NDArray[np.float32]


def main() -> None:
    """Train, print the share of right answers on held-out messages, write the weights."""
    parser = argparse.ArgumentParser(prog="python -m models.train.intents", description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    held = {normalise(message) for name in HELD_OUT for _, message in labelled(TESTS / name)}
    rows = [row for row in examples(random.Random(0)) if normalise(row[1]) not in held]
    intents = sorted({intent for intent, _, _ in rows})
    x = matrix([message for _, message, _ in rows])
    y = np.array([intents.index(intent) for intent, _, _ in rows])
    weights, bias = fit(x, y, np.array([weight for *_, weight in rows], np.float32), len(intents))
    scale = np.abs(weights).max(0) / 127
    np.savez_compressed(
        args.out, weights=np.round(weights / scale).astype(np.int8), scale=scale, bias=bias, intents=np.array(intents)
    )
    print(f"{len(rows)} messages, {args.out.stat().st_size / 1e6:.2f} MB")
    for name in HELD_OUT:
        print(name, f"{accuracy(labelled(TESTS / name)):.3f}")


def labelled(path: Path) -> list[tuple[str, str]]:
    """Return (intents that are right, joined by ``|``; message) of a tab separated file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [(labels, message) for labels, message in (line.split("\t") for line in lines)]


def accuracy(rows: Sequence[tuple[str, str]]) -> float:
    """Return the share of messages given one of their right intents, 0..1."""
    return sum(classify_intent(message) in labels.split("|") for labels, message in rows) / len(rows)


def examples(rng: random.Random) -> list[tuple[str, str, float]]:
    """Return (intent, message, weight) of every example and written-out template."""
    rows = [(intent, message, 1.0) for intent, messages in intent_messages().items() for message in messages]
    for intent, templates in tomllib.loads(INTENTS.read_text(encoding="utf-8"))["templates"].items():
        for template in templates:
            rows += [(intent, message, TEMPLATE_WEIGHT) for message in write_out(template, rng)]
    return rows


def write_out(template: str, rng: random.Random, count: int = PER_TEMPLATE) -> list[str]:
    """Return up to ``count`` different messages a template stands for: (a|b) is a or b."""
    parts = CHOICE.split(template)
    drawn = (
        "".join(rng.choice(part.split("|")) if i % 2 else part for i, part in enumerate(parts))
        for _ in range(2 * count)
    )
    return list(dict.fromkeys(filter(None, (" ".join(one.split()) for one in drawn))))[:count]


def matrix(messages: Sequence[str]) -> csr_matrix:
    """Return the features of messages (messages, FEATURES)."""
    found = [features(message) for message in messages]
    starts = np.cumsum([0, *(len(indices) for indices, _ in found)])
    values, indices = np.concatenate([one for _, one in found]), np.concatenate([one for one, _ in found])
    return csr_matrix((values, indices, starts), shape=(len(messages), FEATURES))


def fit(x: csr_matrix, y: npt.NDArray[np.int_], importance: Floats, classes: int) -> tuple[Floats, Floats]:
    """Return weights (FEATURES, classes) and bias (classes,) of a softmax regression."""
    target = np.eye(classes, dtype=np.float32)[y]
    importance = importance[:, None] / importance.sum()
    back = x.T.tocsr()
    weights, bias = np.zeros((x.shape[1], classes), np.float32), np.zeros(classes, np.float32)
    mean, square, bias_mean, bias_square = (np.zeros_like(one) for one in (weights, weights, bias, bias))
    for step in range(1, STEPS + 1):
        logits = x @ weights + bias
        odds = np.exp(logits - logits.max(1, keepdims=True))
        error = (odds / odds.sum(1, keepdims=True) - target) * importance
        rate = RATE * (1 - step / (STEPS + 1)) * np.sqrt(1 - 0.99**step) / (1 - 0.9**step)
        for value, slope, first, second in (
            (weights, back @ error + DECAY * weights, mean, square),
            (bias, error.sum(0), bias_mean, bias_square),
        ):
            first += 0.1 * (slope - first)
            second += 0.01 * (slope * slope - second)
            value -= rate * first / (np.sqrt(second) + 1e-8)
    return weights, bias


if __name__ == "__main__":
    main()
