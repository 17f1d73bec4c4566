"""A small grammar of captions: noun phrases with their prepositions, and verbs with who does them.

Captions are plain: ``a man in a red jacket skis down a snowy slope``. One pass from left to right cuts
them into noun phrases and verbs; number agreement tells a verb from a plural noun (a jacket skis).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from bot.speech.lexicon import NUMBERS, NounClass, is_plural, lexicon, word_set

PREPOSITIONS, CLAUSE_WORDS, PRONOUNS, ADVERBS, BE, DETERMINERS = map(
    word_set, ("prepositions", "clause", "pronouns", "adverbs", "be", "determiners")
)
BREAKS = frozenset({",", "and", "or"})
CLOSED = PREPOSITIONS | CLAUSE_WORDS | PRONOUNS | ADVERBS | BE | DETERMINERS | BREAKS
ALIVE = frozenset({"person", "animal"})
END = ","
MERGED = {
    "in front of": "in front of", "on top of": "on top of", "next to": "next to", "out of": "out of",
    "close to": "near", "at the top of": "on", "on the side of": "on", "in the middle of": "in", "up to": "to",
    "at the edge of": "at", "on the edge of": "on", "in the corner of": "in", "at the end of": "at",
    "a top": "atop", "lap top": "laptop", "air plane": "airplane", "sail boat": "sailboat",
    "cross country": "cross-country",
}  # fmt: skip
GROUPS = re.compile(
    r"(?:\b(?:an? |the )?(?:(?:large|small|big|long|huge|mixed|whole) )?(group|crowd|line|row|herd|flock|couple|team)"
    r"|^(?:an? |the )?(?:(?:large|small|big|long|huge|mixed) )?"
    r"(bunch|pair|lot|pack|band|set|stack|pile|number|variety|string)) of "
)
_VIEWS = (
    "close up|close-up|closeup|close view|close selfie|selfie|mirror selfie|portrait|photo|picture|photograph|image"
    "|black and white (?:photo|photograph|picture|image|portrait|selfie|shot)|view|(?:high|low|side|rear|back) view"
    "|shot|bust|profile|silhouette|back|front|head and shoulders"
)
LEAD_IN = re.compile(
    r"^(?:there (?:is|are) |this is |here is )?"
    rf"(?:(?:an? |the )?(?:very )?(?:extreme |close |closeup |close-up )?(?:{_VIEWS})"
    r"(?: shot| view| selfie| portrait| photo| picture)? (?:of|showing) )"
)
PHOTO_NOTE = re.compile(
    r"\bin (?:an? |this )?(?:(?:old|close|close up|close-up|black and white|vintage|blurry|sepia) )+"
    r"(?:portrait|selfie|photo|photograph|picture|image|shot)\b"
)


@dataclass(slots=True)
class NounPhrase:
    """One noun phrase: its words without the determiner, its head noun (singular) and how it is attached."""

    start: int
    end: int
    det: str
    words: tuple[str, ...]
    head: str
    kind: NounClass
    plural: bool
    count: int
    prep: str = ""
    owner: str = ""
    """The possessor in ``a father's hat``, the pronoun in ``her hat``."""

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The words before the head noun."""
        return self.words[: len(self.words) - len(self.head.split())]


@dataclass(slots=True)
class Verb:
    """One verb: where it stands, its base, its form and the indices of the noun phrases that do it."""

    index: int
    base: str
    form: str
    """``finite``, ``gerund`` or ``participle``."""
    agents: tuple[int, ...] = ()


@dataclass(slots=True)
class Parse:
    """A caption cut into tokens, noun phrases and verbs."""

    tokens: tuple[str, ...]
    phrases: list[NounPhrase] = field(default_factory=list)
    verbs: list[Verb] = field(default_factory=list)
    joined: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of neighbouring phrases with only ``and`` between them."""

    def word(self, index: int) -> str:
        """Return the token at ``index``, a comma beyond either end."""
        return self.tokens[index] if 0 <= index < len(self.tokens) else END


