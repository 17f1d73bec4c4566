"""Framed lines: hand-written in-voice sentences with slots that the facts of a scene fill.

Three files a voice in bot/resources/frames: general lines, those about topics (see frame_files), and answers to
the form of a message (see dialogue_acts). A frame fits when its slots are filled, its mood is the face's, its who the
speaker's and its topic the photo's; what comes out is grammatical and true, which makes it the floor under the
generated replies.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

from bot.domain import ANIMALS, TRAITS, VOICES, Expression, Person, Scene
from bot.speech.dialogue_acts import ACTS
from bot.speech.facts import Facts, read_facts
from bot.speech.filling import fill, fits_wording, usable_frames
from bot.speech.frame_files import Extra, Frame, FrameSet, check_exists, read_frames, vary
from bot.speech.known_lines import KnownLines
from bot.speech.topics import topics_of

FRAMES = Path(__file__).parent.parent / "resources" / "frames"
MOODS = ("happy", "sad", "angry", "surprised", "neutral")
GROUNDED_INTENTS = frozenset({"where", "who_with", "what_holding", "what_wearing", "what_doing", "animal_question"})
GROUNDED_WEIGHTS = (1, 5, 9, 11)  # by the number of slots a line fills: a reply should name what is seen
TOPIC_WEIGHT = 14  # a line about the photo's topic names it without a slot
LEAD_SHARE, TAIL_SHARE, MOST_WORDS = 0.15, 0.25, 34  # how often an opening gets a lead and a tail, if it stays short


@dataclass(frozen=True, slots=True)
class Line:
    """A filled frame: what may be said. ``form`` is the same with its slots unfilled, alternatives chosen."""

    text: str
    frame: Frame
    voice: str
    form: str = ""


class Shelf(Mapping[str, FrameSet]):
    """Frame sets by the name of their files, each read when it is first asked for."""

    def __init__(self, names: Sequence[str], *folders: Path) -> None:
        self._files = {name: [folder / f"{name}.txt" for folder in folders] for name in names}
        self._sets: dict[str, FrameSet] = {}
        for path in chain.from_iterable(self._files.values()):
            check_exists(path)

    def __getitem__(self, name: str) -> FrameSet:
        """Return one set, of all its files."""
        if name not in self._sets:
            self._sets[name] = sum(map(read_frames, self._files[name]), FrameSet())
        return self._sets[name]

    def __iter__(self) -> Iterator[str]:
        """Yield all names."""
        return iter(self._files)

    def __len__(self) -> int:
        """Return how many sets there are."""
        return len(self._files)


class Frames:
    """Every voice's and trait's frames, and the choice among those that fit a scene."""

    def __init__(self, folder: Path = FRAMES) -> None:
        """Take the folder of the frame files; raise Failure when a voice or trait has none."""
        self.voices = Shelf(VOICES, folder, folder / "topics", folder / "acts")
        self.traits = Shelf(TRAITS, folder / "traits", folder / "topics" / "traits")
        self._known: dict[str, KnownLines] = {}

    def openings(
        self, scene: Scene, voice: str, traits: Sequence[str] = (), rng: random.Random | None = None
    ) -> list[Line]:
        """Return every opening that fits the scene, its alternatives chosen by ``rng`` (or the first ones).

        The voice ``self`` with traits takes the traits' frames first; a voice without a fitting frame
        borrows from ``self``. The list may still be empty.
        """
        frames, name = self._opening_frames(scene, voice, traits)
        return fill_all(frames, read_facts(scene), name, rng)

    def answers(
        self, scene: Scene, voice: str, intent: str, traits: Sequence[str] = (), rng: random.Random | None = None
    ) -> list[Line]:
        """Return every answer to an intent that fits; a question about the photo gets its facts if there are any."""
        frames, name = self._answer_frames(scene, voice, intent, traits)
        return fill_all(frames, read_facts(scene), name, rng)

    def draw(
        self, scene: Scene, voice: str, traits: Sequence[str], rng: random.Random, intent: str = ""
    ) -> Line | None:
        """Draw one opening, or one answer to ``intent``, as ``choose`` does from all; quicker, for training."""
        if intent:
            frames, name = self._answer_frames(scene, voice, intent, traits)
        else:
            frames, name = self._opening_frames(scene, voice, traits)
        if not frames:
            return None
        frame = rng.choices(frames, weights=[_weight(frame) for frame in frames])[0]
        return next(iter(fill_all([frame], read_facts(scene), name, rng)), None)

    def adorn(self, line: Line, person: Person, rng: random.Random) -> Line:
        """Return an opening, now and then with a lead before or a tail behind it, while it stays short."""
        extras, moods = self.voices[line.voice], moods_of(person.expression)
        words = len(line.text.split())
        draw = rng.random()
        if draw < LEAD_SHARE:
            choices = extras.leads
        elif draw < LEAD_SHARE + TAIL_SHARE:
            choices = extras.tails
        else:
            return line
        suited = [extra for extra in choices if extra.mood in moods]
        if not suited or person.who == "nobody":
            return line
        extra = vary(rng.choice(suited).text, rng)
        if words + len(extra.split()) > MOST_WORDS:
            return line
        put = "{0} {1}" if draw < LEAD_SHARE else "{1} {0}"
        return replace(line, text=put.format(extra, line.text), form=put.format(extra, line.form))

    def holds(self, text: str, scene: Scene, voice: str) -> bool:
        """Tell whether a text stands word for word among the filled frames of a voice, lead and tail or not."""
        if voice not in self._known:  # read when first asked for
            own = self.voices[voice]
            sets = [own, *(self.traits.values() if voice == "self" else ())]
            frames = [frame for one in sets for frame in one.frames()]
            self._known[voice] = KnownLines(voice, frames, own.leads, own.tails)
        return self._known[voice].holds(text, read_facts(scene))

    def phrases(self, scene: Scene, voice: str, traits: Sequence[str] = (), *, answers: bool = False) -> list[str]:
        """Return what a voice might say here in openings, or in answers: lines with slots and alternatives.

        More than what fits: the lines of every mood that the face does not belie, and all answers whose slots the
        facts fill, for the speaker to go from one to the other. Answers to the form of a message are left out: the
        shipped speaker was not taught them.
        """
        sets = [one for _, several in self._sources(voice, traits)[: 2 if traits else 1] for one in several]
        facts = read_facts(scene)
        if answers:
            taught = (frames for one in sets for kind, frames in one.answers.items() if kind not in ACTS)
            every = (frame for frames in taught for frame in frames)
            return [frame.text for frame in usable_frames(every, facts)]
        person = scene.people[0]
        moods = moods_of(person.expression) | ({"neutral", "surprised"} if person.expression == "happy" else set())
        moods |= {"happy", "surprised"} if person.expression in {"neutral", "unclear"} else set()
        frames = [frame for one in sets for frame in about(one.openings, scene, facts)]
        extras = [extra for one in sets for extra in (*one.leads, *one.tails) if extra.mood in moods]
        return [frame.text for frame in _suited(frames, person, moods)] + [extra.text for extra in extras]

    def lines_by_voice(self) -> dict[str, list[str]]:
        """Return every line of each voice, slots unfilled, all alternatives in it."""
        return {voice: [_all(frame.text) for frame in one.frames()] for voice, one in self.voices.items()}

    def lines_by_intent(self) -> dict[str, list[str]]:
        """Return every voice's answers to each intent, slots unfilled."""
        found: dict[str, list[str]] = {}
        for one in self.voices.values():
            for intent, answers in one.answers.items():
                found.setdefault(intent, []).extend(_all(frame.text) for frame in answers)
        return found

    @staticmethod
    def choose(lines: Sequence[Line], rng: random.Random, recent: Collection[str] = ()) -> Line | None:
        """Pick one line, rather one that names facts and was not said of late; None if there is none."""
        fresh = [line for line in lines if line.text not in recent] or list(lines)
        if not fresh:
            return None
        return rng.choices(fresh, weights=[_weight(line.frame) for line in fresh])[0]

    def _opening_frames(self, scene: Scene, voice: str, traits: Sequence[str]) -> tuple[list[Frame], str]:
        """Return the frames that fit and the voice they are in."""
        facts = read_facts(scene)
        for name, sets in self._sources(voice, traits):
            if frames := [frame for one in sets for frame in fitting(one.openings, scene, facts)]:
                return frames, name
        return [], voice

    def _answer_frames(self, scene: Scene, voice: str, intent: str, traits: Sequence[str]) -> tuple[list[Frame], str]:
        facts = read_facts(scene)
        for name, sets in self._sources(voice, traits):
            frames = usable_frames((frame for one in sets for frame in one.answers.get(intent, ())), facts)
            if intent in GROUNDED_INTENTS and any(frame.slots for frame in frames):
                frames = [frame for frame in frames if frame.slots]
            if frames:
                return frames, name
        return [], voice

    def _sources(self, voice: str, traits: Sequence[str]) -> list[tuple[str, list[FrameSet]]]:
        own = [(voice, [self.voices[voice]])]
        if voice == "self" and traits:
            return [("self", [self.traits[trait] for trait in traits]), *own]
        return own if voice == "self" else [*own, ("self", [self.voices["self"]])]


