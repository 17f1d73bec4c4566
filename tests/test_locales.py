"""Every sentence of the bot in every language, with the same things to put in."""

import re
from string import Formatter

import polib
import pytest

from bot.domain import BadInput
from bot.locales import ENGLISH, FOLDER, _, explain, languages, say
from tests.catalogue import literals

CATALOGUES = sorted(FOLDER.glob("*.po"))


def names(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_there_are_english_and_chinese() -> None:
    assert languages() == [ENGLISH, "zh-CN"]


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_sentence_is_translated(path: object) -> None:
    known = {entry.msgid: entry.msgstr for entry in polib.pofile(str(path))}
    missing = [f"{file}: {text}" for text, file in literals().items() if not known.get(text)]
    assert not missing, "run `python -m tests.catalogue` and translate what it adds"
    assert not known.keys() - literals().keys(), "run `python -m tests.catalogue`"


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_translations_put_in_the_same_things(path: object) -> None:
    for entry in polib.pofile(str(path)):
        if re.search(r"\{[a-z_]+\}", entry.msgid):
            assert names(entry.msgid) == names(entry.msgstr), entry.msgid


def test_a_sentence_is_said_in_the_language_of_the_reader() -> None:
    error = BadInput("That photo is larger than {limit} MB; post a smaller one.", limit=25)
    assert (
        str(error)
        == explain(error, "en-US")
        == explain(error, "fi")
        == "That photo is larger than 25 MB; post a smaller one."
    )
    chinese = explain(error, "zh-CN")
    assert "25" in chinese
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert explain(error, "zh-TW") == chinese  # the nearest there is


def test_a_value_of_the_catalogue_is_translated_too_but_not_what_people_wrote() -> None:
    said = "This file is {what}, not a photo; send {wanted}."
    chinese = say("zh-CN", said, what=_("a PDF"), wanted="a PDF")
    assert "PDF" in chinese
    assert chinese.count("a PDF") == 1


def test_a_sentence_without_values_may_hold_braces() -> None:
    assert str(BadInput("There is no file {x}.json; check the path.")) == "There is no file {x}.json; check the path."
