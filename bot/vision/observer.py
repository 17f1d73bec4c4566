"""From a photo to one coherent Scene: a caption, and the people and animals who can speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np
from PIL import Image

from bot.domain import MAX_PEOPLE, NOBODY, Box, Face, FaceReading, Person, Scene, Where
from bot.runtime.timing import Stopwatch
from bot.vision.agreement import Seen, eyewear, fuse, match
from bot.vision.caption_people import Mention, people_in_caption, tokens_of
from bot.vision.clothes import garments_in_caption
from bot.vision.colours import Colours, name_colours
from bot.vision.face_reader import age_of, who_of
from bot.vision.looks import LOOKS, correct_looks, portrait_caption
from bot.vision.photo import Photo
from bot.vision.pixels import small_copy
from bot.vision.recolouring import recolour, without_guesses
from bot.vision.rewording import as_portrait, recount, reword, swap_glasses

# Of 203 photos without people that training never saw, the detector scores a place in 8 at 0.45 or more, in 1 at 0.6.
SURE_FACE = 0.45  # detection score from which a face speaks first and may outnumber the caption
SURE_HUMAN_FACE = 0.6  # needed when the caption names nobody human: teddy bears and posters have faces too
LEAST_READABLE = 16.0  # pixels of a face's height; of a smaller one the reader only guesses
LEAST_LOOKS = 32.0  # pixels of a face's height from which hair, beard and eyes can be told
# On single people of training photos, small faces read as senior below this probability were not in 9 of 10 cases
SMALL_FACE, SURE_SENIOR = 48.0, 0.5  # pixels of a face's height, probability of the age band
PORTRAIT, FILLED = 0.12, 0.4  # shares of the photo that a face takes: of what may be a portrait, of what must be one
COMPANY = 0.3  # of its area: a face that large beside it makes a photo more than a portrait
GREYNESS = 3.0  # mean |R - B|; below, a photo has no colours
IN_FRONT = 0.6  # of the largest face's height
FAR_FACE = 0.05  # of the photo's height; smaller faces are far away
SURE_GLASSES = 0.9  # probability from which a reading corrects the caption
MAX_READ = 2 * MAX_PEOPLE  # faces to read, the largest first


Found = tuple[list[Face], dict[Face, FaceReading]]  # all faces, the largest first, and what the sure ones show
Aside = Callable[[Callable[[], Found]], Callable[[], Found]]


class FaceFinder(Protocol):
    """Finds faces in an upright RGB photo, boxes in its pixels."""

    def detect(self, image: Image.Image) -> list[Face]:
        """Return the faces found."""


class Reader(Protocol):
    """Reads what faces show."""

    def read(self, image: Image.Image, faces: Sequence[Face]) -> list[FaceReading]:
        """Return one reading a face."""


class Describer(Protocol):
    """Describes a photo in one sentence."""

    def caption(self, image: Image.Image, meanwhile: Callable[[], object]) -> str:
        """Return a caption in lower case, without a full stop; ``meanwhile`` is called when a core may be free."""


class Observer:
    """Looks at photos with a face detector, a face reader and a captioner.

    ``aside`` may look for faces and read them while the caption is being written, see bot.runtime.spare.
    """

    def __init__(
        self, detector: FaceFinder, reader: Reader, captioner: Describer, *, aside: Aside | None = None
    ) -> None:
        self._detector, self._reader, self._captioner, self._aside = detector, reader, captioner, aside

    def look(self, photo: Photo, stopwatch: Stopwatch | None = None) -> Scene:
        """Return who is in the photo and what is going on, in words that do not contradict each other.

        Stages ``caption``, ``detect`` (faces found and the sure ones read; where that was done aside, what it takes
        longer than the caption) and ``read`` (doubtful faces that the caption makes credible, and colours) are timed.
        The first person is who speaks unless somebody chooses: the largest sure face, else an animal, else a person
        without a face, else nobody.
        """
        stopwatch = stopwatch or Stopwatch()
        with stopwatch("resize"):
            small, divisor = small_copy(photo.image)
        find: Callable[[], Found] = partial(self._find, photo.image, small, divisor)
        faces_of = find

        def begin() -> None:
            nonlocal faces_of
            if self._aside and faces_of is find:  # not begun yet, as no core was free
                faces_of = self._aside(find)

        with stopwatch("caption"):
            caption = as_portrait(self._captioner.caption(small, begin))
        with stopwatch("detect"):
            found, known = faces_of()
        mentions = people_in_caption(caption)
        faces = _credible(found, mentions)[:MAX_READ]
        with stopwatch("read"):
            unread = [face for face in faces if face not in known]
            known |= zip(unread, self._reader.read(photo.image, unread) if unread else (), strict=True)
            readings = [known[face] for face in faces]
            colours = _colours(photo.image, faces, caption)
        seen = [see(photo, *one) for one in zip(faces, readings, colours, strict=True)]
        return compose(_of_portrait(photo, caption, seen) or caption, seen)

    def _find(self, image: Image.Image, small: Image.Image, divisor: int) -> Found:
        """Return the faces in a photo, looked for in its small copy, and what the sure ones show."""
        faces = [enlarge(face, divisor) for face in self._detector.detect(small)]
        faces.sort(key=lambda face: face.box.area, reverse=True)
        sure = [face for face in faces if face.score >= SURE_FACE][:MAX_READ]
        return faces, dict(zip(sure, self._reader.read(image, sure) if sure else (), strict=True))


def enlarge(face: Face, times: int) -> Face:
    """Return a face in pixels of a photo so many times as large."""
    box = Box(*(times * value for value in (face.box.x, face.box.y, face.box.w, face.box.h)))
    return replace(face, box=box, landmarks=tuple((times * x, times * y) for x, y in face.landmarks))


def see(photo: Photo, face: Face, reading: FaceReading, colours: Colours | None = None) -> Seen:
    """Return a face as a person, by the face and the garment below; of a tiny one only the age is kept."""
    if face.box.h < LEAST_READABLE:
        reading = replace(reading, gender="unclear", expression="unclear", glasses="none", glasses_score=0.0)
    if face.box.h < SMALL_FACE and age_of(reading) == "senior" and reading.age_score < SURE_SENIOR:
        reading = replace(reading, age_band="50-59")  # of whom a caption may still say "older"
    if face.box.h < LEAST_LOOKS:
        reading = replace(reading, **dict.fromkeys(LOOKS, "unclear"))  # type: ignore[arg-type]
    box = photo.to_original(face.box)
    person = Person(
        who=who_of(reading),
        age=age_of(reading),
        expression=reading.expression,
        where=place(box, photo.width, photo.height),
        box=box,
        score=face.score,
        wears=eyewear(reading),
    )
    return Seen(person, reading, colours)


def place(box: Box, width: int, height: int) -> Where:
    """Return the third of the photo a face is in, or "far" for a small one."""
    if box.h < FAR_FACE * height:
        return "far"
    across = box.center[0] / width
    return "left" if across < 1 / 3 else "right" if across > 2 / 3 else "center"


def compose(caption: str, seen: Sequence[Seen]) -> Scene:
    """Join a caption and the faces seen, the largest first, into one Scene."""
    caption = recount(_without_wrong_glasses(caption, seen), _in_front(seen))
    caption = _with_true_looks(_with_true_colours(caption, seen), seen)
    mentions = people_in_caption(caption)
    matched = match(seen, mentions)
    people = [fuse(face, mention) for face, mention in zip(seen, matched, strict=True)]
    named = [(mention, person) for mention, person in zip(matched, people, strict=True) if mention]
    caption, renamed = reword(caption, mentions, named)
    faces = [sum(other is mention for other in matched) for mention in mentions]
    faceless = [m.person() for m, count in zip(renamed, faces, strict=True) for _ in range(_missing(m, count))]
    return Scene(caption, _in_order(people, faceless))


def _of_portrait(photo: Photo, caption: str, seen: Sequence[Seen]) -> str | None:
    """Return a caption by the face alone where one sure face fills the photo: the reader knows faces better.

    A face that takes less than FILLED of it needs the captioner's word that there is nothing else to tell.
    """
    areas = [face.person.box.area / (photo.width * photo.height) for face in seen if face.person.box]
    if not areas or seen[0].person.score < SURE_FACE or any(area > COMPANY * areas[0] for area in areas[1:]):
        return None
    if areas[0] < (PORTRAIT if "close portrait" in caption or "the face of" in caption else FILLED):
        return None
    small = np.asarray(photo.image.resize((32, 32)), float)
    grey = bool(np.abs(small[..., 0] - small[..., 2]).mean() < GREYNESS)
    return portrait_caption(seen[0].person, seen[0].reading, grey=grey)


def _in_front(seen: Sequence[Seen]) -> int:
    """Count the sure faces that are not much smaller than the largest: others may stand behind, unmentioned."""
    heights = [face.person.box.h for face in seen if face.person.box and face.person.score >= SURE_FACE]
    return sum(height >= IN_FRONT * max(heights) for height in heights)


def _credible(faces: Sequence[Face], mentions: Sequence[Mention]) -> list[Face]:
    """Drop faces that the caption makes unlikely: a dog's own, and doubtful ones nobody is named for."""
    human = [mention for mention in mentions if mention.human]
    if not human:
        return [face for face in faces if face.score >= SURE_HUMAN_FACE]
    sure = [face for face in faces if face.score >= SURE_FACE]
    doubtful = [face for face in faces if face.score < SURE_FACE]
    room = sum(mention.count for mention in human) - len(sure)
    return sure + doubtful[: max(0, room)]


