"""Who a caption names: its people and animals, how many, how old, in what mood and where.

A closed lexicon and a few rules about the words around a noun; captions come from our own captioner,
whose vocabulary is small, so this is enough and can be read. "a man and two dogs" is one man, two dogs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain import ANIMALS, MAX_PEOPLE, NOBODY, Age, Expression, Person, Where, Who
from bot.vision import lexicon

MANY = 3  # how many "a group of" or "several" stands for
_TOKEN = re.compile(r"[a-z0-9]+(?:['’-][a-z]+)*")
_WINDOW = 5  # words before a noun that may describe it, words after it that may place it
_LIKENESS_WINDOW = 8
_LIKENESS_WINDOW = 8
_EYEWEAR = re.compile(r"\b(wearing|wears|in|with|and|,) (?:[a-z]+ ){0,2}?((?:sun)?glasses)\b(?! of)")
_PLACES: tuple[tuple[str, Where], ...] = (
    (r"\b(on|to|at) the( far)? left\b", "left"),
    (r"\b(on|to|at) the( far)? right\b", "right"),
    (r"\bin the (background|distance)\b|\bfar away\b", "far"),
)


@dataclass(frozen=True)
class Token:
    """One word of a caption in lower case, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Mention:
    """One noun phrase of a caption that names people or animals.

    ``first`` and ``last`` index the caption's tokens: where its words begin and the noun itself.
    ``exact`` tells whether ``count`` was said ("two men") or stands for many ("a group of men").
    """

    first: int
    last: int
    noun: str
    who: Who
    age: Age
    count: int = 1
    exact: bool = True
    expression: Expression = "unclear"
    where: Where = "center"
    wears: tuple[str, ...] = ()

    @property
    def human(self) -> bool:
        """Whether people are named, not animals."""
        return self.who not in ANIMALS

    def person(self) -> Person:
        """Return one of those named, without a box."""
        return Person(self.who, self.age, self.expression, self.where, wears=self.wears)


def tokens_of(caption: str) -> list[Token]:
    """Split a caption into words; hyphenated words and possessives stay whole."""
    return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(caption.lower())]


def people_in_caption(caption: str) -> list[Mention]:
    """Return everyone the caption names, in the order of mention; empty when it names nobody."""
    tokens = tokens_of(caption)
    words = [token.text for token in tokens]
    mentions: list[Mention] = []
    for index in range(len(words)):
        mention = _mention_at(words, index)
        if mention and not _same_again(words, mention, mentions):
            mentions.append(mention)
        elif words[index] == "another" and _stands_alone(words, index) and mentions:
            mentions.append(replace(mentions[-1], first=index, last=index, count=1, exact=True))
    mentions = [_placed(mention, caption.lower(), tokens, mentions) for mention in mentions]
    mentions = _with_eyewear(mentions, caption.lower(), tokens)
    return _with_pronouns(_with_expressions(mentions, words), words)


def infer_people(caption: str) -> tuple[Person, ...]:
    """Return those a caption names as people without boxes, in the order of mention, at most MAX_PEOPLE.

    A caption that names nobody gives (NOBODY,).
    """
    people = [mention.person() for mention in people_in_caption(caption) for _ in range(mention.count)]
    return tuple(people[:MAX_PEOPLE]) or (NOBODY,)


def owner_of(pronoun: int, words: Sequence[str], mentions: Sequence[Mention]) -> Mention | None:
    """Return whom the pronoun at a token index means: the nearest single person before it whom it fits."""
    meant = lexicon.PRONOUNS[words[pronoun]]
    before = [m for m in mentions if m.human and m.count == 1 and m.last < pronoun]
    fitting = [m for m in before if lexicon.gender_of(lexicon.NOUNS[m.noun].who) in {None, meant}]
    return next(reversed(fitting), None)


def _mention_at(words: Sequence[str], index: int) -> Mention | None:
    """Read the noun at ``index`` with the words around it, or return None if it names nobody."""
    noun = words[index].removesuffix("'s").removesuffix("’s")
    entry = lexicon.NOUNS.get(noun)
    following = words[index + 1] if index + 1 < len(words) else ""
    if entry is None or following in lexicon.NOUNS or following in lexicon.COMPOUNDS:
        return None  # "a baby elephant" is an elephant, "a dog bed" a bed
    if noun in lexicon.MODIFIERS and _only_describes(words, index):
        return None  # "a male tennis player" is one player
    if noun != words[index] and entry.count > 1:
        return None  # "women's clothes" shows clothes
    first = _phrase_start(words, index)
    before = words[first:index]
    if _is_thing(words, first, index):
        return None
    count, exact = _count(before, entry)
    who, age = _described(entry, before)
    return Mention(first, index, noun, who, age, count, exact, where="far" if entry.far else "center")


def _only_describes(words: Sequence[str], index: int) -> bool:
    """Tell whether the noun comes a few words later in the same phrase."""
    for word in words[index + 1 : index + 4]:
        if word in lexicon.BREAKS or word in lexicon.DETERMINERS:
            return False
        if word in lexicon.NOUNS:
            return True
    return False


