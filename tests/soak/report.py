"""What a soak has to tell: a table for people, an object for programs, and whether all is well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.soak.ledger import Ledger

GROWTH = 5.0  # percent that the process may grow after the first messages
COMPARED = 1000  # messages after which growth means something


@dataclass(frozen=True)
class Report:
    """What was done and what came of it."""

    engine: str
    seed: int
    openapi: float
    seconds: float
    posted: int
    ledger: Ledger
    troubles: Counter[str]
    requests: int
    refusals: Counter[str]
    violations: list[str]
    own_faults: list[str]
    sessions: tuple[int, int]
    samples: list[dict[str, Any]]
    last: dict[str, Any]
    unclosed: list[str]
    remembered: dict[str, int]
    log: str

    def latency(self, share: float) -> float:
        """Return within how many milliseconds ``share`` of the answers came."""
        took = sorted(self.ledger.latency)
        return 1000 * took[min(len(took) - 1, int(share * len(took)))] if took else 0.0

    @property
    def warm(self) -> dict[str, Any]:
        """How the bot's process was after the first thousand messages, or the first tenth of fewer."""
        return next((sample for sample in self.samples[:-1] if sample["posted"] >= COMPARED), self.samples[0])

    @property
    def growth(self) -> float:
        """By how many percent it grew from then to the end."""
        first, last = self.warm["rss_mb"], self.samples[-1]["rss_mb"]
        return float(100 * (last - first) / first)

    @property
    def faults(self) -> list[str]:
        """Everything that must not be."""
        ledger, known = self.ledger, self.remembered
        found = [f"lost: {what}" for what in ledger.lost]
        found += [f"double: {what}" for what in ledger.double]
        found += [f"wrong: {what}" for what in ledger.wrong]
        found += [f"violation: {what}" for what in self.violations]
        found += [f"own fault: {what}" for what in self.own_faults]
        found += [f"unclosed: {what}" for what in self.unclosed]
        found += [f"task left: {what}" for what in self.last["tasks_left"] if TIMER not in what]
        keys = ("forgotten too early", "kept too long", "not known", "rows without a conversation")
        found += [f"{key}: {known[key]}" for key in keys if known[key]]
        if self.last["exit_code"]:
            found.append(f"the bot ended with {self.last['exit_code']}")
        if self.last["files_left"] > 0:
            found.append(f"{self.last['files_left']} files left open")
        if self.warm["posted"] >= COMPARED and self.growth > GROWTH:
            found.append(f"the bot grew by {self.growth:.1f} %")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs."""
        ledger = self.ledger
        return {
            "engine": self.engine,
            "seed": self.seed,
            "messages": self.posted,
            "seconds": round(self.seconds, 1),
            "asked": dict(ledger.asked),
            "answers": {kind: dict(counts) for kind, counts in ledger.answers.items()},
            "lost": ledger.lost,
            "double": ledger.double,
            "wrong": ledger.wrong,
            "requests": self.requests,
            "openapi_share": self.openapi,
            "violations": self.violations,
            "own_faults": self.own_faults,
            "refusals": dict(self.refusals),
            "troubles": dict(self.troubles),
            "identified": self.sessions[0],
            "resumed": self.sessions[1],
            "latency_ms": {name: round(self.latency(share), 1) for name, share in SHARES.items()},
            "slowest": [
                {"kind": slow.kind, "channel": slow.channel, "seconds": round(slow.seconds, 2)}
                for slow in ledger.slowest
            ],
            "later_than_3_s": ledger.late,
            "rss_growth_percent": round(self.growth, 2),
            "samples": self.samples,
            "last": self.last,
            "unclosed": self.unclosed,
            "remembered": self.remembered,
            "faults": self.faults,
        }

    def table(self) -> str:
        """Return the table."""
        return "\n".join(f"{name:36} {value}" for name, value in self._rows())

    def _rows(self) -> Iterator[tuple[str, object]]:
        ledger, first, last = self.ledger, self.warm, self.samples[-1]
        yield "messages posted", f"{self.posted} in {self.seconds:.0f} s, {self.posted / self.seconds:.1f}/s"
        yield "engine, seed", f"{self.engine}, {self.seed}"
        total: Counter[str] = Counter()
        for kind in sorted(ledger.asked, key=lambda kind: -ledger.asked[kind]):
            got = ledger.answers[kind]
            total.update(got)
            said = ", ".join(f"{count} {what}" for what, count in got.most_common())
            yield f"  {kind}", f"{ledger.asked[kind]}: {said or 'no answer, as it must be'}"
        yield "answers in all", ", ".join(f"{count} {what}" for what, count in total.most_common())
        yield "lost, double, wrong", f"{len(ledger.lost)}, {len(ledger.double)}, {len(ledger.wrong)}"
        yield "troubles", ", ".join(f"{count} {what}" for what, count in self.troubles.items())
        yield "sessions, resumed", f"{self.sessions[0]}, {self.sessions[1]}"
        yield "REST requests", f"{self.requests}, {self.openapi:.0%} of them held against OpenAPI"
        yield "violations, own faults", f"{len(self.violations)}, {len(self.own_faults)}"
        yield "refused requests", sum(self.refusals.values())
        yield "latency p50, p95, max", " / ".join(f"{self.latency(share):.0f}" for share in SHARES.values()) + " ms"
        for slow in ledger.slowest:
            yield f"  {slow.kind}", f"{slow.seconds:.1f} s in {slow.channel}"
        yield "interactions later than 3 s", len(ledger.late)
        yield "event loop late p99, max", f"{last['late_p99_ms']} / {last['late_max_ms']} ms"
        yield (
            "RSS of the bot, garbage given back",
            f"{first['rss_mb']:.1f} MB after {first['posted']}, {last['rss_mb']:.1f} MB after {last['posted']} "
            f"({self.growth:+.1f} %)",
        )
        each = 1000 * (last["cpu_s"] - first["cpu_s"]) / max(1, last["posted"] - first["posted"])
        yield "processor time of the bot", f"{last['cpu_s']:.0f} s, {each:.1f} ms a message after that"
        yield "open files then, at the end", f"{first['open_files']}, {last['open_files']}"
        yield "asyncio tasks then, at the end", f"{first['tasks']}, {last['tasks']}"
        yield (
            "left after the goodbye",
            (
                f"{len(self.last['tasks_left'])} tasks, {self.last['files_left']} files, "
                f"{len(self.unclosed)} warnings; took {self.last['goodbye_s']:.1f} s"
            ),
        )
        for name, value in self.remembered.items():
            yield f"  {name}", value
        for name, count in self.last["log"].items():
            yield f"  log {count} x", name


TIMER = "timeout_task"  # discord.py's clock of a menu that nobody used; it ends with the program
SHARES = {"p50": 0.5, "p95": 0.95, "max": 1.0}
