"""The face reader: what age, presentation, expression and glasses a detected face shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from bot.domain import Age, Face, FaceReading, Failure, Who
from bot.runtime.session import Session
from bot.vision.face_labels import HEADS, REQUIRED
from bot.vision.pixels import crop_face, to_batch

AGE_OF_BAND: dict[str, Age] = {
    "0-2": "baby", "3-9": "child", "10-19": "teen",
    "20-29": "adult", "30-39": "adult", "40-49": "adult", "50-59": "adult",
    "60-69": "senior", "70+": "senior",
}  # fmt: skip
GROWN: dict[str, Who] = {"male": "man", "female": "woman", "unclear": "person"}
YOUNG: dict[str, Who] = {"male": "boy", "female": "girl", "unclear": "person"}


class FaceReader:
    """Reads faces with the bundle's ``face_reader`` model.

    The graph takes ``faces`` (B, 3, S, S), normalised RGB crops, and gives one tensor (B, labels) of
    calibrated probabilities a head. Labels, thresholds and the crop stand in the manifest.
    """

    def __init__(self, session: Session) -> None:
        """Take the model's labels from its manifest entry; raise Failure if a head is missing there."""
        about = session.entry
        known = [head for head in HEADS if head in about.labels and head in session.output_names]
        missing = [head for head in REQUIRED if head not in known]
        wanting = {"size", "mean", "std", "margin"} - set(about.normalisation)
        if missing or wanting:
            raise Failure(
                f"The face reader of this bundle lacks {', '.join([*missing, *sorted(wanting)])}; "
                "rebuild it with `python -m export face_reader`."
            )
        self._session = session
        self._labels: dict[str, list[str]] = {head: about.labels[head] for head in known}
        self._thresholds: dict[str, float] = about.labels.get("thresholds", {})
        self._normalisation = about.normalisation

    def read(self, image: Image.Image, faces: Sequence[Face]) -> list[FaceReading]:
        """Read every face of an upright RGB photo in one batch; boxes in its pixels, one reading a face."""
        if not faces:
            return []
        crop = self._normalisation
        crops = [crop_face(image, face.box, crop["size"], crop["margin"]) for face in faces]
        heads = self._session.run({"faces": to_batch(crops, crop["mean"], crop["std"])})
        return [self._reading({head: heads[head][i] for head in self._labels}) for i in range(len(faces))]

    def _reading(self, probabilities: dict[str, np.ndarray]) -> FaceReading:
        fields: dict[str, str | float] = {}
        for head, row in probabilities.items():
            best = int(row.argmax())
            score = float(row[best])
            sure = score >= self._thresholds.get(head, 0.0)
            name = head.removesuffix("_band")
            fields |= {head: self._labels[head][best] if sure else "unclear", f"{name}_score": score}
        return FaceReading(**fields)  # type: ignore[arg-type]


def age_of(reading: FaceReading) -> Age:
    """Return the domain's age of a reading: 0-2 baby, 3-9 child, 10-19 teen, 20-59 adult, 60+ senior."""
    return AGE_OF_BAND[reading.age_band]


def who_of(reading: FaceReading) -> Who:
    """Return who a reading is, as the corpus writes it: teens and younger are boys and girls.

    Babies are ``baby`` whatever the gender; without a clear gender everybody else is ``person``.
    """
    age = age_of(reading)
    if age == "baby":
        return "baby"
    return (YOUNG if age in ("child", "teen") else GROWN)[reading.gender]
