"""What a user message is about: one of the frames' intents, or ``other``.

Two steps, both from bot/resources/intents.toml. Patterns decide what must never be missed; what they leave
goes to the nearest example messages, by the cosine of TF-IDF weighted word and character n-grams
(Salton and Buckley, Term-weighting approaches in automatic text retrieval, 1988). Far from every example
means ``other``, whose answers keep the talk going: a wrong guess reads worse than an honest shrug.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter, defaultdict
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

INTENTS = Path(__file__).parent.parent / "resources" / "intents.toml"
OTHER = "other"
NEAREST = 4
MIN_COSINE = 0.42  # tuned on corpus messages labelled by hand; below it a guess is right less often than not
CHARACTER_WEIGHT = 0.5
SAD_FACE = re.compile(r":'?-?\(|[\U0001f622\U0001f614\U0001f494]")
SHORT_FORMS = {
    "u": "you", "ur": "your", "r": "are", "ya": "you", "yall": "you all", "im": "i am", "i'm": "i am",
    "youre": "you are", "you're": "you are", "thats": "that is", "that's": "that is", "whats": "what is",
    "what's": "what is", "wheres": "where is", "where's": "where is", "whos": "who is", "who's": "who is",
    "hows": "how is", "how's": "how is", "its": "it is", "it's": "it is", "wyd": "what are you doing",
    "dont": "do not", "don't": "do not", "arent": "are not", "aren't": "are not", "ive": "i have", "i've": "i have",
    "wanna": "want to", "gonna": "going to", "gotta": "got to", "pls": "please", "plz": "please", "rn": "right now",
    "tmrw": "tomorrow", "tmr": "tomorrow", "fav": "favorite", "favourite": "favorite", "thx": "thanks", "ty": "thanks",
    "thnx": "thanks", "pic": "photo", "picture": "photo", "n": "and", "k": "ok", "smth": "something", "cuz": "because",
    "lol": "", "lmao": "", "lmaoo": "", "haha": "", "hahaha": "", "hehe": "", "omg": "", "bro": "", "dude": "",
    "tho": "", "though": "",
}  # fmt: skip


def normalise(message: str) -> str:
    """Return a message in lower case, short forms spelt out (``whats ur name`` -> ``what is your name``)."""
    text = re.sub(r"(.)\1{2,}", r"\1\1", message.lower().replace("\u2019", "'"))
    words = re.findall(r"https?:|www[.]|discord[.]gg|@[a-z]+|<3|[a-z']+|[0-9]+|!!|[?!]", text)
    return " ".join(filter(None, (SHORT_FORMS.get(word, word) for word in words)))


def classify_intent(message: str) -> str:
    """Return the intent of one user message, ``other`` when it is unclear."""
    text = normalise(message)
    for intent, pattern in _patterns():
        if pattern.search(text):
            return intent
    intent = _examples().nearest(text)
    return "sad_user" if intent == OTHER and SAD_FACE.search(message) else intent


@lru_cache(maxsize=1)
def intent_messages() -> dict[str, tuple[str, ...]]:
    """Return the example messages of every intent, ``other`` among them."""
    return {intent: tuple(messages) for intent, messages in _load()["messages"].items()}


def _load() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(INTENTS.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((intent, re.compile(str(pattern))) for intent, pattern in _load()["patterns"].items())


@lru_cache(maxsize=1)
def _examples() -> _Examples:
    return _Examples(intent_messages())


class _Examples:
    """Example messages as unit vectors of TF-IDF weights, in an inverted index."""

    def __init__(self, messages: dict[str, tuple[str, ...]]) -> None:
        counted = [(intent, _ngrams(normalise(text))) for intent, texts in messages.items() for text in texts]
        self.frequency = Counter(gram for _, grams in counted for gram in grams)
        self.count = len(counted)
        self.intents = [intent for intent, _ in counted]
        self.index: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, (_, grams) in enumerate(counted):
            for gram, weight in self._unit(grams).items():
                self.index[gram].append((number, weight))

    def nearest(self, text: str) -> str:
        """Return the intent with most squared cosine among the nearest examples, or ``other`` if all are far."""
        scores: dict[int, float] = defaultdict(float)
        for gram, weight in self._unit(_ngrams(text)).items():
            for number, other in self.index.get(gram, ()):
                scores[number] += weight * other
        nearest = sorted(scores.items(), key=lambda item: -item[1])[:NEAREST]
        if not nearest or nearest[0][1] < MIN_COSINE:
            return OTHER
        votes: dict[str, float] = defaultdict(float)
        for number, cosine in nearest:
            votes[self.intents[number]] += cosine * cosine
        return max(votes, key=lambda intent: votes[intent])

    def _unit(self, grams: Counter[str]) -> dict[str, float]:
        weights = {
            gram: (CHARACTER_WEIGHT if gram[0] == "c" else 1.0)
            * (1 + math.log(count))
            * math.log((self.count + 1) / (self.frequency.get(gram, 0) + 0.5))
            for gram, count in grams.items()
        }
        norm = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        return {gram: weight / norm for gram, weight in weights.items()}


def _ngrams(text: str) -> Counter[str]:
    """Count words, word pairs and runs of three to five characters, each with its kind in front."""
    words = [word for word in text.split() if word not in {"?", "!", "!!"}]
    line = f" {' '.join(words)} "
    ends = ["<", *words, ">"]
    grams = Counter(f"w:{word}" for word in words)
    grams.update(f"b:{first} {second}" for first, second in pairwise(ends))
    grams.update(f"c:{line[i : i + n]}" for n in (3, 4, 5) for i in range(len(line) - n + 1))
    return grams