def tokenize(caption: str) -> tuple[str, ...]:
    """Lower-case words and commas of a caption, without its lead-in (``a close up of``).

    Compound prepositions are one token (``in front of``), groups become ``several``.
    """
    text = caption.lower().strip().rstrip(".!").replace("\u2019", "'")
    text = PHOTO_NOTE.sub("", LEAD_IN.sub("", text))
    text = GROUPS.sub(lambda match: "two " if {match[1], match[2]} & {"couple", "pair"} else "several ", text)
    for phrase, meant in MERGED.items():
        if phrase in text:
            text = re.sub(rf"\b{phrase}\b", meant.replace(" ", "_"), text)
    return tuple(word.replace("_", " ") for word in re.findall(r"[a-z0-9'_-]+|,", text))


@lru_cache(maxsize=512)
def parse(caption: str) -> Parse:
    """Cut a caption into noun phrases and verbs."""
    return _Parser(tokenize(caption)).run()


class _Parser:
    """One left-to-right pass over the tokens."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self.out, self.lex = Parse(tokens), lexicon()
        self.phrases, self.word = self.out.phrases, self.out.word
        self.subject: tuple[int, ...] = ()
        self.finite = False
        self.prep = ""
        self.clause_open = True  # a phrase without a preposition is the clause's subject

    def run(self) -> Parse:
        i = 0
        while i < len(self.out.tokens):
            i = self._step(i)
        return self.out

    def _step(self, i: int) -> int:
        """Take what starts at token i and return where the next thing starts."""
        word = self.word(i)
        if word == "as" and self.word(i - 1) in word_set("costumed"):
            self.prep = word
        elif word == END or word in CLAUSE_WORDS:
            self._boundary(i, word)
        elif word in {"and", "or"}:
            # the preposition carries over (in red and blue) unless a second subject follows
            carries = self._touches(i) and not self._subject_follows(i)
            self.prep = self.phrases[-1].prep if carries else ""
        elif word in BE:
            self.finite = True
            if self.word(i + 1) in self.lex.participles:
                self._verb(i + 1, "participle")
                return i + 2
        elif word in PREPOSITIONS:
            verb = self.out.verbs[-1] if self.out.verbs and self.out.verbs[-1].index == i - 1 else None
            particle = verb is not None and word in word_set("particles") and verb.base in word_set("particle_verbs")
            self.prep = "" if particle else word
        elif self._verb_at(i):
            pass
        elif word in PRONOUNS and not (word == "her" and self.word(i + 1) not in CLOSED):
            self.prep = ""
        elif not (word in ADVERBS or self._is_adverb(word)):
            return self._phrase(i)
        return i + 1

    def _boundary(self, i: int, word: str) -> None:
        """Close the clause; the items of a list keep their preposition (in a sweater, hat and boots)."""
        if word in word_set("new_subject"):
            self.clause_open, self.finite = True, False
        listed = word == END and self._touches(i) and self.phrases[-1].kind not in ALIVE
        self.prep = self.phrases[-1].prep if listed else ""

    def _touches(self, i: int) -> bool:
        return bool(self.phrases) and self.phrases[-1].end == i

    def _subject_follows(self, i: int) -> bool:
        """Tell whether ``and`` brings another person or animal while the clause still waits for its verb."""
        words: list[str] = []
        for k in range(i + 1, i + 6) if self.clause_open and not self.finite else ():
            word, after = self.word(k), self.word(k + 1)
            if word in DETERMINERS or word in NUMBERS:
                continue
            if word in PREPOSITIONS or word in BREAKS:
                break
            words.append(word)
            ends = after in CLOSED or after in self.lex.bases or after in self.lex.third or after in self.lex.gerunds
            if ends and self.lex.classify(tuple(words))[1] in ALIVE:
                return True
        return False

    def _verb_at(self, i: int) -> bool:
        """Take a verb that does not stand inside a noun phrase; tell whether there was one."""
        word, before = self.word(i), self.word(i - 1)
        if not self.phrases or not (self._touches(i) or before in CLOSED - PREPOSITIONS or self._is_adverb(before)):
            return False
        waits = not self.finite or before in {"and", "or"}
        plural = self._plural_subject()
        if word in self.lex.gerunds:
            form = "gerund"
        elif word in self.lex.third and waits and (not plural or self._group_subject()):
            form = "finite"
        elif word in self.lex.bases and waits and plural:
            later = self.out.tokens[i + 1 : i + 4]
            if before in {"and", "or"} and not self.finite and any(one in self.lex.bases for one in later):
                return False  # in red shirts and face paint take a selfie
            form = "finite"
        elif waits and self._slip(i):
            form = "finite"
        elif word in self.lex.participles:
            form = "participle"
        elif self._touches(i) and self._acts(list(self.phrases[-1].words), word, self.word(i + 1)):
            form = "gerund" if word.endswith("ing") else "participle"
        else:
            return False
        self._verb(i, form)
        return True

    def _verb(self, i: int, form: str) -> None:
        word = self.word(i)
        table = {"gerund": self.lex.gerunds, "finite": self.lex.third, "participle": self.lex.participles}[form]
        nearest = self._nearest_agent(i) if form != "finite" and self.word(i - 1) not in BE else None
        agents = self.subject if nearest is None else nearest
        self.out.verbs.append(Verb(i, table.get(word, word), form, agents))
        self.finite = self.finite or form == "finite"
        self.prep, self.clause_open = "", False

    def _nearest_agent(self, i: int) -> tuple[int, ...] | None:
        """Find the person or animal right before a participle; None means the clause's subject."""
        k = len(self.phrases) - 1
        if k < 0 or self.word(i - 1) in {END, "and"}:
            return None
        last = self.phrases[k]
        is_object = bool(self.out.verbs) and self.out.verbs[-1].index < last.start
        moves = is_object and last.kind in {"thing", "vehicle", "unknown"} and last.end == i
        if moves and self.lex.gerunds.get(self.word(i), "") not in word_set("people_do"):
            return ()  # popcorn flying out of a bowl: the popcorn does it
        if last.prep == "with" and last.kind == "unknown" and last.end == i and not (last.det or last.plural):
            return ()  # a man with rain dripping down his face
        while k >= 0 and self.phrases[k].kind not in ALIVE:
            if self.phrases[k].prep not in {"in", "on", "with", "at", "near", "by", "of"} or k in self.subject:
                return None
            k -= 1
        return None if k < 0 or k in self.subject else (k,)

    def _plural_subject(self) -> bool:
        return len(self.subject) > 1 or any(self.phrases[k].plural for k in self.subject)

    def _group_subject(self) -> bool:
        """Tell whether the subject agrees with either number: a group of elephants bathes."""
        return any(
            self.phrases[k].det == "several" or self.phrases[k].head in word_set("collective") for k in self.subject
        )

    def _phrase(self, i: int) -> int:
        """Take one noun phrase that starts at token i and return its end."""
        start, det, owner, count = i, "", "", 0
        while (word := self.word(i)) in DETERMINERS or word in NUMBERS:
            count = NUMBERS.get(word, count)
            det = det or word
            owner = word if word in {"his", "her", "their", "its"} else owner
            i += 1
        words: list[str] = []
        while i < len(self.out.tokens) and not self._ends_phrase(i, words, det, count):
            if self.word(i) == END:  # an orange, white and blue bus
                pass
            elif self.word(i).endswith(("'s", "s'")):
                owner, words = self.word(i), []
            else:
                words.append(self.word(i))
            i += 1
        if not words:
            return max(i, start + 1)
        size, kind, head, plural = self.lex.classify(tuple(words))
        if kind == "unknown" and head in self.lex.colors:
            plural = False
        if kind in ALIVE and word_set("not_real") & set(words[:-size]):
            kind = "thing"
        plural = (
            plural or count > 1 or head == "couple" or (head in word_set("invariant") and det not in {"a", "an", "one"})
        )
        phrase = NounPhrase(
            start, i, det, tuple(words), head, kind, plural, count or (3 if plural else 1), self.prep, owner
        )
        self.phrases.append(phrase)
        self._attach(len(self.phrases) - 1)
        self.prep = ""
        return i

    def _attach(self, index: int) -> None:
        """Join a new phrase to the one before ``and``, or make it the clause's subject."""
        phrase = self.phrases[index]
        after_and = self.word(phrase.start - 1) == "and"
        joined = index > 0 and after_and and self.phrases[index - 1].end == phrase.start - 1
        if joined:
            self.out.joined.add((index - 1, index))
        if phrase.prep or not self.clause_open or self.finite:
            return
        if self.subject and (joined or (after_and and phrase.kind in ALIVE)):
            self.subject = (*self.subject, index)
        elif not joined:
            self.subject = (index,)

    def _ends_phrase(self, i: int, words: list[str], det: str, count: int) -> bool:
        """Tell whether token i no longer belongs to the noun phrase ``words``."""
        word, after = self.word(i), self.word(i + 1)
        if word in {"and", END} and self._two_colors(i, words):
            return False
        if word in BREAKS | CLAUSE_WORDS | BE | PRONOUNS | PREPOSITIONS:
            return True
        if not words:
            return False
        if word in DETERMINERS or word in NUMBERS:
            return True
        if not self._has_noun(words):
            return False
        if word in ADVERBS or self._is_adverb(word) or self._acts(words, word, after):
            return True
        if word in self.lex.gerunds:
            made = word in word_set("made_of") or after not in CLOSED
            described = words[-1] in self.lex.adjectives and made  # an orange climbing wall, a stone building
            return not described and not self._compound(words, word, after)
        if word in self.lex.participles and after in PREPOSITIONS | BREAKS | ADVERBS:
            return word not in self.lex.adjectives or after in PREPOSITIONS
        if self.lex.kind(f"{words[-1]} {word}") == "place":
            return False  # in the back seat
        return self._finite_here(i, words, det, count)

    def _two_colors(self, i: int, words: list[str]) -> bool:
        """Tell whether token i stands between two colours of one phrase: a black and white dog."""
        if not words or words[-1] not in self.lex.colors or self.word(i + 1) not in self.lex.colors:
            return False
        after = self.word(i + 2)
        return (
            self._two_colors(i + 2, [self.word(i + 1)])
            if after == "and"
            else after != END and after not in PREPOSITIONS
        )

    def _has_noun(self, words: list[str]) -> bool:
        last = words[-1]
        colour_alone = last in self.lex.colors and self.prep == "in"  # a man in white
        if colour_alone or last not in self.lex.adjectives or self.lex.kind(last) in {"thing", "person", "garment"}:
            return True
        return self.lex.classify(tuple(words))[0] > 1  # a traffic light

    def _is_adverb(self, word: str) -> bool:
        known = self.lex.adjectives | word_set("not_adverbs")
        return word.endswith("ly") and word not in known and self.lex.kind(word) == "unknown"

    def _acts(self, words: list[str], word: str, after: str) -> bool:
        """Recognise an unknown -ing or -ed word right after somebody alive: two elephants locking trunks."""
        if self.lex.classify(tuple(words))[1] not in ALIVE or self.lex.kind(f"{word} {after}") != "unknown":
            return False
        return (word.endswith("ing") and len(word) > 5) or (word.endswith("ed") and after in PREPOSITIONS)

    def _compound(self, words: list[str], word: str, after: str) -> bool:
        return self.lex.kind(f"{word} {after}") != "unknown" and self.lex.kind(words[-1]) == "unknown"

    def _finite_here(self, i: int, words: list[str], det: str, count: int) -> bool:
        """Decide by agreement whether token i is the clause's finite verb rather than part of the noun."""
        if self.finite:
            return False
        word, after = self.word(i), self.word(i + 1)
        before = self.word(i - len(words) - 1 - bool(det))
        second = before == "and" and bool(self.subject) and self.clause_open
        own = self.clause_open and not self.prep and (before in {"while", "as", END} or not self.subject)
        plural_here = (
            count > 1 or is_plural(words[-1]) or (words[-1] in word_set("invariant") and det not in {"a", "an", "one"})
        )
        plural = plural_here if own else (second and not self.prep) or self._plural_subject()
        group = det == "several" or words[-1] in word_set("collective") if own else self._group_subject()
        is_noun = self.lex.classify((word,))[1] != "unknown"
        if word in self.lex.third and not plural:
            if not det and after in self.lex.third:
                return False  # in arm floats stands
            if not is_noun or plural_here or det in {"a", "an", "his", "her", "its"}:
                return True
            return not any(later in self.lex.third or later in BE for later in self.out.tokens[i + 1 : i + 6])
        if word in self.lex.third and group and not is_noun and after in CLOSED:
            return True
        if not plural and self.lex.classify(tuple(words))[1] != "unknown" and self._slip(i):
            return True
        return word in self.lex.bases and plural and (plural_here or after in CLOSED - CLAUSE_WORDS)

    def _slip(self, i: int) -> bool:
        """Tell whether token i is a verb in the wrong number: a woman in a shirt sit on a table."""
        return self.word(i) in word_set("slips") and self.word(i + 1) in PREPOSITIONS | DETERMINERS
