"""What Discord refuses: checked by hand, and against its own OpenAPI description where that is at hand."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).parents[3] / "shared" / "discord"
MAX_CONTENT = 2000


class Refused(Exception):
    """Discord answers with this status and error object."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "code": code}


def check_message(body: dict[str, Any]) -> None:
    """Refuse what Discord would not post."""
    content = body.get("content") or ""
    if len(content) > MAX_CONTENT:
        raise Refused(400, 50035, "Invalid Form Body: content must be 2000 or fewer in length")
    if not content.strip() and not any(body.get(key) for key in ("embeds", "sticker_ids", "components", "attachments")):
        raise Refused(400, 50006, "Cannot send an empty message")


def manners(body: dict[str, Any]) -> list[str]:
    """Return what Discord allows in a message but this bot must not do."""
    allowed = body.get("allowed_mentions")
    if allowed is None:
        return ["a message without allowed_mentions may ping people"]
    pings = allowed.get("parse") or allowed.get("users") or allowed.get("roles") or allowed.get("replied_user")
    return [f"a message may ping people: {allowed}"] if pings else []


class OpenApi:
    """Discord's description of its REST interface."""

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def request(self, method: str, path: str, query: Any, content_type: str, body: bytes) -> list[str]:
        """Return what is wrong with a request."""
        _, _, errors = self._spec.check_request(method, path, list(query.items()), content_type, body)
        return [f"{method} {path}: {error}" for error in errors]

    def response(self, method: str, path: str, status: int, body: bytes) -> list[str]:
        """Return what is wrong with an answer of this loopback server."""
        errors = self._spec.check_response(method, path, status, "application/json", body) if body else []
        # The description leaves out forwarded messages, which Discord does send.
        wrong = [error for error in errors if not error.endswith("message_reference/type: 0 was expected")]
        return [f"answer to {method} {path}: {error}" for error in wrong]


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


def as_json(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a request, empty if there is none."""
    return dict(json.loads(body)) if body else {}
