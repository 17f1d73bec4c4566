"""Safety: blocked words are found through disguises, links and mentions are markup, harmless words pass."""

from __future__ import annotations

import pytest

from bot.speech.frames import Frames
from bot.speech.safety import has_markup, is_blocked, is_safe


@pytest.mark.parametrize("text", ["what the fuck", "SH1T happens", "fuuuuck", "f.u.c.k off", "a b i t c h", "go kys"])
def test_blocked(text: str) -> None:
    assert is_blocked(text)


@pytest.mark.parametrize(
    "text",
    [
        "see https://x.y",
        "evil.com/now",
        "hi @everyone",
        "<@123>",
        "`rm`",
        "[click](x)",
        "||spoiler||",
        "discord.gg/abc",
    ],
)
def test_markup(text: str) -> None:
    assert has_markup(text)
    assert not is_safe(text)


@pytest.mark.parametrize(
    "text", ["a classic bass guitar", "the assistant passed the grapes", "Scunthorpe", "Hello... you!"]
)
def test_harmless_words_pass(text: str) -> None:
    assert is_safe(text)


def test_our_own_lines_are_safe() -> None:
    frames = Frames()
    for name, one in (frames.voices | frames.traits).items():
        lines = [*one.openings, *(frame for answers in one.answers.values() for frame in answers)]
        bad = [frame.text for frame in lines if not is_safe(frame.text.replace("{", "").replace("}", ""))]
        assert len(bad) <= 2, (name, bad)
