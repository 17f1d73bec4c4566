"""Logs for people or for machines, in both cases without tokens."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
# The bot's own token, and those in the addresses of webhooks and interactions, which discord.py logs.
_SECRETS = (
    (re.compile(r"((?:webhooks|interactions)/\d+/)[\w-]{20,}"), r"\1***"),
    (re.compile(r"[\w-]{23,}\.[\w-]{6}\.[\w-]{27,}"), "***"),
)


def set_up(form: str) -> None:
    """Send the log to stderr, as ``text`` or with one ``json`` object a line."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter(TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def without_tokens(text: str) -> str:
    """Return a text with every token in it struck out."""
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    return text


class TextFormatter(logging.Formatter):
    """One line for people, and the traceback of an error below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        return without_tokens(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and of an error its kind and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            said |= {"error": record.exc_info[0].__name__, "traceback": self.formatException(record.exc_info)}
        return json.dumps({key: without_tokens(value) for key, value in said.items()}, ensure_ascii=False)
