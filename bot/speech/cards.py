"""Character cards (versions 1, 2 and 3, as PNG or JSON): read, made into a persona, written back equal.

The forms are those of the public specifications "Character Card V2" (malfoyslastname) and "V3" (kwaroran). What
a card holds beyond a persona is kept and written back; what a persona holds beyond a card's common fields goes
into ``extensions.talking_photos``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from bot.domain import MAX_TRAITS, TRAITS, VOICES, BadInput, Persona
from bot.speech import card_png
from bot.speech.card_json import MAX_JSON_BYTES, V1, V3, Card, as_v2, check_card, dump_json, parse_json
from bot.speech.card_text import filled, greeting_of, is_clean, likes_of, may_be_told, name_of, summary_of
from bot.speech.voices import nearest_voice

__all__ = [
    "MAX_CARD_BYTES",
    "MAX_JSON_BYTES",
    "Card",
    "Mapped",
    "check_card",
    "persona_of_card",
    "read_card",
    "write_card",
]

MAX_CARD_BYTES = 8 * 2**20
OURS = "talking_photos"
CHARACTER = ("tags", "personality", "description", "scenario", "system_prompt")  # what a voice is found by
GENRES = frozenset({"comedy", "drama", "horror", "romance", "sports"})  # tags of a story, which are no voice's words
MAX_OURS = 1000  # characters of a text of our own
MAX_OUR_LIKES = 25
MAX_KEPT, KEPT_CHARACTERS = 40, 60


@dataclass(frozen=True, slots=True)
class Mapped:
    """A persona made from a card, and what became of the card's fields.

    ``mapped`` pairs fields with what they became, ``kept`` names those that stay in the card unused, ``near`` is
    false when no voice was near and ``self`` was taken.
    """

    persona: Persona
    mapped: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]
    near: bool


def read_card(data: bytes) -> Card:
    """Read a card from the bytes of a PNG or JSON file; raise BadInput for whatever is none."""
    if len(data) > MAX_CARD_BYTES:
        raise BadInput("The card is larger than {limit} MB; send a smaller one.", limit=MAX_CARD_BYTES // 2**20)
    if data.startswith(card_png.SIGNATURE):
        chunks = card_png.read_chunks(data)
        value = parse_json(card_png.card_json(chunks, MAX_JSON_BYTES))
        return replace(check_card(value), image=card_png.avatar_of(chunks))
    if data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return check_card(parse_json(data))
    raise BadInput("This file holds no character card; send a card as PNG or JSON.")


def persona_of_card(card: Card, id: str) -> Mapped:  # noqa: A002 - a persona's own word
    """Return the persona of a card: what our own export wrote if it is there, else what its words are nearest to."""
    source = "nickname" if card.text("nickname") else "name"
    name = name_of(card.text(source))
    ours = _ours(card)
    nearest = nearest_voice(_words(card, name))
    likes = {field: likes_of(card.text(field), name) for field in ("description", "personality")}
    liking = next((field for field, items in likes.items() if items), "description")
    found: dict[str, tuple[Any, str]] = {
        "voice": (nearest.voice, ", ".join(field for field in CHARACTER if card.fields.get(field)) or source),
        "traits": (nearest_voice(filled(card.text("personality"), name)).traits or nearest.traits, ""),
        "description": (summary_of(card.text("description"), name), "description"),
        "greeting": (greeting_of(card.text("first_mes"), name), "first_mes"),
        "likes": (likes[liking], liking),
        "talkativeness": (_talkativeness(card), "extensions.talkativeness"),
    }
    values = {key: value for key, (value, _) in found.items() if value not in ("", (), None)}
    persona = Persona(id, name, **{**values, **ours})
    mapped = [(source, name)]
    for key, (_, field) in found.items():
        if field and key in {*values, *ours}:
            field = f"extensions.{OURS}" if key in ours else field
            mapped.append((field, _voiced(persona) if key == "voice" else key))
    mapped += [(f"extensions.{OURS}", key) for key in ours if key not in found]
    return Mapped(persona, tuple(mapped), _kept(card, {field for field, _ in mapped}), nearest.near or "voice" in ours)


def write_card(persona: Persona, card: Card | None, image: bytes | None, *, kind: Literal["png", "json"]) -> bytes:
    """Return a persona as a card file: the card it came from with what was changed since, or a new one.

    A PNG shows ``image``, else the card's own picture, else the first letter of the name.
    """
    spec, data = (card.spec, _edited(persona, card)) if card else (V3, _new(persona))
    if kind == "json":
        return dump_json(data)
    picture = image or (card.image if card else None)
    png = card_png.avatar(picture) if picture else card_png.tile(persona.name)
    cards = {"chara": dump_json(as_v2(data) if spec == V3 else data, compact=True)}
    if spec == V3:
        cards["ccv3"] = dump_json(data, compact=True)
    return card_png.with_cards(png, cards)


def _words(card: Card, name: str) -> str:
    """Return the text that tells what a character is like."""
    tags = card.fields.get("tags")
    listed = (
        ", ".join(tag for tag in tags if isinstance(tag, str) and tag.lower() not in GENRES)
        if isinstance(tags, list)
        else ""
    )
    texts = (filled(listed if field == "tags" else card.text(field), name) for field in CHARACTER)
    return ". ".join(text for text in (name, *texts) if text)


def _voiced(persona: Persona) -> str:
    """Return a persona's voice and traits in words."""
    return f"voice {persona.voice}" + (f", traits {', '.join(persona.traits)}" if persona.traits else "")


