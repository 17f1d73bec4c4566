"""``python -m docs.screens.render [FOLDER]``: pictures of real exchanges, from the stories of the tour.

FOLDER holds tour-en-US.json and tour-zh-CN.json, as ``python -m tests.tour --engine real`` writes them (runs/ by
default). Each picture is a page in Discord's manner (page.py, style.css), photographed by headless Chromium.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from docs.screens.page import Page
from docs.screens.story import Story

HERE = Path(__file__).parent
RUNS = HERE.parents[1] / "runs"
WIDTH, TALLEST, MARGIN = 900, 3000, 2
END = (255, 0, 254)  # the colour of the line under a page, which occurs nowhere else
CHROMIUM = (
    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--force-device-scale-factor=1",
)  # fmt: skip
Screen = Callable[[Story, Page], str]


def main() -> None:
    """Write all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    for locale, screens in SCREENS.items():
        story = Story.read(folder / f"tour-{locale}.json")
        page = Page(story.names, locale)
        for name, screen in screens.items():
            picture = photographed(screen(story, page))
            (HERE / f"{name}.png").write_bytes(picture)
            print(f"{name}.png: {len(picture) / 1024:.0f} KB")


def photographed(body: str) -> bytes:
    """Return a page as a PNG of few colours, cut where it ends."""
    style = (HERE / "style.css").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / "page.html", Path(folder) / "page.png"
        page.write_text(f'<meta charset="utf-8"><style>{style}</style>{body}<div class="end"></div>', encoding="utf-8")
        size = f"--window-size={WIDTH},{TALLEST}"
        profile = f"--user-data-dir={folder}/profile"
        command = [*CHROMIUM, size, profile, f"--screenshot={shot}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        image = Image.open(shot).convert("RGB")
    column = [image.getpixel((WIDTH // 2, y)) for y in range(image.height)]
    image = image.crop((0, 0, WIDTH, column.index(END)))
    out = BytesIO()
    image.quantize(224, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def talk(story: Story, page: Page) -> str:
    """Draw a photo that is answered, and how the talk goes on."""
    places = story.chapter(1)
    first = story.find(places, "message", files="portrait.jpg")
    last = story.find(places, "deed", label="/persona create")
    return _shot(story, page, range(first, last), "Ada")


SCREENS: dict[str, dict[str, Screen]] = {"en-US": {"talk": talk}}


def _shot(story: Story, page: Page, places: range, viewer: str, above: str = "") -> str:
    seen, everything = story.seen(places, viewer)
    return page.channel(seen[0]["channel"], seen, everything, above)


if __name__ == "__main__":
    main()
