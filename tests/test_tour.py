"""The tour: people use every command, menu, button and form, in both languages, and nothing goes wrong."""

from pathlib import Path

import pytest

from bot.locales import languages
from tests.tour.album import Extras
from tests.tour.route import tour


@pytest.mark.parametrize("locale", languages())
async def test_everything_is_visited_and_nothing_is_asked_wrongly_of_discord(locale: str, tmp_path: Path) -> None:
    report = await tour(locale, Extras(), f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    assert report.faults == []
    assert "Old Finn" in report.transcript or "老芬恩" in report.transcript
