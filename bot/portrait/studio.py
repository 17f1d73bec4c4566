"""Everything that portraits need, loaded when the first one is asked for: most bots never draw any."""

from __future__ import annotations

from functools import cached_property
from threading import Lock

import numpy as np

from bot.domain import BadInput, Box, Face
from bot.locales import _
from bot.portrait.artist import Artist
from bot.portrait.morpher import Morpher
from bot.portrait.pictures import Drawing, as_gif, drawing_of
from bot.portrait.wishes import Wish
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.boxes import iou
from bot.vision.detector import FaceDetector
from bot.vision.observer import enlarge
from bot.vision.photo import Photo
from bot.vision.pixels import small_copy

LEAST_SCORE = 0.75  # of a detection: below it are dogs and oranges, to which a smile does something gruesome

SAME_FACE = 0.3  # overlap (IoU) of a box with the face it means

NO_FACE = _("I find no face of a person in that photo; post one that shows it from the front.")


class Studio:
    """Draws characters and changes faces. Safe to call from several threads."""

    def __init__(
        self, bundle: Bundle, detector: FaceDetector | None = None, *, provider: str = "auto", threads: int = 0
    ) -> None:
        """Take the bundle's models when they are needed, also the detector unless it is there already."""
        self._bundle, self._provider, self._threads = bundle, provider, threads
        if detector:
            self._detector = detector
        self._loading = Lock()

    def draw(self, wish: Wish, seed: int) -> Drawing:
        """Return the drawn face of a wish and a seed."""
        return drawing_of(self.artist.draw(wish, seed))

    def morph(self, photo: Photo, change: str, face: Face) -> bytes:
        """Return a GIF in which a face of a photo changes and changes back; raise BadInput when it is too small."""
        return as_gif(*self.morpher.morph(photo, face, change))

    def face(self, photo: Photo, number: int = 0) -> Face:
        """Return face ``number`` of a photo, the largest first; raise BadInput when there is no such face."""
        faces = self.faces(photo)
        if not faces:
            raise BadInput(NO_FACE)
        if not 0 <= number < len(faces):
            raise BadInput("There is no face {number} in that photo; choose 1 to {last}.",
                           number=number + 1, last=len(faces))  # fmt: skip
        return faces[number]

    def face_in(self, photo: Photo, box: Box) -> Face:
        """Return the face in a box of pixels of the original photo; raise BadInput when none is surely there."""
        faces = self.faces(photo)
        boxes = np.array([photo.to_original(face.box).as_list() for face in faces]).reshape(-1, 4)
        shared = iou(boxes, np.array([box.as_list()]))[:, 0]
        if not faces or shared.max() < SAME_FACE:
            raise BadInput(NO_FACE)
        return faces[int(shared.argmax())]

    def faces(self, photo: Photo) -> list[Face]:
        """Return the faces of a photo in pixels of its image that are surely a person's, the largest first."""
        small, divisor = small_copy(photo.image)
        faces = [enlarge(face, divisor) for face in self._detector.detect(small) if face.score >= LEAST_SCORE]
        return sorted(faces, key=lambda face: face.box.area, reverse=True)

    @property
    def artist(self) -> Artist:
        """Who draws."""
        with self._loading:
            return self._artist

    @property
    def morpher(self) -> Morpher:
        """Who changes faces."""
        with self._loading:
            return self._morpher

    @cached_property
    def _detector(self) -> FaceDetector:
        return FaceDetector(self._load("face_detector"))

    @cached_property
    def _artist(self) -> Artist:
        return Artist(self._load("gan"), critic=self._load("face_reader"))

    @cached_property
    def _morpher(self) -> Morpher:
        return Morpher(self._load("vae_encoder"), self._load("vae_decoder"))

    def _load(self, name: str) -> Session:
        return Session(self._bundle.model(name), provider=self._provider, threads=self._threads)
