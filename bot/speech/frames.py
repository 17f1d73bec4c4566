"""Framed lines: hand-written in-voice sentences with slots that the facts of a scene fill.

One file a voice, ``[mood] <who> (slots): text`` for openings and ``?intent (slots): text`` for answers
(bot/resources/frames). A frame fits when its slots are filled, its mood is the face's and its who is the
speaker's; what comes out is grammatical and true, which makes it the floor under the generated replies.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path

from bot.domain import ANIMALS, TRAITS, VOICES, Expression, Failure, Person, Scene
from bot.speech.facts import SLOTS, Facts, read_facts
from bot.speech.grammar import PREPOSITIONS
from bot.speech.lexicon import article, lexicon

FRAMES = Path(__file__).parent.parent / "resources" / "frames"
MOODS = ("happy", "sad", "angry", "surprised", "neutral")
GROUNDED_INTENTS = frozenset({"where", "who_with", "what_holding", "what_wearing", "what_doing", "animal_question"})
PLACE_SLOTS = frozenset({"place", "the_place", "at_place"})
GROUNDED_WEIGHTS = (1, 5, 9, 11)  # by the number of slots a line fills: a reply should name what is seen
COPIED = 0.3  # share of a text's word triples by which it is taken for a frame's
MY = {"queen": "our", "pirate": "me"}  # how these voices say it
WEAR_SLOTS = frozenset({"wear", "this_wear"})
_OPENING = re.compile(r"^\[(\w+)\] <(\w+)> \(([^)]*)\): (.+)$")
_INTENT = re.compile(r"^\?(\w+) \(([^)]*)\): (.+)$")
_SLOT = re.compile(r"(?:\b([Aa])n? )?\{(\w+)\}")
_SINGULAR_ONLY = re.compile(
    r"\b(?:a|an|one|every|each|this|that) \{wear\}|\b(?:it|its|it's|itself|it'll|it'd|'tis|'twas|that's)\b"
    r"|\{(?:this_wear|wear)\}(?:'s| (?:is|was|has|isn't|wasn't|hasn't|doesn't|does|alone|itself))\b", re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """One line with slots. ``mood`` and ``who`` are empty for an answer, ``intent`` for an opening."""

    text: str
    slots: frozenset[str]
    mood: str = ""
    who: str = ""
    intent: str = ""
    singular_wear: bool = False
    """The wording agrees with one garment only (``this_wear`` followed by ``is``)."""


@dataclass(frozen=True, slots=True)
class Line:
    """A filled frame: what may be said."""

    text: str
    frame: Frame
    voice: str


@dataclass(frozen=True, slots=True)
class FrameSet:
    """The frames of one voice or trait."""

    openings: tuple[Frame, ...]
    answers: dict[str, tuple[Frame, ...]]


class Frames:
    """Every voice's and trait's frames, and the choice among those that fit a scene."""

    def __init__(self, folder: Path = FRAMES) -> None:
        """Read all frame files; raise Failure when a voice or trait has none."""
        self.voices = {voice: read_frames(folder / f"{voice}.txt") for voice in VOICES}
        self.traits = {trait: read_frames(folder / "traits" / f"{trait}.txt") for trait in TRAITS}
        self._by_triple: dict[tuple[str, tuple[str, ...]], list[Frame]] = {}
        for voice, one in (*self.voices.items(), *(("self", one) for one in self.traits.values())):
            for frame in (*one.openings, *chain(*one.answers.values())):
                for triple in _triples(frame.text):
                    self._by_triple.setdefault((voice, triple), []).append(frame)

    def openings(self, scene: Scene, voice: str, traits: Sequence[str] = ()) -> list[Line]:
        """Return every opening that fits the scene.

        The voice ``self`` with traits takes the traits' frames first; a voice without a fitting frame
        borrows from ``self``. The list may still be empty.
        """
        facts, person = read_facts(scene), scene.people[0]
        for name, sets in self._sources(voice, traits):
            frames = [frame for one in sets for frame in fitting(one.openings, person, facts)]
            if frames:
                return fill_all(frames, facts, name)
        return []

    def answers(self, scene: Scene, voice: str, intent: str, traits: Sequence[str] = ()) -> list[Line]:
        """Return every answer to an intent that fits; a question about the photo gets its facts if there are any."""
        facts = read_facts(scene)
        for name, sets in self._sources(voice, traits):
            frames = [frame for one in sets for frame in one.answers.get(intent, ()) if usable(frame, facts)]
            if intent in GROUNDED_INTENTS and any(frame.slots for frame in frames):
                frames = [frame for frame in frames if frame.slots]
            if frames:
                return fill_all(frames, facts, name)
        return []

    def recognise(self, text: str, scene: Scene, voice: str) -> str:
        """Tell whether a text is one of a voice's frames: ``right``, or ``wrong`` when it only shares much with one.

        Returns nothing for a text of its own. A model that learnt the frames may begin one and put into its slot
        what this scene does not hold, or lose the thread.
        """
        triples = _triples(text)
        shared = Counter(frame for one in triples for frame in self._by_triple.get((voice, one), ()))
        close = [frame for frame, count in shared.items() if count >= COPIED * len(triples)]
        facts = read_facts(scene)
        if any(usable(frame, facts) and text == fill(frame, facts, voice) for frame in close):
            return "right"
        return "wrong" if close else ""

    def lines_by_voice(self) -> dict[str, list[str]]:
        """Return every line of each voice, slots unfilled."""
        return {
            voice: [frame.text for frame in (*one.openings, *chain(*one.answers.values()))]
            for voice, one in self.voices.items()
        }

    def lines_by_intent(self) -> dict[str, list[str]]:
        """Return every voice's answers to each intent, slots unfilled."""
        found: dict[str, list[str]] = {}
        for one in self.voices.values():
            for intent, answers in one.answers.items():
                found.setdefault(intent, []).extend(frame.text for frame in answers)
        return found

    @staticmethod
    def choose(lines: Sequence[Line], rng: random.Random, recent: Collection[str] = ()) -> Line | None:
        """Pick one line, rather one that names facts and was not said of late; None if there is none."""
        fresh = [line for line in lines if line.text not in recent] or list(lines)
        if not fresh:
            return None
        return rng.choices(fresh, weights=[GROUNDED_WEIGHTS[len(line.frame.slots)] for line in fresh])[0]

    def _sources(self, voice: str, traits: Sequence[str]) -> list[tuple[str, list[FrameSet]]]:
        own = [(voice, [self.voices[voice]])]
        if voice == "self" and traits:
            return [("self", [self.traits[trait] for trait in traits]), *own]
        return own if voice == "self" else [*own, ("self", [self.voices["self"]])]


