"""What people and the bot write, as HTML: the part of Discord's formatting that occurs in the tour."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime

INLINE = re.compile(
    r"\\(?P<plain>[^A-Za-z0-9\s])"
    r"|\*\*(?P<bold>.+?)\*\*|__(?P<under>.+?)__|\*(?P<slanted>[^*\s][^*]*)\*|`(?P<code>[^`]+)`"
    r"|\[(?P<label>[^\]]+)\]\((?P<link>https?://[^)\s]+)\)"
    r"|<@&?(?P<at>\d+)>|</(?P<call>[^:>]+):\d+>|<t:(?P<moment>\d+)(?::\w)?>"
    r"|<?(?P<url>https?://[^\s>]+)>?"
)


class Markup:
    """Turns texts into HTML; ``names`` are those of people by id."""

    def __init__(self, names: Mapping[str, str], locale: str) -> None:
        self._names, self._locale = names, locale

    def block(self, text: str, end: str = "") -> str:
        """Return a whole message: lines, lists and small print; ``end`` is HTML behind its last word."""
        out: list[str] = []
        for line in text.split("\n"):
            if line.startswith("-# "):
                out.append(f'<div class="small">{self.line(line[3:])}</div>')
            elif line.startswith("- "):
                item = f"<li>{self.line(line[2:])}</li>"
                if out and out[-1].endswith("</ul>"):
                    out[-1] = f"{out[-1].removesuffix('</ul>')}{item}</ul>"
                else:
                    out.append(f"<ul>{item}</ul>")
            else:
                out.append(f"<div>{self.line(line) or '&nbsp;'}</div>")
        inside, tag = out[-1].rsplit("</", 1)
        return "".join([*out[:-1], f"{inside}{end}</{tag}"])

    def line(self, text: str) -> str:
        """Return one line with its formatting."""
        out, end = [], 0
        for match in INLINE.finditer(text):
            out += [html.escape(text[end : match.start()]), self._inline(match)]
            end = match.end()
        return "".join([*out, html.escape(text[end:])])

    def plain(self, text: str) -> str:
        """Return a text on one line without formatting, as the quote above a reply shows it."""
        lines = [line for line in text.split("\n") if not line.startswith("-# ")]
        return re.sub(r"<(?!/?span)[^>]+>", "", self.line(" ".join(lines)))

    def _inline(self, match: re.Match[str]) -> str:
        found = {name: value for name, value in match.groupdict().items() if value is not None}
        tags = {"bold": "b", "under": "u", "slanted": "em"}
        for name, tag in tags.items():
            if name in found:
                return f"<{tag}>{self.line(found[name])}</{tag}>"
        if "plain" in found:
            return html.escape(found["plain"])
        if "code" in found:
            return f"<code>{html.escape(found['code'])}</code>"
        if "label" in found:
            return f"<a>{html.escape(found['label'])}</a>"
        if "at" in found:
            return f'<span class="at">@{html.escape(self._names.get(found["at"], "?"))}</span>'
        if "call" in found:
            return f'<span class="call">/{html.escape(found["call"])}</span>'
        if "moment" in found:
            return f"<code>{self._moment(int(found['moment']))}</code>"
        return f"<a>{html.escape(found['url'])}</a>"

    def _moment(self, seconds: int) -> str:
        """Return a point in time as its reader's Discord shows it."""
        moment = datetime.fromtimestamp(seconds, UTC)
        if self._locale == "zh-CN":
            return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}"
        return f"{moment:%B} {moment.day}, {moment.year} {moment:%H:%M}"
