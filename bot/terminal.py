"""How scenes, replies and timings look in a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.domain import Person, Persona, Reply, Scene

PLACES = {"left": "on the left", "center": "in the middle", "right": "on the right", "far": "far away"}


def as_json(
    scene: Scene, persona: Persona, speaker: int, reply: Reply, timings_ms: Mapping[str, float]
) -> dict[str, Any]:
    """Return the one object that ``reply --json`` prints; people keep the order of ``--speaker``."""
    return {
        "scene": {"caption": scene.caption, "people": [person_as_json(person) for person in scene.people]},
        "persona": persona.id,
        "speaker": speaker,
        "reply": reply.text,
        "source": reply.source,
        "timings_ms": {
            **{stage: round(value, 2) for stage, value in timings_ms.items()},
            "total": round(sum(timings_ms.values()), 2),
        },
    }


def person_as_json(person: Person) -> dict[str, Any]:
    """Return who, age, expression, where, box [x, y, w, h] in pixels (null without a face) and score."""
    return {
        "who": person.who,
        "age": person.age,
        "expression": person.expression,
        "where": person.where,
        "box": person.box.as_list() if person.box else None,
        "score": round(person.score, 3),
    }


def describe_scene(scene: Scene) -> str:
    """Return what was seen in a few readable lines."""
    lines = [f"  saw    {scene.caption}"]
    lines += [f"  {i}      {describe_person(person)}" for i, person in enumerate(scene.people)]
    return "\n".join(lines)


def describe_person(person: Person) -> str:
    """Return one line about someone: "woman, adult, happy, in the middle, glasses, face 96x110 at 40,32"."""
    if person.who == "nobody":
        return "nobody in it"
    parts = [person.who, person.age, person.expression, PLACES.get(person.where, ""), *person.wears]
    if person.box:
        box = person.box
        parts.append(f"face {box.w:.0f}x{box.h:.0f} px at {box.x:.0f},{box.y:.0f} ({person.score:.2f})")
    return ", ".join(part for part in parts if part and part != "-")


def describe_timings(timings_ms: Mapping[str, float]) -> str:
    """Return "decode 12 + detect 7 + ... = 140 ms"."""
    stages = " + ".join(f"{stage} {value:.0f}" for stage, value in timings_ms.items())
    return f"{stages} = {sum(timings_ms.values()):.0f} ms"