def _missing(mention: Mention, faces: int) -> int:
    """Return how many of those a noun phrase names have no face; a group with faces is at least two."""
    wanted = mention.count if mention.exact or not faces else 2
    return max(0, wanted - faces)


def _without_wrong_glasses(caption: str, seen: Sequence[Seen]) -> str:
    """Correct the glasses a caption gives to a face that surely wears others, or none."""
    mentions = people_in_caption(caption)
    if not any(mention.wears for mention in mentions):
        return caption
    for face, mention in zip(seen, match(seen, mentions), strict=True):
        read = face.reading
        if mention and mention.wears not in ((), (read.glasses,)) and read.glasses_score >= SURE_GLASSES:
            return swap_glasses(caption, read.glasses)
    return caption


def _with_true_looks(caption: str, seen: Sequence[Seen]) -> str:
    """Correct hair, beard and smile of the only person a caption names, if that one has a face."""
    mentions = people_in_caption(caption)
    if [mention.count for mention in mentions if mention.human] != [1]:
        return caption
    faces = (face for face, mention in zip(seen, match(seen, mentions), strict=True) if mention)
    return next((correct_looks(caption, face.reading) for face in faces), caption)


def _colours(image: Image.Image, faces: Sequence[Face], caption: str) -> list[Colours | None]:
    """Return the colours below each of the largest faces, if the caption speaks of clothes at all."""
    words = [token.text for token in tokens_of(caption)]
    most = MAX_PEOPLE if garments_in_caption(words, people_in_caption(caption)) else 0
    return name_colours(image, [face.box for face in faces], most)


def _with_true_colours(caption: str, seen: Sequence[Seen]) -> str:
    """Correct the colours of what people with faces wear, and leave out those of others that are mostly wrong."""
    mentions = people_in_caption(caption)
    pairs = [(mention, face.colours) for mention, face in zip(match(seen, mentions), seen, strict=True) if mention]
    if any(colours for _, colours in pairs):
        caption = recolour(caption, mentions, pairs)
    return without_guesses(caption, [mentions.index(mention) for mention, colours in pairs if colours])


def _in_order(people: Sequence[Person], faceless: Sequence[Person]) -> tuple[Person, ...]:
    """Put who should speak first in front and keep MAX_PEOPLE, an animal among them if there is one."""
    animals = [person for person in faceless if person.who in {"dog", "cat", "animal"}]
    others = sorted((p for p in faceless if p not in animals), key=lambda person: person.where == "far")
    only_animals = bool(animals) and not others
    first = [p for p in people if p.score >= SURE_FACE and not (only_animals and p.where == "far")]
    rest = [p for p in people if p not in first]
    if len(first) >= MAX_PEOPLE and animals:
        first = first[: MAX_PEOPLE - 1]
    return tuple([*first, *animals, *rest, *others][:MAX_PEOPLE]) or (NOBODY,)
