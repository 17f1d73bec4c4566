"""What a caption says people wear above the waist, and in which colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.vision import lexicon
from bot.vision.caption_people import Mention


@dataclass(frozen=True)
class Garment:
    """One garment of a caption by indices of its words: who wears it, where its phrase begins, the noun, the colours.

    ``noun`` is None where only a colour is said ("a man in white"). ``colours`` are the words from the first to
    the last colour ("dark blue", "red and white"); it is empty where none is said.
    """

    owners: tuple[Mention, ...]
    first: int
    noun: int | None
    colours: range


def garments_in_caption(words: Sequence[str], mentions: Sequence[Mention]) -> list[Garment]:
    """Return the garments people wear, in the order of mention; what is only held or seen is left out."""
    found = [_garment_at(words, index, mentions) for index in range(len(words))]
    return [garment for garment in found if garment]


def _garment_at(words: Sequence[str], index: int, mentions: Sequence[Mention]) -> Garment | None:
    """Read the garment or the bare colour that ends at ``index``."""
    following, second = (*words[index + 1 : index + 3], "", "")[:2]
    continues = following == "and" and second in lexicon.COLOURS
    bare = words[index] in lexicon.COLOURS and _ends_phrase(following) and not continues
    if not bare and (words[index] not in lexicon.UPPER_GARMENTS or following == "of"):
        return None
    first = index if not bare else index + 1
    while first and _describes(words, first - 1):
        first -= 1
    before = first - 1 if first and words[first - 1] in lexicon.DETERMINERS else first
    if not before or (bare and before < first) or not _worn(words, before - 1):
        return None
    if bare and not any(mention.last in (before - 2, before - 3) for mention in mentions):
        return None  # "a bird in white", "the letters in red"
    colours = [i for i in range(first, index + 1) if words[i] in lexicon.COLOURS]
    span = range(colours[0], colours[-1] + 1) if colours else range(0)
    owners = _owners(words, before, mentions)
    return Garment(owners, first, None if bare else index, span) if owners else None


def _describes(words: Sequence[str], index: int) -> bool:
    """Tell whether a word belongs to the phrase of the garment after it; "and" does between two colours."""
    word = words[index]
    if word == "and":
        return index > 0 and words[index - 1] in lexicon.COLOURS and words[index + 1] in lexicon.COLOURS
    stops = word in lexicon.BREAKS or word in lexicon.DETERMINERS or word in lexicon.NOUNS
    return not stops and word not in lexicon.WORN and word not in lexicon.GARMENTS


def _ends_phrase(word: str) -> bool:
    """Tell whether no noun follows a colour: "in white serves", "in white and", not "in white shorts"."""
    return not word or word in lexicon.BREAKS or word in lexicon.DEEDS


def _worn(words: Sequence[str], index: int) -> bool:
    """Tell whether what follows the word at ``index`` is worn: after "in" or "wearing", or in a list that is."""
    if words[index] in lexicon.WORN:
        return True
    listed = words[index] in {"and", "with"} or words[index] in lexicon.GARMENTS
    if not listed or words[index] == "with":
        return False
    for before in range(index - 1, max(-1, index - 6), -1):
        if words[before] in lexicon.WORN:
            return any(words[i] in lexicon.GARMENTS for i in range(before, index + 1))
        if words[before] in lexicon.NOUNS or (words[before] in lexicon.BREAKS and words[before] != "and"):
            return False
    return False


def _owners(words: Sequence[str], first: int, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return whoever is named last before a garment, with those joined by "and"; nobody if that is an animal."""
    before = [mention for mention in mentions if mention.last < first]
    if not before or not before[-1].human:
        return ()
    owners = [before[-1]]
    for mention in reversed(before[:-1]):
        joined = words[owners[0].first - 1] == "and" and mention.last == owners[0].first - 2 and mention.human
        if not joined:
            break
        owners.insert(0, mention)
    return tuple(owners)
