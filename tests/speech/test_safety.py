"""Safety: blocked words are found through disguises, links and mentions are markup, harmless words pass."""

from __future__ import annotations

import pytest

from bot.speech.frames import Frames
from bot.speech.safety import has_markup, insults_looks, is_blocked, is_safe, is_wholesome, unmask


@pytest.mark.parametrize(
    "text",
    [
        "what the fuck",
        "SH1T happens",
        "fuuuuck",
        "f.u.c.k off",
        "a b i t c h",
        "go kys",
        "f\u200buck",
        "fu\u0441k",
        "f\u00fcck",
        "\uff46\uff55\uff43\uff4b",
        "f**k",
        "sh*t",
        "@#$%!",
        "b!tch",
        "f-u-c-k",
        "f_u_c_k",
        "FUUUCKKK",
        "send nudes",
        "b\u0131tch",
    ],
)
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
        "discord . gg / abc",
        "hxxps://evil",
        "evil dot com",
        "evil(dot)net",
        "\uff20everyone",
        "@\u200bhere",
        "<#12>",
        "<:smile:1>",
        "# Title",
        "> quoted",
        "call 555-123-4567",
        "192.168.0.1",
        "<|user|>",
        "a{b}",
        "mail me@home",
    ],
)
def test_markup(text: str) -> None:
    assert has_markup(text)
    assert not is_safe(text)


@pytest.mark.parametrize(
    "text",
    [
        "a classic bass guitar",
        "the assistant passed the grapes",
        "Scunthorpe",
        "Hello... you!",
        "Me, I like the larder. Me too.",
        "It is 9:45 and I am 100 percent sure",
        "*waves* #blessed",
        "cuckoo, said the clock",
        "Well... net gain!",
        "caf\u00e9 noir",
        "so. very. tired.",
        "I - I - I did it!",
    ],
)
def test_harmless_words_pass(text: str) -> None:
    assert is_safe(text)


@pytest.mark.parametrize(
    "text",
    [
        "One beer, please.",
        "Marry me, darling, my lover!",
        "I will kill the dragon",
        "a gun",
        "what the fuck",
        "p0ker night",
    ],
)
def test_not_for_children(text: str) -> None:
    assert not is_wholesome(text)


@pytest.mark.parametrize(
    "text",
    [
        "Plunder the biscuits, matey!",
        "My wooden sword and I guard the sandbox.",
        "I ate the whole cake and grandma laughed.",
    ],
)
def test_for_children(text: str) -> None:
    assert is_wholesome(text)


@pytest.mark.parametrize(
    "text",
    [
        "You're so ugly!",
        "you look like a hairy troll",
        "Your big fat nose says hi.",
        "Her teeth are crooked.",
        "She is really fat.",
        "That man's face is a crime.",
        "he looks like a pig",
        "Nice double chin.",
    ],
)
def test_insults_about_looks(text: str) -> None:
    assert insults_looks(text)


@pytest.mark.parametrize(
    "text",
    [
        "My nose is enormous and I love it.",
        "You look lovely.",
        "That pig looks like a happy pig.",
        "You are not fat.",
        "Your hat is huge.",
    ],
)
def test_kind_words_about_looks(text: str) -> None:
    assert not insults_looks(text)


def test_unmask() -> None:
    assert unmask("F\u200bu\u0441k \u00c9a\tb") == "fuck ea b"


def test_our_own_lines_are_safe() -> None:
    frames = Frames()
    for name, one in {**frames.voices, **frames.traits}.items():
        lines = [*one.openings, *(frame for answers in one.answers.values() for frame in answers)]
        texts = [frame.text.replace("{", "").replace("}", "") for frame in lines]
        assert sum(not is_safe(text) for text in texts) <= 2, name
        assert not any(map(insults_looks, texts)), name


def test_own_lines_for_children_are_wholesome() -> None:
    frames = Frames()
    for name, one in {**frames.voices, **frames.traits}.items():
        texts = [
            frame.text.replace("{", "").replace("}", "") for frame in one.openings if frame.who in {"child", "baby"}
        ]
        assert sum(not is_wholesome(text) for text in texts) <= 1, name


@pytest.mark.parametrize(
    "text", ["SH1T happens", "b!tch", "Evil.COM/now", "@#$%!", "f.u.c.k off", "I like my big hat!", "Sooo good, 100%."]
)
def test_plain_characters_take_a_short_cut_to_the_same_verdict(text: str) -> None:
    hidden = f"{text}\u200b"  # takes the long way
    assert unmask(text) == unmask(hidden) == text.lower()
    assert is_safe(text) == is_safe(hidden)
