"""What to call the people of a photo: in menus by what they are and where, above their words by a character's name."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Person, Persona, Scene
from bot.locales import ENGLISH, _, say

WHO = {
    "man": _("the man"), "woman": _("the woman"), "boy": _("the boy"), "girl": _("the girl"), "baby": _("the baby"),
    "person": _("the person"), "dog": _("the dog"), "cat": _("the cat"), "animal": _("the animal"),
    "nobody": _("the things in the photo"),
}  # fmt: skip
WHERE = {
    "left": _("{who} on the left"),
    "center": _("{who} in the middle"),
    "right": _("{who} on the right"),
    "far": _("{who} in the background"),
}
AGE = {
    "baby": _("baby"), "child": _("child"), "teen": _("teenager"), "adult": _("adult"), "senior": _("senior"),
}  # fmt: skip
EXPRESSION = {
    "happy": _("happy"), "neutral": _("calm"), "sad": _("sad"), "surprised": _("surprised"), "angry": _("angry"),
    "scared": _("scared"), "disgusted": _("disgusted"),
}  # fmt: skip

WEARS = {"glasses": _("glasses"), "sunglasses": _("sunglasses")}


def whom(person: Person, people: Sequence[Person], locale: str = ENGLISH) -> str:
    """Return "the dog", or "the woman on the left" where there are several women; a number where that is not enough."""
    alike = [other for other in people if other.who == person.who]
    who = WHO[person.who]
    if len(alike) == 1 or person.where not in WHERE:
        return say(locale, who)
    placed = say(locale, WHERE[person.where], who=who)
    same = [other for other in alike if other.where == person.where]
    if len(same) == 1:
        return placed
    return f"{placed} {1 + next(i for i, other in enumerate(same) if other is person)}"


def looks(person: Person, locale: str = ENGLISH) -> str:
    """Return what is read in somebody's face, "adult, happy, glasses", as far as anything is."""
    read = (AGE.get(person.age), EXPRESSION.get(person.expression), *(WEARS.get(item, item) for item in person.wears))
    return say(locale, _(", ")).join(say(locale, word) for word in read if word)


def shown_name(persona: Persona, scene: Scene, speaker: int) -> str:
    """Return the name above somebody's words; the others of a photo say who of it they are."""
    name = " ".join(persona.name.split())
    return name if speaker == 0 else f"{name} ({whom(scene.people[speaker], scene.people)})"
