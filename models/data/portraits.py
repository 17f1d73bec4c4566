"""Portraits cut out of larger photos: who stands there and what they wear, from the photo's own caption.

The photo set shows people at work and play, the people who post photos show themselves from the waist
up. A crop around the only large face of a photo is such a picture. Its caption is the subject of the
photo's caption ("a man in glasses and a gray jacket") with what a portrait cannot show left out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.data.captions import to_words
from models.data.face_boxes import FaceBoxes
from models.data.image_features import Box
from models.data.photos import PhotoItem


def words_of(text: str) -> frozenset[str]:
    """Return the set of the words in a text."""
    return frozenset(text.split())


LEAST_FACE = 22.0  # pixels of a face's height
ALONE = 0.6  # another face has at most this share of its height
LONGEST = 12  # words of a subject
SUBJECTS = words_of("""
man woman boy girl child toddler baby kid lady guy player batter pitcher umpire skier surfer skateboarder
""")
VERBS = words_of("""
stands holds swings hits sits waits looks reaches stretches jumps runs serves rides throws bends watches walks
prepares poses follows skis plays leans leaps kicks raises crouches eats lunges talks takes rests flies smiles
slides wears dribbles lies carries tosses lifts touches cuts shows works does balances brushes turns bites hugs
winds steps bounces moves pulls types strides pushes faces leaves chases dives helps glides is twists waves drops
points climbs reads has sleeps makes grips bunts kneels drinks uses snowboards spreads pitches finishes controls
who that while as gets tries surfs skates skateboards puts stares laughs grins peeks speaks sings cooks
feeds pets pours spits flinches opens blows fixes cleans licks squats hangs floats spins celebrates yells adjusts
""")
BELOW = words_of("shorts pants jeans skirt shoes socks skates skis sneakers boots trousers leggings sandals")
MOODS = {"happy": ("smiles", "smiles in a portrait", "smiles at the camera"), "sad": ("looks serious",)}
PLAIN_FORMS = ("a portrait of {}", "{} in a portrait", "{} is seen from the chest up")


@dataclass(frozen=True, slots=True)
class Portrait:
    """A face in a photo (x, y, width, height in pixels) and the words of captions true of a crop around it."""

    file: str
    face: Box
    captions: tuple[list[str], ...]


def subject(caption: str) -> list[str]:
    """Return the words of a caption's subject as a portrait shows it; empty when it is no single person."""
    words = to_words(caption)
    end = next((i for i, word in enumerate(words) if word in VERBS), len(words))
    words = words[:end]
    if len(words) > LONGEST or words[:1] not in (["a"], ["an"]) or not SUBJECTS & set(words[:5]):
        return []
    for i, word in enumerate(words):
        if word in BELOW:  # back to where this garment begins
            cut = max((k for k in range(i) if words[k] in ("and", "in", "with", ",")), default=0)
            words = words[:cut]
            break
    return words if SUBJECTS & set(words) and len(words) > 2 else []


def portraits(items: Sequence[PhotoItem], boxes: Mapping[str, FaceBoxes], seed: int = 1) -> list[Portrait]:
    """Return the portraits that the photos ``items`` hold, four captions each."""
    dice, found = random.Random(seed), list[Portrait]()
    for item in items:
        faces = boxes[item.file]
        people = [who.split(", ") for who in item.people.split(" ; ")]
        near = [who for who in people if who[-1] != "far" and who[1] != "-"]
        who = subject(item.captions[0])
        if not who or len(near) != 1 or not faces.agreed.any():
            continue
        heights = faces.boxes[:, 3]
        best = int(heights.argmax())
        others = [height for i, height in enumerate(heights) if i != best]
        if heights[best] < LEAST_FACE or not faces.agreed[best] or max(others, default=0) > ALONE * heights[best]:
            continue
        text = " ".join(who)
        moods = MOODS.get(near[0][2], ()) if "smiling" not in who else ()
        forms = [f"{text} {mood}" for mood in moods]
        forms += [form.format(text) for form in PLAIN_FORMS]
        x, y, w, h = (float(value) for value in faces.boxes[best])
        found.append(Portrait(item.file, (x, y, w, h), tuple(to_words(dice.choice(forms)) for _ in range(4))))
    return found
