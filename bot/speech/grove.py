"""Beginnings of replies, which the network reads many at a time: those that are waited for, and what they lead to.

Each sample goes on as far as it is known what may follow, whatever the others do. Where all lines of the voice go
on in one way only, the model nearly always does so too; such tokens are read together with the one that they stand
behind, before anybody has drawn them. So a sample takes a run of the network for each of its choices rather than
for each of its tokens. What is drawn does not depend on what was guessed, but for the noise of int8.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.speech.branches import Branches, Grafting
from bot.speech.phrases import Phrases

MOST = 128  # tokens that a draw chooses from
FAR = 14.0  # nats below the likeliest token: MOST of what is further away weigh 1e-4 of it
AHEAD = 8  # tokens that are guessed behind one that is waited for
GUESSES = 256  # tokens of a prompt that may be read although nobody waits for them


@dataclass(frozen=True, slots=True)
class Choice:
    """What may follow a beginning: tokens, the likeliest first, their weights summed up, their log-probabilities."""

    tokens: list[int]
    ends: list[float]
    log_probs: list[float]

    def draw(self, chance: float) -> tuple[int, float]:
        """Return the token at a chance of 0..1, and its log-probability."""
        place = min(bisect_right(self.ends, chance * self.ends[-1]), len(self.tokens) - 1)
        return self.tokens[place], self.log_probs[place]


@dataclass(slots=True, eq=False)
class Beginning:
    """Tokens that replies begin with. ``barred`` may not follow any more, ``number`` is its own in the network."""

    ids: tuple[int, ...] = ()
    barred: tuple[int, ...] = ()
    parent: Beginning | None = None
    number: int = 0
    choice: Choice | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """How a reply is drawn: see bot.speech.decoder.Decoder.sample.

    ``never`` are tokens that may not be written at all, ``later`` those that one token excludes from then on, ``end``
    and ``reply`` the markers.
    """

    temperature: float
    top_p: float
    never: np.ndarray
    later: Mapping[int, Collection[int]]
    end: int
    reply: int
    phrases: Phrases | None = None
    penalties: Sequence[float] = ()


class Grove:
    """All beginnings behind one prompt."""

    def __init__(self, branches: Branches, rules: Rules) -> None:
        self._branches, self._rules = branches, rules
        self._graft = branches.graft if isinstance(branches, Grafting) else None
        self._read, self._guesses = 1, GUESSES  # beginnings that the network has read, tokens that may be guessed
        self._grown: dict[tuple[int, ...], Beginning] = {}
        self.root = Beginning()
        self._choose([self.root], branches.first[None])

    def then(self, beginning: Beginning, token: int) -> Beginning:
        """Return the beginning that is one token longer."""
        ids = (*beginning.ids, token)
        if ids not in self._grown:
            barred = (*beginning.barred, *self._rules.later.get(token, ()))
            self._grown[ids] = Beginning(ids, barred, beginning)
        return self._grown[ids]

    def read(self, waited_for: Sequence[Beginning]) -> None:
        """Let the network read beginnings, each of which is one token longer than one that was read."""
        new = [*dict.fromkeys(waited_for)]
        if self._graft:
            new += [one for beginning in [*new] for one in self._guessed(beginning)]
        parents = np.zeros(len(new), np.int64)
        for i, one in enumerate(new):
            parents[i] = one.parent.number if one.parent else 0  # which may stand before it in this very call
            one.number = i + self._read if self._graft else i
        tokens = np.array([one.ids[-1] for one in new])
        self._read += len(new)
        self._choose(new, (self._graft or self._branches.grow)(parents, tokens))

    def _guessed(self, beginning: Beginning) -> Iterator[Beginning]:
        """Yield what a beginning that is to be read is nearly sure to grow into, and was not read."""
        phrases, rules = self._rules.phrases, self._rules
        for _ in range(AHEAD if phrases else 0):
            token = phrases.certain(rules.reply, beginning.ids) if phrases else None
            if token is None or token == rules.end or not self._guesses:
                return
            self._guesses -= 1
            beginning = self.then(beginning, token)
            yield beginning

    def _choose(self, read: Sequence[Beginning], logits: np.ndarray) -> None:
        """Tell what may follow beginnings, whose logits (W, V) are there."""
        rules = self._rules
        scores = logits / np.float32(rules.temperature)
        if rules.phrases is not None:
            rules.phrases.penalise(scores, rules.reply, [one.ids for one in read], rules.penalties)
        scores[:, rules.never] = -np.inf
        for row, one in zip(scores, read, strict=True):
            row[list(one.barred if one.ids else (rules.end,))] = -np.inf
        for one, choice in zip(read, choices(scores, logits, rules.top_p), strict=True):
            one.choice = choice


def log_sums(logits: np.ndarray) -> np.ndarray:
    """Return what to take from each row of logits (W, V) for log-probabilities, (W,)."""
    largest = logits.max(axis=-1)
    heights = logits - largest[:, None]
    return np.asarray(largest + np.log(np.exp(heights, out=heights).sum(axis=-1)))


def choices(scores: np.ndarray, logits: np.ndarray, top_p: float) -> Iterator[Choice]:
    """Yield what may be drawn by each row of scores (W, V), logits up to a constant.

    It is the likeliest tokens that hold ``top_p`` of the probability, at most MOST; ``logits`` (W, V) are those that
    log-probabilities are told by. The tokens of all rows stand in one list, row by row and the likeliest first.
    """
    largest = scores.max(axis=-1)
    likely = np.flatnonzero(scores > largest[:, None] - FAR)  # sorting them all would take longest of all
    row = likely // scores.shape[1]
    height = scores.ravel()[likely] - largest[row]  # -FAR..0
    order = np.argsort(row * (2 * FAR) - height)  # rows stay where they are
    likely, weight = likely[order], np.exp(height[order], dtype=np.float64)
    starts = np.searchsorted(row, np.arange(len(scores)))
    weight[np.arange(len(row)) - starts[row] >= MOST] = 0.0
    ends = np.cumsum(weight)
    before = ends - weight  # weight of the likelier ones, and of earlier rows
    inside = before < (before[starts] + top_p * np.add.reduceat(weight, starts))[row]
    likely, row, ends = likely[inside], row[inside], (ends - before[starts][row])[inside]
    log_probs = logits.ravel()[likely] - log_sums(logits)[row]
    columns = [(likely % scores.shape[1]).tolist(), ends.tolist(), log_probs.tolist()]
    bounds = np.searchsorted(row, np.arange(len(scores) + 1)).tolist()
    for start, end in pairwise(bounds):
        yield Choice(*(column[start:end] for column in columns))
