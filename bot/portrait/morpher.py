"""Let the face of a photo smile or age: the VAE says what changes, the photo keeps all the rest.

The decoder draws the face twice, as it is and after a walk along a direction of the latent space. Both are smooth;
their difference, laid over the photo with a soft edge, keeps its sharpness, its hair and what is behind it. What
differs over large areas is left out: faces of other ages were photographed in other light, and nobody's skin shall
become darker or lighter with age.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, pi

import numpy as np
from PIL import Image, ImageFilter

from bot.domain import BadInput, Face
from bot.locales import _
from bot.portrait.alignment import SIZE, align, transform_to_template
from bot.runtime.session import Session
from bot.vision.photo import Photo

# Each change and how far it goes along which directions, in units of the whole attribute
CHANGES: dict[str, dict[str, float]] = {
    "smile": {"smile": 2.1},
    "older": {"age": 3.0, "smile": -0.2},
    "younger": {"age": -2.0},
}
SIDE = 320  # pixels of the frames
ROOM = 2.0  # the frame's side in sides of the face's square
LEAST_FACE = 40  # pixels of the photo: smaller faces are too blurred to read anything from
STEPS = 10  # frames from neutral to changed
HELD, BETWEEN = 700, 60  # milliseconds of the first and the last frame, and of those between
BROAD = 32  # pixels of the face: what changes evenly over as much is light or skin, not shape
SOFT = 12  # pixels of the face over which the change fades out

TOO_SMALL = _("The face in that photo is too small to change; post one in which it is larger.")


class Morpher:
    """Changes faces with the models ``vae_encoder`` and ``vae_decoder``."""

    def __init__(self, encoder: Session, decoder: Session) -> None:
        self._encoder, self._decoder = encoder, decoder
        self._directions: list[str] = list(decoder.entry.labels["directions"])

    def morph(self, photo: Photo, face: Face, change: str) -> tuple[list[Image.Image], list[int]]:
        """Return the frames from a face as it is to one of CHANGES and back, and their milliseconds.

        The face's landmarks are in pixels of the photo's image. Raises BadInput when the face is too small.
        """
        if min(face.box.w, face.box.h) < LEAST_FACE:
            raise BadInput(TOO_SMALL)
        shown, landmarks = _surroundings(photo.image, face)
        changes = self.differences(align(np.asarray(shown), landmarks), change)
        over = _Overlay(landmarks, shown.size)
        frames = [shown, *(over.lay(shown, one) for one in changes)]
        order = [*range(STEPS + 1), *range(STEPS - 1, 0, -1)]
        milliseconds = [HELD if number in (0, STEPS) else BETWEEN for number in order]
        return [frames[number] for number in order], milliseconds

    def differences(self, aligned: np.ndarray, change: str) -> np.ndarray:
        """Return what ``STEPS`` growing changes add to an aligned face (128, 128, 3) uint8: (STEPS, 128, 128, 3).

        Values are of the photo's 0..255.
        """
        drawn = self.walk(aligned, change, [(1 - cos(pi * step / STEPS)) / 2 for step in range(STEPS + 1)])
        changes = drawn[1:] - drawn[:1]
        return changes - np.stack([_broad(change) for change in changes])

    def walk(self, aligned: np.ndarray, change: str, shares: Sequence[float]) -> np.ndarray:
        """Return the aligned face as the decoder draws it after each share of a change: (N, 128, 128, 3) in 0..255."""
        pixels = aligned.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        latent = self._encoder.run({"faces": pixels})["latent"]
        way = np.array([CHANGES[change].get(name, 0.0) for name in self._directions], np.float32)
        strengths = np.array(shares, np.float32)[:, None] * way
        feeds = {"latent": np.repeat(latent, len(shares), axis=0), "strengths": strengths}
        faces = self._decoder.run(feeds)["faces"].astype(np.float32)
        return (faces.transpose(0, 2, 3, 1) + 1) * 127.5


class _Overlay:
    """Lays a change of the aligned face over the picture it comes from."""

    def __init__(self, landmarks: Sequence[tuple[float, float]], size: tuple[int, int]) -> None:
        matrix, _ = transform_to_template(landmarks)
        self._place, self._size = tuple(float(value) for value in matrix.ravel()), size
        mask = Image.new("L", (SIZE, SIZE), 0)
        mask.paste(255, (SOFT, SOFT, SIZE - SOFT, SIZE - SOFT))
        soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(SOFT / 2)), np.float32) / 255
        self._soft = soft[..., None]

    def lay(self, picture: Image.Image, change: np.ndarray) -> Image.Image:
        """Return the RGB picture with a change (128, 128, 3) of its values added where the face is."""
        planes = [self._onto(Image.fromarray(plane)) for plane in (change * self._soft).transpose(2, 0, 1)]
        changed = np.asarray(picture, np.float32) + np.stack(planes, axis=2)
        return Image.fromarray(changed.clip(0, 255).round().astype(np.uint8))

    def _onto(self, plane: Image.Image) -> np.ndarray:
        turned = plane.transform(self._size, Image.Transform.AFFINE, self._place, Image.Resampling.BILINEAR)
        return np.asarray(turned)


def _broad(change: np.ndarray) -> np.ndarray:
    """Return what of a change (128, 128, 3) is the same over areas of BROAD pixels."""
    coarse, whole = (SIZE // BROAD, SIZE // BROAD), (SIZE, SIZE)
    planes = [Image.fromarray(plane) for plane in change.transpose(2, 0, 1)]
    smooth = [
        plane.resize(coarse, Image.Resampling.BOX).resize(whole, Image.Resampling.BICUBIC) for plane in planes
    ]  # fmt: skip
    return np.stack([np.asarray(plane) for plane in smooth], axis=2)


def _surroundings(image: Image.Image, face: Face) -> tuple[Image.Image, list[tuple[float, float]]]:
    """Return the square around a face, SIDE pixels wide, and the face's landmarks in it."""
    side = min(ROOM * max(face.box.w, face.box.h), *image.size)
    left, top = (
        min(max(middle - side / 2, 0), whole - side)
        for middle, whole in zip(face.box.center, image.size, strict=True)
    )  # fmt: skip
    area = (left, top, left + side, top + side)
    shown = image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=area)
    return shown, [((x - left) * SIDE / side, (y - top) * SIDE / side) for x, y in face.landmarks]
