"""Reads a story that the tour wrote down, and tells what somebody sees at a point in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Entry = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """Everything that happened, in order; ``names`` are those of people by id."""

    entries: Sequence[Entry]
    names: Mapping[str, str]
    bot: Entry

    @classmethod
    def read(cls, path: Path) -> Story:
        """Read a JSON file of the tour."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(data["entries"], data["people"], data["bot"])

    def chapter(self, number: int) -> range:
        """Return the places of the entries of a chapter, the first is 1."""
        starts = [place for place, entry in enumerate(self.entries) if _begins(entry)]
        return range(starts[number - 1] + 1, [*starts, len(self.entries)][number])

    def find(self, places: range, kind: str, number: int = 1, **values: str) -> int:
        """Return the place of the ``number``-th entry of a kind in which each of ``values`` occurs."""
        left = number
        for place in places:
            entry = self.entries[place]
            if entry["type"] == kind and all(value in _text(entry, name) for name, value in values.items()):
                left -= 1
                if not left:
                    return place
        raise LookupError(f"the story has no {kind} number {number} with {values} among {places}")

    def seen(self, places: range, viewer: str) -> tuple[list[Entry], dict[str, Entry]]:
        """Return the messages of ``places`` as ``viewer`` sees them in the end, and all there ever were, by id."""
        everything: dict[str, Entry] = {}
        for entry in self.entries[: places.stop]:
            if entry["type"] == "message":
                everything[entry["id"]] = {**entry, "edited": False}
            elif entry["type"] == "change":
                everything[entry["id"]] |= {key: entry[key] for key in ("content", "components", "files", "edited")}
            elif entry["type"] == "removal" and entry["id"] in everything:
                everything[entry["id"]]["gone"] = True
        wanted = [self.entries[place]["id"] for place in places if self.entries[place]["type"] == "message"]
        shown = [everything[key] for key in wanted]
        return [one for one in shown if one["only_for"] in (None, viewer) and not one.get("gone")], everything


def _begins(entry: Entry) -> bool:
    return entry["type"] == "note" and entry["text"].startswith("*** ")


def _text(entry: Entry, name: str) -> str:
    value = entry[name]
    return str(value["name"] if isinstance(value, dict) else value)
