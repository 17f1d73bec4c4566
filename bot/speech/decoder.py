"""Write replies with the speaker: prompt once, then one token at a time for all samples together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tokenizers import Tokenizer

from bot.domain import Failure
from bot.speech.prompt import END, PAD, SPECIALS, plain


class GraphRunner(Protocol):
    """What the decoder needs of a bot.runtime.session.Session."""

    input_shapes: dict[str, list[Any]]

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the graph once and return every output by name."""
        ...


Cache = dict[str, np.ndarray]  # past_k_0, past_v_0, ... each (B, H, P, Dh) float32


@dataclass(frozen=True, slots=True)
class Sample:
    """One sampled reply: text, mean log-probability per token (end included) and whether it ended by itself."""

    text: str
    log_prob: float
    finished: bool


class Decoder:
    """The speaker's language model behind a key-value cache; safe to call from several threads.

    ``session`` (a bot.runtime.session.Session) takes ids (B, T) int64 and past_k_i, past_v_i
    (B, H, P, Dh) float32, and returns logits (B, T, V) float32 and present_k_i, present_v_i of P + T positions.
    """

    def __init__(self, session: GraphRunner, tokenizer_path: Path) -> None:
        """Load the tokenizer; raise Failure when it is not the one the speaker was trained with."""
        self._session = session
        self._tokenizer = Tokenizer.from_file(str(tokenizer_path))
        found = {special: self._tokenizer.token_to_id(special) for special in SPECIALS}
        known = {special: token for special, token in found.items() if token is not None}
        if len(known) < len(SPECIALS):
            raise Failure(f"{tokenizer_path} is no speaker tokenizer; rebuild it with `python -m export speaker`.")
        self._end, self._pad = known[END], known[PAD]
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
    ) -> list[Sample]:
        """Return ``n`` independent replies to ``prompt`` (from build_prompt), at most ``max_tokens`` long.

        Nucleus sampling (Holtzman et al. 2020): the likeliest tokens that hold ``top_p`` of the
        probability after dividing logits by ``temperature`` (> 0; lower is tamer). The same seed
        and arguments give the same replies.
        """
        rng = np.random.default_rng(seed)
        logits, cache = self._step(np.array([self._encode(prompt)]), self._empty)
        last, cache = np.repeat(logits[:, -1], n, axis=0), _repeat(cache, n)
        written: list[list[int]] = [[] for _ in range(n)]
        log_probs: list[list[float]] = [[] for _ in range(n)]
        alive = np.arange(n)
        for step in range(max_tokens):
            logp = _log_softmax(last)  # (alive, V)
            banned = self._never if step else np.append(self._never, self._end)
            tokens = _nucleus(logp, banned, temperature, top_p, rng)
            for row, token, value in zip(alive, tokens, logp[np.arange(len(alive)), tokens], strict=True):
                written[row].append(int(token))
                log_probs[row].append(float(value))
            going = np.flatnonzero(tokens != self._end)
            if len(going) < len(alive):  # rows that ended leave the batch
                alive, tokens, cache = alive[going], tokens[going], {k: v[going] for k, v in cache.items()}
            if not len(alive) or step == max_tokens - 1:
                break
            logits, cache = self._step(tokens[:, None], cache)
            last = logits[:, -1]
        return [
            Sample(self._decode(ids), float(np.mean(values)), ids[-1] == self._end)
            for ids, values in zip(written, log_probs, strict=True)
        ]

    def score(self, prompt: str, replies: Sequence[str]) -> list[float]:
        """Return the mean log-probability per token (end included) of each reply under ``prompt``."""
        if not replies:
            return []
        logits, cache = self._step(np.array([self._encode(prompt)]), self._empty)
        rows = [[*self._encode(f" {plain(reply)}"), self._end] for reply in replies]
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
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)).strip()


def _repeat(cache: Cache, n: int) -> Cache:
    return {name: np.repeat(value, n, axis=0) for name, value in cache.items()}


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _nucleus(
    logp: np.ndarray, banned: np.ndarray, temperature: float, top_p: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw one token id for each row of log-probabilities (B, V)."""
    scaled = logp / temperature
    scaled[:, banned] = -np.inf
    order = np.argsort(-scaled, axis=-1)
    probs = np.exp(_log_softmax(np.take_along_axis(scaled, order, axis=-1)))
    before = np.cumsum(probs, axis=-1) - probs  # probability of the likelier ones; 0 for the likeliest
    probs = np.where(before < top_p, probs, 0.0)
    ends = np.cumsum(probs, axis=-1)
    draws = rng.random((len(probs), 1)) * ends[:, -1:]
    picked = np.minimum((ends <= draws).sum(axis=-1), probs.shape[-1] - 1)
    return np.take_along_axis(order, picked[:, None], axis=-1)[:, 0]
