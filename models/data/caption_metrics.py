"""BLEU-4 and CIDEr-D of captions, the two figures captioners are compared by.

Both take one candidate and several references an image, as word lists without punctuation.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

Words = Sequence[str]
Grams = Counter[tuple[str, ...]]
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


def cider_d(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> list[float]:
    """Return CIDEr-D of every candidate in 0..10 (Vedantam et al. 2015, arXiv:1411.5726, section 6).

    Document frequencies come from ``references``, so figures compare only on the same photos.
    """
    frequency: Grams = Counter()
    for refs in references:
        frequency.update({gram for ref in refs for order in ORDERS for gram in grams(ref, order)})
    documents = math.log(len(references))

    def weigh(words: Words, order: int) -> dict[tuple[str, ...], float]:
        counts = grams(words, order)
        return {gram: n * (documents - math.log(max(1, frequency[gram]))) for gram, n in counts.items()}

    def similarity(candidate: Words, ref: Words, order: int) -> float:
        ours, theirs = weigh(candidate, order), weigh(ref, order)
        norm = math.hypot(*ours.values()) * math.hypot(*theirs.values())
        # clipping keeps a repeated n-gram from scoring twice
        dot = sum(min(value, theirs.get(gram, 0.0)) * theirs.get(gram, 0.0) for gram, value in ours.items())
        return dot / norm if norm else 0.0

    scores = []
    for candidate, refs in zip(candidates, references, strict=True):
        total = 0.0
        for ref in refs:
            penalty = math.exp(-((len(candidate) - len(ref)) ** 2) / (2 * SIGMA**2))
            total += penalty * sum(similarity(candidate, ref, order) for order in ORDERS) / len(ORDERS)
        scores.append(10 * total / len(refs))
    return scores
