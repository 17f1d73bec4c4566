"""Photo -> one plain caption in the corpus' style, by two ONNX graphs and a small beam search.

``captioner_encoder`` sees the photo once and returns the decoder's cross-attention keys and values;
``captioner_decoder`` tells which words may follow the last one (bot/vision/caption_writer.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

import numpy as np
from PIL import Image

from bot.runtime.session import Session
from bot.runtime.spare import Wide, widest
from bot.vision.pixels import rgb, to_batch

# Ids 0..4 of every vocabulary. A caption starts with the word of its style; the bot asks for PLAIN.
END, PLAIN, DETAIL, COCO, UNKNOWN = range(5)
SPECIALS = ("<end>", "<plain>", "<detail>", "<coco>", "<unknown>")
COMMA = ","
MAX_WORDS = 22  # commas included
MIN_WORDS = 5
BEAMS = 4
LIKELIEST = 32  # next words that are looked at: as many as beams need besides those that are barred
LENGTH_POWER = 0.8  # Wu et al. 2016 (arXiv:1609.08144) divide by length to such a power

# Words a caption may say twice; one that repeats another ("a cap and a cap") is never right.
_FUNCTION_WORDS = """
a an the of in on at with and is are to by from his her its their for it that this there as while who which one
into up over out off down very be has have near next behind front under above beside against through some other
another each several them him he she they all both had was were or not being along around across between toward
towards past about onto inside outside after before like so few during what how where
"""
FUNCTION_WORDS = frozenset({COMMA, *_FUNCTION_WORDS.split()})

# Maps ids (B, T) int64 of captions to the likeliest next words (B, K) int64 and their log-probabilities (B, K) float32;
# parents (B,) say which row of the call before each caption has grown from.
NextWords = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


class Writer(Protocol):
    """The decoder: bot.vision.caption_writer.CaptionWriter, or a plainer one."""

    words: list[str]

    def open(self, memory: Mapping[str, np.ndarray]) -> AbstractContextManager[NextWords]:
        """Begin captions of a photo, of which ``memory`` is what the encoder made."""
        ...


@dataclass(frozen=True, slots=True)
class Beam:
    """Words so far (the style word first), the sum of their log-probabilities, the beam it grew from."""

    ids: tuple[int, ...]
    score: float
    parent: int = 0

    @property
    def normalised(self) -> float:
        """Log-probability divided by a power of the length."""
        return self.score / (len(self.ids) - 1) ** LENGTH_POWER


def _nothing() -> None:
    """Do nothing meanwhile."""


class Captioner:
    """Describes a photo in one sentence; safe to call from several threads."""

    def __init__(self, encoder: Session, writer: Writer) -> None:
        """Take the encoder's session, whose entry carries the normalisation, and what writes."""
        self._encoder, self._writer = encoder, writer
        self._wide: Wide | None = None
        self._normalisation = encoder.entry.normalisation

    def widen(self, wide: Wide) -> None:
        """Look at photos with a second session of the encoder from now on while a core is free."""
        self._wide = wide

    def caption(self, image: Image.Image, meanwhile: Callable[[], object] = _nothing) -> str:
        """Return the best caption of an RGB photo: lower case, no full stop; ``meanwhile`` as in ``captions``."""
        return self.captions(image, meanwhile)[0][0]

    def captions(self, image: Image.Image, meanwhile: Callable[[], object] = _nothing) -> list[tuple[str, float]]:
        """Return up to ``BEAMS`` captions with their length-normalised log-probabilities, best first.

        ``meanwhile`` is called as soon as it is known which cores the photo is looked at with, and once more when
        they are free again: for something else to begin beside this.
        """
        memory = self.look(image, meanwhile)
        meanwhile()
        return self.tell(memory)

    def look(self, image: Image.Image, meanwhile: Callable[[], object] = _nothing) -> dict[str, np.ndarray]:
        """Return what the encoder makes of an RGB photo, by output name."""
        with widest(self._encoder, self._wide) as encoder:
            meanwhile()
            return encoder.run({"image": prepare(image, **self._normalisation)})

    def tell(self, memory: Mapping[str, np.ndarray]) -> list[tuple[str, float]]:
        """Return captions like ``captions`` of what ``look`` returned."""
        words = self._writer.words
        with self._writer.open(memory) as next_words:
            found = search(next_words, words)
        return [(to_text([words[i] for i in beam.ids[1:-1]]), beam.normalised) for beam in found]


def prepare(image: Image.Image, size: int, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Squash a photo to ``size`` x ``size`` pixels and normalise it: float32 (1, 3, size, size).

    Nothing is cropped: who stands at the edge must stay in the caption.
    """
    square = rgb(image).resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return to_batch([square], mean, std)


def search(next_words: NextWords, words: Sequence[str], *, style: int = PLAIN, beams: int = BEAMS) -> list[Beam]:
    """Find the likeliest captions by beam search, best first; each ends with ``END``.

    Special words are never produced, only function words come twice, never in a row, and no three words repeat.
    """
    alive, done = [Beam((style,), 0.0)], list[Beam]()
    for length in range(MAX_WORDS + 1):
        parents = np.array([beam.parent for beam in alive])
        likely, log_probs = next_words(np.array([beam.ids for beam in alive], np.int64), parents)
        grown = []
        for number, (beam, row, gained) in enumerate(zip(alive, likely.tolist(), log_probs.tolist(), strict=True)):
            if length == MAX_WORDS:  # it ends here, however unlikely that is
                row, gained = [END], [gained[row.index(END)] if END in row else gained[-1]]
            barred = {*range(PLAIN, UNKNOWN + 1), *forbidden(beam.ids, words)}
            if length < MIN_WORDS:
                barred.add(END)
            free = ((word, log_prob) for word, log_prob in zip(row, gained, strict=True) if word not in barred)
            grown += [Beam((*beam.ids, word), beam.score + more, number) for word, more in islice(free, beams)]
        grown.sort(key=lambda beam: beam.score, reverse=True)
        done += [beam for beam in grown[:beams] if beam.ids[-1] == END]
        alive = [beam for beam in grown if beam.ids[-1] != END][:beams]
        if len(done) >= beams or not alive:
            break
    return sorted(done, key=lambda beam: beam.normalised, reverse=True)[:beams]


def forbidden(ids: Sequence[int], words: Sequence[str]) -> list[int]:
    """Return ids that would repeat the last word, a run of three words or any word that says something."""
    said = [i for i in ids[1:] if words[i] not in FUNCTION_WORDS]
    pair = tuple(ids[-2:])
    return [*said, *ids[-1:], *(ids[i + 2] for i in range(len(ids) - 2) if tuple(ids[i : i + 2]) == pair)]


def to_text(words: Sequence[str]) -> str:
    """Join words into a caption: a comma takes no space before it."""
    return " ".join(words).replace(f" {COMMA}", COMMA).strip(f"{COMMA} ")