def read_frames(path: Path) -> FrameSet:
    """Parse one frame file; raise Failure that names the file and line of a bad one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise Failure(f"The frame file {path} is missing; install the bot again.") from None
    openings: list[Frame] = []
    answers: dict[str, list[Frame]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if match := _OPENING.match(line):
            mood, who, slots, text = match.groups()
            frame = _frame(text, slots, mood=mood, who=who)
            openings.append(frame)
        elif match := _INTENT.match(line):
            intent, slots, text = match.groups()
            frame = _frame(text, slots, intent=intent)
            answers.setdefault(intent, []).append(frame)
        else:
            raise Failure(f"Line {number} of {path} is no frame; write `[mood] <who> (slots): text`.")
        if frame.slots - set(SLOTS) or frame.slots != {name for _, name in _SLOT.findall(frame.text)}:
            raise Failure(f"Line {number} of {path} declares other slots than it uses.")
    return FrameSet(tuple(openings), {intent: tuple(frames) for intent, frames in answers.items()})


def _frame(text: str, slots: str, *, mood: str = "", who: str = "", intent: str = "") -> Frame:
    names = frozenset() if slots.strip() == "-" else frozenset(slot.strip() for slot in slots.split(","))
    singular = bool(names & WEAR_SLOTS) and (bool(_SINGULAR_ONLY.search(text)) or _verb_follows(text))
    return Frame(text, names, mood, who, intent, singular)


def _verb_follows(text: str) -> bool:
    match = re.search(r"\{(?:this_wear|wear)\} ([a-z']+)", text)
    return match is not None and match[1] in lexicon().third


def _triples(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return set(zip(words, words[1:], words[2:], strict=False))


def moods_of(expression: Expression) -> frozenset[str]:
    """Return the moods that suit a face; an unread one may be neutral or happy."""
    moods = {
        "happy": {"happy"}, "sad": {"sad"}, "angry": {"angry"}, "disgusted": {"angry"}, "surprised": {"surprised"},
        "scared": {"surprised"}, "neutral": {"neutral"},
    }  # fmt: skip
    return frozenset({"any"} | moods.get(expression, {"neutral", "happy"}))


def kinds_of(person: Person) -> tuple[frozenset[str], ...]:
    """Return the frames' who that suit a speaker, the best kinds first."""
    if person.who in ANIMALS:
        return (frozenset({"animal"}),)
    if person.who == "nobody":
        return (frozenset({"nobody"}),)
    if person.who == "baby" or person.age == "baby":
        return frozenset({"baby"}), frozenset({"child"})
    if person.age == "child":
        return frozenset({"child"}), frozenset({"human"})
    return (frozenset({"senior", "human"}),) if person.age == "senior" else (frozenset({"human"}),)


