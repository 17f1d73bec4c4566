"""Write replies with the speaker: prompt once, then one token at a time for all samples together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

from bot.domain import Failure
from bot.speech.facts import SLOTS
from bot.speech.phrases import Phrases
from bot.speech.prompt import END, PAD, REPLY, SPECIALS, markers_to_slots, plain, slots_to_markers


class GraphRunner(Protocol):
    """What the decoder needs of a bot.runtime.session.Session."""

    input_shapes: dict[str, list[Any]]

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph once and return every output by name."""
        ...


PENALTIES = (12.0, 6.0)  # nats for a token that follows the last two, the last three ones in no line of the voice
MOST = 128  # tokens that a draw chooses from
Cache = dict[str, np.ndarray]  # past_k_0, past_v_0, ... each (B, H, P, Dh) float32


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
    """The speaker's language model behind a key-value cache; safe to call from several threads.

    ``session`` (a bot.runtime.session.Session) takes ids (B, T) int64 and past_k_i, past_v_i
    (B, H, P, Dh) float32, and returns logits (B, T, V) float32 and present_k_i, present_v_i of P + T positions.
    """

    def __init__(self, session: GraphRunner, tokenizer_path: Path) -> None:
        """Load the tokenizer; raise Failure when it is not the one the speaker was trained with."""
        self._session = session
        self.tokenizer = Tokenizer.from_file(str(tokenizer_path))
        found = {special: self.tokenizer.token_to_id(special) for special in SPECIALS}
        known = {special: token for special, token in found.items() if token is not None}
        if len(known) < len(SPECIALS):
            raise Failure(f"{tokenizer_path} is no speaker tokenizer; rebuild it with `python -m export speaker`.")
        self._end, self._pad, self._reply = known[END], known[PAD], known[REPLY]
        self._slots = {slot: known[f"<|{slot}|>"] for slot in SLOTS}
        self._never = np.array([i for i in known.values() if i != self._end])  # not to be written inside a reply
        shapes = session.input_shapes
        self._empty: Cache = {
            name: np.zeros((1, shape[1], 0, shape[3]), np.float32)
            for name, shape in shapes.items()
            if name.startswith("past_")
        }

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
        logits, cache = self._step(np.array([self._encode(prompt)]), self._empty)
        last, cache = np.repeat(logits[:, -1], n, axis=0), _repeat(cache, n)
        written: list[list[int]] = [[] for _ in range(n)]
        log_probs: list[list[float]] = [[] for _ in range(n)]
        alive = np.arange(n)
        allowed = {self._slots[slot]: [self._slots[one] for one in later] for slot, later in (slots or {}).items()}
        banned = np.zeros((n, last.shape[-1]), bool)  # (alive, V)
        banned[:, [i for i in self._never if i not in allowed]] = True
        for step in range(max_tokens):
            logp = _log_softmax(last)  # (alive, V)
            banned[:, self._end] = step == 0
            scores = logp / temperature
            if phrases is not None:
                phrases.penalise(scores, self._reply, [written[row] for row in alive], penalties)
            tokens = _nucleus(np.where(banned, -np.inf, scores), top_p, rng)
            for i, (row, token) in enumerate(zip(alive, tokens.tolist(), strict=True)):
                written[row].append(token)
                log_probs[row].append(float(logp[i, token]))
                banned[i, allowed.get(token, [])] = True
            going = np.flatnonzero(tokens != self._end)
            if len(going) < len(alive):  # rows that ended leave the batch
                alive, tokens, cache = alive[going], tokens[going], {k: v[going] for k, v in cache.items()}
                banned = banned[going]
            if not len(alive) or step == max_tokens - 1:
                break
            logits, cache = self._step(tokens[:, None], cache)
            last = logits[:, -1]
        return [
            Sample(self._decode(ids), tuple(values), ids[-1] == self._end)
            for ids, values in zip(written, log_probs, strict=True)
        ]

    def score(self, prompt: str, replies: Sequence[str]) -> list[float]:
        """Return the mean log-probability per token (end included) of each reply, slots unfilled, under ``prompt``."""
        if not replies:
            return []
        logits, cache = self._step(np.array([self._encode(prompt)]), self._empty)
        rows = [[*self._encode(slots_to_markers(f" {plain(reply)}")), self._end] for reply in replies]
        longest = max(map(len, rows))
        ids = np.array([row + [self._pad] * (longest - len(row)) for row in rows])  # (B, T)
        first = np.repeat(logits[:, -1:], len(rows), axis=0)  # (B, 1, V)
        rest, _ = self._step(ids[:, :-1], _repeat(cache, len(rows)))
        logp = _log_softmax(np.concatenate([first, rest], axis=1))  # (B, T, V)
        chosen = np.take_along_axis(logp, ids[..., None], axis=-1)[..., 0]  # (B, T)
        return [float(chosen[i, : len(row)].mean()) for i, row in enumerate(rows)]

    def _step(self, ids: np.ndarray, cache: Cache) -> tuple[np.ndarray, Cache]:
        """Run ids (B, T) behind ``cache``; return logits (B, T, V) and the longer cache."""
        outputs = self._session.run({"ids": ids.astype(np.int64), **cache})
        return outputs["logits"], {name: outputs[name.replace("past_", "present_")] for name in cache}

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _decode(self, ids: Sequence[int]) -> str:
        text = self.tokenizer.decode([i for i in ids if i != self._end], skip_special_tokens=False)
        return markers_to_slots(str(text)).strip()


def _repeat(cache: Cache, n: int) -> Cache:
    return {name: np.repeat(value, n, axis=0) for name, value in cache.items()}


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _nucleus(scores: np.ndarray, top_p: float, rng: np.random.Generator) -> np.ndarray:
    """Draw one token id for each row of scores (B, V), logits up to a constant, out of at most MOST tokens."""
    most = min(MOST, scores.shape[-1])
    likeliest = np.argpartition(-scores, most - 1, axis=-1)[:, :most]  # sorting them all would take longest of all
    kept = np.take_along_axis(scores, likeliest, axis=-1)
    order = np.argsort(-kept, axis=-1)
    probs = np.exp(_log_softmax(np.take_along_axis(kept, order, axis=-1)))
    before = np.cumsum(probs, axis=-1) - probs  # probability of the likelier ones; 0 for the likeliest
    probs = np.where(before < top_p, probs, 0.0)
    ends = np.cumsum(probs, axis=-1)
    draws = rng.random((len(probs), 1)) * ends[:, -1:]
    picked = np.minimum((ends <= draws).sum(axis=-1), most - 1)
    return np.take_along_axis(likeliest, np.take_along_axis(order, picked[:, None], axis=-1), axis=-1)[:, 0]
