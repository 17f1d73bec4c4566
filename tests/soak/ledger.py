"""The ledger: what has to be answered, and what was; nothing may be lost, doubled, or answered wrongly."""

from __future__ import annotations

import asyncio
import heapq
import re
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from bot.locales import languages, say
from bot.ui.base import SORRY
from tests.loopback.messages import walk
from tests.loopback.story import Change, Entry
from tests.loopback.world import Channel, Message
from tests.soak.diary import Diary

PATIENCE = 90.0  # seconds after which an answer counts as lost
SLOWEST = 5  # answers that are kept with what happened meanwhile, and in the second before
OVERDUE = 50  # messages that were deleted, and whose answer may still be on its way
BUSY = "I have more photos than I can answer right now; try again in a minute."
IGNORED = "to be ignored"
SPEAKS, EDIT = "somebody in the photo", "other words"  # what is awaited, if it is no sentence
LINK = re.compile(r"^-# .*/(\d+)\) · <@\d+>$")


@cache
def wording(sentence: str) -> re.Pattern[str]:
    """Return what a sentence of the bot looks like in any language, whatever is put in, also about one of many."""
    said = [re.sub(r"\\\{\w+\\\}", ".+", re.escape(say(locale, sentence))) for locale in languages()]
    return re.compile(rf"(?:[^:：]{{1,20}}[:：] ?)?(?:{'|'.join(said)})", re.DOTALL)


@dataclass(eq=False)
class Awaited:
    """Something somebody did in a channel and the one answer it must get; ``keys`` are what it refers to.

    ``optional``: its message was deleted meanwhile, so that no answer is right, too, and one that comes late.
    ``spared``: sentences that are right as well: there was a flood, Discord was down, or what it is about went.
    """

    kind: str
    channel: Channel
    keys: frozenset[int]
    want: str
    optional: bool = False
    since: float = field(default_factory=time.monotonic)
    spared: set[str] = field(default_factory=set)
    got: str = ""
    answer: Message | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, key: int | None, message: Message, edited: bool) -> bool:
        """Tell whether this may be the answer; without a key it may be the one to a deleted message."""
        if message.channel is not self.channel or edited is not (self.want == EDIT):
            return False
        return key in self.keys if key is not None else self.optional


@dataclass(frozen=True, order=True)
class Slow:
    """An answer that took long, and what happened in its channel meanwhile."""

    seconds: float
    kind: str
    channel: str
    page: str


