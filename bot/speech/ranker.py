"""Choose among what could be said: one score for every candidate, the highest is spoken.

    score = fluency + facts + voice + topic + chance - faults

in marks of a blind reader (0 bad, 1 flawed, 2 fine, 3 good), a framed line at 0. Fluency, facts and inventions were
fitted to 354 such marks (models/cards/speaker.md); the other weights were set by hand, VOICE, FRAMED and UNGROUNDED
so that `python -m export.evaluate tongue` meets its goals.

fluency   of a generated text: LIKELY * mean log-probability per token + ATTESTED * the share of its words that stand
          in sentences of the voice's own lines - UNTRIED.
facts     FACT for each thing of the scene or of the user's message that is named, at most MAX_FACTS; an
          opening that names none loses UNGROUNDED.
voice     VOICE times the mean log-odds of the words for this voice against all voices (bot/speech/voice_odds.py).
topic     TOPIC times the same for the kind of message that is answered, from -1 to CLEARLY, so that an answer is one.
chance    up to CHANCE, so that the best of a few good lines is not the same every time.
faults    what a generated text says that is not in the photo, broken wording, wrong length, what was said before;
          MIXED for a generated answer, which may join answers to two different questions;
          FRAMED for a framed line, which somebody may have read before, also when the model wrote it down.

A framed line is true and grammatical by construction, so it is not searched for such faults: it is the floor
that a generated line has to beat. Unsafe text, links, mentions, echoes of the user's message and exact repeats
are vetoed (score -inf).
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import chain, pairwise

from bot.domain import ANIMALS, Scene, Source
from bot.speech.frames import Frames
from bot.speech.grammar import CLOSED, parse
from bot.speech.intents import OTHER
from bot.speech.lexicon import alike, lexicon, singular, vocabulary, word_set
from bot.speech.safety import may_be_said
from bot.speech.voice_odds import voice_odds

LIKELY, ATTESTED, UNTRIED = 0.38, 1.2, 1.24
FACT, MAX_FACTS, UNGROUNDED = 0.22, 2, 0.4
VOICE, CLEARLY = 1.4, 0.4
TOPIC = 0.6
CHANCE = 0.25
FRAMED = 0.45
CONTRADICTION = 1.2
INVENTION = 0.9
BROKEN = 0.5
UNKNOWN_WORD = 0.5
LENGTH = 0.8
MIXED = 0.5
SMOOTHING = 1000  # words every kind of message is taken to get in answer like all others
REPEAT = 2.0
OPENING_WORDS, ANSWER_WORDS = (8, 45), (3, 45)
WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")
SLOT = re.compile(r"\{\w+\}")
POINTING = frozenset({"this", "these", "that", "those", "the"})
MINE = frozenset({"my", "me", "our"})
STUTTER = re.compile(r"\b(a|an|the|of|in|on|at|to|my|this|and|with|is|for) \1\b|\b(\w+) \2 \2\b")
NEIGHBOUR = re.compile(r"\bthe (man|woman|boy|girl|baby) (?:beside me|next to me|behind me|on the left|on the right)")
GENERIC = frozenset(
    ["man", "woman", "boy", "girl", "person", "people", "baby", "someone", "other", "big", "small", "young", "old"]
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that could be said.

    ``log_probs`` are those of its tokens under the speaker, ``attested`` is the share of its words that stand in
    sentences of the voice's own lines; both say something of generated texts only.
    """

    text: str
    source: Source
    log_probs: tuple[float, ...] = ()
    finished: bool = True
    attested: float = 0.0


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score and the parts that make it up, for people to read."""

    candidate: Candidate
    score: float
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """What is spoken about: the scene (speaker first), the voice and the talk so far.

    ``said`` are the persona's earlier lines of this conversation, ``message`` the user's last one and ``intent``
    its kind; ``recent`` is what was said in this channel of late. Without ``rng`` nothing is left to chance.
    """

    scene: Scene
    voice: str
    said: Collection[str] = ()
    message: str = ""
    intent: str = ""
    recent: Collection[str] = ()
    rng: random.Random | None = None


@dataclass(frozen=True, slots=True)
class _Common:
    """What is the same for all candidates: words of the user's message, what to name, word triples said before."""

    asked: list[str]
    sought: frozenset[str]
    earlier: list[frozenset[int]]


