"""Figures of plain text: variety, lines said word for word before, and how well the speaker foresees replies."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from tokenizers import Tokenizer

from bot.domain import Scene
from bot.speech.decoder import Decoder
from bot.speech.facts import read_facts
from bot.speech.filling import unfill
from bot.speech.prompt import build_prompt, plain, slots_to_markers
from models.data.pairs import Pair

WORD = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*'?")
REPEATED = 0.5  # share of an answer's word triples that stand in the opening


class FrameBook(Protocol):
    """What is asked of bot.speech.frames.Frames."""

    def holds(self, text: str, scene: Scene, voice: str) -> bool:
        """Tell whether a text is a filled line of a voice for this scene."""
        ...


@dataclass(frozen=True, slots=True)
class Foresight:
    """How surprising authored replies are to the speaker: e to the nats per token (end included) and per word."""

    perplexity: float
    word_perplexity: float
    replies: int


def bag(text: str) -> frozenset[str]:
    """Return the set of the words between blanks."""
    return frozenset(text.split())


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return WORD.findall(text.lower().replace("\u2019", "'"))


def distinct(replies: Sequence[str], n: int) -> float:
    """Return how many of all runs of ``n`` words inside the replies are different, 0..1 (Li et al. 2016).

    It falls as text grows: compare equally many replies only.
    """
    runs = [tuple(words[i : i + n]) for words in map(words_of, replies) for i in range(len(words) - n + 1)]
    return len(set(runs)) / len(runs) if runs else 0.0


class Copies:
    """Knows what was written by hand: every reply of the corpus, and the lines of the frames."""

    def __init__(self, written: Collection[str], frames: FrameBook) -> None:
        """Remember the ``written`` replies by their words."""
        self._written = {tuple(words_of(text)) for text in written}
        self._frames = frames

    def holds(self, text: str, scene: Scene, voice: str) -> bool:
        """Tell whether a reply stands word for word in the corpus or is one filled frame of its voice."""
        return tuple(words_of(text)) in self._written or self._frames.holds(text, scene, voice)


def repeats(answer: str, opening: str) -> bool:
    """Tell whether an answer says the opening again: half of its word triples, or all of a very short one."""
    said, before = words_of(answer), words_of(opening)
    triples = set(zip(said, said[1:], said[2:], strict=False))
    if not triples:
        return said == before
    return len(triples & set(zip(before, before[1:], before[2:], strict=False))) >= REPEATED * len(triples)


def reply_form(pair: Pair) -> str:
    """Return an authored reply as the speaker is to write it: slots stand where facts of the scene do."""
    return pair.form or unfill(pair.reply, read_facts(pair.scene))


def foresight(decoder: Decoder, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> Foresight:
    """Score authored replies under the speaker, every token counting the same.

    A slot is one token that stands for several words, so figures per token only compare speakers of one kind
    of writing; those per word of the plain reply compare any.
    """
    nats, tokens, words = 0.0, 0, 0
    for pair in pairs:
        form = reply_form(pair)
        prompt = build_prompt(pair.scene, pair.voice, pair.traits, pair.turns)
        count = len(tokenizer.encode(slots_to_markers(f" {plain(form)}"), add_special_tokens=False).ids) + 1
        nats -= decoder.score(prompt, [form])[0] * count
        tokens += count
        words += len(words_of(pair.reply))
    return Foresight(math.exp(nats / max(tokens, 1)), math.exp(nats / max(words, 1)), len(pairs))
