"""Forms: what Discord refuses of them, and how a person fills them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.loopback.components import (
    CHECKBOX,
    CHECKBOXES,
    LABEL,
    RADIO,
    ROW,
    SELECTS,
    STRING_SELECT,
    TEXT,
    TEXT_INPUT,
    UPLOAD,
    Component,
    check_options,
    check_select,
)
from tests.loopback.messages import File
from tests.loopback.offers import NotOffered
from tests.loopback.rules import Malformed, limit

MAX_TOP, MAX_TITLE, MAX_LABEL, MAX_TEXT = 5, 45, 45, 4000
Value = str | bool | Sequence[str | bytes] | Sequence[tuple[str, bytes]] | None  # a file is (name, data)


def check(data: dict[str, Any]) -> None:
    """Refuse a form that Discord would not open."""
    limit("title", data["title"], MAX_TITLE)
    limit("custom_id", data["custom_id"], 100)
    components = data["components"]
    if not 1 <= len(components) <= MAX_TOP:
        raise Malformed(f"components must be between 1 and {MAX_TOP} in length")
    if any(component["type"] not in (ROW, TEXT, LABEL) for component in components):
        raise Malformed("components: a form holds labels, texts and rows")
    fields = list(inputs(components))
    ids = [field["custom_id"] for _, field in fields]
    if len(set(ids)) < len(ids):
        raise Malformed("components: Component custom id cannot be duplicated")
    for component in components:
        if component["type"] == LABEL:
            limit("description", component.get("description"), 100)
    for label, field in fields:
        limit("label", label, MAX_LABEL)
        limit("custom_id", field["custom_id"], 100)
        _check_field(field)


def _check_field(field: Component) -> None:
    kind = field["type"]
    if kind == TEXT_INPUT:
        low, high = field.get("min_length") or 0, field.get("max_length") or MAX_TEXT
        if not 0 <= low <= high <= MAX_TEXT:
            raise Malformed("components: min_length and max_length do not fit together")
        limit("placeholder", field.get("placeholder"), 100, 0)
        if field.get("value"):
            limit("value", field["value"], high, low)
    elif kind in SELECTS:
        check_select(field)
    elif kind == RADIO:
        if len(check_options(field, 10)) < 2:
            raise Malformed("components: a radio group needs two options or more")
    elif kind == CHECKBOXES:
        check_options(field, 10)


def inputs(components: Sequence[Component]) -> Iterator[tuple[str, Component]]:
    """Yield what can be filled in, each with its label."""
    for component in components:
        if component["type"] == LABEL:
            yield component["label"], component["component"]
        elif component["type"] == ROW:
            for child in component["components"]:
                yield child.get("label") or "", child


def labels(modal: dict[str, Any]) -> dict[str, Any]:
    """Return what a form shows when it opens: each label with what stands there."""
    return {label: started(field) for label, field in inputs(modal["components"])}


def started(field: Component) -> Any:
    """Return what stands in a field before anybody has touched it."""
    if field["type"] == TEXT_INPUT:
        return field.get("value") or ""
    if field["type"] == CHECKBOX:
        return bool(field.get("default"))
    chosen = [option["label"] for option in field.get("options") or [] if option.get("default")]
    return (chosen[0] if chosen else None) if field["type"] == RADIO else chosen


class Filling:
    """Fills in a form as a person would: by label, within the bounds that Discord's client keeps."""

    def __init__(self, modal: dict[str, Any], values: Mapping[str, Value]) -> None:
        self.modal = modal
        self.files: list[File] = []
        self.shown: dict[str, Any] = {}
        self._values = dict(values)
        self._fields = dict(inputs(modal["components"]))
        unknown = set(values) - set(self._fields)
        if unknown:
            raise NotOffered(f"the form {modal['title']!r} has no {sorted(unknown)}, it has {list(self._fields)}")

    def answer(self) -> dict[str, Any]:
        """Return the data of the interaction."""
        parts = []
        for component in self.modal["components"]:
            if component["type"] == TEXT:
                parts.append({"type": TEXT, "id": component["id"]})
            elif component["type"] == LABEL:
                field = self._fill(component["label"], component["component"])
                parts.append({"type": LABEL, "id": component["id"], "component": field})
            else:
                filled = [self._fill(child.get("label") or "", child) for child in component["components"]]
                parts.append({"type": ROW, "id": component["id"], "components": filled})
        return {"custom_id": self.modal["custom_id"], "components": parts}

    def _fill(self, label: str, field: Component) -> dict[str, Any]:
        kind, value = field["type"], self._values.get(label, started(field))
        self.shown[label] = value
        filled = {"type": kind, "id": field["id"], "custom_id": field["custom_id"]}
        if kind == TEXT_INPUT:
            return {**filled, "value": self._text(label, field, value)}
        if kind == CHECKBOX:
            return {**filled, "value": bool(value)}
        if kind == RADIO:
            chosen = self._choices(label, field, [value] if value is not None else [], 1)
            return {**filled, "value": chosen[0] if chosen else None}
        many: list[Any] = (
            [value] if isinstance(value, str) or (kind == UPLOAD and isinstance(value, tuple)) else list(value or [])
        )
        if kind == UPLOAD:
            files = [File(name, data, ephemeral=True) for name, data in many]
            self.files += files
            self.shown[label] = [file.name for file in files]
            self._count(label, field, len(files))
            return {**filled, "values": [str(file.id) for file in files]}
        if kind != STRING_SELECT and kind != CHECKBOXES:
            self._count(label, field, len(many))
            return {**filled, "values": [str(getattr(one, "id", one)) for one in many]}
        most = field.get("max_values") or (1 if kind == STRING_SELECT else len(field["options"]))
        return {**filled, "values": self._choices(label, field, many, most)}

    @staticmethod
    def _text(label: str, field: Component, value: Any) -> str:
        text = str(value or "")
        low, high = field.get("min_length") or 0, field.get("max_length") or MAX_TEXT
        if field.get("required", True) and not text:
            raise NotOffered(f"{label!r} has to be filled in")
        if text and not low <= len(text) <= high:
            raise NotOffered(f"{label!r} takes {low} to {high} characters, not {len(text)}")
        return text

    def _choices(self, label: str, field: Component, chosen: Sequence[Any], most: int) -> list[str]:
        values = {option["label"]: option["value"] for option in field["options"]}
        unknown = [one for one in chosen if one not in values and one not in values.values()]
        if unknown:
            raise NotOffered(f"{label!r} has no {unknown}, it has {list(values)}")
        self._count(label, {**field, "max_values": most}, len(chosen))
        return [values.get(one, one) for one in chosen]

    @staticmethod
    def _count(label: str, field: Component, count: int) -> None:
        required = field.get("required", True)
        low, high = field.get("min_values"), field.get("max_values")
        low, high = (1 if required else 0) if low is None else low, 1 if high is None else high
        if (required and count < max(low, 1)) or (count and count < low) or count > high:
            raise NotOffered(f"{label!r} takes {low} to {high} choices, not {count}")
