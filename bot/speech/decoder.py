"""Write replies with the speaker: read the prompt once, then put one token behind all samples at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from bot.domain import VOICES, Failure
from bot.runtime.session import Session
from bot.speech.branches import GraphRunner, LanguageModel, PlainModel
from bot.speech.facts import SLOTS
from bot.speech.phrases import Phrases
from bot.speech.prompt import END, REPLY, SPECIALS, markers_to_slots, plain, slots_to_markers
from bot.speech.tree import TreeModel

PENALTIES = (12.0, 6.0)  # nats for a token that follows the last two, the last three ones in no line of the voice
MOST = 128  # tokens that a draw chooses from
FAR = 14.0  # nats below the likeliest token: MOST of what is further away weigh 1e-4 of it
LONGEST = 512  # tokens of a prompt that are read at a time


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled reply: text with its slots unfilled, log-probability of each token and whether it ended by itself."""

    text: str
    log_probs: tuple[float, ...]
    finished: bool

    @property
    def log_prob(self) -> float:
        """Mean log-probability per token, end included."""
        return float(np.mean(self.log_probs))


class Decoder:
    """The speaker's language model, which writes several replies to a prompt together; safe in several threads."""

    def __init__(self, session: GraphRunner, tokenizer_path: Path) -> None:
        """Load the tokenizer; raise Failure when it is not the one the speaker was trained with.

        ``session`` runs the bundle's graph, or one in plain operators (see bot.speech.branches).
        """
        self.tokenizer = Tokenizer.from_file(str(tokenizer_path))
        found = {special: self.tokenizer.token_to_id(special) for special in SPECIALS}
        known = {special: token for special, token in found.items() if token is not None}
        if len(known) < len(SPECIALS):
            raise Failure(f"{tokenizer_path} is no speaker tokenizer; rebuild it with `python -m export speaker`.")
        self._end, self._reply = known[END], known[REPLY]
        self._voices = {known[f"<|voice:{voice}|>"] for voice in VOICES}
        self._slots = {slot: known[f"<|{slot}|>"] for slot in SLOTS}
        self._never = np.array([i for i in known.values() if i != self._end])  # not to be written inside a reply
        self._model: LanguageModel = PlainModel(session)
        if isinstance(session, Session) and "wanted" in session.input_shapes:
            self._model = TreeModel(session, self.tokenizer.get_vocab_size())

    def sample(
        self,
        prompt: str,
        *,
        n: int,
        temperature: float,
        top_p: float = 0.95,
        seed: int | None,
        max_tokens: int = 64,
        slots: Mapping[str, Collection[str]] | None = None,
        phrases: Phrases | None = None,
        penalties: Sequence[float] = PENALTIES,
    ) -> list[Sample]:
        """Return ``n`` independent replies to ``prompt`` (from build_prompt), at most ``max_tokens`` long.

        Nucleus sampling (Holtzman et al. 2020): the likeliest tokens that hold ``top_p`` of the
        probability after dividing logits by ``temperature`` (> 0; lower is tamer). The same seed
        and arguments give the same replies. ``slots`` are those that may be written (bot.speech.filling.slot_rules),
        each with the slots that it excludes from the rest of the reply. Tokens that ``phrases`` do not know at their
        place lose ``penalties`` nats, see bot/speech/phrases.py; log-probabilities stay the model's own.
        """
        rng = np.random.default_rng(seed)
        written: list[list[int]] = [[] for _ in range(n)]
        log_probs: list[list[float]] = [[] for _ in range(n)]
        allowed = {self._slots[slot]: [self._slots[one] for one in later] for slot, later in (slots or {}).items()}
        with self._model.open(self._chunks(prompt), n * max_tokens) as branches:
            # Replies that begin alike are one beginning: W different ones, and which one each living reply has.
            last = branches.first[None]  # logits (W, V)
            beginnings: list[list[int]] = [[]]
            living, at = list(range(n)), [0] * n
            barred = np.zeros_like(last)  # (W, V): minus infinity for what must not be written
            barred[:, [i for i in self._never if i not in allowed]] = -np.inf
            for step in range(max_tokens):
                scores = last / np.float32(temperature)
                if phrases is not None:
                    phrases.penalise(scores, self._reply, beginnings, penalties)
                scores += barred
                if step == 0:
                    scores[:, self._end] = -np.inf
                tokens = _nucleus(scores, at, top_p, rng)
                gained = last[at, tokens] - _log_sums(last)[at]
                different: dict[tuple[int, int], int] = {}
                going, at_next = [], []
                for row, beginning, token, value in zip(living, at, tokens.tolist(), gained.tolist(), strict=True):
                    written[row].append(token)
                    log_probs[row].append(value)
                    if token != self._end:
                        going.append(row)
                        at_next.append(different.setdefault((beginning, token), len(different)))
                living, at = going, at_next
                if not living or step == max_tokens - 1:
                    break
                beginnings = [[*beginnings[parent], token] for parent, token in different]
                parents, tokens = np.array([*different], np.int64).T
                barred = barred[parents]
                for row, token in enumerate(tokens.tolist()):
                    if token in allowed:
                        barred[row, allowed[token]] = -np.inf
                last = branches.grow(parents, tokens)
        return [
            Sample(self._decode(ids), tuple(values), ids[-1] == self._end)
            for ids, values in zip(written, log_probs, strict=True)
        ]

    def score(self, prompt: str, replies: Sequence[str]) -> list[float]:
        """Return the mean log-probability per token (end included) of each reply, slots unfilled, under ``prompt``."""
        rows = [[*self._encode(slots_to_markers(f" {plain(reply)}")), self._end] for reply in replies]
        if not rows:
            return []
        with self._model.open(self._chunks(prompt), max(map(len, rows))) as branches:
            scores = []
            for ids in rows:
                rest = [branches.follow(ids[:-1])] if len(ids) > 1 else []
                logits = np.concatenate([branches.first[None], *rest])  # (T, V)
                scores.append(float((logits[np.arange(len(ids)), ids] - _log_sums(logits)).mean()))
        return scores

    def _chunks(self, prompt: str) -> list[list[int]]:
        """Return the tokens of a prompt in pieces: the scene, voice and traits, each turn of the user with its answer.

        Prompts about one scene and later prompts of one talk begin with the same pieces.
        """
        ids = self._encode(prompt)
        ends = [i for i, token in enumerate(ids) if token in self._voices]
        ends += [i + 1 for i, token in enumerate(ids) if token == self._reply]
        pieces = [ids[start:end] for start, end in pairwise(sorted({0, *ends, len(ids)}))]
        return [piece[i : i + LONGEST] for piece in pieces for i in range(0, len(piece), LONGEST)]

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _decode(self, ids: Sequence[int]) -> str:
        text = self.tokenizer.decode([i for i in ids if i != self._end], skip_special_tokens=False)
        return markers_to_slots(str(text)).strip()


