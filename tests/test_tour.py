"""The tour: people use every command, menu, button and form, in both languages, and nothing goes wrong."""

from pathlib import Path

import pytest

from bot.locales import languages
from tests.tour.album import Extras
from tests.tour.route import tour
from tests.tour.visits import BUTTONS, COMMANDS, count, labels


@pytest.mark.parametrize("locale", languages())
async def test_everything_is_visited_and_nothing_is_asked_wrongly_of_discord(locale: str, tmp_path: Path) -> None:
    report = await tour(locale, Extras(), f"sqlite+aiosqlite:///{tmp_path}/bot.db")
    assert report.faults == []
    assert "Old Finn" in report.transcript or "老芬恩" in report.transcript


def test_what_nobody_used_is_missing() -> None:
    command = {"type": 1, "name": "persona", "options": [{"type": 1, "name": "use", "options": []}]}
    missing = count([command], [], [], "en-US").missing
    assert (COMMANDS, "persona use") in missing
    assert {(BUTTONS, "Erase everything"), (BUTTONS, "Fix it"), (BUTTONS, "🔁 Again")} <= set(missing)
    assert {"More", "Back", "Delete it", "Keep it", "Fix it", "Erase everything"} <= labels()
