"""One screen as HTML: a channel with its messages, and what is open above them."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from docs.screens.markup import Markup

Part = dict[str, Any]
ROW, BUTTON, STRING_SELECT, TEXT_INPUT, TEXT, LABEL, UPLOAD, RADIO = 1, 2, 3, 4, 10, 18, 19, 21
FEET = (("cancel", 2), ("submit", 1))  # what stands under a form, with the style of its button
COMMAND = 2  # a kind of interaction
COLOURS = ("#2d8f4e", "#b5651d", "#8e4fa8", "#1f7f8c", "#ad1457", "#4a6fb0", "#7a6a3a")
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
        self._names, self._words, self._markup = names, WORDS[locale], Markup(names, locale)

    def channel(self, channel: Part, messages: Sequence[Part], quoted: Mapping[str, Part], above: str = "") -> str:
        """Return the page of a channel; ``quoted`` are messages by id, ``above`` is what is open over it."""
        place = html.escape(channel["guild"] or "")
        sign = "#" if channel["guild"] else "@"
        head = (
            f'<span class="sign">{sign}</span><b>{html.escape(channel["name"])}</b><span class="place">{place}</span>'
        )
        body = "".join(self.message(message, quoted) for message in messages)
        kind = "app formed" if above else "app"
        return f'<div class="{kind}"><div class="head">{head}</div><div class="talk">{body}</div>{above}</div>'

    def message(self, message: Part, quoted: Mapping[str, Part]) -> str:
        """Return a message with what is above and under it."""
        author, secret = message["author"], message["only_for"]
        tag = f'<span class="tag">{self._words["app"]}</span>' if author["bot"] else ""
        edited = f' <span class="edited">{self._words["edited"]}</span>' if message["edited"] else ""
        time = f"{self._words['today']} {datetime.fromisoformat(message['time']):%H:%M}"
        parts = [
            self._above(message, quoted),
            face(author),
            f'<span class="name">{html.escape(author["name"])}</span>{tag}<span class="time">{time}</span>',
            f"{self._markup.block(message['content'])}{edited}" if message["content"] else "",
            *(self._file(file) for file in message["files"]),
            *(self._row(row["components"], message.get("open")) for row in message["components"]),
        ]
        if secret:
            words = f"👁 {self._words['secret']} • <a>{self._words['dismiss']}</a>"
            parts.append(f'<div class="secret">{words}</div>')
        return f'<div class="message{" mine" if secret else ""}">{"".join(parts)}</div>'

    def _above(self, message: Part, quoted: Mapping[str, Part]) -> str:
        """Return the line above a message: the command it answers, or the message it replies to."""
        if command := _command(message["answers"]):
            user = command["user"]
            who = f"{face(user)}<b>{html.escape(user['name'])}</b> {self._words['used']}"
            return f'<div class="above">{who} <span class="command">{html.escape(command["label"])}</span></div>'
        target = quoted.get(message["reply_to"] or "")
        if not target:
            return ""
        who = f"{face(target['author'])}<b>{html.escape(target['author']['name'])}</b>"
        text = self._markup.plain(target["content"]) or ", ".join(file["name"] for file in target["files"])
        return f'<div class="above">{who} <span class="quote">{text}</span></div>'

    def _file(self, file: Part) -> str:
        if picture := picture_of(file["data"]):
            return f'<img class="photo" src="{picture}">'
        size = f'<div class="size">{file["size"] / 1024:.1f} KB</div>'
        words = f"<div><a>{html.escape(file['name'])}</a>{size}</div>"
        return f'<div><div class="file"><span class="sheet"></span>{words}</div></div>'

    def _row(self, parts: Sequence[Part], opened: str | None) -> str:
        return f'<div class="row">{"".join(self._control(part, opened) for part in parts)}</div>'

    def _control(self, part: Part, opened: str | None) -> str:
        if part["type"] == BUTTON:
            icon = f'<span class="icon">{part["emoji"]["name"]}</span>' if part.get("emoji") else ""
            off = " off" if part.get("disabled") else ""
            return f'<span class="button s{part["style"]}{off}">{icon}{html.escape(part.get("label") or "")}</span>'
        return self._select(part, [], opened if opened is not None else None)

    def _select(self, part: Part, chosen: Sequence[str], opened: str | None = None) -> str:
        """Return a menu with what is chosen in it; ``opened`` is the label that the pointer is on."""
        chips = "".join(f'<span class="chip">{html.escape(one)}</span>' for one in chosen)
        if len(chosen) == 1 and part.get("max_values", 1) == 1:
            chips = html.escape(chosen[0])
        shown = chips or html.escape(part.get("placeholder") or self._words["choose"])
        options = ""
        if opened is not None:
            options = "".join(self._option(option, option["label"] == opened) for option in part["options"])
            options = f'<div class="options">{options}</div>'
        full = " full" if chips else ""
        return f'<div class="select"><div class="shown{full}">{shown}</div>{options}</div>'

    @staticmethod
    def _option(option: Part, on: bool) -> str:
        more = f'<div class="more">{html.escape(option["description"])}</div>' if option.get("description") else ""
        return f'<div class="option{" on" if on else ""}">{html.escape(option["label"])}{more}</div>'

    def form(self, modal: Part, values: Mapping[str, Any], bot: Part) -> str:
        """Return a form with what was typed into it."""
        fields = "".join(self._field(field, values) for field in modal["components"])
        title = f'<div class="title">{face(bot)}{html.escape(modal["title"])}</div>'
        feet = (
            f'<span class="button">{self._words["cancel"]}</span><span class="button s1">{self._words["submit"]}</span>'
        )
        return (
            f'<div class="veil"><div class="form">{title}<div class="fields">{fields}</div>'
            f'<div class="feet">{feet}</div></div></div>'
        )

    def _field(self, field: Part, values: Mapping[str, Any]) -> str:
        label, part = field["label"], field["component"]
        star = " <i>*</i>" if part.get("required", True) else ""
        hint = f'<div class="hint">{html.escape(field["description"])}</div>' if field.get("description") else ""
        return f"<label>{html.escape(label)}{star}</label>{hint}{self._input(part, values.get(label))}"

    @staticmethod
    def _radio(option: Part, on: bool) -> str:
        return f'<div class="radio{" on" if on else ""}">{html.escape(option["label"])}</div>'

    def _input(self, part: Part, value: Any) -> str:
        if part["type"] == TEXT_INPUT:
            long = " long" if part["style"] == 2 else ""
            return f'<div class="input{long}">{html.escape(str(value or ""))}</div>'
        if part["type"] == RADIO:
            return "".join(self._radio(one, value in (one["value"], one["label"])) for one in part["options"])
        if part["type"] == UPLOAD:
            return f'<div class="input">📎 {html.escape(", ".join(value or []) or self._words["upload"])}</div>'
        many = [value] if isinstance(value, str) else list(value or [])
        return self._select(part, [one["label"] for one in part["options"] if {one["value"], one["label"]} & set(many)])


def _command(answers: Part | None) -> Part | None:
    """Return the command that a message answers, also through the form it opened; None for buttons and menus."""
    while answers and answers["opened_by"]:
        answers = answers["opened_by"]
    return answers if answers and answers["type"] == COMMAND else None


def face(user: Part) -> str:
    """Return somebody's picture: the one they have, else the first letters of the name on a colour."""
    if picture := picture_of(user["avatar"]):
        return f'<div class="face"><img src="{picture}"></div>'
    letters = "".join(word[0] for word in user["name"].split()[:2])
    colour = "#5865f2" if user["bot"] else COLOURS[sum(map(ord, user["name"])) % len(COLOURS)]
    return f'<div class="face letter" style="background:{colour}">{html.escape(letters)}</div>'


def picture_of(data: str | None) -> str | None:
    """Return a picture as an address that carries it, None for what is no picture."""
    if not data:
        return None
    for kind, magic in (("png", b"\x89PNG"), ("jpeg", b"\xff\xd8"), ("webp", b"RIFF")):
        if base64.b64decode(data[:16]).startswith(magic):
            return f"data:image/{kind};base64,{data}"
    return None
