"""The names that webhooks speak under."""

import pytest

from bot.cogs.hooks import HOOK_NAME, MAX_NAME, webhook_name
from tests.loopback.webhooks import check_name


@pytest.mark.parametrize(
    "name",
    [
        "Discord", "the DISCORD mod", "Clyde", "McClydeson", "here", "Everyone", "HERE", "System Message", "```x```",
        "dis\u200dcord", "cl\u200byde", "x" * 200, "discord " * 20, "\U0001f468\u200d\U0001f469 family",
        "", "  \n\t", "\u3164", "\u200d", "a\x00b", "\u202egnp.exe", "船长", "Zoë & Söhne", "!",
    ],
)  # fmt: skip
def test_every_name_is_taken(name: str) -> None:
    check_name(webhook_name(name))  # raises what Discord would answer
    assert 1 <= len(webhook_name(name)) <= MAX_NAME


@pytest.mark.parametrize(
    ("name", "shown_as"),
    [
        ("Captain  Barnacle ", "Captain Barnacle"),
        ("Discord", "D\u200aiscord"),
        ("Clyde", "C\u200alyde"),
        ("here", "h\u200aere"),
        ("here we go", "here we go"),
        ("dis\u200dcord", "d\u200aiscord"),
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("a\x00\u202eb", "ab"),
        ("\u3164 \u200d", HOOK_NAME),
        ("", HOOK_NAME),
        ("x" * 81, "x" * 80),
    ],
)
def test_names_change_only_as_far_as_needed(name: str, shown_as: str) -> None:
    assert webhook_name(name) == shown_as
