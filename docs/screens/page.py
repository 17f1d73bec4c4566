"""One screen as HTML: a channel with its messages, and what is open above them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from docs.screens.markup import Markup

Part = dict[str, Any]
BUTTON, TEXT_INPUT, UPLOAD, RADIO, PARAGRAPH = 2, 4, 19, 21, 2
BRAND = "#5865f2"
COLOURS = ("#2d8f4e", "#b5651d", "#8e4fa8", "#1f7f8c", "#ad1457", "#4a6fb0", "#7a6a3a")
FEET = (("cancel", 2), ("submit", 1))  # what stands under a form, with the style of its button
WORDS = {  # what Discord's client says by itself
    "en-US": {
        "used": "used", "app": "APP", "edited": "(edited)", "today": "Today at", "choose": "Select",
        "secret": "Only you can see this", "dismiss": "Dismiss message", "cancel": "Cancel", "submit": "Submit",
        "upload": "Upload a file",
    },
    "zh-CN": {
        "used": "使用了", "app": "应用", "edited": "（已编辑）", "today": "今天", "choose": "请选择",
        "secret": "仅您可以看到", "dismiss": "忽略消息", "cancel": "取消", "submit": "提交", "upload": "上传文件",
    },
}  # fmt: skip


class Page:
    """Draws what somebody sees; ``names`` are those of people by id."""

    def __init__(self, names: Mapping[str, str], locale: str) -> None:
        self._words, self._markup = WORDS[locale], Markup(names, locale)

    def channel(self, messages: Sequence[Part], above: str = "", opened: str | None = None) -> str:
        """Return the page of a channel.

        ``above`` is what is open over it, ``opened`` what the pointer is on in the open menu of the last message.
        """
        place = messages[0]["channel"]
        sign, name = "#" if place["server"] else "@", html.escape(place["name"])
        server = span("place", html.escape(place["server"] or ""))
        head = div("head", f"{span('sign', sign)}<b>{name}</b>{server}")
        body = "".join(self.message(message, opened if message is messages[-1] else None) for message in messages)
        return div("app formed" if above else "app", f"{head}{div('talk', body)}{above}")

    def message(self, message: Part, opened: str | None = None) -> str:
        """Return a message with what is above and under it."""
        author, secret = message["author"], message["only_for"]
        edited = f" {span('edited', self._words['edited'])}" if message["edited"] else ""
        parts = [
            self._above(message),
            face(author["name"], author["avatar"], bot=author["bot"]),
            span("name", html.escape(author["name"])),
            span("tag", self._words["app"]) if author["bot"] else "",
            span("time", f"{self._words['today']} {datetime.fromisoformat(message['time']):%H:%M}"),
            self._markup.block(message["content"], edited) if message["content"] else "",
            *(self._file(file) for file in message["attachments"]),
            *(self._row(row["components"], opened) for row in message["components"]),
        ]
        if secret:
            parts.append(div("secret", f"👁 {self._words['secret']} • <a>{self._words['dismiss']}</a>"))
        return div("message mine" if secret else "message", "".join(parts))

    def _above(self, message: Part) -> str:
        """Return the line above a message: the command it answers, or the message it replies to."""
        if used := message["used"]:
            who = f"{face(used['user'])}<b>{html.escape(used['user'])}</b> {self._words['used']}"
            return div("above", f"{who} {span('command', html.escape(used['what']))}")
        target = message["reply_to"]
        if not target:
            return ""
        author = target["author"]
        who = f"{face(author['name'], author['avatar'], bot=author['bot'])}<b>{html.escape(author['name'])}</b>"
        text = self._markup.plain(target["text"]) or html.escape(", ".join(target["files"]))
        return div("above", f"{who} {span('quote', text)}")

    @staticmethod
    def _file(file: Part) -> str:
        if file["data"].startswith("data:image/"):
            return f'<img class="photo" src="{file["data"]}">'
        size = div("size", f"{file['size'] / 1024:.1f} KB")
        words = f"<div><a>{html.escape(file['name'])}</a>{size}</div>"
        return f"<div>{div('file', span('sheet', '') + words)}</div>"

    def _row(self, parts: Sequence[Part], opened: str | None) -> str:
        return div("row", "".join(self._control(part, opened) for part in parts))

    def _control(self, part: Part, opened: str | None) -> str:
        if part["type"] != BUTTON:
            return self._select(part, [], opened)
        icon = span("icon", part["emoji"]["name"]) if part.get("emoji") else ""
        off = " off" if part.get("disabled") else ""
        return span(f"button s{part['style']}{off}", f"{icon}{html.escape(part.get('label') or '')}")

    def _select(self, part: Part, chosen: Sequence[str], opened: str | None = None) -> str:
        """Return a menu with what is chosen in it; ``opened`` is the label that the pointer is on."""
        chips = "".join(span("chip", html.escape(one)) for one in chosen)
        if len(chosen) == 1 and part.get("max_values", 1) == 1:
            chips = html.escape(chosen[0])
        shown = div("shown full", chips) if chips else div("shown", part.get("placeholder") or self._words["choose"])
        options = ""
        if opened is not None:
            options = div("options", "".join(_option(one, one["label"] == opened) for one in part["options"]))
        return div("select", f"{shown}{options}")

    def form(self, modal: Part, values: Mapping[str, Any], bot: Part) -> str:
        """Return a form with what was typed into it."""
        title = div("title", f"{face(bot['name'], bot['avatar'], bot=True)}{html.escape(modal['title'])}")
        fields = div("fields", "".join(self._field(field, values) for field in modal["components"]))
        feet = div("feet", "".join(span(f"button s{style}", self._words[word]) for word, style in FEET))
        return div("veil", div("form", f"{title}{fields}{feet}"))

    def _field(self, field: Part, values: Mapping[str, Any]) -> str:
        label, part = field["label"], field["component"]
        star = " <i>*</i>" if part.get("required", True) else ""
        hint = div("hint", html.escape(field["description"])) if field.get("description") else ""
        return f"<label>{html.escape(label)}{star}</label>{hint}{self._input(part, values.get(label))}"

    def _input(self, part: Part, value: Any) -> str:
        if part["type"] == TEXT_INPUT:
            return div("input long" if part["style"] == PARAGRAPH else "input", html.escape(str(value or "")))
        if part["type"] == UPLOAD:
            return div("input", f"📎 {html.escape(', '.join(value or []) or self._words['upload'])}")
        many = {value} if isinstance(value, str) else set(value or [])
        chosen = [one["label"] for one in part["options"] if {one["value"], one["label"]} & many]
        if part["type"] == RADIO:
            labels = [one["label"] for one in part["options"]]
            return "".join(div("radio on" if one in chosen else "radio", html.escape(one)) for one in labels)
        return self._select(part, chosen)


def _option(option: Part, on: bool) -> str:
    more = div("more", html.escape(option["description"])) if option.get("description") else ""
    return div("option on" if on else "option", f"{html.escape(option['label'])}{more}")


def face(name: str, picture: str | None = None, *, bot: bool = False) -> str:
    """Return somebody's picture: the one they have, else the first letters of the name on a colour."""
    if picture:
        return div("face", f'<img src="{picture}">')
    letters = "".join(word[0] for word in name.split()[:2])
    colour = BRAND if bot else COLOURS[sum(map(ord, name)) % len(COLOURS)]
    return f'<div class="face letter" style="background:{colour}">{html.escape(letters)}</div>'


def div(kind: str, inside: str) -> str:
    """Return a block of a class of style.css."""
    return f'<div class="{kind}">{inside}</div>'


def span(kind: str, inside: str) -> str:
    """Return a part of a line of a class of style.css."""
    return f'<span class="{kind}">{inside}</span>'
