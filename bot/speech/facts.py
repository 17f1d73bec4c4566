"""What a scene says about the one who speaks: slots for frames, read from the caption and the people list.

Rules over the caption grammar (bot/speech/grammar.py). A garment belongs to the person named last before
it, a place is a known place after a preposition, the doing is the speaker's own verb as a gerund phrase.
Where the rules are not sure a slot stays empty: a framed line must be true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache

from bot.domain import ANIMALS, Person, Scene
from bot.speech.doing import does, place_preposition, read_doing
from bot.speech.grammar import ALIVE, NounPhrase, Parse, Verb, parse
from bot.speech.lexicon import article, lexicon, word_set
from bot.speech.people import fits, is_depicted, speaker_phrases

__all__ = ["SLOTS", "Facts", "read_facts"]

SLOTS = ("wear", "this_wear", "a_wear", "thing", "the_thing", "a_thing", "doing", "place", "the_place", "at_place",
         "animal", "the_animal", "a_animal", "the_other", "vehicle", "the_vehicle", "hair")  # fmt: skip
MAX_NAME_WORDS = 5
_COLLECTION = re.compile(
    r"(an?) ((?:long |large |small |big )?(?:row|pile|stack|bunch|line|collection|group|set) of "
    r"(?:[a-z-]+ )??[a-z-]+s)(?= (?:is|are|in|on|at|near|with|by|behind|parked|sits?|stands?|lies?|hangs?)\b)"
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a scene for its first person; an empty field means nothing sure is known."""

    wear: str = ""
    wear_plural: bool = False
    hair: str = ""
    thing: str = ""
    thing_article: str = ""  # a, an or some
    doing: str = ""
    place: str = ""
    place_plural: bool = False
    at: str = ""  # the preposition of the place
    animal: str = ""
    another: bool = False  # the animal is of the speaker's own kind: the other dog
    the_other: str = ""
    vehicle: str = ""

    def slots(self) -> dict[str, str]:
        """Return every slot form these facts fill, ready to stand inside a frame."""
        out: dict[str, str] = {}
        if self.wear:
            out["wear"] = self.wear
            out["this_wear"] = f"{'these' if self.wear_plural else 'this'} {self.wear}"
            out["a_wear"] = self.wear if self.wear_plural else f"{article(self.wear)} {self.wear}"
        if self.thing:
            out["thing"], out["the_thing"] = self.thing, f"the {self.thing}"
            out["a_thing"] = f"{self.thing_article} {self.thing}"
        if self.place:
            out["at_place"] = f"{self.at} the {self.place}"
            if not self.place_plural:
                out["place"], out["the_place"] = self.place, f"the {self.place}"
        if self.animal and self.another:
            out["the_animal"], out["a_animal"] = f"the other {self.animal}", f"another {self.animal}"
        elif self.animal:
            out["animal"], out["the_animal"] = self.animal, f"the {self.animal}"
            out["a_animal"] = f"{article(self.animal)} {self.animal}"
        if self.vehicle:
            out["vehicle"], out["the_vehicle"] = self.vehicle, f"the {self.vehicle}"
        for name in ("doing", "the_other", "hair"):
            if value := getattr(self, name):
                out[name] = value
        return out

    def __bool__(self) -> bool:
        """Tell whether anything at all is known."""
        return any(getattr(self, item.name) for item in fields(self))


@lru_cache(maxsize=512)
def read_facts(scene: Scene) -> Facts:
    """Read the facts of a scene for its first person; cached, a pure function of the scene."""
    caption = parse(scene.caption)
    return _Reader(caption, scene, speaker_phrases(caption, scene.people)).read()


