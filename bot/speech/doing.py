"""What the speaker does: the speaker's own verb as a gerund phrase in the first person.

The captioner slips (waits at a ball, a dry grass, swings at a bat). What is plainly meant is said right; what is
odd is cut away at the preposition before it, and where nothing sound is left the doing stays empty.
"""

from __future__ import annotations

from bot.speech.grammar import ADVERBS, ALIVE, BE, CLAUSE_WORDS, END, PREPOSITIONS, NounPhrase, Parse, Verb
from bot.speech.lexicon import gerund, lexicon, word_set

__all__ = ["does", "place_preposition", "read_doing"]

MAX_DOING_WORDS = 9


def does(verb: Verb, mine: tuple[int, ...]) -> bool:
    """Tell whether every phrase that may name the speaker is among those that do a verb."""
    return bool(mine) and set(mine) <= set(verb.agents)


def place_preposition(phrase: NounPhrase) -> str:
    """Return the preposition of a place, set right where the captioner slips: at a street, on a forest."""
    if phrase.kind == "place":
        if phrase.prep in {"at", "in"} and phrase.head in word_set("hills"):
            return "on"
        if phrase.prep == "at" and phrase.head in word_set("streets"):
            return "on"
        if phrase.prep == "on" and phrase.head in word_set("enclosed"):
            return "in"
    return phrase.prep


def read_doing(parsed: Parse, mine: tuple[int, ...]) -> str:
    """Return the verb of the phrases ``mine`` as a gerund phrase of at most nine words; empty where unsure."""
    reader = _DoingReader(parsed, mine)
    for n, verb in enumerate(parsed.verbs):
        action = verb.form != "participle" and verb.base not in word_set("no_action")
        if action and does(verb, mine) and (phrase := reader.gerund_phrase(n, verb)):
            return phrase
    return ""


class _DoingReader:
    """Cuts gerund phrases out of one caption for one speaker."""

    def __init__(self, parsed: Parse, mine: tuple[int, ...]) -> None:
        self.parsed = parsed
        self.plural = any(parsed.phrases[k].plural for k in mine)
        self.inside = {i for phrase in parsed.phrases for i in range(phrase.start + 1, phrase.end)}

    def gerund_phrase(self, n: int, verb: Verb) -> str:
        """Return a verb with its objects up to the next clause, cut before a preposition if too long."""
        tokens, end = self.parsed.tokens, verb.index + 1
        later = self.parsed.verbs[n + 1 :]
        following = next((one for one in later if one.form == "finite"), None)
        reduced = {one.index for one in later if one.form != "finite"}  # watching a man | riding a horse
        limit = following.index if following else len(tokens)
        odd = min((p.start for p in self.parsed.phrases if p.start >= end and self._odd(verb, p)), default=limit)
        cuts = [end]
        while end < min(limit, odd) and tokens[end] != END and tokens[end] not in CLAUSE_WORDS | BE | {"has", "have"}:
            splits = tokens[end] == "and" and end not in self.inside
            if splits or end in reduced or (tokens[end] in PREPOSITIONS and tokens[end] != "of"):
                cuts.append(end)
            end += 1
        others_verb = following and end == limit and set(following.agents) != set(verb.agents)
        if others_verb or end == odd < limit or self.parsed.word(end) in BE | {"has", "have"}:
            end = cuts[-1]  # the noun before another's verb belongs to that verb
        whole = [cut for cut in (*cuts, end) if cut <= end and (cut == end or cut - 1 not in reduced)]
        fitting = [cut for cut in whole if self._length(verb, cut) <= MAX_DOING_WORDS]
        last = max(fitting, default=verb.index + 1)
        words = self._words(verb, last)
        loose_words = word_set("dangling") | (word_set("leaning") if self.parsed.word(last) in PREPOSITIONS else set())
        while words and words[-1] in loose_words:
            words.pop()
        loose = bool(words) and words[-1] in PREPOSITIONS - word_set("loose_ends")
        if not fitting or loose or {"him", "them", "he", "she", "they"} & set(words) or words[-1:] == ["her"]:
            return ""
        if not words and verb.base in word_set("bare"):
            return ""
        lies = verb.base == "lay" and (not words or words[0] in PREPOSITIONS | ADVERBS)
        own = tokens[verb.index] if verb.form == "gerund" else gerund(verb.base)
        return " ".join(("lying" if lies else own, *map(self._first_person, words)))

    def _odd(self, verb: Verb, phrase: NounPhrase) -> bool:
        """Tell whether a phrase after a verb makes no sense: a sandy horses, riding a ball, throwing the mound."""
        if phrase.det in {"a", "an"} and ((phrase.plural and phrase.count != 1) or lexicon().garments.get(phrase.head)):
            return "pair" not in phrase.words
        if phrase.head in word_set("times") and phrase.prep in {"on", "down"} and phrase.det in {"a", "an"}:
            return True
        between = any(verb.index < one.start < phrase.start for one in self.parsed.phrases)
        if between or any(verb.index < one.index < phrase.start for one in self.parsed.verbs):
            return False
        if verb.base in word_set("hurling"):
            return (phrase.prep == "" and phrase.kind == "place") or (
                phrase.kind != "place"
                and (phrase.prep == "from" or (phrase.prep == "at" and phrase.kind in ALIVE and verb.base == "swing"))
            )
        if verb.base in word_set("on_foot"):
            return phrase.prep == "on" and phrase.kind == "vehicle"
        return verb.base == "ride" and not phrase.prep and phrase.head in word_set("balls")

    def _words(self, verb: Verb, end: int) -> list[str]:
        """Return the words after a verb, small slips set right."""
        words = list(self.parsed.tokens[:end])
        for phrase in self.parsed.phrases:
            if not verb.index < phrase.start < end:
                continue
            if phrase.det in {"a", "an"} and phrase.head in word_set("uncounted") | word_set("only_the"):
                words[phrase.start] = "the" if phrase.head in word_set("only_the") else ""
            if phrase.prep and words[phrase.start - 1] == phrase.prep:
                words[phrase.start - 1] = self._preposition(verb, phrase)
        return [word for word in words[verb.index + 1 :] if word]

    def _preposition(self, verb: Verb, phrase: NounPhrase) -> str:
        follows = verb.index == phrase.start - 2 and phrase.prep == "at"
        if follows and verb.base == "wait" and (phrase.kind in ALIVE or phrase.head in word_set("balls")):
            return "for"
        if follows and verb.base == "swing" and phrase.head in word_set("swung"):
            return ""
        return place_preposition(phrase)

    def _length(self, verb: Verb, end: int) -> int:
        return sum(len(word.split()) for word in self.parsed.tokens[verb.index : end])

    def _first_person(self, word: str) -> str:
        if word == "their":
            return "our" if self.plural else "my"
        own = {"his": "my", "her": "my", "its": "my", "it's": "my", "themselves": "ourselves"}
        return own.get(word, "myself" if word in {"himself", "herself", "itself"} else word)
