"""Buttons, menus and layouts: what Discord refuses of them, and how it shows them afterwards."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tests.loopback.messages import COMPONENTS_V2, File, texts, walk
from tests.loopback.people import snowflake
from tests.loopback.rules import Malformed, limit

Component = dict[str, Any]
ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = {3, 5, 6, 7, 8}
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
LABEL, UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 18, 19, 21, 22, 23
LINK = 5
MAX_CONTENT, MAX_ROWS, MAX_BUTTONS, MAX_OPTIONS, MAX_LAYOUT, MAX_LAYOUT_TEXT = 2000, 5, 5, 25, 40, 4000


def check_message(body: dict[str, Any], files: bool = False) -> None:
    """Refuse what Discord would not show."""
    content, components = body.get("content") or "", body.get("components") or []
    if body.get("flags", 0) & COMPONENTS_V2:
        if content or body.get("embeds"):
            raise Malformed("components: content and embeds cannot be used with layouts")
        if not components:
            raise Malformed("Cannot send an empty message", 50006)
        check_layout(components)
        return
    if len(content) > MAX_CONTENT:
        raise Malformed("content must be 2000 or fewer in length")
    if not content.strip() and not files and not any(body.get(key) for key in ("embeds", "sticker_ids", "components")):
        raise Malformed("Cannot send an empty message", 50006)
    if len(components) > MAX_ROWS:
        raise Malformed("components must be 5 or fewer in length")
    if any(component["type"] != ROW for component in components):
        raise Malformed("components: only rows are allowed without the flag for layouts")
    check_controls(components)


def check_layout(components: list[Component]) -> None:
    """Refuse a layout that is too large."""
    if len(walk(components)) > MAX_LAYOUT:
        raise Malformed(f"components: at most {MAX_LAYOUT} in a message")
    if sum(map(len, texts(components))) > MAX_LAYOUT_TEXT:
        raise Malformed(f"components: at most {MAX_LAYOUT_TEXT} characters of text in a message")
    for component in walk(components):
        if component["type"] == SECTION and not 1 <= len(component["components"]) <= 3:
            raise Malformed("components: a section has one to three texts")
        if component["type"] == TEXT:
            limit("components: content", component["content"], MAX_LAYOUT_TEXT)
        if component["type"] == GALLERY and not 1 <= len(component["items"]) <= 10:
            raise Malformed("components: a gallery has one to ten pictures")
    check_controls(components)


def check_controls(components: list[Component]) -> None:
    """Refuse wrong rows, buttons and menus, and ids that come twice."""
    ids = [component["custom_id"] for component in walk(components) if component.get("custom_id") is not None]
    for custom_id in ids:
        limit("custom_id", custom_id, 100)
        if ids.count(custom_id) > 1:
            raise Malformed(f"components: Component custom id cannot be duplicated: {custom_id}")
    for component in walk(components):
        if component["type"] == ROW:
            check_row(component["components"])
        elif component["type"] == BUTTON:
            check_button(component)
        elif component["type"] in SELECTS:
            check_select(component)


def check_row(components: list[Component]) -> None:
    """Refuse a row that holds nothing or too much."""
    buttons = sum(component["type"] == BUTTON for component in components)
    if not 1 <= len(components) <= MAX_BUTTONS or (len(components) > 1 and buttons < len(components)):
        raise Malformed("components: a row holds one to five buttons or one menu")


def check_button(button: Component) -> None:
    """Refuse a button without a face, or with the wrong target."""
    limit("label", button.get("label"), 80, 0)
    if not (button.get("label") or button.get("emoji")):
        raise Malformed("components: a button needs a label or an emoji")
    wanted, other = ("url", "custom_id") if button["style"] == LINK else ("custom_id", "url")
    if not button.get(wanted) or button.get(other):
        raise Malformed(f"components: a button of style {button['style']} needs a {wanted} and no {other}")


def check_select(select: Component) -> None:
    """Refuse a menu whose options or bounds are wrong."""
    limit("placeholder", select.get("placeholder"), 150, 0)
    low, high = select.get("min_values", 1), select.get("max_values", 1)
    if not (0 <= low <= 25 and 1 <= high <= 25 and low <= high):
        raise Malformed("components: min_values and max_values do not fit together")
    if select["type"] != STRING_SELECT:
        return
    options = check_options(select, MAX_OPTIONS)
    if high > len(options):
        raise Malformed("components: max_values is larger than the number of options")
    if sum(bool(option.get("default")) for option in options) > high:
        raise Malformed("components: more options are chosen than may be")


def check_options(component: Component, most: int) -> list[Component]:
    """Refuse options of a menu, radio group or group of check boxes that are too many, too long or alike."""
    options: list[Component] = component.get("options") or []
    if not 1 <= len(options) <= most:
        raise Malformed(f"components: options must be between 1 and {most} in length")
    for option in options:
        limit("option label", option["label"], 100)
        limit("option value", option["value"], 100)
        limit("option description", option.get("description"), 100)
    if len({option["value"] for option in options}) < len(options):
        raise Malformed("components: option values must be different")
    return options


def shown(components: list[Component], files: tuple[File, ...], cdn: str) -> list[Component]:
    """Return components as Discord shows them in a message: numbered, defaults filled in, files resolved."""
    number = itertools.count(1).__next__
    return [_shown(component, number, files, cdn) for component in components]


def _shown(component: Component, number: Callable[[], int], files: tuple[File, ...], cdn: str) -> Component:
    def media(item: Component) -> Component:
        url = item["url"]
        file = next((file for file in files if url == f"attachment://{file.name}"), None)
        if url.startswith("attachment://") and file is None:
            raise Malformed(f"components: {url} is not among the attachments")
        if file is None:
            return {"id": str(snowflake()), "url": url, "proxy_url": url}
        url = file.payload(cdn)["url"]
        return {"id": str(snowflake()), "url": url, "proxy_url": url, "attachment_id": str(file.id)}

    kind = component["type"]
    result = {**_DEFAULTS.get(kind, {}), **component, "id": component.get("id") or number()}
    if kind in SELECTS:
        result |= {"min_values": component.get("min_values", 1), "max_values": component.get("max_values", 1)}
    if "components" in component:
        result["components"] = [_shown(child, number, files, cdn) for child in component["components"]]
    for key in ("accessory", "component"):
        if component.get(key):
            result[key] = _shown(component[key], number, files, cdn)
    if kind == GALLERY:
        plain = {"description": None, "spoiler": False}
        result["items"] = [{**plain, **item, "media": media(item["media"])} for item in component["items"]]
    if kind == THUMBNAIL:
        result["media"] = media(component["media"])
    if kind == FILE:
        result["file"] = media(component["file"])
    if "options" in component:
        result["options"] = [_with_emoji(option) for option in component["options"]]
    return _with_emoji(result)


def _with_emoji(component: Component) -> Component:
    """Return a button or an option whose emoji, if it has one, has no empty id."""
    emoji = {key: value for key, value in (component.get("emoji") or {}).items() if value is not None}
    rest = {key: value for key, value in component.items() if key != "emoji"}
    return {**rest, "emoji": emoji} if emoji else rest


_DEFAULTS: dict[int, Component] = {
    THUMBNAIL: {"description": None, "spoiler": False},
    FILE: {"name": None, "size": None, "spoiler": False},
    SEPARATOR: {"spacing": 1, "divider": True},
    CONTAINER: {"accent_color": None, "spoiler": False},
}
