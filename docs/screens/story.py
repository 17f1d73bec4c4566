"""Reads a story that the tour wrote down, and tells what somebody sees at a point in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Everything that happened, in order, as tests/loopback/story_json.py tells it."""

    entries: Sequence[Entry]

    @classmethod
    def read(cls, path: Path) -> Story:
        """Read a JSON file of the tour."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def names(self) -> Mapping[str, str]:
        """The names of people by id."""
        names: Mapping[str, str] = next(entry["names"] for entry in self.entries if entry["type"] == "message")
        return names

    @property
    def bot(self) -> Entry:
        """The bot as the author of its own messages."""
        authors = (entry["author"] for entry in self.entries if entry["type"] == "message")
        return next(author for author in authors if author["bot"] and not author["hook"])

    def chapter(self, title: str) -> range:
        """Return the places of the entries of a chapter."""
        starts = [place for place, entry in enumerate(self.entries) if _begins(entry)]
        for start, end in pairwise([*starts, len(self.entries)]):
            if title in self.entries[start]["text"]:
                return range(start + 1, end)
        raise LookupError(f"the story has no chapter {title!r}")

    def find(self, places: range, kind: str, /, number: int = 1, **values: str) -> int:
        """Return the place of the ``number``-th entry of a kind in which each of ``values`` occurs."""
        found = (place for place in places if self._fits(self.entries[place], kind, values))
        place = next(islice(found, number - 1, None), None)
        if place is None:
            raise LookupError(f"the story has no {kind} number {number} with {values} in {places}")
        return place

    @staticmethod
    def _fits(entry: Entry, kind: str, values: Mapping[str, str]) -> bool:
        return entry["type"] == kind and all(value in _text(entry, name) for name, value in values.items())

    def seen(self, places: range, viewer: str) -> list[Entry]:
        """Return the messages of ``places`` as ``viewer`` sees them in the end."""
        everything: dict[str, Entry] = {}
        for entry in self.entries[: places.stop]:
            if entry["type"] == "message":
                everything[entry["id"]] = entry
            elif entry["type"] == "edit":
                everything[entry["id"]] = {**entry, "time": everything[entry["id"]]["time"]}
            elif entry["type"] == "delete":
                everything.pop(entry["id"], None)
        wanted = [self.entries[place]["id"] for place in places if self.entries[place]["type"] == "message"]
        shown = [everything[key] for key in wanted if key in everything]
        return [_quoting(one, everything) for one in shown if one["only_for"] in (None, viewer)]


def _quoting(message: Entry, everything: Mapping[str, Entry]) -> Entry:
    """Return a message above which the one it replies to is quoted as it stands now."""
    target = message["reply_to"]
    if not target or target["id"] not in everything:
        return message
    return {**message, "reply_to": {**target, "text": everything[target["id"]]["readable"]}}


def _begins(entry: Entry) -> bool:
    return entry["type"] == "note" and entry["text"].startswith("*** ")


def _text(entry: Entry, name: str) -> str:
    value = entry[name]
    return str(value["name"] if isinstance(value, dict) else value)
