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
from models.data.face_captions import describable, face_caption
from models.data.faces import read_pixels
from models.data.image_features import View, features
from models.data.photos import Photos

LEAST = 3  # a word seen less often is not learned
CONCEPTS, CONCEPT_LEAST = 900, 8
UNLABELLED_FACES = 1000
FACE_CAPTIONS = 4  # drawn a face
PHOTO_VIEWS = ((False, False), (True, False), (False, True), (True, True))  # (mirror, crop)
FACE_VIEWS = (False, True)  # in a wider frame
IGNORE = -100  # cross_entropy's mark for targets that teach nothing

Caption = tuple[int, list[str]]  # style word and words


@dataclass(frozen=True, slots=True)
class Sample:
    """One image: its captions, the first the one that counts most, and its (feature row, mirrored) views."""

    captions: tuple[Caption, ...]
    views: tuple[tuple[int, bool], ...]


class CaptionSet:
    """Training samples (photos, then faces) and held-out photos with their features.

    ``features`` is (rows, 320, g, g) float16, ``held_out`` the same for the validation photos, whose
    ``references`` are word lists in the order of their plain caption first.
    """

    def __init__(self, data: Path, size: int, threads: int) -> None:
        photos = Photos(data / "photos")
        items, held = photos.items("train", captioned=True), photos.items("val", captioned=True)
        faces = describable(data / "faces", unlabelled=UNLABELLED_FACES)
        dice = random.Random(1)
        captions = [photo_captions(item.captions, item.coco_caption) for item in items]
        captions += [tuple((PLAIN, face_caption(face, dice)) for _ in range(FACE_CAPTIONS)) for face in faces]
        text = coco_captions(data / "text")
        spoken = [words for some in captions for _, words in some]
        self.vocabulary = Vocabulary.count([*spoken, *text], LEAST)
        self.concepts = self.vocabulary.concepts(spoken, CONCEPTS, CONCEPT_LEAST)
        self.text = [words for words in text if all(word in self.vocabulary.ids for word in words)]
        self.held_files = [item.file for item in held]
        self.references = [[words_only(text) for text in (*item.captions, item.coco_caption) if text] for item in held]

        files = [item.file for item in items]
        views = [View(file, *kind) for kind in PHOTO_VIEWS for file in files]
        of_photos = features("photos-train", views, photos.image, size, threads)
        pixels = read_pixels(data / "faces", "train", faces)
        crops = {face.file: Image.fromarray(array) for face, array in zip(faces, pixels, strict=True)}
        face_views = [View(face.file, wide=wide) for wide in FACE_VIEWS for face in faces]
        of_faces = features("faces-train", face_views, crops.__getitem__, size, threads)
        self.held_out = features("photos-val", [View(f) for f in self.held_files], photos.image, size, threads)
        self.features = np.concatenate((of_photos, of_faces))
        self.photos, self.samples = len(items), list[Sample]()
        for i, some in enumerate(captions[: len(items)]):
            self.samples.append(Sample(some, view_rows(i, len(items), [mirror for mirror, _ in PHOTO_VIEWS])))
        for i, some in enumerate(captions[len(items) :]):
            self.samples.append(Sample(some, view_rows(len(views) + i, len(faces), [False] * len(FACE_VIEWS))))

    def concept_targets(self, captions: Sequence[Sequence[str]]) -> np.ndarray:
        """Return which concepts a group of captions names: (concepts,) float32 of 0 and 1."""
        said = {self.vocabulary.ids.get(word) for words in captions for word in words}
        return np.array([concept in said for concept in self.concepts], np.float32)

    def image_batch(self, photos: int, faces: int, dice: random.Random) -> tuple[list[int], Tensor, Tensor]:
        """Draw images with two captions each: feature rows, ids (2 * images, T) and targets alike."""
        drawn = dice.sample(range(self.photos), photos) + dice.sample(range(self.photos, len(self.samples)), faces)
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


def view_rows(first: int, step: int, mirrors: Sequence[bool]) -> tuple[tuple[int, bool], ...]:
    """Return (feature row, mirrored) of an image whose views lie ``step`` rows apart."""
    return tuple((first + n * step, mirror) for n, mirror in enumerate(mirrors))


def photo_captions(own: Sequence[str], coco: str) -> tuple[Caption, ...]:
    """Return (style, words) of a photo's captions, the plainest first."""
    plain, *more = own
    captions = [(PLAIN, to_words(plain)), *((DETAIL, to_words(text)) for text in more)]
    # COCO's are plainer than our second ones, so they are drawn twice as often
    return tuple(captions + [(COCO, to_words(coco))] * 2 * bool(coco))
