"""Read the in-character corpus (models/data/corpus, written as SPEC.md says) into training pairs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain import AGES, EXPRESSIONS, TRAITS, VOICES, WHERES, WHO, Person, Scene, Turn
from models.data.pairs import Pair

CORPUS = Path(__file__).parent / "corpus"
HELD_OUT_PERCENT = 5
FOLLOW_UP = re.compile(r"\? (?P<question>.+?) -> (?P<voice>\w+): (?P<answer>.+)")
FIELDS = (WHO, AGES, EXPRESSIONS, WHERES)


@dataclass(frozen=True, slots=True)
class Block:
    """One written scene: its opening replies and, where there is one, its conversation."""

    scene: Scene
    openings: tuple[Pair, ...]
    answers: tuple[Pair, ...]  # one pair a follow-up answer, each with all turns before it

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """Every reply of the block."""
        return self.openings + self.answers


def read_corpus(folder: Path = CORPUS) -> list[Block]:
    """Return every block of W*.txt and dialogues/D*.txt, in file order.

    Raises ValueError that names file and line of anything not written as SPEC.md says.
    """
    blocks = []
    for path in [*sorted(folder.glob("W*.txt")), *sorted((folder / "dialogues").glob("D*.txt"))]:
        for text in path.read_text(encoding="utf-8").split("\n\n"):
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if lines:
                try:
                    blocks.append(read_block(lines))
                except (ValueError, StopIteration) as error:
                    raise ValueError(f"{path.name}, block {lines[0][:60]!r}: {error}") from error
    return blocks


def read_block(lines: Sequence[str]) -> Block:
    """Return the block whose header and reply lines these are."""
    scene = read_scene(lines[0].removeprefix("#"))
    openings: list[Pair] = []
    answers: list[Pair] = []
    turns: tuple[Turn, ...] = ()
    for line in lines[1:]:
        follow_up = FOLLOW_UP.fullmatch(line)
        if follow_up is None:
            key, _, reply = line.partition(": ")
            voice, traits = ("self", (key[1:],)) if key.startswith("~") else (key, ())
            if voice not in VOICES or not set(traits) <= set(TRAITS) or not reply:
                raise ValueError(f"no voice, trait or reply in {line!r}")
            openings.append(Pair(scene, voice, traits, (), reply.strip()))
            continue
        question, voice, answer = follow_up.group("question", "voice", "answer")
        opening = next(pair for pair in openings if pair.voice == voice)
        turns = (turns or (Turn("persona", opening.reply),)) + (Turn("user", question.strip()),)
        answers.append(Pair(scene, voice, opening.traits, turns, answer.strip()))
        turns += (Turn("persona", answer.strip()),)
    return Block(scene, tuple(openings), tuple(answers))


def read_scene(text: str) -> Scene:
    """Return the scene written as ``caption | who, age, expression, where ; ...`` (at most four people)."""
    caption, _, people = text.partition("|")
    return Scene(caption.strip(), read_people(people))


def read_people(text: str) -> tuple[Person, ...]:
    """Return the people written as ``who, age, expression, where ; ...``; raise ValueError on unknown words."""
    people = []
    for part in text.split(";"):
        words = [word.strip() for word in part.split(",")]
        if len(words) != len(FIELDS) or any(word not in known for word, known in zip(words, FIELDS, strict=True)):
            raise ValueError(f"{part.strip()!r} is not who, age, expression, where")
        who, age, expression, where = words
        people.append(Person(who, age, expression, where))  # type: ignore[arg-type] # checked against FIELDS
    return tuple(people)


def held_out(scene: Scene) -> bool:
    """Return whether a scene is kept from training: one in twenty, by its caption's hash."""
    digest = hashlib.sha256(scene.caption.strip().lower().encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < HELD_OUT_PERCENT
