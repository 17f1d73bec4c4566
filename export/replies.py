"""Let the shipped bot answer held-out photos, so that a person can read and mark the replies."""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from bot.app import TalkingPhotos
from bot.runtime.timing import Stopwatch
from bot.speech.personas import find_persona
from models.data.photos import Photos
from models.train.contact_sheet import contact_sheet
from models.train.run import need

ROTATION = ("self", "pirate", "detective", "queen", "comedian")


@dataclass(frozen=True, slots=True)
class Answer:
    """One photo and what was said about it."""

    photo: str
    caption: str
    people: str
    persona: str
    reply: str
    source: str
    total_ms: float


def report(args: argparse.Namespace) -> None:
    """Answer ``args.portraits`` faces and ``args.scenes`` photos; print the table, draw the contact sheet."""
    photos = [*portraits(args.data, args.portraits, args.seed), *scenes(args.data, args.scenes, args.seed)]
    answers = answer_all(photos, args.seed)
    print(json.dumps([asdict(answer) for answer in answers], indent=1) if args.json else as_table(answers))
    args.out.mkdir(parents=True, exist_ok=True)
    sheet = args.out / "replies.png"
    lines = [f"{a.caption} | {a.people}\n{a.persona} ({a.source}): {a.reply}" for a in answers]
    contact_sheet([Image.open(io.BytesIO(data)) for _, data in photos], lines).save(sheet)
    print(f"contact sheet: {sheet}", file=sys.stderr)


def portraits(data: Path, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, JPEG bytes) of faces of the validation split, drawn by ``seed``."""
    archive = need(data / "faces" / "faces-val.tar", "the validation faces")
    with tarfile.open(archive) as tar:
        names = sorted(member.name for member in tar if member.isfile())
        for name in random.Random(seed).sample(names, count):
            stream = tar.extractfile(name)
            assert stream is not None
            yield name, stream.read()


def scenes(data: Path, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield (name, JPEG bytes) of photos of the validation split, drawn by ``seed``."""
    photos = Photos(data / "photos")
    files = sorted(item.file for item in photos.items("val", captioned=True))
    for file in random.Random(seed).sample(files, count):
        buffer = io.BytesIO()
        photos.image(file).save(buffer, "JPEG", quality=95)
        yield file, buffer.getvalue()


def answer_all(photos: list[tuple[str, bytes]], seed: int) -> list[Answer]:
    """Let the shipped bot answer every photo once: the first reply, not a picked one."""
    engine = TalkingPhotos()
    answers = []
    for number, (name, data) in enumerate(photos):
        stopwatch = Stopwatch()
        scene = engine.look(data, stopwatch)
        persona = find_persona(engine.personas, ROTATION[number % len(ROTATION)])
        reply = engine.reply(scene, persona, seed=seed + number)
        stopwatch.add(reply.timings_ms)
        people = " ; ".join(person.as_text() for person in scene.people)
        answers.append(
            Answer(name, scene.caption, people, persona.id, reply.text, reply.source, round(stopwatch.total_ms))
        )
    return answers


def as_table(answers: list[Answer]) -> str:
    """Return the answers as a Markdown table."""
    lines = ["| # | photo | caption | people | persona | reply | source | ms |", "|" + "---|" * 8]
    for i, a in enumerate(answers, 1):
        people, reply = (text.replace("|", "/") for text in (a.people, a.reply))
        lines.append(
            f"| {i} | {a.photo} | {a.caption} | {people} | {a.persona} | {reply} | {a.source} | {a.total_ms:.0f} |"
        )
    return "\n".join(lines)
