"""What the captioner trains on: photos and face crops with captions, their cached features, plain text."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from bot.vision.captioner import COCO, DETAIL, END, PLAIN, UNKNOWN
from models.data.caption_metrics import words_only
from models.data.captions import Vocabulary, coco_captions, mirrored, to_words
from models.data.face_boxes import face_boxes
from models.data.face_captions import describable, face_caption
from models.data.faces import read_pixels
from models.data.image_features import Features, View, features
from models.data.photos import Photos
from models.data.portraits import portraits

LEAST = 3  # a word seen less often is not learned
CONCEPTS, CONCEPT_LEAST = 900, 8
UNLABELLED_FACES = 1000
FACE_CAPTIONS = 4  # drawn a face
PHOTO_VIEWS, PORTRAIT_VIEWS = range(8), range(2, 6)
FACE_VIEWS = ((0, False), (3, True))  # (number, in a wider frame)
FOLDS = 2
IGNORE = -100  # cross_entropy's mark for targets that teach nothing

Caption = tuple[int, list[str]]  # style word and words


@dataclass(frozen=True, slots=True)
class Sample:
    """One image: its captions, the first the one that counts most, and its (feature row, mirrored) views."""

    captions: tuple[Caption, ...]
    views: tuple[tuple[int, bool], ...]


class CaptionSet:
    """Training samples (photos, then portraits, then faces) and held-out photos with their features.

    ``features`` holds every view of every sample; row 0 .. ``photos`` - 1 are the whole photos. ``held_out``
    are the validation photos, whose ``references`` are word lists in the order of their plain caption first.
    ``fold`` (samples,) says which half of the images a sample belongs to: a network tuned on the other
    half never saw it, nor any crop of it.
    """

    def __init__(self, data: Path, size: int, threads: int) -> None:
        photos = Photos(data / "photos")
        items, held = photos.items("train", captioned=True), photos.items("val", captioned=True)
        close = portraits(items, face_boxes(photos, data, threads=threads))
        faces = describable(data / "faces", unlabelled=UNLABELLED_FACES)
        dice = random.Random(1)
        captions = [photo_captions(item.captions, item.coco_caption) for item in items]
        captions += [tuple((PLAIN, words) for words in one.captions) for one in close]
        captions += [tuple((PLAIN, face_caption(face, dice)) for _ in range(FACE_CAPTIONS)) for face in faces]
        text = coco_captions(data / "text")
        spoken = [words for some in captions for _, words in some]
        self.vocabulary = Vocabulary.count([*spoken, *text], LEAST)
        self.concepts = self.vocabulary.concepts(spoken, CONCEPTS, CONCEPT_LEAST)
        self.text = [words for words in text if all(word in self.vocabulary.ids for word in words)]
        self.held_files = [item.file for item in held]
        self.references = [[words_only(text) for text in (*item.captions, item.coco_caption) if text] for item in held]
        self.photos, self.portraits, self.samples = len(items), len(close), list[Sample]()
        self.photo = photos.image

        pixels = read_pixels(data / "faces", "train", faces)
        crops = {face.file: Image.fromarray(array) for face, array in zip(faces, pixels, strict=True)}
        groups = [
            ("photos-train", [[View(item.file, n) for item in items] for n in PHOTO_VIEWS], photos.image),
            ("portraits-train", [[View(p.file, n, face=p.face) for p in close] for n in PORTRAIT_VIEWS], photos.image),
            ("faces-train", [[View(f.file, n, wide) for f in faces] for n, wide in FACE_VIEWS], crops.__getitem__),
        ]
        parts, first = list[Features](), 0
        for name, views, read in groups:
            parts.append(features(name, [view for some in views for view in some], read, size, threads))
            for i in range(len(views[0])):
                rows = view_rows(first + i, len(views[0]), [some[i].mirror for some in views])
                self.samples.append(Sample(captions[len(self.samples)], rows))
            first += len(parts[-1])
        self.features = Features(
            np.concatenate([part.deep for part in parts]), np.concatenate([part.low for part in parts])
        )
        self.held_out = features("photos-val", [View(file) for file in self.held_files], photos.image, size, threads)
        files = [item.file for item in items] + [one.file for one in close] + [face.file for face in faces]
        halves = {
            file: i % FOLDS for i, file in enumerate(random.Random(2).sample(sorted(set(files)), len(set(files))))
        }
        self.fold = np.array([halves[file] for file in files])

    def concept_targets(self, captions: Sequence[Sequence[str]]) -> np.ndarray:
        """Return which concepts a group of captions names: (concepts,) float32 of 0 and 1."""
        said = {self.vocabulary.ids.get(word) for words in captions for word in words}
        return np.array([concept in said for concept in self.concepts], np.float32)

    def held_out_targets(self) -> Tensor:
        """Return which concepts the references of each validation photo name (N, concepts)."""
        return torch.from_numpy(np.stack([self.concept_targets(references) for references in self.references]))

    def image_batch(
        self, photos: int, others: tuple[int, int], dice: random.Random
    ) -> tuple[list[int], Tensor, Tensor]:
        """Draw photos and other images (portraits, faces) with two captions each.

        Returns feature rows, ids (2 * images, T) and targets alike.
        """
        ends = (self.photos, self.photos + self.portraits, len(self.samples))
        groups = (range(ends[0]), range(ends[0], ends[1]), range(ends[1], ends[2]))
        drawn = [i for group, n in zip(groups, (photos, *others), strict=True) for i in dice.sample(group, n)]
        rows, captions = [], list[Caption]()
        for sample in (self.samples[i] for i in drawn):
            row, mirror = dice.choice(sample.views)
            rows.append(row)
            for style, words in (sample.captions[0], dice.choice(sample.captions[1:])):
                captions.append((style, mirrored(words) if mirror else words))
        return rows, *self.pack(captions)

    def text_batch(self, size: int, dice: random.Random) -> tuple[np.ndarray, Tensor, Tensor]:
        """Draw COCO captions: concepts named (size, concepts), ids (size, T) and targets."""
        drawn = dice.sample(self.text, size)
        named = np.stack([self.concept_targets([words]) for words in drawn])
        return named, *self.pack([(COCO, words) for words in drawn])

    def pack(self, captions: Sequence[Caption]) -> tuple[Tensor, Tensor]:
        """Return ids (B, T) and targets (B, T) of captions; unknown words and padding teach nothing."""
        encoded = [self.vocabulary.encode(words, style) for style, words in captions]
        length = max(map(len, encoded)) - 1
        ids, targets = torch.full((len(encoded), length), END), torch.full((len(encoded), length), IGNORE)
        for row, line in enumerate(encoded):
            ids[row, : len(line) - 1] = torch.tensor(line[:-1])
            targets[row, : len(line) - 1] = torch.tensor(line[1:])
        return ids, targets.masked_fill(targets == UNKNOWN, IGNORE)


def folds(files: Sequence[str]) -> np.ndarray:
    """Deal files out to the folds at random: the fold of each, the same for the same file."""
    known = sorted(set(files))
    order = random.Random(2).sample(known, len(known))
    fold = {file: i % FOLDS for i, file in enumerate(order)}
    return np.array([fold[file] for file in files])


def view_rows(first: int, step: int, mirrors: Sequence[bool]) -> tuple[tuple[int, bool], ...]:
    """Return (feature row, mirrored) of an image whose views lie ``step`` rows apart."""
    return tuple((first + n * step, mirror) for n, mirror in enumerate(mirrors))


def photo_captions(own: Sequence[str], coco: str) -> tuple[Caption, ...]:
    """Return (style, words) of a photo's captions, the plainest first."""
    plain, *more = own
    captions = [(PLAIN, to_words(plain)), *((DETAIL, to_words(text)) for text in more)]
    # COCO's are plainer than our second ones, so they are drawn twice as often
    return tuple(captions + [(COCO, to_words(coco))] * 2 * bool(coco))
