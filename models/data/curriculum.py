"""What the speaker reads when: endless streams of documents, mixed by shares that follow the progress."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from bot.domain import Scene, Turn
from bot.speech.prompt import SCENE, plain, reply_part, turns_part
from models.data.augment import shuffled_company, swapped
from models.data.corpus import Block
from models.data.expand import expand
from models.data.packing import Document, Encoder
from models.data.pairs import Pair

SWAPPED = 0.5  # share of authored blocks read with colours or garments swapped
KEPT_ANSWERS = (3, 5)  # numbers of follow-up answers whose window is read; with the last, they cover all
CAPTIONS = 8  # captions in one document
CHAT_TURNS = 8


def shares(progress: float) -> dict[str, float]:
    """Return the share of tokens of each source at ``progress`` (0..1).

    Language first, then mostly expanded pairs; the authored corpus comes again while the learning rate falls.
    """
    language = max(0.03, 0.35 - 1.5 * progress)
    authored = 0.22 if progress > 0.6 else max(0.12, 0.25 - progress)
    return {"language": language, "authored": authored, "expanded": 1 - language - authored}


def mixed(sources: Mapping[str, Iterator[Document]], progress: Callable[[], float]) -> Iterator[Document]:
    """Yield documents so that each source gets its share of tokens; the one furthest behind is next."""
    owed = dict.fromkeys(sources, 0.0)
    while True:
        name = max(owed, key=owed.__getitem__)
        document = next(sources[name])
        for source, share in shares(progress()).items():
            owed[source] += share * document.tokens
        owed[name] -= document.tokens
        yield document


def authored(blocks: Sequence[Block], encoder: Encoder, seed: int) -> Iterator[Document]:
    """Yield every block once an epoch in a new order, half of them with words swapped, endlessly."""
    rng = random.Random(seed)
    order = list(blocks)
    while True:
        rng.shuffle(order)
        for block in order:
            changed = swapped(block, rng) if rng.random() < SWAPPED else block
            pairs = essential(shuffled_company(changed, rng))
            rng.shuffle(pairs)
            yield encoder.document(pairs)


def essential(block: Block) -> list[Pair]:
    """Return the pairs whose texts hold every reply of a block with few repeats.

    A follow-up pair carries the replies before it, so the opening it starts from is left out, and of
    the answers only a few windows are kept.
    """
    last = len(block.answers)
    answers = [pair for number, pair in enumerate(block.answers, 1) if number in (*KEPT_ANSWERS, last)]
    spoken = {pair.turns[0].text for pair in answers}
    return [pair for pair in block.openings if pair.reply not in spoken] + answers


def expanded(scenes: Sequence[Scene], encoder: Encoder, seed: int) -> Iterator[Document]:
    """Yield the expanded pairs of one scene at a time, endlessly."""
    for _, pairs in groupby(expand(scenes, seed), key=lambda pair: pair.scene):
        yield encoder.document(list(pairs))


def language(
    conversations: Sequence[Sequence[str]],
    sketches: Sequence[str],
    captions: Sequence[str],
    encoder: Encoder,
    seed: int,
    longest: int,
) -> Iterator[Document]:
    """Yield chat as turns, character sketches as replies and captions as scenes, endlessly; all of it is learned."""
    rng = random.Random(seed)
    while True:
        kind = rng.random()
        if kind < 0.7:
            lines = rng.choice(conversations)
            start = rng.randrange(0, max(1, len(lines) - CHAT_TURNS + 1))
            part = lines[start : start + CHAT_TURNS]
            turns = [Turn("persona" if i % 2 else "user", line) for i, line in enumerate(part)]
            text = turns_part(turns)
        elif kind < 0.85:
            text = reply_part(rng.choice(sketches))
        else:
            text = "".join(f"{SCENE} {plain(rng.choice(captions))}" for _ in range(CAPTIONS))
        yield encoder.text(text, longest)
