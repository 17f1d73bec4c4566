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
from bot.runtime.spare import Wide
from bot.speech.branches import GraphRunner, LanguageModel, PlainModel
from bot.speech.facts import SLOTS
from bot.speech.grove import GUESSES, Beginning, Grove, Rules, log_sums
from bot.speech.phrases import Phrases
from bot.speech.prompt import END, REPLY, SPECIALS, markers_to_slots, plain, slots_to_markers
from bot.speech.tree import TreeModel

PENALTIES = (12.0, 6.0)  # nats for a token that follows the last two, the last three ones in no line of the voice
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

    def widen(self, wide: Wide) -> None:
        """Write with a second session of the bundle's graph from now on, while a core is free."""
        if isinstance(self._model, TreeModel):
            self._model.widen(wide)

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
        chances = np.random.default_rng(seed).random((max_tokens, n)).tolist()  # by place in the reply, by reply
        allowed = {self._slots[slot]: [self._slots[one] for one in later] for slot, later in (slots or {}).items()}
        never = np.array([i for i in self._never if i not in allowed])
        rules = Rules(temperature, top_p, never, allowed, self._end, self._reply, phrases, penalties)
        log_probs: list[list[float]] = [[] for _ in range(n)]
        with self._model.open(self._chunks(prompt), n * max_tokens + GUESSES) as branches:
            grove = Grove(branches, rules)
            written = [grove.root] * n
            going = [*range(n)]
            while going:
                if waiting := [written[row] for row in going if written[row].choice is None]:
                    grove.read(waiting)
                for row in going:
                    while (choice := written[row].choice) and not self._is_over(written[row], max_tokens):
                        token, log_prob = choice.draw(chances[len(written[row].ids)][row])
                        log_probs[row].append(log_prob)
                        written[row] = grove.then(written[row], token)
                going = [row for row in going if not self._is_over(written[row], max_tokens)]
        return [
            Sample(self._decode(one.ids), tuple(values), one.ids[-1] == self._end)
            for one, values in zip(written, log_probs, strict=True)
        ]

    def _is_over(self, written: Beginning, max_tokens: int) -> bool:
        return len(written.ids) == max_tokens or written.ids[-1:] == (self._end,)

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
                scores.append(float((logits[np.arange(len(ids)), ids] - log_sums(logits)).mean()))
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
