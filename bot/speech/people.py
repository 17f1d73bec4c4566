"""Which noun phrase of a caption names which person of the people list."""

from __future__ import annotations

from typing import cast

from bot.domain import ANIMALS, Age, Person, Who
from bot.speech.grammar import CLAUSE_WORDS, NounPhrase, Parse
from bot.speech.lexicon import lexicon, word_set

YOUNG = frozenset({"baby", "child", "teen"})
# who a phrase names -> who the face reader may have called that person
ALSO: dict[Who, frozenset[str]] = {
    "man": frozenset({"man", "boy"}), "boy": frozenset({"boy", "baby", "man"}),
    "woman": frozenset({"woman", "girl"}), "girl": frozenset({"girl", "baby", "woman"}),
}  # fmt: skip


def who_of(phrase: NounPhrase) -> tuple[Who, Age]:
    """Return who and age of a phrase that names somebody: an elderly man, a teenage girl."""
    lex = lexicon()
    if phrase.kind == "animal":
        return cast(Who, lex.animals[phrase.head]), "-"
    who, age = lex.people[phrase.head]
    modifiers = set(phrase.modifiers)
    if "baby" in modifiers:
        return "baby", "baby"
    if who == "person" and modifiers & {"male", "bearded"}:
        who = "man"
    if who == "person" and "female" in modifiers:
        who = "woman"
    if age == "adult" and modifiers & {"elderly", "old", "older", "senior"}:
        age = "senior"
    if modifiers & {"teenage", "teen"}:
        age = "teen"
    if who in {"boy", "girl"} and modifiers & {"little", "small", "young"}:
        age = "child"
    return cast(Who, who), cast(Age, age)


def is_depicted(phrase: NounPhrase, index: int) -> bool:
    """Tell whether a phrase is the subject of something: a statue of a man, a sign of animals, dressed as bees."""
    return phrase.prep in {"of", "as"} and index > 0


def fits(phrase: NounPhrase, person: Person) -> bool:
    """Tell whether a phrase may name this person of the people list."""
    if phrase.kind == "animal":
        who = lexicon().animals[phrase.head]
        return person.who in ANIMALS and (who == person.who or phrase.head in {"animal", "pet"})
    if phrase.kind != "person" or person.who in ANIMALS or person.who == "nobody":
        return False
    if phrase.head == "couple":
        return person.who not in {"boy", "girl", "baby"}
    who, age = who_of(phrase)
    if person.who == "person" and person.age in {"child", "baby"} and who in {"man", "woman"}:
        return False
    if "person" in {person.who, who}:
        return age not in {"child", "baby"} or person.age in YOUNG
    return person.who == who or person.who in ALSO.get(who, ()) or (who == "baby" and person.age in YOUNG - {"teen"})


def speaker_phrases(parsed: Parse, people: tuple[Person, ...]) -> tuple[int, ...]:
    """Return the phrase that names the first person: an exact match before one that may fit, age deciding.

    More than one index means that each of these phrases may name the speaker: what is sure is only what holds for
    all of them. A calling the lexicon does not know counts when it acts as the subject: a bellhop pushes a cart.
    """
    person = people[0]
    named = [k for k, phrase in enumerate(parsed.phrases) if fits(phrase, person) and not is_depicted(phrase, k)]
    exact = [k for k in named if who_of(parsed.phrases[k])[0] == person.who]
    exact = [k for k in exact if who_of(parsed.phrases[k])[1] == person.age] or exact
    alike = sum(one.who == person.who and one.where != "far" for one in people)
    if exact and alike > 1:
        clause = next((i for i, word in enumerate(parsed.tokens) if word in CLAUSE_WORDS), len(parsed.tokens))
        subjects = [k for k in named if not parsed.phrases[k].prep and not parsed.phrases[k].owner]
        subjects = [k for k in subjects if k in exact or parsed.phrases[k].start < clause]  # while teammates watch
        more = alike > sum(parsed.phrases[k].count for k in exact)  # a referee may be a man as well
        if more or len(exact) > 1:
            rivals = {*exact, *subjects} if more else set(exact) & set(subjects)
            return tuple(sorted(rivals)) or (exact[0],)
    if named or person.who in ANIMALS or person.who == "nobody" or person.where == "far" or not parsed.phrases:
        return tuple((exact or named)[:1])
    first = parsed.phrases[0]
    acts = any(verb.agents == (0,) and verb.base not in word_set("no_action") for verb in parsed.verbs)
    return (0,) if first.kind == "unknown" and first.det in {"a", "an"} and acts and not first.prep else ()