def fitting(frames: Sequence[Frame], person: Person, facts: Facts) -> list[Frame]:
    """Return the openings whose who, mood and slots suit; a looser mood before a looser kind of speaker."""
    for kinds in kinds_of(person):
        matching = [frame for frame in frames if frame.who in kinds and usable(frame, facts)]
        moods = moods_of(person.expression) if person.who != "nobody" else frozenset({"any", *MOODS})
        if person.who in ANIMALS and person.expression == "neutral":  # nobody has read an animal's face
            moods = moods_of("unclear")
        if suited := [frame for frame in matching if frame.mood in moods]:
            return suited
    return []


def usable(frame: Frame, facts: Facts) -> bool:
    """Whether the facts fill every slot of a frame and their number agrees with its wording."""
    if facts.wear_plural and frame.singular_wear:
        return False
    slots = frame.slots
    if not slots <= _slots(facts).keys():
        return False
    if "doing" in slots and slots & PLACE_SLOTS and not _without_place(facts):
        return False
    return not (
        slots & PLACE_SLOTS and facts.thing and facts.thing == facts.place and slots & {"thing", "the_thing", "a_thing"}
    )


def fill_all(frames: Sequence[Frame], facts: Facts, voice: str) -> list[Line]:
    """Fill usable frames."""
    return [Line(fill(frame, facts, voice), frame, voice) for frame in frames]


def fill(frame: Frame, facts: Facts, voice: str = "self") -> str:
    """Put the facts into a usable frame; articles follow the sound of what is put in, ``my`` the voice."""
    values = _slots(facts)
    if "doing" in frame.slots and frame.slots & PLACE_SLOTS:
        values = {**values, "doing": _without_place(facts)}

    def put(match: re.Match[str]) -> str:
        before, name = match.groups()
        value = values[name]
        if voice in MY and name in {"doing", "the_other"}:
            value = re.sub(
                r"\bmy(self)?\b",
                lambda my: "ourself" if my[1] and voice == "queen" else MY[voice] + (my[1] or ""),
                value,
            )
        if before:
            word = article(value)
            return f"{word.capitalize() if before == 'A' else word} {value}"
        start = match.start() == 0 or re.search(r"[.!?][\"')]* $", frame.text[: match.start()]) is not None
        return value[0].upper() + value[1:] if start else value

    return _SLOT.sub(put, frame.text)


@lru_cache(maxsize=4096)
def _slots(facts: Facts) -> dict[str, str]:
    return facts.slots()


def _without_place(facts: Facts) -> str:
    """Return the doing without the place it names, for frames that name the place themselves."""
    at = facts.doing.find(facts.place) if facts.place else -1
    if at < 0:
        return facts.doing
    words = facts.doing[:at].split()
    while words and words[-1] not in PREPOSITIONS and words[-1] not in {"of", "front"}:
        words.pop()
    while words and (words[-1] in PREPOSITIONS or words[-1] in {"front", "top", "next"}):
        words.pop()
    return " ".join(words)