class _Reader:
    """Reads one scene for one speaker; ``mine`` are the phrases that name or may name the speaker."""

    def __init__(self, parsed: Parse, scene: Scene, mine: tuple[int, ...]) -> None:
        self.parsed, self.scene, self.mine = parsed, scene, mine
        self.phrases, self.lex = parsed.phrases, lexicon()
        self.owners = self._owners()

    def read(self) -> Facts:
        wear, wear_plural = self._wear()
        thing, thing_article = self._thing()
        place, at, place_plural = self._place()
        animal, another = self._animal()
        return Facts(
            wear=wear, wear_plural=wear_plural, hair=self._hair(), thing=thing, thing_article=thing_article,
            doing=read_doing(self.parsed, self.mine), place=place, at=at, place_plural=place_plural, animal=animal,
            another=another, the_other=self._other(), vehicle=self._vehicle(),
        )  # fmt: skip

    def _owners(self) -> list[tuple[int, ...]]:
        """List for every phrase the people it belongs to: those named last before it."""
        owners: list[tuple[int, ...]] = []
        current: tuple[int, ...] = ()
        for k, phrase in enumerate(self.phrases):
            if phrase.kind in ALIVE and not is_depicted(phrase, k):
                joined = (k - 1, k) in self.parsed.joined and current == (k - 1,)
                current = (*current, k) if joined else (k,)
            owners.append(current)
        return owners

    def _is_mine(self, k: int) -> bool:
        return bool(self.mine) and set(self.mine) <= set(self.owners[k])

    def _does(self, verb: Verb) -> bool:
        return does(verb, self.mine)

    def _named(self, k: int) -> bool:
        """Tell whether a phrase is one thing of this photo: not several, not another's, not depicted."""
        phrase = self.phrases[k]
        return not phrase.plural and not phrase.owner.endswith(("'s", "s'")) and not is_depicted(phrase, k)

    def _verb_of_object(self, phrase: NounPhrase) -> Verb | None:
        """Return the verb whose object a phrase is: nothing but list items stand between them."""
        before = [verb for verb in self.parsed.verbs if verb.index < phrase.start]
        if not before or phrase.prep:
            return None
        between = [p for p in self.phrases if before[-1].index < p.start < phrase.start]
        return before[-1] if all(p.kind == phrase.kind for p in between) else None

    def _wear(self) -> tuple[str, bool]:
        """Return the speaker's garment, a coloured one first; what the face reader saw comes last."""
        found: list[tuple[int, str, bool]] = []
        for k, phrase in enumerate(self.phrases):
            if not self._is_mine(k):
                continue
            if phrase.kind == "garment" and self._worn(phrase):
                words = [word for word in phrase.modifiers if word not in {"matching", "pair", "of"}]
                rank = 0 if self.lex.colors & set(words) else 1
                found.append((rank, " ".join((*words, phrase.head)), self.lex.garments[phrase.head]))
            elif phrase.prep == "in" and not phrase.det and self._color_alone(phrase):
                found.append((1, f"{phrase.head} clothes", True))  # a man in white
        if found:
            _, name, plural = min(found, key=lambda item: item[0])
            return name, plural
        seen = [item for item in self.scene.people[0].wears if item in self.lex.garments]
        return (seen[0], self.lex.garments[seen[0]]) if seen else ("", False)

    def _color_alone(self, phrase: NounPhrase) -> bool:
        """Tell whether a phrase is a colour for clothes; black and white is more likely that of the photo."""
        pair = {self.parsed.word(phrase.end + 1), self.parsed.word(phrase.start - 2), phrase.head}
        return len(phrase.words) == 1 and phrase.head in self.lex.colors and not {"black", "white"} <= pair

    def _worn(self, phrase: NounPhrase) -> bool:
        bare = any("shirtless" in self.phrases[k].modifiers for k in self.mine) and phrase.head in word_set("tops")
        if bare or phrase.owner.endswith(("'s", "s'")):
            return False
        if phrase.prep in {"in", "with"} or (phrase.prep == "under" and phrase.owner):
            after = self.parsed.word(phrase.end)
            return not (phrase.prep == "with" and after in self.lex.gerunds)  # with a coat hanging behind
        verb = self._verb_of_object(phrase)
        if verb is None:
            return False
        return verb.base == "wear" or (verb.base in word_set("dressing") and phrase.owner in {"his", "her", "their"})

    def _hair(self) -> str:
        for k, phrase in enumerate(self.phrases):
            if phrase.kind != "hair" or not self._is_mine(k) or phrase.words == ("hair",):
                continue
            if not phrase.plural and phrase.prep in {"with", "in"}:
                return " ".join(phrase.words)
            if phrase.head == "braid":
                return "braided hair"
        only = [self.phrases[k] for k in self.mine if len(self.mine) == 1 and self.phrases[k].kind == "person"]
        for modifiers in (phrase.modifiers for phrase in only):
            if "bald" in modifiers:
                return "bald head"
            for word, before in zip(modifiers, ("", *modifiers), strict=False):
                if match := re.fullmatch(r"([a-z]+)-haired", word):
                    return f"{match[1]} hair"
                if word == "haired" and before:
                    return f"{before} hair"
            if "bearded" in modifiers:
                return "beard"
        return ""

    def _thing(self) -> tuple[str, str]:
        """Return the thing the speaker handles, else one the photo shows, with its article."""
        held: list[int] = []
        central: list[int] = []
        nobody = self.scene.people[0].who == "nobody"
        if nobody and (match := _COLLECTION.match(self.scene.caption)):
            return match[2], match[1]  # a row of motorcycles is one thing to look at
        kinds = {"thing", "vehicle"} if nobody else {"thing"}
        for k, phrase in enumerate(self.phrases):
            portion = phrase.head in word_set("containers") and self.parsed.word(phrase.end) == "of"
            if not (phrase.kind in kinds or portion) or not self._named(k):
                continue
            verb = self._verb_of_object(phrase)
            if phrase.head == "camera" and (phrase.prep or (verb is not None and verb.base == "face")):
                continue
            if phrase.head == "plate" and (phrase.prep in {"at", "from"} or "home" in phrase.words):
                continue  # the batter's
            if (verb is not None and self._does(verb)) or (phrase.prep == "with" and self._is_mine(k)):
                held.append(k)
            elif not phrase.prep or phrase.prep in word_set("central"):
                central.append(k)
        return next(filter(None, map(self._thing_name, (*held, *central))), ("", ""))

    def _thing_name(self, k: int) -> tuple[str, str] | None:
        phrase = self.phrases[k]
        words = [word for word in phrase.words if word not in {"single", "lone"}]
        if self.parsed.word(phrase.end) == "of":
            inner = self.phrases[k + 1] if k + 1 < len(self.phrases) else None
            if phrase.head not in word_set("containers") or inner is None or inner.prep != "of" or inner.det:
                return None
            if self.parsed.word(inner.end) == "of":
                return None
            words += ["of", *inner.words]
        name = " ".join(words)
        if len(words) > MAX_NAME_WORDS:
            return None
        if phrase.det in word_set("singled"):
            return name, article(name)
        return (name, "some") if phrase.head in word_set("mass") else None

    def _place(self) -> tuple[str, str, bool]:
        """Return the place, its preposition and whether it is plural; furniture only if nothing larger is named."""
        found: list[tuple[int, str, str, bool]] = []
        for k, phrase in enumerate(self.phrases):
            counted = phrase.plural and phrase.det not in word_set("determiners")
            if phrase.kind != "place" or phrase.owner.endswith("'s") or counted or self._elsewhere(phrase):
                continue
            if phrase.head in word_set("furniture") and self.parsed.word(phrase.end) == "of":
                continue  # the bed of a truck
            at = self._at(k, phrase)
            if at and len(phrase.words) <= MAX_NAME_WORDS:
                plural = phrase.plural or phrase.head in {"stairs", "bleachers", "woods"}
                found.append((phrase.head in word_set("furniture"), " ".join(phrase.words), at, plural))
        return min(found, key=lambda item: item[0])[1:] if found else ("", "", False)

    def _at(self, k: int, phrase: NounPhrase) -> str:
        """Return the preposition for being at a place; empty where the phrase does not say that one is there."""
        usual, prep = self.lex.places[phrase.head], place_preposition(phrase)
        bases = {verb.base for verb in self.parsed.verbs}
        aimed = any(verb.index == phrase.start - 2 and verb.base in word_set("hurling") for verb in self.parsed.verbs)
        if prep in word_set("static"):
            return "" if aimed and prep == "at" else prep
        if prep in {"to", "from"} and not phrase.det:
            return ""  # lifts his leg to swing
        if prep == "from" and bases & (word_set("looking") | word_set("hurling")):
            return usual
        if prep in word_set("along") and usual == "by" and bases & word_set("afloat"):
            return "on"
        if prep == "along" and phrase.head in word_set("furniture"):
            return "by"
        if prep in word_set("along") or (prep == "of" and self.parsed.word(phrase.start - 2) in word_set("parts")):
            return usual
        if prep in word_set("passing"):
            return "by"
        room = k == 0 and not prep and phrase.head in word_set("rooms")
        return usual if room and self.scene.people[0].who == "nobody" else ""

    def _elsewhere(self, phrase: NounPhrase) -> bool:
        """Tell whether a phrase says where somebody else is: teammates standing in the dugout."""
        before = [verb for verb in self.parsed.verbs if verb.index < phrase.start]
        if not before or not before[-1].agents or self._does(before[-1]):
            return False
        if not self.mine:
            return phrase.head in word_set("furniture") and self.scene.people[0].who != "nobody"
        clause = self.parsed.tokens[self.phrases[self.mine[0]].end : before[-1].index]
        return before[-1].form != "finite" or bool({"while", "as"} & set(clause))

    def _animal(self) -> tuple[str, bool]:
        """Return an animal that is not the speaker, and whether it is another of the speaker's kind."""
        for k, phrase in enumerate(self.phrases):
            if (
                phrase.kind == "animal"
                and k not in self.mine
                and self._named(k)
                and phrase.head != "cattle"
                and len(phrase.words) <= MAX_NAME_WORDS
            ):
                return " ".join(phrase.words), False
        others = [person.who for person in self.scene.people[1:] if person.who in {"dog", "cat"}]
        me = self.scene.people[0].who
        if others and me == others[0]:
            return me, True
        named = any(phrase.kind == "animal" for phrase in self.phrases)
        return (others[0], False) if others and not named else ("", False)

    def _other(self) -> str:
        """Return another person of the photo: by role if the caption has one, else by place."""
        others = [person for person in self.scene.people[1:] if person.who not in ANIMALS and person.who != "nobody"]
        near = [person for person in others if person.where != "far"]
        me = self.scene.people[0]
        if not others:
            return ""
        if not near:
            return f"the {others[0].who} behind me" if len(others) == 1 else "the people behind me"
        if len(near) > 1:
            number = {2: "two", 3: "three"}[len(near)]
            alike = me.who not in ANIMALS and me.age != "baby" and {person.age for person in near} == {me.age}
            known = any(person.expression != "unclear" for person in near)
            quarrel = any(verb.base in word_set("quarrelling") for verb in self.parsed.verbs)
            return f"my {number} friends" if alike and known and not quarrel else f"the {number} people beside me"
        if role := self._role(near[0]):
            return role
        if near[0].where in {"left", "right"} and me.where != near[0].where:
            return f"the {near[0].who} on the {near[0].where}"
        return f"the {near[0].who} beside me"

    def _role(self, other: Person) -> str:
        """Return what the caption calls the only other person: the clown, my grandfather."""
        named = [
            phrase for k, phrase in enumerate(self.phrases)
            if phrase.kind == "person" and k not in self.mine and not phrase.plural and not is_depicted(phrase, k)
        ]  # fmt: skip
        named = [phrase for phrase in named if fits(phrase, other) and phrase.head not in word_set("plain_people")]
        if len(named) != 1 or len(self.scene.people) != 2:
            return ""
        if named[0].owner in {"his", "her", "their"}:
            return f"my {named[0].head}"
        return "" if named[0].owner else f"the {named[0].head}"

    def _vehicle(self) -> str:
        for k, phrase in enumerate(self.phrases):
            one = phrase.det in word_set("singled") and len(phrase.words) <= MAX_NAME_WORDS
            if phrase.kind == "vehicle" and one and self._named(k):
                return " ".join(phrase.words)
        return ""
