"""Photo -> one plain caption in the corpus' style, by two ONNX graphs and a small beam search.

``captioner_encoder`` sees the photo once and returns the decoder's cross-attention keys and values;
``captioner_decoder`` turns the last word into scores for the next one, with keys and values of the earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from bot.runtime.session import Session
from bot.vision.pixels import rgb, to_batch

# Ids 0..4 of every vocabulary. A caption starts with the word of its style; the bot asks for PLAIN.
END, PLAIN, DETAIL, COCO, UNKNOWN = range(5)
SPECIALS = ("<end>", "<plain>", "<detail>", "<coco>", "<unknown>")
COMMA = ","
MAX_WORDS = 22  # commas included
MIN_WORDS = 5
BEAMS = 4
LENGTH_POWER = 0.8  # Wu et al. 2016 (arXiv:1609.08144) divide by length to such a power

# Words a caption may say twice; one that repeats another ("a cap and a cap") is never right.
_FUNCTION_WORDS = """
a an the of in on at with and is are to by from his her its their for it that this there as while who which one
into up over out off down very be has have near next behind front under above beside against through some other
another each several them him he she they all both had was were or not being along around across between toward
towards past about onto inside outside after before like so few during what how where
"""
FUNCTION_WORDS = frozenset({COMMA, *_FUNCTION_WORDS.split()})

NextScores = Callable[[np.ndarray, np.ndarray], np.ndarray]


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


class Captioner:
    """Describes a photo in one sentence; safe to call from several threads."""

    def __init__(self, encoder: Session, decoder: Session) -> None:
        """Take the two sessions; the decoder's labels carry the words, the encoder's entry the normalisation."""
        self._encoder, self._decoder = encoder, decoder
        self._words: list[str] = decoder.entry.labels["words"]
        self._normalisation = encoder.entry.normalisation
        layers, two, _, heads, _, width = decoder.input_shapes["past"]
        self._no_past = np.zeros((layers, two, 1, heads, 0, width), np.float32)

    def caption(self, image: Image.Image) -> str:
        """Return the best caption of an RGB photo: lower case, no full stop."""
        return self.captions(image)[0][0]

    def captions(self, image: Image.Image) -> list[tuple[str, float]]:
        """Return up to ``BEAMS`` captions with their length-normalised log-probabilities, best first."""
        return self.tell(self.look(image))

    def look(self, image: Image.Image) -> dict[str, np.ndarray]:
        """Return what the encoder makes of an RGB photo, by output name."""
        return self._encoder.run({"image": prepare(image, **self._normalisation)})

    def tell(self, memory: Mapping[str, np.ndarray]) -> list[tuple[str, float]]:
        """Return captions like ``captions`` of what ``look`` returned."""
        heard: dict[str, np.ndarray] = {}

        def next_scores(ids: np.ndarray, parents: np.ndarray) -> np.ndarray:
            past = heard["present"][:, :, parents] if heard else self._no_past
            heard.update(self._decoder.run({"ids": ids[:, -1:], "past": past, **memory}))
            return heard["scores"]

        return [
            (to_text([self._words[i] for i in beam.ids[1:-1]]), beam.normalised)
            for beam in search(next_scores, self._words)
        ]


def prepare(image: Image.Image, size: int, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """Squash a photo to ``size`` x ``size`` pixels and normalise it: float32 (1, 3, size, size).

    Nothing is cropped: who stands at the edge must stay in the caption.
    """
    square = rgb(image).resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return to_batch([square], mean, std)


def search(next_scores: NextScores, words: Sequence[str], *, style: int = PLAIN, beams: int = BEAMS) -> list[Beam]:
    """Find the likeliest captions by beam search, best first; each ends with ``END``.

    ``next_scores`` maps ids (B, T) int64 to logits (B, words) float32 of the next word; its second argument
    (B,) says which row of the call before each caption has grown from. Special words are never produced,
    only function words come twice, never in a row, and no three words repeat.
    """
    alive, done = [Beam((style,), 0.0)], list[Beam]()
    for length in range(MAX_WORDS + 1):
        parents = np.array([beam.parent for beam in alive])
        scores = next_scores(np.array([beam.ids for beam in alive], np.int64), parents)
        sums = log_sums(scores)  # before anything is barred
        scores[:, PLAIN : UNKNOWN + 1] = -np.inf
        if length < MIN_WORDS:
            scores[:, END] = -np.inf
        elif length == MAX_WORDS:
            scores[:, END + 1 :] = -np.inf
        grown = []
        for beam, row in zip(alive, scores, strict=True):
            row[forbidden(beam.ids, words)] = -np.inf
        likely = np.argpartition(-scores, beams)[:, :beams]
        gained = np.take_along_axis(scores, likely, axis=1) - sums[:, None]
        for number, (beam, *row) in enumerate(zip(alive, likely.tolist(), gained.tolist(), strict=True)):
            for word, log_prob in zip(*row, strict=True):
                if log_prob > -np.inf:
                    grown.append(Beam((*beam.ids, word), beam.score + log_prob, number))
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


def log_sums(scores: np.ndarray) -> np.ndarray:
    """Return what to take from each row of scores (B, words) for log-probabilities, (B,)."""
    largest = scores.max(-1)
    return np.asarray(largest + np.log(np.exp(scores - largest[:, None]).sum(-1)))


def to_text(words: Sequence[str]) -> str:
    """Join words into a caption: a comma takes no space before it."""
    return " ".join(words).replace(f" {COMMA}", COMMA).strip(f"{COMMA} ")
