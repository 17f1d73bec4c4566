"""Readers of the licensed text beside the corpus: conversations, character sketches and captions.

Synthetic Persona Chat (CC BY 4.0), Topical-Chat (CDLA-Sharing-1.0), Microsoft Personality Chat (MIT)
and LIGHT personas (MIT) teach everyday language; photos.csv and COCO captions (CC BY 4.0) teach what
scenes sound like. ConvAI2 is left out: it is lower case and split into separate words.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path

from bot.domain import Scene
from models.data.corpus import read_people

CONVERSATIONS = ("synthetic-persona-chat", "topical-chat", "microsoft-personality-chat")
SOFTWARE = re.compile(r"\b(bots?|robots?|software|program|computer|AI|code|virtual|digital|age-free)\b", re.IGNORECASE)
LONGEST = 300  # characters of one chat turn


def read_conversations(text: Path) -> list[tuple[str, ...]]:
    """Return conversations, each its turns in order, the two speakers taking turns.

    ``text`` is the folder data/text. Question and answer pairs about being software are dropped:
    the personas answer that in their own way.
    """
    conversations = []
    for name in CONVERSATIONS:
        for turns in _rows(text / f"{name}.jsonl.gz"):
            if name.startswith("microsoft") and (turns[0] == "Question" or SOFTWARE.search(" ".join(turns))):
                continue
            if len(turns) >= 2 and all(0 < len(turn) <= LONGEST for turn in turns):
                conversations.append(turns)
    return conversations


def read_sketches(text: Path) -> list[str]:
    """Return first-person character sketches of a few sentences each."""
    return [turns[0] for turns in _rows(text / "light-personas.jsonl.gz") if turns[0]]


def read_coco_captions(text: Path) -> list[str]:
    """Return COCO captions in the corpus' style: lower case, no full stop."""
    with gzip.open(text / "coco-captions.txt.gz", "rt", encoding="utf-8") as stream:
        return [tidy_caption(line) for line in stream if 5 <= len(line.split()) <= 24]


def read_photo_scenes(photos: Path, split: str = "train") -> list[Scene]:
    """Return the scenes written by eye for photos.csv: two captions a photo with its people."""
    scenes = []
    with (photos / "photos.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["split"] == split and row["people"]:
                people = read_people(row["people"])[:4]
                scenes += [Scene(row[key].strip(), people) for key in ("caption_a", "caption_b") if row[key].strip()]
    return scenes


def tidy_caption(line: str) -> str:
    """Return a caption in lower case, on one line, without its full stop."""
    return " ".join(line.lower().replace('"', "").split()).rstrip(" .")


def _rows(path: Path) -> list[tuple[str, ...]]:
    """Return the turns of every line of a .jsonl.gz file, whitespace and byte-order marks tidied."""
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        rows: list[Sequence[str]] = [json.loads(line) for line in stream]
    return [tuple(" ".join(turn.replace("\ufeff", "").split()) for turn in row) for row in rows]