class Ledger:
    """Holds every message of the bot against what is awaited."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, Counter[str]] = defaultdict(Counter)
        self.lost: list[str] = []
        self.double: list[str] = []
        self.wrong: list[str] = []
        self.late: list[str] = []  # interactions that Discord would not have waited for
        self.latency: list[float] = []
        self._slowest: list[Slow] = []  # a heap
        self.open: list[Awaited] = []
        self.diary = Diary()
        self._overdue: deque[Awaited] = deque(maxlen=OVERDUE)
        self._strays: list[tuple[float, int | None, Message, bool]] = []
        self._settled: dict[int, str] = {}  # by key, what was answered already

    def told(self, entry: Entry) -> None:
        """Take what the bot said or changed in a channel; answers to interactions are not messages of this ledger."""
        self.diary.entry(entry)
        message = entry.message if isinstance(entry, Change) else entry
        if not isinstance(message, Message) or message.answers:
            return
        edited = isinstance(entry, Change)
        self._take(time.monotonic(), message.id if edited else key_of(message), message, edited)

    def expect(
        self,
        kind: str,
        channel: Channel,
        keys: Iterable[int],
        want: str = SPEAKS,
        *,
        optional: bool = False,
        spared: Iterable[str] = (),
    ) -> Awaited:
        """Await one answer, which may have come already."""
        awaited = Awaited(kind, channel, frozenset(keys), want, optional, spared=set(spared))
        self.diary.note(channel, f"awaited: {kind}, about {sorted(awaited.keys)}")
        self.asked[kind] += 1
        self.open.append(awaited)
        strays, self._strays = self._strays, []
        for stray in strays:
            self._take(*stray)
        return awaited

    def withdraw(self, awaited: Awaited) -> None:
        """Await something no longer, as it turned out that something else comes of what was done."""
        if awaited in self.open:
            self.open.remove(awaited)
            self.asked[awaited.kind] -= 1

    def awaited(self) -> set[int]:
        """Return the ids of the messages whose answer is awaited."""
        return {key for one in self.open for key in one.keys}

    def blame(self, faults: list[str], what: str, channel: Channel | None = None) -> None:
        """Add to ``lost``, ``double`` or ``wrong``, and keep what led to it."""
        faults.append(what)
        self.diary.blame(what, channel)

    def ignored(self, message: Message) -> None:
        """Note a message that must not be answered."""
        self.asked[IGNORED] += 1
        self._settled[message.id] = IGNORED

    async def settle(self, *all_awaited: Awaited, patience: float = PATIENCE) -> None:
        """Wait until each has its answer; what gets none is lost, unless it was optional."""
        for awaited in all_awaited:
            if not awaited.done.is_set():
                left = awaited.since + patience - time.monotonic()
                try:
                    await asyncio.wait_for(awaited.done.wait(), max(0.01, left))
                except TimeoutError:
                    self._close(awaited, "nothing")
                    if awaited.optional:
                        self._overdue.append(awaited)
                    else:
                        what = f"{awaited.kind} in {awaited.channel.name}: {sorted(awaited.keys)}"
                        self.blame(self.lost, what, awaited.channel)

    @property
    def slowest(self) -> list[Slow]:
        """The answers that took longest, the slowest first."""
        return sorted(self._slowest, reverse=True)

    @property
    def pages(self) -> list[str]:
        """What led to each fault, and what happened while the slowest answers were awaited."""
        return [*self.diary.pages, *(slow.page for slow in self.slowest)]

    def interaction(self, kind: str, got: str, seconds: float, channel: Channel) -> None:
        """Note an interaction that was answered."""
        self.asked[kind] += 1
        self.answers[kind][got] += 1
        self._took(kind, channel, seconds)

    def _took(self, kind: str, channel: Channel, seconds: float) -> None:
        """Note how long an answer took, and what happened meanwhile if few took longer."""
        self.latency.append(seconds)
        if len(self._slowest) < SLOWEST or seconds > self._slowest[0].seconds:
            heading = f"=== {seconds:.1f} s: {kind} in {channel.name}"
            slow = Slow(seconds, kind, channel.name, self.diary.page(heading, channel, seconds + 1.0))
            heapq.heappush(self._slowest, slow)
            if len(self._slowest) > SLOWEST:
                heapq.heappop(self._slowest)

    def finish(self) -> None:
        """Count what nobody awaited."""
        for _, key, message, edited in self._strays:
            before = self._settled.get(key or 0)
            said = f"{message.channel.name}: {'edited: ' if edited else ''}{message.content[:120]!r}"
            faults = self.double if before not in (None, IGNORED) else self.wrong
            self.blame(faults, f"{said} ({before or 'unasked'})", message.channel)

    def _take(self, when: float, key: int | None, message: Message, edited: bool) -> None:
        awaited = self._awaiting(key, message, edited)
        if awaited is None:
            if not self._comes_late(key, message, edited):
                self._strays.append((when, key, message, edited))
            return
        awaited.answer = message
        self._took(awaited.kind, awaited.channel, when - awaited.since)
        got = self._meaning(awaited, message)
        if got == "wrong":
            what = f"{awaited.kind} in {awaited.channel.name} got {message.content[:160]!r}"
            self.blame(self.wrong, what, awaited.channel)
        self._close(awaited, got)

    def _comes_late(self, key: int | None, message: Message, edited: bool) -> bool:
        """Tell whether a message answers, once, what was deleted and not waited for any longer."""
        for awaited in self._overdue:
            got = self._meaning(awaited, message)
            if awaited.takes(key, message, edited) and got != "wrong":
                self._overdue.remove(awaited)
                self.answers[awaited.kind] += Counter({"nothing": -1, got: 1})
                return True
        return False

    def _awaiting(self, key: int | None, message: Message, edited: bool) -> Awaited | None:
        """Return what a message answers: what awaits just that, before what must do with it."""
        fitting = [awaited for awaited in self.open if awaited.takes(key, message, edited)]
        exact = [awaited for awaited in fitting if self._meaning(awaited, message) != "wrong"]
        return next(iter(exact or fitting), None)

    @staticmethod
    def _meaning(awaited: Awaited, message: Message) -> str:
        if awaited.want in (SPEAKS, EDIT) and speaks(message):
            return "in character"
        for sentence in ({awaited.want} - {SPEAKS, EDIT}) | awaited.spared:
            if not speaks(message) and wording(sentence).fullmatch(message.content):
                return {BUSY: "busy", SORRY: "sorry"}.get(sentence, "sentence")
        return "wrong"

    def _close(self, awaited: Awaited, got: str) -> None:
        awaited.got = got
        self.open.remove(awaited)
        self.answers[awaited.kind][got] += 1
        for key in awaited.keys:
            self._settled[key] = awaited.kind
        while len(self._settled) > 20_000:
            del self._settled[next(iter(self._settled))]
        awaited.done.set()


def key_of(message: Message) -> int | None:
    """Return the id of the message that one of the bot's messages answers, as its link or its reply tells."""
    link = LINK.match(message.content.partition("\n")[0])
    if link:
        return int(link[1])
    return message.reply_to.id if message.reply_to else None


def speaks(message: Message) -> bool:
    """Tell whether a message has the buttons of somebody who speaks."""
    return any(part.get("custom_id") == "reply:again" for part in walk(message.components))