def _weight(frame: Frame) -> int:
    return GROUNDED_WEIGHTS[len(frame.slots)] + (TOPIC_WEIGHT if frame.topic else 0)


def _all(text: str) -> str:
    """Return a text with every alternative in it, for counting words."""
    return re.sub(r"[\[\]|]", " ", text)


def moods_of(expression: Expression) -> frozenset[str]:
    """Return the moods that suit a face; of an unread one nothing is claimed."""
    moods = {
        "happy": {"happy"}, "sad": {"sad"}, "angry": {"angry"}, "disgusted": {"angry"}, "surprised": {"surprised"},
        "scared": {"surprised"}, "neutral": {"neutral"},
    }  # fmt: skip
    return frozenset({"any"} | moods.get(expression, {"neutral"}))


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


def fitting(frames: Sequence[Frame], scene: Scene, facts: Facts) -> list[Frame]:
    """Return the openings whose who, topic, mood and slots suit; a looser mood before a looser kind of speaker."""
    person = scene.people[0]
    usables = about(frames, scene, facts)
    moods = moods_of(person.expression) if person.who != "nobody" else frozenset({"any", *MOODS})
    if person.who in ANIMALS and person.expression in {"unclear", "neutral"}:  # nobody has read an animal's face
        moods |= {"happy"}
    suited = _suited(usables, person, moods)
    if not suited and person.expression in {"unclear", "neutral"}:  # rather a smile than nothing
        suited = _suited(usables, person, moods | {"happy"})
    return suited