def _kept(card: Card, used: set[str]) -> tuple[str, ...]:
    """Return the names of filled fields that are in a card but not used."""
    words = {word for field in used for word in field.split(", ")}
    outer = [] if card.spec == V1 else [key for key in card.data if key not in {"spec", "spec_version", "data"}]
    extensions = card.fields.get("extensions") or {}
    names = [key for key, value in card.fields.items() if value not in ("", [], {}, None) and key != "extensions"]
    names += [f"extensions.{key}" for key in extensions if key != OURS] + outer
    shown = ("".join(char for char in name[:KEPT_CHARACTERS] if char.isprintable()) for name in names)
    return tuple(dict.fromkeys(name for name in shown if name not in words))[:MAX_KEPT]


def _extension(card: Card) -> dict[str, Any]:
    """Return what our own export wrote into a card."""
    ours = (card.fields.get("extensions") or {}).get(OURS)
    return ours if isinstance(ours, dict) else {}


def _talkativeness(card: Card) -> float | None:
    """Return how readily a character speaks up, as other programs note it."""
    value = (card.fields.get("extensions") or {}).get("talkativeness")
    try:
        value = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return value if 0 <= value <= 1 else None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_OURS and is_clean(value) and (not value or may_be_told(value))


def _is_number(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most


def _is_list(value: object, most: int) -> bool:
    return isinstance(value, list) and len(value) <= most and all(map(_is_text, value)) and "" not in value


VALID: dict[str, Callable[[Any], bool]] = {
    "voice": lambda value: isinstance(value, str) and value in VOICES,
    "traits": lambda value: _is_list(value, MAX_TRAITS) and set(value) <= set(TRAITS) and len({*value}) == len(value),
    "description": _is_text,
    "catchphrase": _is_text,
    "greeting": _is_text,
    "likes": lambda value: _is_list(value, MAX_OUR_LIKES),
    "temperature": lambda value: _is_number(value, 2) and value > 0,
    "talkativeness": lambda value: _is_number(value, 1),
}
"""The fields of a persona that go into our extension, and whether a value from a stranger's file will do."""
NAMING = frozenset({"description", "greeting"})


def _ours(card: Card) -> dict[str, Any]:
    """Return the persona's fields that our own export wrote; a first message changed elsewhere is newer than ours."""
    extension = _extension(card)
    found = {key: extension[key] for key, fits in VALID.items() if key in extension and fits(extension[key])}
    if found.get("greeting", "") != card.text("first_mes"):
        found.pop("greeting", None)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}


def _plain(persona: Persona) -> dict[str, Any]:
    """Return the persona's fields of our extension as JSON holds them."""
    values = {key: getattr(persona, key) for key in VALID}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def _edited(persona: Persona, card: Card) -> dict[str, Any]:
    """Return a card's JSON with what differs in the persona from what the card itself gives."""
    original = persona_of_card(card, persona.id).persona
    data = copy.deepcopy(card.data)
    edited = replace(card, data=data)
    fields = edited.fields
    before, after = _plain(original), _plain(persona)
    changed = {key for key in after if after[key] != before[key]}
    if persona.name != original.name:
        fields["name"] = persona.name
        if card.text("nickname"):
            fields["nickname"] = persona.name
        # The voice was found with the help of the old name; texts that hold the name follow it.
        renamed = _plain(persona_of_card(edited, persona.id).persona)
        changed |= {key for key in after.keys() - NAMING if after[key] != renamed[key]}
    if changed:
        ours = {key: value for key, value in after.items() if key in changed}
        fields["extensions"] = {**(fields.get("extensions") or {}), OURS: {**_extension(card), **ours}}
    if "greeting" in changed:
        fields["first_mes"] = persona.greeting
    return data


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _new(persona: Persona) -> dict[str, Any]:
    """Return a new card of version 3 for a persona that came from none."""
    manner = "Speaks plainly." if persona.voice == "self" else f"Speaks like {_a(persona.voice)}."
    likes = f"Likes: {'; '.join(persona.likes)}" if persona.likes else ""
    said = f"<START>\n{{{{user}}}}: Anything else?\n{{{{char}}}}: {persona.catchphrase}" if persona.catchphrase else ""
    return {
        "spec": V3,
        "spec_version": "3.0",
        "data": {
            "name": persona.name,
            "description": "\n".join(filter(None, (persona.description, manner, likes))),
            "personality": ", ".join(persona.traits),
            "scenario": "",
            "first_mes": persona.greeting,
            "mes_example": said,
            "creator_notes": "Made with Talking Photos, where this character answers in photos.",
            "system_prompt": "",
            "post_history_instructions": "",
            "alternate_greetings": [],
            "tags": [persona.voice, *persona.traits],
            "creator": "",
            "character_version": "1",
            "extensions": {OURS: _plain(persona)},
            "group_only_greetings": [],
        },
    }
