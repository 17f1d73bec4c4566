"""``python -m tests.tour``: go through everything the bot can do, and write down what was said.

Writes tour-LANGUAGE.txt, to be read, and tour-LANGUAGE.json, from which docs/screens/render.py makes pictures.
The exit status is 1 when the bot asked Discord for something wrong or something was left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bot.app import TalkingPhotos
from bot.cogs.engine import Engine
from bot.locales import languages
from tests.tour.album import Extras
from tests.tour.route import tour

RUNS = Path(__file__).parents[2] / "runs"


def main() -> int:
    """Lead one tour or several."""
    parser = argparse.ArgumentParser(prog="python -m tests.tour", description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["fake", "real"], default="fake", help="the shipped models, or none")
    parser.add_argument("--language", choices=[*languages(), "both"], default="both")
    parser.add_argument("--out", type=Path, default=RUNS, help="the folder for what is written")
    wanted = parser.parse_args()
    wanted.out.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for locale in languages() if wanted.language == "both" else [wanted.language]:
        engine: Engine = TalkingPhotos(provider="cpu") if wanted.engine == "real" else Extras()
        with tempfile.TemporaryDirectory() as folder:
            report = asyncio.run(tour(locale, engine, f"sqlite+aiosqlite:///{folder}/bot.db"))
        (wanted.out / f"tour-{locale}.txt").write_text(report.transcript, encoding="utf-8")
        (wanted.out / f"tour-{locale}.json").write_text(json.dumps(report.story, ensure_ascii=False), encoding="utf-8")
        print(report.summary())
        faults += report.faults
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
