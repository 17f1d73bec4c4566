"""The form of a message that is of no known kind: its dialogue act, so that an answer at least answers that form.

A dialogue act says what is done with a message rather than what it is about (Austin 1962; tags as in Stolcke et al.
2000, far fewer here). Ordered rules over the clauses of the normalised message tell it: a question in the last clause
counts more than what was said before. The word lists are in bot/resources/lexicons/words.txt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from bot.speech.intents import GO_ON, OTHER, normalise
from bot.speech.lexicon import lexicon, vocabulary, word_set

ACTS = ("yes_no", "what", "who", "how_much", "why", "how", "request", "remark", "told", "reaction")
KNOWN_SHARE = 0.5  # of the words of a message: below, it is no English that anything could be said to
CLAUSE = re.compile(r"(?<=[?!])[\s?!]+|[.;,\n]+\s*|\s+-+\s+")
ENDS_ASKING = re.compile(r"\w\W+\w+\W*\?\W*$")  # "nap time soon?"

Rules = Sequence[tuple[str, re.Pattern[str]]]


def dialogue_act(message: str) -> str:
    """Return the act of a message, one of ACTS, or ``other`` when it is hardly English."""
    words = re.findall("[a-z]{2,}", normalise(message))
    if sum(word in vocabulary() for word in words) < KNOWN_SHARE * max(1, len(words)):
        return OTHER
    clauses = [clause for part in CLAUSE.split(message) if (clause := _bare(part))]
    for clause in reversed(clauses):
        if act := _first(_questions(), clause):
            return act
    if ENDS_ASKING.search(message):
        return "yes_no"
    for clause in reversed(clauses):
        if act := _told_or_asked(clause):
            return act
    return "reaction"


def answered_as(intent: str, message: str) -> str:
    """Return the kind of frames that answer a message of this intent: its act where no intent is known.

    Empty for somebody who wants to hear more: another opening is what they get.
    """
    return "" if intent == GO_ON else dialogue_act(message) if intent == OTHER else intent


def _bare(part: str) -> str:
    """Return the words of a clause without what may stand before any."""
    words = re.findall(r"[a-z0-9]+", normalise(part))
    while words and words[0] in word_set("before_clauses"):
        del words[0]
    return " ".join(words)


def _told_or_asked(clause: str) -> str:
    """Return the act of a clause that is no question, empty when it is a mere word or two."""
    first, *rest = clause.split()
    asks = first in word_set("asked") or (bool(rest) and first in lexicon().bases)
    if asks and first not in word_set("not_asked"):
        return "request"
    return _first(_statements(), clause) if rest else ""


def _first(rules: Rules, clause: str) -> str:
    """Return the act of the first rule that a clause fits, empty when there is none."""
    return next((act for act, pattern in rules if pattern.search(clause)), "")


def _any(*sets: str) -> str:
    """Return a pattern for any word of these sets."""
    return rf"(?:{'|'.join(sorted(word for name in sets for word in word_set(name)))})\b"


@cache
def _questions() -> Rules:
    """Return the rules for questions; one word of address or surprise may stand before most ("yikes what is that")."""
    lead = rf"^(?:(?!{_any('subjects', 'no_question_after')})\w+ )?"
    verb = _any("to_be", "auxiliaries")
    several = rf"(?:{_any('determiners')} )?(?!this\b|his\b)\w+s \w"  # do dogs bite
    rules = (
        ("how_much", rf"{lead}how {_any('quantities')}"),
        ("why", rf"{lead}(?:why|how come)\b"),
        ("who", rf"{lead}(?:who|whose|which)\b"),
        ("what", rf"{lead}how (?:(?:about|is|was|were)\b|did .*\bgo\b|d(?:o|id) .*\bfeel\b)"),
        ("how", rf"{lead}how \w"),
        ("what", rf"{lead}(?:what (?!an? )\w|where \w|when {verb})"),
        ("yes_no", rf"^do (?:not (?:you|they|we|i)\b|{several})"),
        ("request", rf"^(?:do|have) {_any('objects')}|^(?:can|could) you not\b"),
        ("yes_no", rf"{lead}{verb} (?:not )?{_any('subjects')}"),
        ("yes_no", rf"^(?:{_any('to_be', 'asking_alone')}|{_any('asking_short')}) \w"),
    )
    return tuple((act, re.compile(pattern)) for act, pattern in rules)


@cache
def _statements() -> Rules:
    """Return the rules for what somebody tells: of himself, or of the one in the photo and all else."""
    about = rf"^(?:{_any('subjects', 'others')}|(?:an? )?\w+ {_any('to_be')})"
    return ("told", re.compile(f"^{_any('own')}")), ("remark", re.compile(about))
