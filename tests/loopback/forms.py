"""What a request says: its JSON, and the files that came with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.loopback.messages import File
from tests.loopback.rules import Malformed

MAX_FILE, MAX_REQUEST, MAX_FILES = 10 * 2**20, 25 * 2**20, 10


@dataclass
class Form:
    """A message as a request describes it; ``kept`` are the ids of files that an edit leaves in place."""

    body: dict[str, Any]
    files: tuple[File, ...] = ()
    kept: tuple[int, ...] | None = None

    @classmethod
    async def read(cls, request: web.Request) -> Form:
        """Read the request; the body of an interaction's answer keeps its type under ``type``."""
        raw, kind = await request.read(), request.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return cls(json.loads(raw) if raw else {})._resolved({})
        if len(raw) > MAX_REQUEST:
            raise Malformed("Request entity too large", 40005)
        parts = multipart(kind, raw)
        return cls(json.loads(parts.pop("payload_json").data))._resolved(parts)

    def _resolved(self, parts: dict[str, Part]) -> Form:
        """Match the attachments that the body lists with the files that came."""
        data = self.body.get("data") or self.body
        listed = data.get("attachments")
        if listed is None:
            self.files = tuple(File(part.filename, part.data) for part in parts.values())
        else:
            new = [entry for entry in listed if f"files[{entry['id']}]" in parts]
            self.files = tuple(self._file(parts[f"files[{entry['id']}]"], entry) for entry in new)
            self.kept = tuple(int(entry["id"]) for entry in listed if entry not in new)
        if len(self.files) > MAX_FILES:
            raise Malformed("attachments: at most 10 files")
        if any(len(file.data) > MAX_FILE for file in self.files):
            raise Malformed("Request entity too large", 40005)
        return self

    @staticmethod
    def _file(part: Part, entry: dict[str, Any]) -> File:
        description = entry.get("description")
        if description and len(description) > 1024:
            raise Malformed("attachments: description must be 1024 or fewer in length")
        return File(entry.get("filename") or part.filename, part.data, description=description)


@dataclass
class Part:
    """One part of a multipart body."""

    filename: str
    data: bytes = field(repr=False)


def multipart(kind: str, body: bytes) -> dict[str, Part]:
    """Take a multipart body apart."""
    boundary = re.search(r'boundary="?([^";]+)', kind)
    if not boundary:
        raise Malformed("a multipart body without a boundary")
    parts: dict[str, Part] = {}
    for piece in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, data = piece.partition(b"\r\n\r\n")
        name = re.search(rb'[; ]name="([^"]*)"', head)
        filename = re.search(rb'filename="([^"]*)"', head)
        if name:
            shown = filename[1].decode() if filename else ""
            parts[name[1].decode()] = Part(shown, data.removesuffix(b"\r\n"))
    return parts
