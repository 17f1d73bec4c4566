"""Does a reply name what is in its photo, and does it name what is not there? Written apart from the bot's ranker.

**Grounded**: the reply shares a content word with the caption (any base form, a noun inside a compound: hat,
sunhat), calls it by another name (bike, bicycle; corgi, dog) or names somebody of the people list. Words that fit
any photo (person, stand, look, ...) do not count. Authored held-out replies: 0.97 with their own scene, 0.11 with
another's.

**Contradicted**: the reply speaks of a thing, creature, garment or place as if it were in the photo, and it is not
there, or gives a garment or thing another colour than the caption does. In-character talk is full of things that are
not in the photo ("me parrot", "like a wet dog"), so a rule cannot tell; a logistic regression can: from 40,000 noun
phrases of the authored training replies it learns how surely such a phrase (its noun, determiner, neighbours, voice)
speaks of the photo. Only phrases that are of the photo with a probability of SURE count. Authored held-out replies:
0.03 with their own scene, 0.35 with another's, so a third of outright wrong replies is found; the figure compares
speakers and is a lower bound of what a reader would find.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from bot.domain import ANIMALS, Scene
from bot.speech.grammar import CLOSED, parse
from bot.speech.lexicon import NounClass, alike, lexicon, singular
from export.tongue_text import bag
from models.data.pairs import Pair

SURE = 0.92
TOGETHER, LIFT = 3, 5.0  # a noun goes with a caption word: scenes that hold both, and how much oftener than by chance
TOKEN = re.compile(r"[a-z]+(?:['-][a-z]+)*'?|[.,!?;:]")
DETERMINERS = {"this": "this", "these": "this", "that": "that", "those": "that", "the": "the", "my": "my", "me": "my",
               "our": "my", "a": "a", "an": "a"}  # fmt: skip
CONCRETE = frozenset({"person", "animal", "garment", "vehicle", "place", "thing"})
ANYWHERE = bag(
    """man woman boy girl person people baby someone other big small young old stand sit look hold have be in out up one
    two three top front back side close close-up view day hand hands head face eye eyes full long new little large next
    wear smile make take get go see way room"""
)
STOPS = CLOSED | frozenset(".,!?;:")
CLOSE_KIN = {"man": "boy", "boy": "man", "woman": "girl", "girl": "woman"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A noun phrase with a determiner in a reply; ``before`` and ``after`` are the tokens around it."""

    noun: str
    kind: NounClass
    determiner: str
    colours: tuple[str, ...]
    described: bool
    before: str
    after: str


def is_grounded(reply: str, scene: Scene) -> bool:
    """Tell whether a reply names something that is in its scene."""
    seen = _content(scene)
    said = {form for word in TOKEN.findall(_lower(reply)) for form in _forms(word)} - ANYWHERE - CLOSED
    if seen & said or any(_inside(word, other) for word in said for other in seen):
        return True
    if any(group & said and group & seen for group in alike()):
        return True
    creatures = lexicon().animals
    kinds = {person.who for person in scene.people if person.who in ANIMALS} - {"animal"}
    return any(creatures.get(word) in kinds for word in said)


