"""What happened lately in every channel, with ids: written beside each fault, so that its cause can be found."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque

from tests.loopback.story import Change, Deed, Entry, Removal
from tests.loopback.world import Channel, Message

KEPT = 40  # lines of a channel, and as many of what concerns all of them
WORDS = 160  # characters of what is said


class Diary:
    """Keeps the latest lines of every channel; ``pages`` are what led to each fault."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._lines: defaultdict[int | None, deque[tuple[float, str]]] = defaultdict(lambda: deque(maxlen=KEPT))
        self.pages: list[str] = []

    def note(self, channel: Channel | None, what: str) -> None:
        """Write a line about a channel, or about all of them."""
        self._lines[channel.id if channel else None].append((time.monotonic() - self._begun, what))

    def entry(self, entry: Entry) -> None:
        """Write down what the bot said, changed or deleted, and what people pressed."""
        if isinstance(entry, Message):
            self.note(entry.channel, f"the bot says {told(entry)}")
        elif isinstance(entry, Change):
            self.note(entry.message.channel, f"the bot changes {told(entry.message)}")
        elif isinstance(entry, Removal):
            self.note(entry.message.channel, f"the bot deletes {entry.message.id}")
        elif isinstance(entry, Deed):
            under = f" under {entry.message.id}" if entry.message else ""
            self.note(entry.channel, f"{entry.user.name}: {entry.kind} {entry.label}{under} {entry.values or ''}")

    def blame(self, fault: str, channel: Channel | None) -> None:
        """Keep what led to a fault."""
        self.pages.append(self.page(f"=== {fault}", channel))

    def page(self, heading: str, channel: Channel | None, seconds: float = math.inf) -> str:
        """Return what happened in a channel, and in all of them, in the last ``seconds``, under a heading."""
        since = time.monotonic() - self._begun - seconds
        lines = sorted({*self._lines[channel.id if channel else None], *self._lines[None]})
        return "\n".join([heading, *(f"{when:9.3f} {what}" for when, what in lines if when >= since)])


def told(message: Message) -> str:
    """Return a message in one line: its id, its webhook, what it replies to, and what it says."""
    hook = f" by webhook {message.webhook_id}" if message.webhook_id else ""
    to = f" to {message.reply_to.id}" if message.reply_to else ""
    files = f" with {[file.name for file in message.files]}" if message.files else ""
    secret = f" (only {message.only_for.name})" if message.only_for else ""
    return f"{message.id}{hook}{to}{secret}: {message.content[:WORDS]!r}{files}"