def about(frames: Sequence[Frame], scene: Scene, facts: Facts) -> list[Frame]:
    """Return the frames whose topic and slots suit, whatever their mood."""
    topics = topics_of(scene)
    return usable_frames((frame for frame in frames if not frame.topic or frame.topic in topics), facts)


def _suited(frames: Sequence[Frame], person: Person, moods: Set[str]) -> list[Frame]:
    """Return the frames of these moods, general ones of the best kind there is and topical ones of any kind."""
    kinds = kinds_of(person)
    fit = [frame for frame in frames if frame.mood in moods]
    topical = [frame for frame in fit if frame.topic and frame.who in frozenset().union(*kinds)]
    for best in kinds:
        if general := [frame for frame in fit if not frame.topic and frame.who in best]:
            return general + topical
    return topical


def fill_all(frames: Sequence[Frame], facts: Facts, voice: str, rng: random.Random | None = None) -> list[Line]:
    """Fill usable frames, one variant of each."""
    lines = []
    for frame in frames:
        form = vary(frame.text, rng)
        if form == frame.text or fits_wording(form, facts):
            lines.append(Line(fill(form, facts, voice), frame, voice, form))
    return lines


__all__ = ["FRAMES", "Extra", "Frame", "FrameSet", "Frames", "Line", "fill", "fitting", "moods_of"]
