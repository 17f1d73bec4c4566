"""Who answers next when several people of a photo could: the one named, else the one replied to, else by talkativeness.

The order is SillyTavern's for group chats; the words for people are those of the scene ("the dog", "you on the left").
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import Person, Persona

NOUNS: dict[str, tuple[str, ...]] = {
    "man": ("man", "guy", "dude", "gentleman", "sir", "dad", "grandpa", "husband"),
    "woman": ("woman", "lady", "madam", "mum", "mom", "grandma", "wife"),
    "boy": ("boy", "kid", "child", "son"),
    "girl": ("girl", "kid", "child", "daughter"),
    "baby": ("baby", "infant", "toddler"),
    "person": ("person",),
    "dog": ("dog", "doggy", "doggo", "puppy", "pup"),
    "cat": ("cat", "kitty", "kitten"),
    "animal": ("animal", "creature", "beast"),
    "nobody": (),
}
PLACES = {
    "left": ("on the left", "left one"),
    "center": ("in the middle", "middle one"),
    "right": ("on the right", "right one"),
}
# Words of a name that name nobody: "The One in the Photo", "Captain ..." of two captains.
UNTELLING = frozenset(
    {"the", "a", "an", "of", "in", "one", "photo", "and", "von", "van", "de", "sir", "lady", "captain", "lord", "dr"}
)
EVERYONE = re.compile(r"\b(?:every(?:one|body)|all of you|you all|y'all|both of you|you two|you three|you guys)\b")


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody of the photo who could answer, and the character they have; chance never picks who is ``silent``."""

    person: Person
    persona: Persona
    silent: bool = False


def who_answers(text: str, seats: Sequence[Seat], replied_to: int | None, rng: random.Random) -> tuple[int, ...]:
    """Return the places in ``seats`` of those who answer ``text``: mostly one, everybody if everybody is asked.

    ``replied_to`` is the place of the one whose message was replied to, None when nobody's was. Raises ValueError
    without seats.
    """
    if not seats:
        raise ValueError("nobody could answer")
    said = " ".join(re.findall(r"[\w']+", text.casefold()))
    if len(seats) > 1 and EVERYONE.search(said):
        return tuple(range(len(seats)))
    named = _named(said, seats)
    if len(named) == 1:
        return tuple(named)
    if replied_to is not None and (not named or replied_to in named):
        return (replied_to,)
    awake = [place for place, seat in enumerate(seats) if not seat.silent]
    among = sorted(named) or awake or range(len(seats))
    weights = [max(0.01, seats[place].persona.talkativeness) for place in among]
    return (rng.choices(list(among), weights)[0],)


def _named(said: str, seats: Sequence[Seat]) -> set[int]:
    """Return those whom the words name: by the character's name first, else by what they are and where."""
    by_name = {place for place, words in enumerate(_telling_names(seats)) if any(_holds(said, word) for word in words)}
    if by_name:
        return by_name
    what = {p for p, seat in enumerate(seats) if any(_addressed(said, noun) for noun in NOUNS[seat.person.who])}
    where = {
        place
        for place, seat in enumerate(seats)
        if any(_holds(said, phrase) for phrase in PLACES.get(seat.person.where, ()))
    }
    return what & where or what or where


def _telling_names(seats: Sequence[Seat]) -> list[set[str]]:
    """Return the words of each character's name that no other one in the photo shares."""
    words = [set(re.findall(r"\w+", seat.persona.name.casefold())) - UNTELLING for seat in seats]
    shared = {word for i, mine in enumerate(words) for other in words[i + 1 :] for word in mine & other}
    return [{word for word in mine - shared if len(word) > 2} for mine in words]


def _holds(said: str, words: str) -> bool:
    return f" {words} " in f" {said} "


def _addressed(said: str, noun: str) -> bool:
    """Tell whether somebody is spoken to as "the dog", "hey dog", "dog, ..." - not spoken about as "my dog"."""
    return bool(re.search(rf"\b(?:the|hey|hi|hello|yo|you|little|good|mr|mrs)\s{noun}\b|^{noun}\b", said))
