"""Correct a caption where faces know better: nouns, adjectives, pronouns, numbers, glasses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.domain import Person, Who
from bot.vision import lexicon
from bot.vision.agreement import YOUNG, ages_differ
from bot.vision.caption_people import Mention, Token, owner_of, people_in_caption, tokens_of

_NOUNS: Mapping[Who, tuple[str, str]] = {
    "man": ("man", "men"),
    "woman": ("woman", "women"),
    "boy": ("boy", "boys"),
    "girl": ("girl", "girls"),
    "baby": ("baby", "babies"),
    "person": ("person", "people"),
}
_CHILD = ("child", "children")
_SMALL = frozenset({"little", "small", "tiny"})
_TO_HER = {"he": "she", "his": "her", "him": "her", "himself": "herself"}
_TIES = r"(?:wearing|wears|in|with|has)"  # what ties a thing to who has it
_TO_HIM = {"she": "he", "hers": "his", "herself": "himself"}


@dataclass
class Draft:
    """A caption while it is corrected: its words, and for each word what shall stand there instead."""

    caption: str
    tokens: list[Token] = field(init=False)
    changes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tokens = tokens_of(self.caption)

    def text(self) -> str:
        """Return the caption with all changes made."""
        text = self.caption
        for index, word in sorted(self.changes.items(), reverse=True):
            token = self.tokens[index]
            rest = text[token.end :]
            text = text[: token.start] + word + (rest if word else rest.lstrip())
        return text

    def fit_article(self, index: int) -> None:
        """Make an article at token ``index`` fit the word that follows it now."""
        if self.tokens[index].text not in {"a", "an"}:
            return
        following = next(i for i in range(index + 1, len(self.tokens)) if self.changes.get(i) != "")
        if following != index + 1 or following in self.changes:
            word = self.changes.get(following, self.tokens[following].text)
            self.changes[index] = "an" if word[0] in "aeiou" else "a"


def reword(
    caption: str, mentions: Sequence[Mention], faces: Sequence[tuple[Mention, Person]]
) -> tuple[str, list[Mention]]:
    """Return the caption as the people with faces have it, and the mentions with whom they name now."""
    draft = Draft(caption)
    corrected = []
    for mention in mentions:
        people = [person for named, person in faces if named is mention]
        corrected.append(_reword_phrase(draft, mention, people) if people else mention)
    words = [token.text for token in draft.tokens]
    for index, word in enumerate(words):
        owner = owner_of(index, words, mentions) if word in lexicon.PRONOUNS else None
        if owner:
            gender = lexicon.gender_of(corrected[mentions.index(owner)].who)
            if gender and gender != lexicon.PRONOUNS[word]:
                draft.changes[index] = _other_pronoun(draft.tokens, index)
    return draft.text(), corrected


def recount(caption: str, faces: int) -> str:
    """Raise the number a caption says when more faces are seen than the only people it names."""
    human = [mention for mention in people_in_caption(caption) if mention.human]
    if len(human) != 1 or not 1 < human[0].count < faces or not human[0].exact or "others" in caption:
        return caption
    draft = Draft(caption)
    for index in range(max(human[0].first, human[0].last - 3), human[0].last):
        if draft.tokens[index].text in lexicon.NUMBERS:
            draft.changes[index] = next((word for word, n in lexicon.NUMBERS.items() if n == faces), "many")
    return draft.text()


def as_portrait(caption: str) -> str:
    """Say "a portrait of a man" for "a man is seen from the chest up" or "a man in a portrait", which nobody does."""
    subject = re.sub(r" (is seen from the chest up|in a portrait)$", "", caption)
    return caption if subject == caption or "portrait" in subject else f"a portrait of {subject}"


def swap_glasses(caption: str, wears: str) -> str:
    """Say the other kind of glasses, or with "none" no glasses at all where the sentence allows it."""
    if wears != "none":
        return re.sub(r"\b(sun)?glasses\b", wears, caption, count=1)
    return without(caption, r"(?:[a-z]+ ){0,2}?(?:sun)?glasses")


def without(caption: str, thing: str) -> str:
    """Leave a thing (a regular expression) out of a caption, with the words that tie it to the sentence."""
    for pattern, instead in (
        (rf", ([a-z -]+?) and {thing}\b", r" and \1"),
        (rf"\b({_TIES}) {thing},? and ", r"\1 "),
        (rf",? and {thing}\b", ""),
        (rf" {_TIES} {thing}\b", ""),
    ):
        shorter = re.sub(pattern, instead, caption, count=1)
        if shorter != caption:
            return shorter
    return caption


def _reword_phrase(draft: Draft, mention: Mention, people: Sequence[Person]) -> Mention:
    """Correct one noun phrase for the people it names; return it with whom it names now."""
    noun = lexicon.NOUNS[mention.noun]
    telling = noun.who != "person" or noun.age != "adult"
    wrong = [p for p in people if _denies(noun.who, p.who) or (telling and ages_differ(noun.age, p.age))]
    person = people[0]
    if wrong:
        alike = len({p.who for p in people}) == 1 and len(people) == mention.count
        young = all(p.age in YOUNG for p in people)
        who: Who = person.who if alike else "person"
        singular, plural = _CHILD if who == "person" and young else _NOUNS[who]
        token = draft.tokens[mention.last].text
        draft.changes[mention.last] = (plural if noun.count > 1 else singular) + token[len(mention.noun) :]
        mention = replace(mention, who=who, age=person.age if alike else "child" if young else "adult")
    elif mention.count == 1:
        mention = replace(mention, who=person.who, age=person.age)
    for index in range(mention.first, mention.last):
        change = _reword_adjective(draft.tokens[index].text, noun, people, replaced=bool(wrong))
        if change is not None:
            draft.changes[index] = change
    draft.fit_article(mention.first)
    return mention


def _reword_adjective(word: str, noun: lexicon.Noun, people: Sequence[Person], *, replaced: bool) -> str | None:
    """Return what stands instead of an adjective that is untrue, "" for nothing, None to keep it."""
    genders = {lexicon.gender_of(p.who) for p in people}
    if word in {"male", "female"} and genders <= {"male", "female"} and word not in genders:
        return "female" if word == "male" else "male"
    if word == "bearded" and genders == {"female"}:
        return ""
    if lexicon.AGED.get(word) == "senior" and noun.age == "adult" and all(p.age != "senior" for p in people):
        return ""
    if replaced and word in _SMALL and all(p.age in {"adult", "senior"} for p in people):
        return ""  # "a little girl" who is a woman
    return None


def _denies(noun: Who, person: Who) -> bool:
    """Tell whether a noun's gender is not the person's."""
    said, known = lexicon.gender_of(noun), lexicon.gender_of(person)
    return bool(said and known and said != known)


def _other_pronoun(tokens: Sequence[Token], index: int) -> str:
    """Turn his into her and her into his or him, by what follows."""
    word = tokens[index].text
    if word == "her":
        following = tokens[index + 1].text if index + 1 < len(tokens) else ""
        return "him" if not following or following in lexicon.BREAKS else "his"
    return {**_TO_HER, **_TO_HIM}[word]
