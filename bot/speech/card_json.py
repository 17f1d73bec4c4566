"""The JSON side of character cards: read within bounds, checked, written back as it came."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from bot.domain import BadInput
from bot.speech.card_png import too_long
from bot.speech.card_text import name_of

MAX_JSON_BYTES = 512 * 2**10
MAX_DEPTH = 64
MAX_DIGITS = 300
SPECS = ("chara_card_v2", "chara_card_v3")
V1, V2, V3 = "chara_card_v1", *SPECS
TEXTS = (
    "name", "nickname", "description", "personality", "scenario", "first_mes", "mes_example", "creator_notes",
    "system_prompt", "post_history_instructions",
)  # fmt: skip
V2_FIELDS = (
    *(text for text in TEXTS if text != "nickname"), "alternate_greetings", "character_book", "tags", "creator",
    "character_version", "extensions",
)  # fmt: skip
V2_LISTS = ("alternate_greetings", "tags")
BACKFILLED = "This is a version 3 character card read as version 2; a program that knows version 3 shows all of it."
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Card:
    """A character card: the version of its form, the whole JSON object as it came, and its picture as an avatar."""

    spec: str
    data: dict[str, Any]
    image: bytes | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The object that holds the character's fields: ``data.data``, in version 1 the whole."""
        return self.data if self.spec == V1 else self.data["data"]

    def text(self, field: str) -> str:
        """Return a field's text, empty when it is missing."""
        return self.fields.get(field) or ""


def parse_json(text: bytes) -> object:
    """Return the JSON value of a card's text; raise BadInput for anything broken, too long or too deep."""
    if len(text) > MAX_JSON_BYTES:
        raise too_long(MAX_JSON_BYTES)
    try:
        value = json.loads(
            text.decode("utf-8-sig"), parse_int=_integer, parse_float=_number, parse_constant=_refuse_number
        )
    except (ValueError, RecursionError):  # bad UTF-8 and bad JSON are both ValueErrors
        raise BadInput("The card's text is damaged; export the character again and send that file.") from None
    level, deep = [value], 0
    while level:
        deep += 1
        if deep > MAX_DEPTH:
            raise BadInput(
                "The card's text is nested too deep; export the character again without what was added to it."
            )
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return value


def check_card(value: object, image: bytes | None = None) -> Card:
    """Return the card that a JSON value is; raise BadInput that names what is wrong with it."""
    if not isinstance(value, dict):
        raise BadInput("This file holds no character card; send a card as PNG or JSON.")
    spec = value.get("spec") or V1
    if spec not in (V1, *SPECS):
        raise BadInput("I read character cards of the versions 1, 2 and 3; export this one as one of them.")
    fields = value if spec == V1 else value.get("data")
    if not isinstance(fields, dict) or (spec == V1 and not ("name" in fields and fields.keys() & {*TEXTS[2:]})):
        raise BadInput("This file holds no character card; send a card as PNG or JSON.")
    for field in TEXTS:
        if not isinstance(fields.get(field), str | None):
            raise BadInput("The card's {field} has to be text; correct it and send the card again.", field=field)
    if not isinstance(fields.get("extensions"), dict | None):
        raise BadInput("The card's extensions have to be an object; correct them and send the card again.")
    card = Card(spec, value, image)
    name_of(card.text("nickname") or card.text("name"))
    return card


def dump_json(value: object, *, compact: bool = False) -> bytes:
    """Return JSON as UTF-8, laid out to be read unless it is to be compact or would become too long."""
    if not compact and len(spread := _encoded(json.dumps(value, ensure_ascii=False, indent=2))) <= MAX_JSON_BYTES:
        return spread
    return _encoded(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def as_v2(data: dict[str, Any]) -> dict[str, Any]:
    """Return a version 3 card as the version 2 card that older programs read, with a note that it is one."""
    fields = data["data"]
    older: dict[str, Any] = {name: fields.get(name) or ([] if name in V2_LISTS else "") for name in V2_FIELDS}
    older["extensions"] = fields.get("extensions") or {}
    older["creator_notes"] = f"{BACKFILLED}\n\n{older['creator_notes']}".strip()
    if not older["character_book"]:
        del older["character_book"]
    return {"spec": V2, "spec_version": "2.0", "data": older}


def _encoded(text: str) -> bytes:
    """Return JSON in UTF-8; halves of characters, which UTF-8 cannot hold, stay the escapes they came as."""
    return SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= MAX_DIGITS else _refuse_number(digits)


def _number(digits: str) -> float:
    number = float(digits)
    return number if len(digits) <= MAX_DIGITS and math.isfinite(number) else _refuse_number(digits)


def _refuse_number(digits: str) -> Any:
    raise ValueError(f"{digits[:20]} is no number for a card")
