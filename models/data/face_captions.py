"""Captions for close face crops, composed from labels: the photo set has few portraits, but people post selfies."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from models.data.captions import to_words
from models.data.faces import GREY, FaceLabels, FaceRow, read_faces

SHARP = 60.0  # variance of the Laplacian; below, a face is too blurred to describe


def describable(folder: Path, *, unlabelled: int, seed: int = 1) -> list[FaceRow]:
    """Return the training faces labelled by eye and ``unlabelled`` sharp frontal ones, by age and gender alone."""
    rows = read_faces(folder, "train")
    sharp = [row for row in rows if row.labels is None and row.frontal and row.sharpness > SHARP]
    return [row for row in rows if row.labels] + random.Random(seed).sample(sharp, min(unlabelled, len(sharp)))


SUBJECTS: dict[str, dict[str, tuple[str, ...]]] = {
    "0-2": {"male": ("a baby", "a baby", "a baby boy"), "female": ("a baby", "a baby", "a baby girl")},
    "3-9": {"male": ("a little boy", "a young boy", "a small boy"), "female": ("a little girl", "a young girl")},
    "10-19": {
        "male": ("a boy", "a teenage boy", "a young man"),
        "female": ("a girl", "a teenage girl", "a young woman"),
    },
    "20-29": {"male": ("a young man", "a man"), "female": ("a young woman", "a woman")},
    "30-39": {"male": ("a man",), "female": ("a woman",)},
    "40-49": {"male": ("a man",), "female": ("a woman",)},
    "50-59": {"male": ("an older man", "a middle-aged man"), "female": ("an older woman", "a middle-aged woman")},
    "60-69": {"male": ("an older man", "an elderly man"), "female": ("an older woman", "an elderly woman")},
    "70+": {"male": ("an old man", "an elderly man"), "female": ("an old woman", "an elderly woman")},
}
ACTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # weak, strong
    "happy": (("smiles at the camera", "smiles", "smiles gently"), ("smiles broadly", "laughs with an open mouth")),
    "neutral": (("looks at the camera", "looks straight ahead", "has a calm face"),) * 2,
    "sad": (("looks serious", "has a sad look"), ("looks sad", "looks ready to cry")),
    "angry": (("frowns", "has a stern look"), ("looks angry", "frowns angrily")),
    "surprised": (("looks surprised",), ("looks surprised with wide eyes",)),
    "disgusted": (("makes a face",), ("makes a disgusted face",)),
    "scared": (("looks worried",), ("looks scared",)),
}
NOTED: dict[str, str] = {
    "looking down": "looks down", "looking up": "looks up", "looking sideways": "looks to the side",
    "talking": "talks", "at microphone": "speaks into a microphone", "tongue out": "sticks out a tongue",
    "eating": "eats", "hand at mouth": "holds a hand to the mouth", "laughing": "laughs",
}  # fmt: skip


def face_caption(face: FaceRow, dice: random.Random) -> list[str]:
    """Return the words of one of many captions that are true of a face crop."""
    photo = "a close black and white portrait" if face.colour < GREY else "a close portrait"
    subject = dice.choice(SUBJECTS[face.age_band][face.gender])
    labels = face.labels
    if labels is None:
        # unlabelled ones are frontal by choice
        forms = [f"{subject} looks at the camera in {photo}", f"{photo} of {subject} who faces the camera"]
        return to_words(dice.choice(forms))
    if labels.note == "baby":
        subject = "a baby"
    elif "toddler" in labels.note:
        subject = dice.choice(("a toddler", "a small child"))
    traits = face_traits(labels)
    dice.shuffle(traits)
    traits = traits[: dice.choice((1, 2, 2, 3))]
    who = subject + (f" with {_listed(traits)}" if traits else "")
    action = face_action(labels, dice)
    forms = [
        f"{who} {action} in {photo}",
        f"{photo} of {who} who {action}",
        f"the face of {who} who {action} fills the picture",
    ]
    return to_words(dice.choices(forms, weights=(6, 3, 1))[0])


def face_traits(face: FaceLabels) -> list[str]:
    """Return what a face has or wears, as noun phrases."""
    known = face.hair_colour in ("black", "brown", "grey", "white", "blond", "red")
    colour = {"black": "dark"}.get(face.hair_colour, face.hair_colour) if known else ""
    traits = [face.glasses] if face.glasses != "none" else []
    if face.facial_hair == "stubble":
        traits.append("stubble")
    elif face.facial_hair != "none":
        shade = f"{colour} " if colour in ("grey", "white") else ""
        traits.append(f"a {shade}{face.facial_hair}")
    if face.headwear not in ("none", "other"):
        traits.append(f"a {face.headwear}" + (" around the head" if face.headwear == "scarf" else ""))
    if face.hair_length == "bald":
        traits.append("a bald head")
    elif face.hair_length in ("short", "medium", "long") and colour and face.note != "baby":
        traits.append(f"{colour} hair" if face.hair_length == "medium" else f"{face.hair_length} {colour} hair")
    if face.eyes == "closed" and "blurred" not in face.note:
        traits.append("closed eyes")
    return traits


def face_action(face: FaceLabels, dice: random.Random) -> str:
    """Return what a face does, in the present tense."""
    for note, action in NOTED.items():
        if note in face.note and dice.random() < 0.7:
            return action
    if "profile" in face.note and dice.random() < 0.6:
        return "is seen from the side"
    weak, strong = ACTIONS[face.expression]
    return dice.choice(strong if face.strength > 1 else weak)


def _listed(things: Sequence[str]) -> str:
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
