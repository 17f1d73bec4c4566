"""Photos to measure with: those of the repository, matplotlib's portrait and, where it is, the validation set."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

from bot.demo import sample_photo
from bot.domain import BadInput, Scene

PORTRAIT = Path(__file__).parents[2] / "docs" / "screens" / "photos" / "portrait.jpg"  # the same as matplotlib's
PHONE = (4000, 3000)  # pixels of a 12 MP photo
SMALLEST, STEPS = 0.7, 6  # shares of a photo that variants keep
HUMANS = ("man", "woman", "boy", "girl", "person")


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo as somebody posts it: a name and the bytes of a JPEG."""

    name: str
    data: bytes


def candidates(data: Path, most: int) -> Iterator[Sample]:
    """Yield up to ``most`` different photos, those with one person first as far as somebody wrote that down."""
    near = [PORTRAIT] if PORTRAIT.is_file() else []
    with contextlib.suppress(BadInput):  # without matplotlib
        near = [sample_photo()]
    yield from (Sample(path.name, path.read_bytes()) for path in near)
    if (data / "photos" / "photos.csv").is_file():
        from models.data.photos import Photos

        photos = Photos(data / "photos")
        alone = [item for item in photos.items("val", captioned=True) if item.people.split(",")[0] in HUMANS]
        alone = [item for item in alone if ";" not in item.people]
        for item in alone[: most - len(near)]:
            yield Sample(item.file, encoded(photos.image(item.file)))


def choose(found: Sequence[tuple[Sample, Scene]], count: int) -> list[Sample]:
    """Return ``count`` photos in which one face was seen; crops of them stand in for what is missing.

    Without any such photo all that were found are taken.
    """
    alone = [sample for sample, scene in found if sum(person.box is not None for person in scene.people) == 1]
    alone = (alone or [sample for sample, _ in found])[:count]
    if not alone:
        raise BadInput("There is no photo to measure with; install the demo extra: pip install -e '.[demo]'.")
    more = variants(alone)
    return [*alone, *(next(more) for _ in range(count - len(alone)))]


def variants(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Yield photos cut closer and turned around, each a new one as far as the bot can tell; without end."""
    number = 0
    while True:
        for sample in samples:
            share = SMALLEST + (1 - SMALLEST) * (STEPS - number % STEPS) / (STEPS + 1)
            with Image.open(BytesIO(sample.data)) as opened:
                image = opened.convert("RGB")
            image = image.crop((0, 0, round(image.width * share), round(image.height * share)))
            image = ImageOps.mirror(image) if number % 2 == 0 else image
            yield Sample(f"{sample.name} cut to {share:.2f}", encoded(image))
        number += 1


def as_phone_photo(sample: Sample) -> Sample:
    """Return the photo as a phone would have taken it, with 12 megapixels."""
    with Image.open(BytesIO(sample.data)) as opened:
        image = opened.convert("RGB")
    size = PHONE if image.width >= image.height else PHONE[::-1]
    return Sample(f"{sample.name} at 12 MP", encoded(ImageOps.fit(image, size, Image.Resampling.BICUBIC)))


def encoded(image: Image.Image) -> bytes:
    """Return an image as a JPEG of good quality."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=92)
    return buffer.getvalue()