class Ranker:
    """Scores candidates; holds the vocabulary and what each voice likes to say."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._known = vocabulary()

    @cached_property
    def _intent_odds(self) -> WordOdds:
        return WordOdds(self._frames.lines_by_intent(), SMOOTHING)

    def read_on(self) -> None:
        """Count the words of all voices' answers now rather than at the first message."""
        self._intent_odds((), "")

    def rank(self, candidates: Sequence[Candidate], context: Context) -> list[Scored]:
        """Return every candidate with its score, the best first.

        Vetoed candidates have the score -inf; earlier ones win ties.
        """
        said = (*context.said, *context.recent, context.message)
        asked = WORD.findall(context.message.lower())
        common = _Common(asked, _sought(context.scene, asked), [_triples(line) for line in said])
        return sorted((self._score(one, context, common) for one in candidates), key=lambda one: -one.score)

    def _score(self, one: Candidate, context: Context, common: _Common) -> Scored:
        scene, message = context.scene, context.message
        words = WORD.findall(one.text.lower())
        if (
            not one.text
            or not may_be_said(one.text, scene.people[0])
            or one.text in context.said
            or _echoes(words, common.asked)
        ):
            return Scored(one, -math.inf, {"veto": -math.inf})
        parts = {
            "chance": CHANCE * context.rng.random() if context.rng else 0.0,
            "facts": FACT * min(len(common.sought & _all_forms(words)), MAX_FACTS),
            "voice": VOICE * voice_odds(one.text, context.voice),
            "topic": 0.0 if context.intent in {"", OTHER} else TOPIC * self._intent_odds(words, context.intent),
            "repeats": -REPEAT * _repeats(words, common.earlier, one.text in context.recent),
        }
        parts["ungrounded"] = 0.0 if parts["facts"] or message else -UNGROUNDED
        if one.source == "generated" and self._frames.holds(one.text, scene, context.voice):
            one = replace(one, source="framed")
        if one.source == "framed":
            parts["framed"] = -FRAMED
        else:
            low, high = ANSWER_WORDS if message else OPENING_WORDS
            unknown = [word for word in words if word not in self._known and not self._is_form(word, scene, message)]
            false = len(contradictions(words, scene))
            parts["fluency"] = fluency(one)
            parts["mixed"] = -MIXED if message else 0.0
            parts["contradicts"] = -CONTRADICTION * false
            parts["invents"] = -INVENTION * len(inventions(words, scene))
            parts["broken"] = -BROKEN * faults(one.text) - (0 if one.finished else BROKEN)
            parts["unknown words"] = -UNKNOWN_WORD * len(unknown)
            parts["length"] = 0.0 if low <= len(words) <= high else -LENGTH
        return Scored(one, sum(parts.values()), {name: value for name, value in parts.items() if value})

    def _is_form(self, word: str, scene: Scene, message: str) -> bool:
        """Tell whether a word that does not stand in the vocabulary is a form of one that does, or was seen here."""
        bare = word.removesuffix("'s").removesuffix("'")
        squeezed = re.sub(r"(.)\1{2,}", r"\1", word)  # sooo
        forms = {word, bare, singular(bare), squeezed}
        return bool(forms & self._known) or bare in scene.caption.lower() or bare in message.lower()


def fluency(one: Candidate) -> float:
    """Return by how many marks a generated text is likely to read better or worse than a framed one."""
    likely = sum(one.log_probs) / len(one.log_probs) if one.log_probs else 0.0
    return LIKELY * likely + ATTESTED * one.attested - UNTRIED


