"""BLEU-4 and CIDEr-D of captions, the two figures captioners are compared by.

Both take one candidate and several references an image, as word lists without punctuation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

Words = Sequence[str]
Grams = Counter[tuple[str, ...]]
Weights = dict[tuple[str, ...], float]
Weighed = list[tuple[Weights, float]]  # an n-gram order each, with its norm
ORDERS = (1, 2, 3, 4)
SIGMA = 6.0  # words; width of CIDEr-D's length penalty


def words_only(caption: str) -> list[str]:
    """Return the lower-case words of a caption, punctuation dropped: the form both metrics count."""
    kept = "".join(letter if letter.isalnum() or letter in "-' " else " " for letter in caption.lower())
    return kept.split()


def grams(words: Words, order: int) -> Grams:
    """Count the n-grams of ``order`` words."""
    return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))


def bleu4(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """Return corpus BLEU-4 in 0..1 (Papineni et al. 2002): clipped precisions, closest reference length."""
    matched, total = Counter[int](), Counter[int]()
    length = wanted = 0
    for candidate, refs in zip(candidates, references, strict=True):
        length += len(candidate)
        wanted += min((abs(len(ref) - len(candidate)), len(ref)) for ref in refs)[1]
        for order in ORDERS:
            most: Grams = Counter()
            for ref in refs:
                most |= grams(ref, order)
            counts = grams(candidate, order)
            matched[order] += (counts & most).total()
            total[order] += counts.total()
    if not all(matched[order] for order in ORDERS):
        return 0.0
    precision = sum(math.log(matched[order] / total[order]) for order in ORDERS) / len(ORDERS)
    return math.exp(min(0.0, 1 - wanted / length) + precision)


class CiderD:
    """CIDEr-D (Vedantam et al. 2015, arXiv:1411.5726, section 6) with the document frequencies of some references."""

    def __init__(self, documents: Iterable[Sequence[Words]]) -> None:
        """Count in how many documents (the references of one image each) every n-gram occurs."""
        self._frequency: Grams = Counter()
        documents = list(documents)
        for refs in documents:
            self._frequency.update({gram for ref in refs for order in ORDERS for gram in grams(ref, order)})
        self._documents = math.log(len(documents))
        self._references: dict[tuple[str, ...], Weighed] = {}

    def score(self, candidate: Words, references: Sequence[Words]) -> float:
        """Return the mean CIDEr-D of a candidate to its references, 0..10."""
        ours, total = self._weigh(candidate), 0.0
        for ref in references:
            key = tuple(ref)
            if key not in self._references:
                self._references[key] = self._weigh(ref)
            penalty = math.exp(-((len(candidate) - len(ref)) ** 2) / (2 * SIGMA**2))
            pairs = zip(ours, self._references[key], strict=True)
            total += penalty * sum(similarity(mine, theirs) for mine, theirs in pairs) / len(ORDERS)
        return 10 * total / len(references)

    def _weigh(self, words: Words) -> Weighed:
        weighed = []
        for order in ORDERS:
            counts = grams(words, order).items()
            weights = {gram: n * (self._documents - math.log(max(1, self._frequency[gram]))) for gram, n in counts}
            weighed.append((weights, math.hypot(*weights.values())))
        return weighed


def similarity(ours: tuple[Weights, float], theirs: tuple[Weights, float]) -> float:
    """Return the clipped cosine of two weighed n-gram counts: a repeated n-gram does not score twice."""
    norm, other = ours[1] * theirs[1], theirs[0]
    dot = sum(min(weight, other[gram]) * other[gram] for gram, weight in ours[0].items() if gram in other)
    return dot / norm if norm else 0.0


def cider_d(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """Return CIDEr-D of every candidate in 0..10.

    Document frequencies come from ``references``, so figures compare only on the same photos.
    """
    scorer = CiderD(references)
    return [scorer.score(candidate, refs) for candidate, refs in zip(candidates, references, strict=True)]
