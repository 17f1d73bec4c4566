"""What a user message is about: one of the frames' intents, or ``other``.

Patterns of bot/resources/intents.toml decide what must never be missed; everything else is up to a softmax
regression over hashed words, word pairs and runs of characters, and over which of the other patterns match
(models/train/intents.py). Unsure means ``other``, whose answers keep the talk going: a wrong guess reads worse
than an honest shrug.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from collections import Counter
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bot.domain import Failure
from bot.speech.safety import unmask

INTENTS = Path(__file__).parent.parent / "resources" / "intents.toml"
WEIGHTS = INTENTS.with_suffix(".npz")
OTHER = "other"
GO_ON = "go_on"  # tell me more
NEVER_MISSED = ("sad_user", "out_of_bounds", "are_you_bot")
SURE = 0.35  # probability an intent needs
SURE_ENOUGH = 0.3  # what must never be missed needs less
BUCKETS, PATTERNS = 2**15, 64
FEATURES = BUCKETS + PATTERNS
CHARACTER_WEIGHT, PATTERN_WEIGHT = 0.5, 0.5
LONGEST = 300  # characters read at either end of a message: what it is about stands there, or hides there
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
    "tho": "", "though": "", "ngl": "", "fr": "", "tbh": "", "lowkey": "", "af": "", "hahah": "", "heh": "",
    "aww": "aw", "wat": "what", "wut": "what", "wats": "what is", "wtf": "what", "wht": "what", "nam": "name",
    "urs": "yours", "gimme": "give me", "lemme": "let me", "abt": "about", "w": "with", "nite": "night",

    "goodnite": "good night", "goodnight": "good night", "goodmorning": "good morning", "bc": "because",
    "sm": "so much", "alr": "alright", "shes": "she is", "hes": "he is", "theyre": "they are", "isnt": "is not",
    "bday": "birthday", "grandad": "grandpa", "granny": "grandma", "tmw": "tomorrow", "favs": "favorites",
    "yur": "your", "yo'": "your", "watcha": "what are you", "whatcha": "what are you", "cant": "can not",
    "can't": "can not", "didnt": "did not", "havent": "have not", "wont": "will not", "doesnt": "does not",
    "adress": "address",
}  # fmt: skip


def normalise(message: str) -> str:
    """Return a message in lower case, short forms spelt out (``whats ur name`` -> ``what is your name``)."""
    if len(message) > 2 * LONGEST:
        message = f"{message[:LONGEST]} {message[-LONGEST:]}"
    text = re.sub(r"(.)\1{2,}", r"\1\1", unmask(message).lower().replace("\u2019", "'"))
    words = re.findall(r"https?:|www[.]|discord[.]gg|@[a-z]+|<3|[a-z']+|[0-9]+|!!|[?!]", text)
    return " ".join(filter(None, (SHORT_FORMS.get(word, word).replace("'", "") for word in words)))


def classify_intent(message: str) -> str:
    """Return the intent of one user message, ``other`` when it is unclear."""
    text = normalise(message)
    if not text:
        return "sad_user" if SAD_FACE.search(message) else OTHER
    for intent, pattern in _patterns():
        if intent in NEVER_MISSED and pattern.search(text):
            return intent
    chances = intent_chances(message)
    for intent in NEVER_MISSED:
        if chances[intent] >= SURE_ENOUGH:
            return intent
    best = max(chances, key=lambda intent: chances[intent])
    best = best if chances[best] >= SURE else OTHER
    return "sad_user" if best in {OTHER, "happy_user"} and SAD_FACE.search(message) else best


def intent_chances(message: str) -> dict[str, float]:
    """Return the probability of every intent, 0..1, as the trained classifier sees it."""
    weights, scale, bias, intents = _classifier()
    indices, values = features(message)
    logits = values @ (weights[indices].astype(np.float32) * scale) + bias
    odds = np.exp(logits - logits.max())
    return dict(zip(intents, (odds / odds.sum()).tolist(), strict=True))


def features(message: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return indices in 0..FEATURES and their values: hashed n-grams on the unit sphere, then matching patterns."""
    text = normalise(message)
    values: dict[int, float] = {}
    for gram, count in _ngrams(text).items():
        bucket = zlib.crc32(gram.encode()) % BUCKETS
        values[bucket] = values.get(bucket, 0.0) + count * (CHARACTER_WEIGHT if gram[0] == "c" else 1.0)
    norm = sum(value * value for value in values.values()) ** 0.5
    values = {bucket: value / norm for bucket, value in values.items()}
    for number, (_, pattern) in enumerate(_patterns()):
        if pattern.search(text):
            values[BUCKETS + number] = PATTERN_WEIGHT
    if SAD_FACE.search(message):
        values[FEATURES - 1] = PATTERN_WEIGHT
    return np.fromiter(values, np.int64, len(values)), np.fromiter(values.values(), np.float32, len(values))


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
def _classifier() -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32], npt.NDArray[np.float32], tuple[str, ...]]:
    """Return weights (FEATURES, intents), their scale, bias (intents,) and the intents; Failure when there are none."""
    try:
        with np.load(WEIGHTS) as stored:
            return stored["weights"], stored["scale"], stored["bias"], tuple(map(str, stored["intents"]))
    except (OSError, KeyError, ValueError):
        raise Failure(f"The intent classifier {WEIGHTS} is missing or broken; install the bot again.") from None


def _ngrams(text: str) -> Counter[str]:
    """Count words, word pairs and runs of three to five characters, each with its kind in front."""
    words = [word for word in text.split() if word not in {"?", "!", "!!"}]
    line = f" {' '.join(words)} "
    ends = ["<", *words, ">"]
    grams = Counter(f"w:{word}" for word in words)
    grams.update(f"b:{first} {second}" for first, second in pairwise(ends))
    grams.update(f"c:{line[i : i + n]}" for n in (3, 4, 5) for i in range(len(line) - n + 1))
    return grams
