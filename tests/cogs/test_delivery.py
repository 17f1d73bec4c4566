"""Splitting and labelling of what is said."""

import pytest

from bot.cogs.delivery import MAX_CONTENT, split
from bot.cogs.stage import plain


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("short", 10, ["short"]),
        ("", 10, []),
        ("  \n ", 10, []),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("one two three", 10, ["one two", "three"]),
        ("Aye, lad. Two more", 14, ["Aye, lad.", "Two more"]),
        ("first line\nsecond line", 16, ["first line", "second line"]),
        ("a b c d e f g h", 4, ["a b", "c d", "e f", "g h"]),
    ],
)
def test_split_prefers_lines_then_sentences_then_words(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


def test_split_loses_nothing() -> None:
    text = " ".join(f"Sentence number {i}, which is not long." for i in range(300))
    parts = split(text)
    assert len(parts) > 2
    assert all(len(part) <= MAX_CONTENT for part in parts)
    assert " ".join(parts) == text


def test_the_name_stands_in_bold_and_cannot_break_out_of_it() -> None:
    assert plain("Cap*tain*", "Arr!") == "**Cap\\*tain\\*:** Arr!"
