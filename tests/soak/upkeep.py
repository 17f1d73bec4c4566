"""Keep the loopback Discord small and quick over thousands of messages, without the bot noticing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from aiohttp import web

from tests.loopback import rest, rules
from tests.loopback.server import LoopbackDiscord

KEPT_MESSAGES = 200  # of a channel, besides those that people still reply to
KEPT_FRAMES = 400  # of the gateway, to be sent again when the bot resumes
KEPT_SECONDS = 60.0  # of interactions
KEPT_CHECKS = 500
LIMITS = {"X-RateLimit-Limit": "5", "X-RateLimit-Remaining": "4", "X-RateLimit-Reset-After": "0.05"}


class Frames:
    """What a gateway session sent, of which only the latest is kept."""

    def __init__(self, frames: Iterable[dict[str, Any]]) -> None:
        self._frames = list(frames)
        self._dropped = 0

    def __len__(self) -> int:
        return self._dropped + len(self._frames)

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        assert part.start >= self._dropped, "the bot resumes from too long ago"
        return self._frames[part.start - self._dropped :]

    def append(self, frame: dict[str, Any]) -> None:
        self._frames.append(frame)
        if len(self._frames) > 2 * KEPT_FRAMES:
            self._dropped += len(self._frames) - KEPT_FRAMES
            del self._frames[:-KEPT_FRAMES]


class Upkeep:
    """Drops what the loopback Discord keeps of the past; ``refusals`` counts what it refused."""

    def __init__(self, discord: LoopbackDiscord) -> None:
        self._discord = discord
        self.refusals: Counter[str] = Counter()
        self.requests = 0

    def tidy(self, needed: Iterable[int]) -> None:
        """Drop all but the latest messages, and those that are still needed, by id."""
        rest, world = self._discord.rest, self._discord.world
        self.requests += len(rest.requests)
        self.refusals.update(_kind(refusal) for refusal in rest.refusals)
        for history in (rest.requests, rest.refusals, rest.typing, self._discord.story):
            history.clear()
        self._sessions()
        exchanges = rest.interactions.exchanges
        for token in [t for t, one in exchanges.items() if time.monotonic() - one.started > KEPT_SECONDS]:
            exchange = exchanges.pop(token)
            for message in exchange.messages:
                world.hidden.pop(message.id, None)
        world.uploads.clear()
        keep = set(needed)
        for channel in world.channels.values():
            for old in [key for key in list(channel.messages)[:-KEPT_MESSAGES] if key not in keep]:
                del channel.messages[old]

    def _sessions(self) -> None:
        sessions = self._discord.gateway.sessions
        del sessions[:-1]
        for session in sessions:
            if not isinstance(session.sent, Frames):
                session.sent = Frames(session.sent)  # type: ignore[assignment]


@contextmanager
def checked(share: float, dice: Random) -> Iterator[None]:
    """Hold only a share of the requests and answers against Discord's OpenAPI description, which takes long."""
    real: Callable[[], rules.OpenApi | None] = rules.openapi

    def sampled() -> rules.OpenApi | None:
        spec = real() if share and dice.random() < share else None
        if spec and len(spec._requests) + len(spec._responses) > KEPT_CHECKS:
            spec._requests.clear()
            spec._responses.clear()
        return spec

    rules.openapi = sampled  # type: ignore[assignment]
    try:
        yield
    finally:
        rules.openapi = real  # type: ignore[assignment]


@contextmanager
def limits_told() -> Iterator[None]:
    """Let the loopback Discord tell with every answer how many requests are left, as Discord does.

    Where nobody tells it, discord.py lets one request at a time through for a channel's route, and if that one is
    cancelled just as it ends, as when its message is deleted, the next one there waits for 30 seconds.
    """
    plain = rest.answer

    def telling(status: int, result: Any) -> web.Response:
        response = plain(status, result)
        response.headers.update(LIMITS)
        return response

    rest.answer = telling
    try:
        yield
    finally:
        rest.answer = plain


def _kind(refusal: str) -> str:
    method, path, *why = refusal.split(" ", 2)
    return " ".join([rules.template(method, path.rstrip(":")), *why])
