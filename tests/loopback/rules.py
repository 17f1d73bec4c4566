"""What Discord refuses: checked by hand, and against its own OpenAPI description where that is at hand."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from tests.loopback.messages import texts

DESCRIPTION = Path(__file__).parents[3] / "shared" / "discord"


class Refused(Exception):
    """Discord answers with this status and error object."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code}


class Malformed(Refused):
    """Discord answers with 400: the request could never be right, so the bot has a mistake."""

    def __init__(self, message: str, code: int = 50035) -> None:
        super().__init__(400, code, message if code != 50035 else f"Invalid Form Body: {message}")


def limit(name: str, text: str | None, longest: int, shortest: int = 1) -> None:
    """Refuse a text that is too short or too long."""
    if text is not None and not shortest <= len(text) <= longest:
        raise Malformed(f"{name} must be between {shortest} and {longest} in length, it has {len(text)}")


def manners(body: dict[str, Any]) -> list[str]:
    """Return what Discord allows in a message but this bot must not do."""
    allowed = body.get("allowed_mentions")
    if allowed is None:
        says_something = body.get("content") or texts(body.get("components") or [])
        return ["a message without allowed_mentions may ping people"] if says_something else []
    pings = allowed.get("parse") or allowed.get("users") or allowed.get("roles") or allowed.get("replied_user")
    return [f"a message may ping people: {allowed}"] if pings else []


class OpenApi:
    """Discord's description of its REST interface.

    Checking takes long, and every bot that starts sends the same commands: what differs in ids only is checked once.
    """

    def __init__(self, spec: Any) -> None:
        self._spec = spec
        self._requests: dict[tuple[object, ...], tuple[Any, Any, list[str]]] = {}
        self._responses: dict[tuple[object, ...], list[str]] = {}

    def request(self, method: str, path: str, query: Any, content_type: str, body: bytes) -> tuple[str, list[str]]:
        """Return which operation a request asks for, and what is wrong with it."""
        values = list(query.items())
        key = (method, _without_ids(path), _without_ids(str(values)), content_type, _without_ids(body))
        if key not in self._requests:
            self._requests[key] = self._spec.check_request(method, path, values, content_type, body)
        _, operation, errors = self._requests[key]
        # discord.py says tts with every edit, where Discord ignores it.
        wrong = [error for error in errors if not (method == "PATCH" and error.startswith("body: key 'tts' is not"))]
        return operation or template(method, path), [f"{method} {path}: {error}" for error in wrong]

    def response(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """Return what is wrong with an answer of this loopback server."""
        key = (method, _without_ids(path), status, _without_ids(body))
        if key not in self._responses:
            found = self._spec.check_response(method, path, status, "application/json", body) if body else []
            self._responses[key] = found
        errors = self._responses[key]
        # The description leaves out forwarded messages, which Discord does send.
        wrong = [error for error in errors if not error.endswith("message_reference/type: 0 was expected")]
        return [f"answer to {method} {path}: {error}" for error in wrong]


AnyText = TypeVar("AnyText", str, bytes)


def _without_ids(text: AnyText) -> AnyText:
    """Return a text with every snowflake in it made the same."""
    if isinstance(text, bytes):
        return re.sub(rb"\d{15,20}", b"1" * 18, text)
    return re.sub(r"\d{15,20}", "1" * 18, text)


@cache
def openapi() -> OpenApi | None:
    """Load Discord's description once; None where it is not at hand."""
    checker = DESCRIPTION / "openapi_check.py"
    if not checker.is_file():
        return None
    spec = importlib.util.spec_from_file_location("openapi_check", checker)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return OpenApi(module.Spec())


def template(method: str, path: str) -> str:
    """Return a name for an operation where the description is not at hand."""
    path = re.sub(r"(?<=/)\d{10,}", "{id}", path)
    return f"{method} {re.sub(r'(?<=/){id}/[^/@]+-token-[^/]+', '{id}/{token}', path)}"


def as_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request, empty if there is none."""
    return dict(json.loads(body)) if body else {}