def _log_sums(logits: np.ndarray) -> np.ndarray:
    """Return what to take from each row of logits (W, V) for log-probabilities, (W,)."""
    largest = logits.max(axis=-1)
    return np.asarray(largest + np.log(np.exp(logits - largest[:, None]).sum(axis=-1)))


def _nucleus(scores: np.ndarray, at: Sequence[int], top_p: float, rng: np.random.Generator) -> np.ndarray:
    """Draw a token for each of ``at``, rows of scores (W, V): logits up to a constant; out of at most MOST.

    The likely tokens of all rows stand in one list, row by row and the likeliest first.
    """
    largest = scores.max(axis=-1)
    likely = np.flatnonzero(scores > largest[:, None] - FAR)  # sorting them all would take longest of all
    row, token = np.divmod(likely, scores.shape[1])
    height = scores.ravel()[likely] - largest[row]  # -FAR..0
    order = np.argsort(row * (2 * FAR) - height)  # rows stay where they are
    token, weight = token[order], np.exp(height[order], dtype=np.float64)
    starts = np.searchsorted(row, np.arange(len(scores)))
    weight[np.arange(len(row)) - starts[row] >= MOST] = 0.0
    before = np.cumsum(weight) - weight  # weight of the likelier ones, and of earlier rows
    enough = before[starts] + top_p * np.add.reduceat(weight, starts)
    weight[before >= enough[row]] = 0.0
    ends = np.cumsum(weight)
    starts_at = (ends - weight)[starts][at]
    picked = np.searchsorted(ends, starts_at + rng.random(len(at)) * np.add.reduceat(weight, starts)[at], side="right")
    final = starts + np.add.reduceat((weight > 0).astype(np.int64), starts) - 1  # where a row's nucleus ends
    return np.asarray(token[np.minimum(picked, final[at])])
