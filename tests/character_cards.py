"""Character cards as they are found in the wild, made up for the tests, and PNGs built without our own code."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

V1: dict[str, Any] = {
    "name": "Brine",
    "description": "{{char}} is an old pirate captain with one eye. Likes: rum cake, fog, other people's maps.",
    "personality": "grumpy, boastful",
    "scenario": "A tavern on the docks.",
    "first_mes": "*slams a mug down* Ahoy, {{user}}! The name is {{char}}. *spits*",
    "mes_example": "<START>\n{{user}}: Hi\n{{char}}: Arr.",
    "metadata": {"version": 1, "created": 1683000000000, "tool": {"name": "An Editor", "version": "0.5.0"}},
}
V2: dict[str, Any] = {
    "spec": "chara_card_v2",
    "spec_version": "2.0",
    "name": "Vera Holt",
    "avatar": "none",
    "chat": "Vera Holt - 2024-01-01@10h00m",
    "create_date": "2024-01-01 @10h 00m 00s 000ms",
    "data": {
        "name": "Vera Holt",
        "description": 'Character("Vera Holt")\nOccupation("private detective")\nLikes("black coffee" + "rain")',
        "personality": "sarcastic, suspicious",
        "scenario": "",
        "first_mes": 'She looks up from the file. "You are late, {{user}}," she says, "and you are wet." Rain falls.',
        "mes_example": "",
        "creator_notes": "Best with long answers.\r\n\u2764\ufe0f",
        "system_prompt": "{{original}} Never break character.",
        "post_history_instructions": "",
        "alternate_greetings": ["*waits*", "Who sent you?"],
        "character_book": {
            "name": "",
            "scan_depth": 50,
            "token_budget": 500,
            "recursive_scanning": False,
            "extensions": {},
            "entries": [
                {
                    "keys": ["pier 9", "the pier"], "content": "Where it went wrong.", "enabled": True,
                    "priority": 10.5, "insertion_order": 0, "extensions": {"depth": 4, "other": None}, "id": 1,
                    "secondary_keys": [],
                }
            ],
        },
        "tags": ["Female", "Noir"],
        "creator": "someone",
        "character_version": "main",
        "extensions": {
            "talkativeness": "0.3", "fav": True, "world": "", "depth_prompt": {"prompt": "", "depth": 4},
            "chub": {"id": 12345678901234567890, "full_path": "someone/vera", "expressions": None},
        },
    },
}  # fmt: skip
V3: dict[str, Any] = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        "name": "林正英道长",
        "nickname": "英叔 \U0001f9d9\u200d\u2642\ufe0f",
        "description": "An old wizard who sells potions. 一位老法师。\n喜欢：糯米、月亮、安静",
        "personality": "wise, grumpy",
        "scenario": "",
        "first_mes": "*拂袖* 师父在此。{{user}}，你迟到了！",
        "mes_example": "",
        "creator_notes": "English notes",
        "creator_notes_multilingual": {"zh": "中文说明"},
        "system_prompt": "",
        "post_history_instructions": "",
        "alternate_greetings": [],
        "group_only_greetings": ["大家好"],
        "tags": ["fantasy"],
        "creator": "某人",
        "character_version": "1",
        "source": ["https://example.org/card/1"],
        "creation_date": 1717171717,
        "modification_date": 0,
        "assets": [{"type": "icon", "uri": "ccdefault:", "name": "main", "ext": "png"}],
        "extensions": {"risuai": {"bias": [["a", 1.25]], "utilityBot": False}},
        "character_book": {
            "extensions": {},
            "entries": [
                {
                    "keys": ["/moon/i"], "content": "@@depth 4\n@@@activate_after 2\n@@dont_activate\nThe moon.",
                    "use_regex": True, "constant": False, "enabled": True, "insertion_order": 100, "extensions": {},
                }
            ],
        },
    },
}  # fmt: skip


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def text_chunk(keyword: str, value: object) -> bytes:
    """Return a tEXt chunk with the base64 of a JSON value, or of bytes as they stand."""
    raw = value if isinstance(value, bytes) else base64.b64encode(json.dumps(value).encode())
    return chunk(b"tEXt", keyword.encode() + b"\0" + raw)


def picture(width: int = 60, height: int = 90, mode: str = "RGB") -> bytes:
    """Return a PNG of some gradient."""
    out = BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert(mode).save(out, "PNG")
    return out.getvalue()


def png_with(*chunks: bytes, base: bytes | None = None) -> bytes:
    """Return a PNG with chunks before its end."""
    png = base or picture()
    return png[:-12] + b"".join(chunks) + png[-12:]


def png_card(card: object, keyword: str = "chara") -> bytes:
    """Return a PNG with a card in it."""
    return png_with(text_chunk(keyword, card))


def json_card(card: object) -> bytes:
    """Return a card as a JSON file."""
    return json.dumps(card, indent=4).encode()


def texts_of(png: bytes) -> dict[str, Any]:
    """Return the JSON of a PNG's text chunks by keyword, as Pillow reads them."""
    with Image.open(BytesIO(png)) as opened:
        opened.load()
        return {key: json.loads(base64.b64decode(value)) for key, value in opened.text.items()}  # type: ignore[attr-defined]
