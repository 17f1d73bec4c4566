"""The nouns of Talking Photos: plain frozen values, no I/O, no framework.

Everything that flows through the bot is one of these. Boxes are in pixels of the upright photo,
scores and probabilities in 0..1, times in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

Who = Literal["man", "woman", "boy", "girl", "baby", "person", "dog", "cat", "animal", "nobody"]
Age = Literal["baby", "child", "teen", "adult", "senior", "-"]
Expression = Literal["happy", "neutral", "sad", "surprised", "angry", "scared", "disgusted", "unclear", "-"]
Where = Literal["left", "center", "right", "far", "-"]
Source = Literal["generated", "framed", "recalled", "fallback"]
Role = Literal["user", "persona"]

WHO: tuple[Who, ...] = get_args(Who)
AGES: tuple[Age, ...] = get_args(Age)
EXPRESSIONS: tuple[Expression, ...] = get_args(Expression)
WHERES: tuple[Where, ...] = get_args(Where)
ANIMALS: frozenset[str] = frozenset({"dog", "cat", "animal"})

VOICES: tuple[str, ...] = (
    "self", "pirate", "detective", "bard", "knight", "cowboy", "wizard", "vampire",
    "robot", "alien", "commentator", "naturalist", "grandma", "teen", "surfer", "sergeant",
    "queen", "butler", "philosopher", "poet", "coach", "villain", "conspiracist", "comedian",
)  # fmt: skip
TRAITS: tuple[str, ...] = (
    "cheerful", "grumpy", "sarcastic", "shy", "dramatic", "romantic", "nervous", "boastful", "sleepy",
    "hungry", "wise", "clueless", "competitive", "sentimental", "suspicious", "polite", "rebellious", "curious",
)  # fmt: skip

MAX_PEOPLE = 4
MAX_TRAITS = 3


class BadInput(ValueError):
    """Something a person gave cannot be used; the message is one sentence that says what to do.

    ``template`` is the English sentence with ``{names}`` of ``values`` in it, by which it can be translated
    (bot/locales.py); without values it is taken as it stands.
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template.format(**values) if values else template)
        self.template, self.values = template, values


class Failure(RuntimeError):
    """Something of ours is missing or broken; the message is one sentence that names the mend."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright photo: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return self.w * self.h

    @property
    def center(self) -> tuple[float, float]:
        """Middle point (x, y) in pixels."""
        return self.x + self.w / 2, self.y + self.h / 2

    def as_list(self) -> list[float]:
        """Return [x, y, w, h] rounded to a tenth of a pixel."""
        return [round(value, 1) for value in (self.x, self.y, self.w, self.h)]


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face: box, detection score and five landmarks.

    Landmarks are (x, y) pixels in the order right eye, left eye, nose tip, right and left mouth
    corner, where right and left are the person's own.
    """

    box: Box
    score: float
    landmarks: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class FaceReading:
    """What one face shows. ``unclear`` stands where the reader is not sure enough to say.

    ``age_band`` is a FairFace band ("20-29"), ``gender`` the presentation a stranger would read
    ("male", "female", "unclear"), the scores the calibrated probabilities of the chosen labels.
    """

    age_band: str
    age_score: float
    gender: Literal["male", "female", "unclear"]
    gender_score: float
    expression: Expression
    expression_score: float
    glasses: Literal["none", "glasses", "sunglasses"]
    glasses_score: float
    strength: str = "unclear"  # of the expression: "slight", "clear", "strong"
    strength_score: float = 0.0
    facial_hair: str = "unclear"  # "none", "stubble", "mustache", "goatee", "beard"
    facial_hair_score: float = 0.0
    headwear: str = "unclear"  # "none", "hat", "cap", "scarf", "other"
    headwear_score: float = 0.0
    hair_length: str = "unclear"  # "bald", "short", "medium", "long", "covered"
    hair_length_score: float = 0.0
    hair_colour: str = "unclear"  # "black", "brown", "blond", "grey", "white"
    hair_colour_score: float = 0.0
    eyes: str = "unclear"  # "open", "closed", "hidden"
    eyes_score: float = 0.0


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who can speak: a person or an animal in the photo, or nobody at all."""

    who: Who
    age: Age = "-"
    expression: Expression = "unclear"
    where: Where = "center"
    box: Box | None = None
    score: float = 0.0
    wears: tuple[str, ...] = ()

    def as_text(self) -> str:
        """Return ``who, age, expression, where`` as the corpus headers write it."""
        return f"{self.who}, {self.age}, {self.expression}, {self.where}"


NOBODY = Person(who="nobody", age="-", expression="-", where="-")


@dataclass(frozen=True, slots=True)
class Scene:
    """What was seen in a photo: one caption and up to four people, the default speaker first."""

    caption: str
    people: tuple[Person, ...] = (NOBODY,)

    def speaking(self, speaker: int = 0) -> Scene:
        """Return the scene with person number ``speaker`` moved to the front.

        Raises BadInput when there is no such person.
        """
        if not 0 <= speaker < len(self.people):
            last = len(self.people) - 1
            raise BadInput(
                "There is no speaker {speaker} in this photo; choose 0 to {last}.", speaker=speaker, last=last
            )
        rest = tuple(person for i, person in enumerate(self.people) if i != speaker)
        return Scene(self.caption, (self.people[speaker], *rest))

    def as_text(self) -> str:
        """Return ``caption | who, age, expression, where ; ...``, the speaker first."""
        return f"{self.caption} | " + " ; ".join(person.as_text() for person in self.people)


@dataclass(frozen=True, slots=True)
class Persona:
    """A character: one of the 24 voices, up to three traits and what makes it its own."""

    id: str
    name: str
    voice: str = "self"
    traits: tuple[str, ...] = ()
    description: str = ""
    catchphrase: str = ""
    greeting: str = ""
    likes: tuple[str, ...] = ()
    avatar: str = ""
    temperature: float = 0.8
    talkativeness: float = 0.5  # 0..1, how readily it speaks up in a group

    def __post_init__(self) -> None:
        """Refuse voices and traits the speaker was never taught."""
        if self.voice not in VOICES:
            raise BadInput(
                "Persona {name} has the unknown voice {voice}; choose one of {voices}.",
                name=repr(self.id), voice=repr(self.voice), voices=", ".join(VOICES),
            )  # fmt: skip
        unknown = [trait for trait in self.traits if trait not in TRAITS]
        if unknown or len(self.traits) > MAX_TRAITS:
            raise BadInput(
                "Persona {name} needs at most {most} traits out of {traits}.",
                name=repr(self.id), most=MAX_TRAITS, traits=", ".join(TRAITS),
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation; ``author`` is the display name of the user who wrote it."""

    role: Role
    text: str
    author: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A talk with one speaker of one photo; the opening reply is its first turn."""

    id: int
    scene: Scene
    persona: Persona
    speaker: int = 0
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What was said, where the words came from and what each stage cost in milliseconds."""

    text: str
    source: Source
    timings_ms: dict[str, float] = field(default_factory=dict)