def _phrase_start(words: Sequence[str], noun: int) -> int:
    """Return where the words describing a noun begin: at its article or number."""
    for index in range(noun - 1, max(-1, noun - 1 - _WINDOW), -1):
        word, before = words[index], words[index - 1] if index else ""
        if word == "of" and before not in lexicon.COLLECTIVES:
            return index + 1  # "an old photo of women"
        if word in lexicon.DETERMINERS or word in lexicon.NUMBERS:
            return index - 1 if before in lexicon.DETERMINERS and "of" not in words[index:noun] else index
        if word in lexicon.BREAKS or (word in lexicon.NOUNS and word not in lexicon.MODIFIERS):
            return index + 1
    return max(0, noun - _WINDOW)


def _is_thing(words: Sequence[str], first: int, index: int) -> bool:
    """Tell a likeness or a homonym from somebody: a teddy bear, a statue of a man, a hot dog, a ceiling fan."""
    if lexicon.LIKENESSES & {*words[first:index]}:
        return True
    if words[index] == "crowd" and words[first] not in lexicon.DETERMINERS:
        return True  # a verb
    near = range(max(0, index - _LIKENESS_WINDOW), index - 1)
    if any(words[i] in lexicon.LIKENESSES_OF and words[i + 1] == "of" for i in near):
        return True
    before, after = (words[index - 1] if index else ""), (words[index + 1] if index + 1 < len(words) else "")
    return (before, words[index]) in lexicon.HOMONYMS or (words[index], after) in lexicon.HOMONYMS


def _count(before: Sequence[str], entry: lexicon.Noun) -> tuple[int, bool]:
    """Return how many a phrase means, and whether it says so exactly."""
    for word in before:
        if word in lexicon.NUMBERS:
            return lexicon.NUMBERS[word], True
        if word in lexicon.MANY_WORDS and entry.count > 1:
            return MANY, False
    if entry.count > 1 and {"couple", "pair"} & {*before}:
        return 2, True
    return entry.count, entry.count == 1 or entry.exact


def _described(entry: lexicon.Noun, before: Sequence[str]) -> tuple[Who, Age]:
    """Apply adjectives of gender and age to a noun."""
    who, age = entry.who, entry.age
    if age == "-":
        return who, age
    for word in before:
        gender = lexicon.GENDERED.get(word)
        if gender and who == "person":
            who = lexicon.gendered(who, age, gender)
        described = lexicon.AGED.get(word, age)
        age = age if described == "senior" and entry.age != "adult" else described  # "an older child" is a child
    return who, age


def _same_again(words: Sequence[str], mention: Mention, earlier: Sequence[Mention]) -> bool:
    """Tell whether "the dog" means the dog already named."""
    return words[mention.first] == "the" and any(mention.noun == other.noun for other in earlier)


def _stands_alone(words: Sequence[str], index: int) -> bool:
    """Tell whether "another" means one more of those just named ("next to another")."""
    return index + 1 == len(words) or words[index + 1] == "one" or words[index + 1] in lexicon.BREAKS


def _placed(mention: Mention, text: str, tokens: Sequence[Token], mentions: Sequence[Mention]) -> Mention:
    """Read where the caption puts someone, if it says so right after the noun or with "distant"."""
    if "distant" in [token.text for token in tokens[mention.first : mention.last]]:
        return replace(mention, where="far")
    following = min([m.first for m in mentions if m.first > mention.last], default=len(tokens))
    stop = min(following, mention.last + 2 + _WINDOW, len(tokens))
    words_after = text[tokens[mention.last].end : tokens[stop - 1].end]
    for pattern, where in _PLACES:
        if re.search(pattern, words_after):
            return replace(mention, where=where)
    return mention


def _with_eyewear(mentions: list[Mention], text: str, tokens: Sequence[Token]) -> list[Mention]:
    """Give glasses to whoever is named last before them, unless they stand on a table."""
    found = _EYEWEAR.search(text)
    if not found or (found[1] in {"and", ","} and "wear" not in text[: found.start()]):
        return mentions
    before = [m for m in mentions if m.human and tokens[m.last].end <= found.start()]
    wearer = before[-1] if before else None
    if found[1] == "with" and wearer and text[tokens[wearer.last].end : found.start()].strip():
        return mentions  # "a man at a table with glasses"
    return [replace(m, wears=(found[2],)) if m is wearer else m for m in mentions]


def _with_expressions(mentions: list[Mention], words: Sequence[str]) -> list[Mention]:
    """Give each word of mood to the noun it describes: the one it stands before, else the last one named."""
    found: dict[int, Expression] = {}
    for index, word in enumerate(words):
        if word in lexicon.EXPRESSIONS:
            described = [i for i, m in enumerate(mentions) if m.first <= index < m.last]
            named = described or [i for i, m in enumerate(mentions) if m.last < index][-1:]
            found.update((i, lexicon.EXPRESSIONS[word]) for i in named)
    unsaid: dict[bool, Expression] = {True: "unclear", False: "neutral"}
    return [replace(m, expression=found.get(i, unsaid[m.human])) for i, m in enumerate(mentions)]


def _with_pronouns(mentions: list[Mention], words: Sequence[str]) -> list[Mention]:
    """Let "his" and "her" say the gender of "a player"."""
    for index, word in enumerate(words):
        gender = lexicon.PRONOUNS.get(word)
        owner = owner_of(index, words, mentions) if gender else None
        if gender and owner and owner.who == "person":
            known = replace(owner, who=lexicon.gendered(owner.who, owner.age, gender))
            mentions = [known if mention is owner else mention for mention in mentions]
    return mentions
