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
    """Draw a photo that is answered in character, and how the talk goes on."""
    return _shot(story, page, story.chapter("A photo answers in character"))


def group(story: Story, page: Page) -> str:
    """Draw two people of a photo who speak, and the menu that lets everyone speak."""
    places = story.chapter("Several people in a photo")
    chosen = story.find(places, "select", user="Ada")
    return _shot(story, page, range(places.start, chosen), opened=story.entries[chosen]["values"]["chosen"][0])


def form(story: Story, page: Page) -> str:
    """Draw the form of a new character, filled in."""
    places = story.chapter("A newcomer")
    sent = story.find(places, "modal")
    modal, values = story.entries[sent]["modal"], story.entries[sent]["values"]
    before = story.find(places, "message", attachments="portrait.jpg")
    return _shot(story, page, range(before, sent), above=page.form(modal, values, story.bot))


def character(story: Story, page: Page) -> str:
    """Draw a character that was made, and how it speaks."""
    places = story.chapter("A newcomer")
    first = story.find(places, "modal")
    return _shot(
        story, page, range(first, story.find(places, "command", label="/privacy show")), without="/persona list"
    )


def privacy(story: Story, page: Page) -> str:
    """Draw what somebody is told about what is stored, and the question before it is erased."""
    places = story.chapter("A newcomer")
    first = story.find(places, "command", label="/privacy show")
    return _shot(story, page, range(first, story.find(places, "button", label="Erase everything")))


def card(story: Story, page: Page) -> str:
    """Draw what became of a character card, and how it speaks."""
    places = story.chapter("A character card")
    first = story.find(places, "command", label="/persona import", user="Ada")
    return _shot(story, page, range(first, story.find(places, "button", label="Edit")))


def chinese_help(story: Story, page: Page) -> str:
    """Draw the help in Chinese, and the buttons under an answer."""
    places = story.chapter("新来的人")
    return _shot(story, page, range(places.start, story.find(places, "message", number=3) + 1))


def chinese_list(story: Story, page: Page) -> str:
    """Draw the list of characters in Chinese."""
    places = story.chapter("新来的人")
    first = story.find(places, "command", label="/角色 列表")
    return _shot(story, page, range(first, first + 2))


SCREENS: dict[str, dict[str, Screen]] = {
    "en-US": {
        "talk": talk, "group": group, "form": form, "character": character, "privacy": privacy, "card": card,
    },
    "zh-CN": {"chinese-help": chinese_help, "chinese-list": chinese_list},
}  # fmt: skip
VIEWERS = ("Ada", "小雅")


def _shot(
    story: Story, page: Page, places: range, *, above: str = "", opened: str | None = None, without: str = "/"
) -> str:
    """Draw what Ada sees of some entries; ``opened`` is what she points at in the last menu.

    Answers to the command ``without`` are left out.
    """
    viewer = next(name for name in VIEWERS if name in story.names.values())
    shown = [one for one in story.seen(places, viewer) if not one["used"] or one["used"]["what"] != without]
    return page.channel(shown, above, opened)


if __name__ == "__main__":
    main()