class WordOdds:
    """How much likelier a word is in one group of lines than in all of them together (naive Bayes log-odds)."""

    def __init__(self, lines: Mapping[str, Iterable[str]], smoothing: float) -> None:
        """Count words; ``smoothing`` words of every group are taken to be like everybody's."""
        self._smoothing = smoothing
        self._counts = {
            name: Counter(WORD.findall(SLOT.sub("", "\n".join(texts)).lower())) for name, texts in lines.items()
        }
        self._all: Counter[str] = Counter()
        for counts in self._counts.values():
            self._all.update(counts)
        self._total = sum(self._all.values())
        self._totals = {name: sum(counts.values()) for name, counts in self._counts.items()}

    def __call__(self, words: Sequence[str], name: str) -> float:
        """Return the mean log-odds per word, doubled and cut to -1..CLEARLY; words said only once count 0."""
        if name not in self._counts:
            return 0.0
        total = sum(self._odds(word, name) for word in words if self._all.get(word, 0) > 1)
        return max(-1.0, min(CLEARLY, 2 * total / max(len(words), 8)))

    def _odds(self, word: str, name: str) -> float:
        everywhere = self._all[word] / self._total
        smoothed = self._counts[name].get(word, 0) + self._smoothing * everywhere
        return math.log(smoothed / (self._totals[name] + self._smoothing) / everywhere)


def facts_named(words: Sequence[str], scene: Scene, message: str = "") -> frozenset[str]:
    """Return the content words of the caption (and of the user's message) that a reply names."""
    return _sought(scene, WORD.findall(message.lower())) & _all_forms(words)


def _sought(scene: Scene, asked: Sequence[str]) -> frozenset[str]:
    """Return what it is good to name: content words of the caption and of the user's message."""
    content = [word for word in asked if word not in CLOSED and len(word) > 3]
    return (_content(scene.caption) | _all_forms(content)) - GENERIC


def _all_forms(words: Iterable[str]) -> frozenset[str]:
    return frozenset(chain.from_iterable(map(_forms, words)))


@lru_cache(maxsize=256)
def _content(caption: str) -> frozenset[str]:
    """Return the base forms of a caption's nouns, describing words and verbs."""
    parsed = parse(caption)
    words = {word for phrase in parsed.phrases for word in (*phrase.words, *phrase.head.split())}
    forms = {form for word in words - CLOSED for form in _forms(word)}
    return frozenset((forms | {verb.base for verb in parsed.verbs}) - GENERIC - {"stand", "have", "be", "in"})


@lru_cache(maxsize=16384)
def _forms(word: str) -> tuple[str, ...]:
    """Return a word and its base forms."""
    lex, bare = lexicon(), word.removesuffix("'s").rstrip("'")
    dropped = bare + "g" if word.endswith("in'") else bare  # skiin'
    bases = {lex.gerunds.get(dropped), lex.third.get(bare), lex.participles.get(bare)} - {None}
    return tuple({bare, singular(bare), *(str(base) for base in bases)})


def contradictions(words: Sequence[str], scene: Scene) -> set[str]:
    """Return what a reply points at (``this red hat``, ``the dog``) that the scene does not hold.

    A garment, animal or vehicle after a pointing word must be named by the caption or the people list, or go by
    another name there; a colour next to something the caption colours must be one of its colours.
    """
    lex, found = lexicon(), set()
    seen = {phrase.head: phrase for phrase in parse(scene.caption).phrases}
    present = _present(scene)
    for i, word in enumerate(words):
        noun, kind = _noun(word)
        before = words[max(0, i - 2) : i]
        if noun in seen:
            near = before if before and before[-1] in lex.adjectives else ()
            colors, known = [one for one in near if one in lex.colors], set(seen[noun].words) & lex.colors
            if colors and known and not known & set(colors):
                found.add(f"{colors[-1]} {noun}")
        elif kind in {"garment", "animal", "vehicle"} and not _among(noun, present):
            described = len(before) == 2 and before[1] in lex.adjectives
            pointing = before[0] if described else before[-1] if before else ""
            if pointing in POINTING or (pointing in MINE and kind == "garment"):
                found.add(noun)
    return found | _absent_people(words, scene)