class Contradictions:
    """Finds what a reply says of its photo that is not so; learns from authored training openings."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        """Learn which nouns go with which caption words, then which phrases speak of the photo."""
        said = [(pair, mentions(pair.reply)) for pair in pairs]
        self._goes_with = _companions(said)
        rows = [(pair, one) for pair, found in said for one in found]
        self._features = DictVectorizer()
        matrix = self._features.fit_transform([_features(one, pair.voice) for pair, one in rows])
        self._model = LogisticRegression(C=0.5, max_iter=100)
        truth = [self._holds(one, pair.scene) for pair, one in rows]
        with threadpool_limits(1):  # small steps: threads would mostly wait for each other
            self._model.fit(matrix, truth)

    def find(self, reply: str, scene: Scene, voice: str) -> list[str]:
        """Return every phrase that contradicts the scene: ``red coat`` for a blue one, ``dog`` where there is none."""
        found = []
        for one in mentions(reply):
            if colour := _wrong_colour(one, scene):
                found.append(f"{colour} {one.noun}")
            elif not self._holds(one, scene):
                features = self._features.transform([_features(one, voice)])
                if self._model.predict_proba(features)[0, 1] >= SURE:
                    found.append(one.noun)
        return found

    def _holds(self, one: Mention, scene: Scene) -> bool:
        return holds(one.noun, one.kind, scene) or bool(self._goes_with.get(one.noun, frozenset()) & _words(scene))


def mentions(reply: str) -> list[Mention]:
    """Return every concrete noun of a reply that a determiner introduces: ``this soft red hat``."""
    tokens, lex = TOKEN.findall(_lower(reply)), lexicon()
    found = []
    for i, word in enumerate(tokens):
        noun, kind = _noun(word)
        if i + 1 < len(tokens) and _noun(f"{word} {tokens[i + 1]}")[1] in CONCRETE:
            continue  # the first half of a compound
        start = i
        if i and _noun(f"{tokens[i - 1]} {word}")[1] in CONCRETE:
            (noun, kind), start = _noun(f"{tokens[i - 1]} {word}"), i - 1
        if kind not in CONCRETE:
            continue
        first = start
        while first and start - first < 3 and tokens[first - 1] in lex.adjectives:
            first -= 1
        if first > 1 and tokens[first - 2] in DETERMINERS and tokens[first - 1] not in DETERMINERS.keys() | STOPS:
            first -= 1  # a word the lexicon does not know: the burrito truck
        if not first or tokens[first - 1] not in DETERMINERS:
            continue
        colours = tuple(token for token in tokens[first:start] if token in lex.colors)
        before = tokens[first - 2] if first > 1 else "^"
        after = tokens[i + 1] if i + 1 < len(tokens) else "."
        found.append(Mention(noun, kind, DETERMINERS[tokens[first - 1]], colours, first < start, before, after))
    return found


def holds(noun: str, kind: NounClass, scene: Scene) -> bool:
    """Tell whether a noun, or another name of it, is in the caption or the people list."""
    words, last = _words(scene), noun.split()[-1]
    if noun in words or last in words or any(_inside(last, word) for word in words):
        return True
    if any(last in group and group & words for group in alike()):
        return True
    present = {person.who for person in scene.people}
    if kind == "animal":
        who = lexicon().animals[noun]
        return (who in present and who != "animal") or (noun in {"animal", "pet"} and bool(present & ANIMALS))
    if kind == "person":
        who, _ = lexicon().people[noun]
        humans = present - ANIMALS - {"nobody"}
        if who == "baby" and any(person.age in {"baby", "child"} for person in scene.people):
            return True
        return bool(humans) and (who == "person" or bool({who, "person", CLOSE_KIN.get(who, who)} & humans))
    return False


def _companions(said: Sequence[tuple[Pair, Sequence[Mention]]]) -> dict[str, set[str]]:
    """Return noun -> caption words in whose scenes it is said far oftener than elsewhere (tray: waiter)."""
    nouns: dict[Scene, set[str]] = defaultdict(set)
    for pair, found in said:
        nouns[pair.scene].update(one.noun for one in found)
    seen = {scene: _words(scene) - CLOSED for scene in nouns}
    captioned = Counter(word for words in seen.values() for word in words)
    named = Counter(noun for one in nouns.values() for noun in one)
    both = Counter((word, noun) for scene, one in nouns.items() for word in seen[scene] for noun in one)
    companions: dict[str, set[str]] = defaultdict(set)
    for (word, noun), count in both.items():
        if count >= TOGETHER and count * len(nouns) >= LIFT * captioned[word] * named[noun]:
            companions[noun].add(word)
    return companions


def _features(one: Mention, voice: str) -> dict[str, int]:
    names = (
        f"n={one.noun}", f"k={one.kind}", f"d={one.determiner}", f"d={one.determiner} k={one.kind}", f"b={one.before}",
        f"a={one.after}", f"v={voice}", f"v={voice} k={one.kind}", f"v={voice} d={one.determiner}",
        f"d={one.determiner} n={one.noun}", f"v={voice} n={one.noun}",
    )  # fmt: skip
    return {**dict.fromkeys(names, 1), "coloured": int(bool(one.colours)), "described": int(one.described)}


def _wrong_colour(one: Mention, scene: Scene) -> str:
    """Return a colour the caption does not give this thing, though it gives it others."""
    for phrase in parse(scene.caption).phrases:
        known = set(phrase.words) & lexicon().colors
        if phrase.head == one.noun and one.colours and known:
            return "" if known & set(one.colours) else one.colours[-1]
    return ""


def _lower(text: str) -> str:
    return text.lower().replace("\u2019", "'")


@lru_cache(maxsize=65536)
def _noun(word: str) -> tuple[str, NounClass]:
    """Return a noun in the form the lexicon knows it by, and its class."""
    bare = word.removesuffix("'s").rstrip("'")
    kind = lexicon().kind(bare)
    return (bare, kind) if kind != "unknown" else (singular(bare), lexicon().kind(singular(bare)))


@lru_cache(maxsize=65536)
def _forms(word: str) -> tuple[str, ...]:
    """Return a word and its base forms."""
    lex, bare = lexicon(), word.removesuffix("'s").rstrip("'")
    whole = bare + "g" if word.endswith("in'") else bare  # skiin'
    bases = (lex.gerunds.get(whole), lex.third.get(bare), lex.participles.get(bare))
    return tuple({bare, singular(bare), *(base for base in bases if base)})


@lru_cache(maxsize=8192)
def _words(scene: Scene) -> frozenset[str]:
    """Return every word of the caption and the people list in its base forms."""
    words = [*TOKEN.findall(_lower(scene.caption)), *(person.who for person in scene.people)]
    words += [item for person in scene.people for item in person.wears]
    return frozenset(form for word in words for form in _forms(word))


@lru_cache(maxsize=8192)
def _content(scene: Scene) -> frozenset[str]:
    """Return the words of a scene that do not fit any photo."""
    return frozenset(word for word in _words(scene) - CLOSED - ANYWHERE if word.isalpha() or "-" in word)


def _inside(one: str, other: str) -> bool:
    """Tell whether one noun is a part of the other's compound: hat, sunhat; sandcastle, castle."""
    short, long = sorted((one, other), key=len)
    return 2 < len(short) < len(long) and (long.endswith(short) or (len(short) > 3 and long.startswith(short)))
