"""The tongue: a scene, a persona and the turns so far become what the one in the photo says.

Facts of the scene fill hand-written frames, the language model samples free replies, and the ranker picks one.
Messages that must be answered with care (are you a bot, sadness, out of bounds) are answered by frames alone, and
so is every message that has a good one. "Tell me more" gets another opening.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from bot.domain import Expression, Person, Persona, Reply, Scene, Source, Turn
from bot.runtime.timing import Stopwatch
from bot.speech.asked import asked_about
from bot.speech.decoder import Decoder
from bot.speech.dialogue_acts import ACTS, answered_as, dialogue_act
from bot.speech.facts import read_facts
from bot.speech.filling import fill, slot_rules
from bot.speech.frames import Frames, Line
from bot.speech.intents import GO_ON, OTHER, classify_intent
from bot.speech.names import asks_own_name, given_name, own_name, users_name
from bot.speech.phrases import PhraseBook
from bot.speech.prompt import build_prompt
from bot.speech.ranker import Candidate, Context, Ranker, Scored
from bot.speech.safety import is_safe, may_be_said

LINES = Path(__file__).parent.parent / "resources" / "speaker.toml"
SAD = "sad_user"
FRAMED_ONLY = frozenset({"are_you_bot", "out_of_bounds", SAD, "name"})
SAMPLES = 10  # of an opening: of 240 the model's own words were the best in 12 % with 6, 15 with 10, 20 with 14
ANSWER_SAMPLES = 4  # of an answer for which no framed line is good enough
GOOD_ENOUGH = -0.5  # score of one that is; below it are only lines that were said before
FRAMED = 8
FRAMED_ACT, ABOUT = 2, 2  # of a few lines that answer a form, or take up a thing: ranking more, the same one always won
TAKEN_UP = frozenset({OTHER, "what", "remark", "told", "reaction"})  # acts that lines about their thing answer, too
COOLED = 0.85  # times the persona's temperature: above about 0.7 a model of this size strays
MAX_TOKENS = 64
MAX_CHARACTERS = 400
GREETING_SHARE = 0.15
CATCHPHRASE_SHARE = 0.15
GO_ON_SHARE = 0.6  # how often a line of the voice leads over to what is said when somebody wants to hear more
MAX_LIKE_CHARACTERS = 60
ASKS_LIKES = re.compile(
    r"\bwhat (?:else )?(?:do|would) (?:you|u) (?:like|love|enjoy)\b(?! (?:to be )?(?:call|eat|about))"
    r"|\bwhat are (?:you|u) into\b|\b(?:your|ur) (?:likes|hobby|hobbies|interests|favou?rite things?)\b"
)
TRAIT_MOODS: dict[str, Expression] = {
    "cheerful": "happy", "grumpy": "angry", "dramatic": "surprised", "romantic": "happy", "nervous": "surprised",
    "boastful": "happy", "sentimental": "sad", "suspicious": "neutral", "sleepy": "neutral", "competitive": "angry",
    "curious": "surprised", "wise": "neutral",
}  # fmt: skip
"""The mood in which a trait shows in a voice other than ``self``, whose lines have moods but no traits."""
MAX_EXTRA_CHARACTERS = 120  # an imported greeting may be a page long


class Speaker:
    """Says what the one in the photo says. Without a decoder it speaks framed lines only.

    Safe to call from several threads; a reply is a pure function of its arguments when ``seed`` is given.
    """

    def __init__(
        self,
        decoder: Decoder | None = None,
        *,
        frames: Frames | None = None,
        samples: tuple[int, int] = (SAMPLES, ANSWER_SAMPLES),
        enough: float = GOOD_ENOUGH,
    ) -> None:
        """Load frames and lines; ``samples`` of an opening and of an answer are drawn from ``decoder`` at a time.

        For a message whose best framed answer scores ``enough``, none are.
        """
        self._decoder, self._samples, self._enough = decoder, samples, enough
        self._frames = frames or Frames()
        self._ranker = Ranker(self._frames)
        self._book = PhraseBook(decoder.tokenizer) if decoder else None
        self._lines: dict[str, dict[str, list[str]]] = tomllib.loads(LINES.read_text(encoding="utf-8"))

    def read_on(self) -> None:
        """Read what only answers to messages need, so that the first one is as fast as the others."""
        classify_intent("hello")
        self._ranker.read_on()

    def reply(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn] = (),
        *,
        speaker: int = 0,
        seed: int | None = None,
        recent: Collection[str] = (),
    ) -> Reply:
        """Return what person number ``speaker`` says: an opening, or the answer to the last user turn.

        ``recent`` are lines said in the channel of late, which are not said again. The text is plain, safe to
        post and at most 400 characters long. Raises BadInput when there is no such person.
        """
        rng, watch = random.Random(seed), Stopwatch()
        scene = temper(scene.speaking(speaker), persona, rng)
        with watch("facts"):
            intent = _intent(turns)
        ranked = self._ranked(scene, persona, turns, intent, rng, recent, watch)
        text, source = self._best(ranked, persona, turns, rng, recent)
        if not turns and scene.people[0].who != "nobody":  # a greeting comes from somebody
            text = _dress(text, persona, scene.people[0], rng)
        if intent == GO_ON:
            text = _lead_over(self._lines["go_on"][persona.voice], text, turns, rng)
        return Reply(text, source, watch.timings_ms)

    def rank(self, scene: Scene, persona: Persona, turns: Sequence[Turn], rng: random.Random) -> list[Scored]:
        """Return everything that could be said, scored, the best first; ``scene`` has the speaker first."""
        return self._ranked(scene, persona, turns, _intent(turns), rng, (), Stopwatch())

    def _ranked(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn],
        intent: str,
        rng: random.Random,
        recent: Collection[str],
        watch: Stopwatch,
    ) -> list[Scored]:
        """Return framed lines, and samples where one may be better, all scored, the best first."""
        message = turns[-1].text if intent else ""
        kind = answered_as(intent, message) if intent else ""
        with watch("facts"):
            read_facts(scene)
            framed = self._framed(scene, persona, turns, intent, kind, rng, recent)
            asked = next(self._asked_for(persona, scene.people[0], turns, random.Random(0)), None)
        said = [turn.text for turn in turns if turn.role == "persona"]
        heard, topic = (turns, intent) if intent != GO_ON else ((), "")  # another opening answers no message
        context = Context(scene, persona.voice, said, message if topic and is_safe(message) else "", topic, recent, rng)
        with watch("rank"):
            ranked = self._ranker.rank(framed, context)
        if intent in FRAMED_ONLY or asked is not None or (kind and self._is_enough(ranked)):
            return ranked
        if kind and kind not in ACTS:  # all of its lines have been said: at least its form can be answered
            with watch("rank"):
                framed = self._framed(scene, persona, turns, intent, dialogue_act(message), rng, recent)
                ranked = _best_first(ranked, self._ranker.rank(framed, context))
            if self._is_enough(ranked):
                return ranked
        with watch("generate"):
            samples = self._generated(scene, persona, heard, rng)
        with watch("rank"):
            written = self._ranker.rank(samples, context)
            if kind:  # what the model wrote down word for word is the answer to something else, or would stand above
                written = [one for one in written if one.candidate.source != "framed"]
            return _best_first(ranked, written)

    def _is_enough(self, ranked: Sequence[Scored]) -> bool:
        """Tell whether the best of scored candidates is good enough to be said."""
        return bool(ranked) and ranked[0].score >= self._enough

    def _framed(
        self,
        scene: Scene,
        persona: Persona,
        turns: Sequence[Turn],
        intent: str,
        kind: str,
        rng: random.Random,
        recent: Collection[str],
    ) -> list[Candidate]:
        """Return a few different framed lines of a kind that fit, openings if it is empty."""
        if asked := next(self._asked_for(persona, scene.people[0], turns, rng), None):
            part, word = asked
            return [Candidate(line.format(word), "framed") for line in self._lines[part][persona.voice]]
        if intent == "name" and (name := given_name(turns) or own_name(persona)):
            *first, again = self._lines["names"][persona.voice]
            lines = [again] if given_name(turns) else rng.sample(first, len(first))
            return [Candidate(line.format(name=name), "framed") for line in lines]
        avoid = {*recent, *(turn.text for turn in turns)}
        if kind:
            fitting = self._frames.answers(scene, persona.voice, kind, persona.traits, rng)
        else:
            fitting = self._frames.openings(scene, persona.voice, persona.traits, rng)
        chosen: list[Line] = []
        most = FRAMED_ACT if kind in ACTS else FRAMED
        while len(chosen) < most and fitting:
            line = self._frames.choose(fitting, rng, avoid)
            if line is not None:
                fitting.remove(line)
                chosen.append(line if intent else self._frames.adorn(line, scene.people[0], rng))
        about = self._about(persona.voice, turns[-1].text, rng) if kind in TAKEN_UP else []
        return [Candidate(text, "framed") for text in (*(line.text for line in chosen), *about)]

    def _about(self, voice: str, message: str, rng: random.Random) -> list[str]:
        """Return a few lines that take up what an unclear message is about."""
        thing = asked_about(message, voice)
        return [line.format(thing) for line in rng.sample(self._lines["about"][voice], ABOUT)] if thing else []

    @staticmethod
    def _asked_for(
        persona: Persona, speaker: Person, turns: Sequence[Turn], rng: random.Random
    ) -> Iterator[tuple[str, str]]:
        """Yield what the last message asks for that only this talk or this persona knows, and its kind of line."""
        message = turns[-1].text if turns else ""
        if asks_own_name(message) and (name := users_name(turns)):
            yield "users_name", name
        if ASKS_LIKES.search(message.lower()):
            likes = [like for like in persona.likes if len(like) <= MAX_LIKE_CHARACTERS and may_be_said(like, speaker)]
            if likes:
                yield "likes", rng.choice(likes)

    def _generated(self, scene: Scene, persona: Persona, turns: Sequence[Turn], rng: random.Random) -> list[Candidate]:
        """Return samples of the language model."""
        if self._decoder is None or self._book is None:
            return []
        traits = persona.traits if persona.voice == "self" else ()  # the speaker was taught traits with this voice
        prompt = build_prompt(scene, persona.voice, traits, turns)
        seed = rng.randrange(2**31)
        facts = read_facts(scene)
        phrases = self._book.phrases(self._frames.phrases(scene, persona.voice, traits, answers=bool(turns)))
        samples = self._decoder.sample(
            prompt,
            n=self._samples[bool(turns)],
            temperature=COOLED * persona.temperature,
            seed=seed,
            max_tokens=MAX_TOKENS,
            slots=slot_rules(facts),
            phrases=phrases,
        )
        different = {one.text: one for one in samples}.values()
        return [
            Candidate(
                _tidy(fill(one.text, facts, persona.voice)),
                "generated",
                one.log_probs,
                one.finished,
                phrases.attested(one.text),
            )
            for one in different
        ]

    def _best(
        self,
        ranked: Sequence[Scored],
        persona: Persona,
        turns: Sequence[Turn],
        rng: random.Random,
        recent: Collection[str],
    ) -> tuple[str, Source]:
        """Return the best candidate that was not vetoed, else a line of the voice for any occasion."""
        if ranked and ranked[0].score > float("-inf"):
            return _shorten(ranked[0].candidate.text), ranked[0].candidate.source
        lines = self._lines["answers" if turns else "openings"][persona.voice]
        return rng.choice([line for line in lines if line not in recent] or lines), "fallback"


def _best_first(some: Sequence[Scored], more: Sequence[Scored]) -> list[Scored]:
    """Return all of these, those with the highest scores first; of equals the earlier ones."""
    return sorted([*some, *more], key=lambda one: -one.score)


def _intent(turns: Sequence[Turn]) -> str:
    """Return what kind of message the last turn is, "" when it is not the user's.

    What is unclear right behind something sad belongs to it: "he was 15" is no remark to joke about.
    """
    if not turns or turns[-1].role != "user":
        return ""
    intent = classify_intent(turns[-1].text)
    if intent == OTHER:
        before = [turn.text for turn in turns[:-1] if (turn.role, turn.author) == ("user", turns[-1].author)]
        return SAD if before and classify_intent(before[-1]) == SAD else OTHER
    return intent


def temper(scene: Scene, persona: Persona, rng: random.Random) -> Scene:
    """Return the scene with its speaker in the mood of one of the persona's traits, if the face leaves that open.

    A smile stays a smile and a scowl a scowl; only a neutral or unread face takes the mood of the character.
    """
    person, *others = scene.people
    moods = [TRAIT_MOODS[trait] for trait in persona.traits if trait in TRAIT_MOODS]
    if persona.voice == "self" or not moods or person.expression not in {"neutral", "unclear"}:
        return scene
    return replace(scene, people=(replace(person, expression=rng.choice(moods)), *others))


def _dress(text: str, persona: Persona, speaker: Person, rng: random.Random) -> str:
    """Now and then put the persona's greeting before an opening or its catchphrase behind it."""
    draw = rng.random()
    if draw < GREETING_SHARE:
        extra, dressed = persona.greeting, f"{persona.greeting} {text}"
    elif draw < GREETING_SHARE + CATCHPHRASE_SHARE:
        extra, dressed = persona.catchphrase, f"{text} {persona.catchphrase}"
    else:
        return text
    usable = extra and extra not in text and len(extra) <= MAX_EXTRA_CHARACTERS and may_be_said(extra, speaker)
    return " ".join(dressed.split()) if usable and len(dressed) <= MAX_CHARACTERS else text


def _lead_over(leads: Sequence[str], text: str, turns: Sequence[Turn], rng: random.Random) -> str:
    """Now and then put one of the leads that were not used yet before another remark."""
    unused = [lead for lead in leads if not any(lead in turn.text for turn in turns)]
    return f"{rng.choice(unused)} {text}" if unused and rng.random() < GO_ON_SHARE else text


def _tidy(text: str) -> str:
    """Put a sample on one line, without quotes around the whole."""
    line = " ".join(text.split())
    quoted = re.fullmatch(r'"([^"]*)"', line)
    return quoted[1] if quoted else line


def _shorten(text: str) -> str:
    """Cut a text that is too long behind its last whole sentence."""
    if len(text) <= MAX_CHARACTERS:
        return text
    sentences = re.match(r".*[.!?]", text[:MAX_CHARACTERS], re.DOTALL)
    return sentences[0] if sentences else text[: MAX_CHARACTERS - 3].rsplit(" ", 1)[0] + "..."
