"""The log: one line for people or one object for machines, without tokens."""

import json
import logging
import sys

import pytest

from bot.runtime import logs
from bot.runtime.logs import JsonFormatter, TextFormatter

BOT_TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ" + ".GaBcDe." + "abcdefghijklmnopqrstuvwxyz0123456789AB"
HOOK_TOKEN = "x" * 34 + "_-" + "Y" * 32
FORMATTERS = [JsonFormatter(), TextFormatter(logs.TEXT)]


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("bot.somewhere", logging.WARNING, __file__, 1, message, values, info)


def test_json_holds_one_object_a_line() -> None:
    line = JsonFormatter().format(record("Answered %s\nas %s.", 7, "a ghost"))
    assert "\n" not in line
    said = json.loads(line)
    assert said.pop("time").endswith("+00:00")
    assert said == {"level": "warning", "logger": "bot.somewhere", "message": "Answered 7\nas a ghost."}


def test_an_error_brings_its_kind_and_traceback() -> None:
    try:
        raise KeyError("a")
    except KeyError as error:
        line = JsonFormatter().format(record("It failed.", error=error))
    said = json.loads(line)
    assert said["error"] == "KeyError"
    assert "test_logs.py" in said["traceback"]


@pytest.mark.parametrize("formatter", FORMATTERS, ids=["json", "text"])
def test_no_token_gets_into_the_log(formatter: logging.Formatter) -> None:
    try:
        raise ValueError(f"refused {BOT_TOKEN}")
    except ValueError as error:
        line = formatter.format(
            record("POST https://discord.com/api/v10/webhooks/123456/%s?wait=true", HOOK_TOKEN, error=error)
        )
    assert HOOK_TOKEN not in line
    assert BOT_TOKEN not in line
    assert "webhooks/123456/***" in line
    assert "refused ***" in line
    assert HOOK_TOKEN not in formatter.format(record("PATCH interactions/99/%s", HOOK_TOKEN))


@pytest.mark.parametrize(("form", "kind"), [("json", JsonFormatter), ("text", TextFormatter)])
def test_the_setting_chooses_the_form(form: str, kind: type[logging.Formatter]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        for handler in before:
            root.removeHandler(handler)
        logs.set_up(form)
        assert [type(handler.formatter) for handler in root.handlers] == [kind]
        assert root.handlers[0].stream is sys.stderr  # type: ignore[attr-defined]
    finally:
        root.handlers[:] = before
        root.setLevel(level)
