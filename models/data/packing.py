"""Pack training text into rows so that every scene is read once however many replies it has.

A document is a trunk (the scene, or plain text) and branches that continue it (voice, turns, reply).
In a row the branches of a document follow each other, but each sees only the trunk and itself and
counts its positions from the trunk's end: exactly what the speaker sees when it serves one prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from bot.speech.facts import read_facts
from bot.speech.filling import unfill
from bot.speech.prompt import END, REPLY, recent, reply_part, scene_part, turns_part, voice_part
from models.data.pairs import Pair

IGNORED = -100  # target of positions without loss, as F.cross_entropy wants it


@dataclass(frozen=True, slots=True)
class Piece:
    """Token ids, and for each whether predicting it is trained."""

    ids: np.ndarray
    learned: np.ndarray


@dataclass(frozen=True, slots=True)
class Document:
    """A trunk and the branches that continue it, each by itself."""

    trunk: Piece
    branches: tuple[Piece, ...] = ()

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return len(self.trunk.ids) + sum(len(branch.ids) for branch in self.branches)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows for Speaker.forward: ids, positions, targets (B, T) int64 and mask (B, 1, T, T) bool."""

    ids: Tensor
    positions: Tensor
    targets: Tensor
    mask: Tensor


class Encoder:
    """Turns pairs and plain text into documents with the prompt format of the bot."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._reply, self._end = tokenizer.token_to_id(REPLY), tokenizer.token_to_id(END)

    def ids(self, text: str) -> np.ndarray:
        """Return the token ids (T,) int64 of ``text``."""
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, dtype=np.int64)

    def document(self, pairs: Sequence[Pair]) -> Document:
        """Return the document of pairs that share one scene; what the persona says is learned, nothing else."""
        trunk = self.ids(scene_part(pairs[0].scene))
        return Document(Piece(trunk, np.zeros(len(trunk), bool)), tuple(self._branch(pair) for pair in pairs))

    def text(self, text: str, longest: int) -> Document:
        """Return plain text as a document of at most ``longest`` tokens, all learned but the first."""
        ids = self.ids(text)[:longest]
        return Document(Piece(ids, np.arange(len(ids)) > 0))

    def _branch(self, pair: Pair) -> Piece:
        facts = read_facts(pair.scene)
        reply = reply_part(pair.form or unfill(pair.reply, facts))
        text = voice_part(pair.voice, pair.traits) + turns_part(recent(pair.turns), facts) + reply
        ids = self.ids(text)
        opened, closed = np.cumsum(ids == self._reply), np.cumsum(ids == self._end)
        return Piece(ids, ((opened > closed) | (ids == self._end)) & (ids != self._reply))


class Row:
    """One sequence being filled."""

    def __init__(self, length: int) -> None:
        self.ids = np.zeros(length, np.int64)
        self.positions = np.zeros(length, np.int64)
        self.targets = np.full(length, IGNORED, np.int64)
        self.document = np.full(length, -1, np.int64)
        self.branch = np.zeros(length, np.int64)
        self.used = 0
        self._documents = 0

    @property
    def room(self) -> int:
        """Free positions."""
        return len(self.ids) - self.used

    def add(self, document: Document) -> Document | None:
        """Place as many branches as fit; return the document of the rest, or None when all are placed."""
        if len(document.trunk.ids) + (len(document.branches[0].ids) if document.branches else 0) > self.room:
            return document
        self._documents += 1
        self._place(document.trunk, 0, 0)
        for number, branch in enumerate(document.branches, 1):
            if len(branch.ids) > self.room:
                return Document(document.trunk, document.branches[number - 1 :])
            self._place(branch, number, len(document.trunk.ids))
        return None

    def _place(self, piece: Piece, branch: int, offset: int) -> None:
        start, end = self.used, self.used + len(piece.ids)
        self.ids[start:end] = piece.ids
        self.positions[start:end] = offset + np.arange(end - start)
        self.targets[start : end - 1] = np.where(piece.learned[1:], piece.ids[1:], IGNORED)
        self.document[start:end] = self._documents
        self.branch[start:end] = branch
        self.used = end


def pack(documents: Iterable[Document], rows: int, length: int) -> Iterator[Batch]:
    """Yield batches of ``rows`` rows of ``length`` tokens; the last one may have fewer.

    Branches too long to stand behind their trunk in an empty row are dropped.
    """
    full: list[Row] = []
    row = Row(length)
    for document in documents:
        room = length - len(document.trunk.ids)
        fitting = tuple(branch for branch in document.branches if len(branch.ids) <= room)
        if room < 0 or (document.branches and not fitting):
            continue
        rest = row.add(Document(document.trunk, fitting))
        while rest is not None:
            full.append(row)
            row = Row(length)
            if len(full) == rows:
                yield collate(full)
                full = []
            rest = row.add(rest)
    full += [row] if row.used else []
    if full:
        yield collate(full)


def collate(rows: Sequence[Row]) -> Batch:
    """Return rows as one batch; a position sees its own branch and its document's trunk up to itself."""
    document = torch.from_numpy(np.stack([row.document for row in rows]))  # (B, T)
    branch = torch.from_numpy(np.stack([row.branch for row in rows]))
    seen, seeing = branch[:, None, :], branch[:, :, None]
    mask = (document[:, :, None] == document[:, None, :]) & ((seen == 0) | (seen == seeing))
    mask = mask.tril()  # padding is a document of its own, so every row of the mask sees something
    ids, positions, targets = (
        torch.from_numpy(np.stack([getattr(row, name) for row in rows])) for name in ("ids", "positions", "targets")
    )
    return Batch(ids, positions, targets, mask[:, None])