def inventions(words: Sequence[str], scene: Scene) -> set[str]:
    """Return things and places that a reply describes or stands in though the scene does not hold them.

    ``the dark phone``, ``in a locker room``: weaker than a contradiction, for a figure of speech may do so too.
    """
    lex, present, found = lexicon(), _present(scene), set()
    for i, word in enumerate(words):
        noun, kind = _noun(word)
        start = i
        while start > 0 and words[start - 1] in lex.adjectives:
            start -= 1
        determined = start > 0 and words[start - 1] in word_set("determiners")
        if kind not in {"thing", "place", "vehicle"} or not determined or _among(noun, present):
            continue
        if start < i or (start > 1 and words[start - 2] in word_set("static")):
            found.add(noun)
    return found


@lru_cache(maxsize=16384)
def _noun(word: str) -> tuple[str, str]:
    """Return a word in the form the lexicon knows it by, and its class."""
    lex = lexicon()
    noun = word if lex.kind(word) != "unknown" else singular(word)
    return noun, lex.kind(noun)


@lru_cache(maxsize=256)
def _present(scene: Scene) -> frozenset[str]:
    """Return every word of the caption and the people list with its base forms, pets under their breeds too."""
    words = [*WORD.findall(scene.caption.lower()), *(person.who for person in scene.people)]
    words += [item for person in scene.people for item in person.wears]
    kinds = {person.who for person in scene.people if person.who in ANIMALS}
    breeds = [noun for noun, who in lexicon().animals.items() if who in kinds - {"animal"}]
    return frozenset(form for word in (*words, *breeds) for form in _forms(word))


def _among(noun: str, present: frozenset[str]) -> bool:
    """Tell whether a noun, a noun it is part of (coat, raincoat) or one like it is present."""
    if noun in present or any(noun in word for word in present if len(word) > len(noun) > 2):
        return True
    return any(noun in group and group & present for group in alike())


def _absent_people(words: Sequence[str], scene: Scene) -> set[str]:
    """Find ``the woman beside me`` where no woman is."""
    named = NEIGHBOUR.findall(" ".join(words))
    if not named:
        return set()
    present = {person.who for person in scene.people[1:]} | _present(scene)
    return {who for who in named if who not in present and "person" not in present}


def faults(text: str) -> int:
    """Count what is broken in a text: quotes or brackets left open, words or phrases said over and over."""
    words = WORD.findall(text.lower())
    triples, pairs = list(zip(words, words[1:], words[2:], strict=False)), list(pairwise(words))
    again = len(pairs) - len(set(pairs))
    tests = (
        text.count('"') % 2 == 1 or text.count("(") != text.count(")"),
        len(set(triples)) < len(triples) or (again > 2 and max(Counter(pairs).values()) > 3),
        STUTTER.search(text.lower()) is not None,
        re.search(r"[{}<>|\\_]", text) is not None,
    )
    return sum(tests)


def _echoes(words: Sequence[str], asked: Sequence[str]) -> bool:
    """Tell whether a text holds the whole of a user's message of three words or more."""
    return len(asked) > 2 and " ".join(asked) in " ".join(words)


def _repeats(words: Sequence[str], earlier: Iterable[frozenset[int]], exact: bool) -> float:
    """Return how much of a text was said before in one line, 0..1: the share of its word triples."""
    if exact:
        return 1.0
    triples = _runs(words)
    if not triples:
        return 0.0
    shares = (len(triples & line) / len(triples) for line in earlier)
    share = max(shares, default=0.0)
    return share if share > 0.3 else 0.0


@lru_cache(maxsize=512)
def _triples(line: str) -> frozenset[int]:
    return _runs(WORD.findall(line.lower()))


def _runs(words: Sequence[str]) -> frozenset[int]:
    """Return the runs of three words, by their hashes."""
    return frozenset(map(hash, zip(words, words[1:], words[2:], strict=False)))
