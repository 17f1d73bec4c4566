"""What was seen and said, drawn on the photo: face boxes with their readings, a speech bubble, the caption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot.domain import BadInput, Box, Person, Persona, Scene
from bot.vision.photo import Photo

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LEAST_SIDE, MOST_SIDE = 480, 1280  # pixels of the photo's long side as drawn: small ones grow, large ones shrink
LEAST_WIDTH = 400  # pixels of the whole picture, so that words have room beside a tall photo
LEAST_FONT, MOST_FONT, SIDE_IN_FONTS = 15, 26, 42  # pixels of the letters: the long side / 42, within bounds
BUBBLE_EMS = 34  # the widest line of a bubble, in heights of its letters
PAPER, INK, MUTED, SPEAKING, SILENT = "white", "black", "#555555", "#ffb000", "#4fc3f7"
LAST_LATIN = 0x24F  # the last letter the font inside Pillow may hold; for others one of FONTS is asked for
FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf")
ACROSS = {"left": 1 / 6, "right": 5 / 6}  # where somebody without a face is thought to be

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def check_target(path: Path, photo: Path | None = None, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Raise BadInput unless a picture, perhaps of ``photo``, can be written to ``path``."""
    if path.suffix.lower() not in suffixes:
        raise BadInput(f"A picture cannot be saved as {path.name}; end its name in {', '.join(suffixes)}.")
    if not path.parent.is_dir():
        raise BadInput(f"There is no folder {path.parent} for the picture; make it first.")
    if path.is_dir():
        raise BadInput(f"{path} is a folder; name a file for the picture.")
    if photo and path.exists() and photo.exists() and path.samefile(photo):
        raise BadInput("The picture would replace the photo itself; give it another name.")


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture in the format its suffix names; raise BadInput when that is not allowed there."""
    file = BytesIO()
    picture.save(file, Image.registered_extensions()[path.suffix.lower()])
    write(file.getvalue(), path)


def write(file: bytes, path: Path) -> None:
    """Write the bytes of a picture; raise BadInput when that is not allowed there."""
    try:
        path.write_bytes(file)
    except OSError as error:
        raise BadInput(f"{path} cannot be written ({error.strerror or error}); choose another place.") from None


def draw(photo: Photo, scene: Scene, persona: Persona, reply: str, speaker: int = 0) -> Image.Image:
    """Return the photo with everyone seen in it and what person number ``speaker`` says.

    The bubble stands on a band of paper above or below the photo, whichever is nearer to who speaks, the
    caption at the foot; only boxes, labels and the bubble's tail cover the photo.
    """
    drawn = _scaled(photo.image)
    width = max(drawn.width, LEAST_WIDTH)
    size = min(MOST_FONT, max(LEAST_FONT, max(drawn.size) // SIDE_IN_FONTS))
    font, small, pad = _font(size, persona.name + reply), _font(size * 6 // 7, ""), size * 2 // 3
    boxes = [_onto(person.box, photo, drawn, (width - drawn.width) // 2) for person in scene.people]
    bubble = Bubble(persona.name, reply, font, size, pad, width - 2 * pad)
    foot = list(wrap(_notes(scene), small, width - 2 * pad))
    tip = _tip(scene.people[speaker], boxes[speaker], drawn, width)
    above = tip[1] < drawn.height / 2
    top = bubble.height + 3 * pad if above else 0
    bottom = top + drawn.height + (0 if above else bubble.height + 3 * pad)
    sheet = Image.new("RGB", (width, bottom + round(len(foot) * size * 1.2) + 2 * pad), PAPER)
    sheet.paste(drawn, ((width - drawn.width) // 2, top))
    pen = ImageDraw.Draw(sheet)
    bubble.draw(pen, (tip[0], tip[1] + top), pad if above else bottom - bubble.height - pad, above=above)
    taken: list[Box] = []
    for number in sorted(range(len(boxes)), key=lambda i: i != speaker):  # who speaks is labelled first
        if box := boxes[number]:
            colour = SPEAKING if number == speaker else SILENT
            moved = Box(box.x, box.y + top, box.w, box.h)
            pen.rectangle(
                (moved.x, moved.y, moved.x + moved.w, moved.y + moved.h), outline=colour, width=max(2, size // 6)
            )
            under = above and number == speaker  # the tail ends above this face
            taken.append(_label(pen, _reading(number, scene.people[number]), moved, colour, small, sheet, taken, under))
    for row, line in enumerate(foot):
        pen.text((pad, bottom + pad // 2 + row * size * 1.2), line, MUTED, small)
    return sheet


@dataclass(frozen=True)
class Bubble:
    """A speech bubble of at most ``room`` pixels' width: a name, and under it the words."""

    name: str
    words: str
    font: Font
    size: int
    pad: int
    room: int

    @property
    def lines(self) -> list[tuple[str, str]]:
        """The lines with their colours."""
        room = min(self.room - 2 * self.pad, BUBBLE_EMS * self.size)
        texts = ((self.name, MUTED), (self.words, INK))
        return [(line, colour) for text, colour in texts for line in wrap(text, self.font, room)]

    @property
    def height(self) -> int:
        """Pixels from the upper to the lower edge."""
        return round(len(self.lines) * self.size * 1.3) + 2 * self.pad

    def draw(self, pen: ImageDraw.ImageDraw, tip: tuple[float, float], y: float, *, above: bool) -> None:
        """Draw it with its upper edge at ``y``, as near to the tip of its tail as the sheet allows."""
        width = max(self.font.getlength(line) for line, _ in self.lines) + 2 * self.pad
        x = min(max(tip[0] - width / 2, self.pad), self.room + self.pad - width)
        root, half = min(max(tip[0], x + 2 * self.pad), x + width - 2 * self.pad), self.pad * 0.8
        stroke = max(2, self.size // 9)
        edge = y + self.height - stroke if above else y + stroke
        pen.rounded_rectangle((x, y, x + width, y + self.height), self.size, PAPER, INK, stroke)
        pen.polygon([(root - half, edge), tip, (root + half, edge)], PAPER)
        for side in (root - half, root + half):
            pen.line([(side, edge), tip], INK, stroke)
        for row, (line, colour) in enumerate(self.lines):
            pen.text((x + self.pad, y + self.pad + row * self.size * 1.3), line, colour, self.font)


def wrap(text: str, font: Font, room: float) -> Iterator[str]:
    """Yield lines of ``text`` no wider than ``room`` pixels; a word that is wider is cut."""
    line = ""
    for word in text.split():
        if font.getlength(f"{line} {word}".strip()) <= room:
            line = f"{line} {word}".strip()
            continue
        if line:
            yield line
        line = word
        while font.getlength(line) > room and len(line) > 1:
            cut = next((n for n in range(len(line) - 1, 1, -1) if font.getlength(line[:n]) <= room), 1)
            yield line[:cut]
            line = line[cut:]
    if line:
        yield line


def _scaled(image: Image.Image) -> Image.Image:
    scale = min(max(LEAST_SIDE, max(image.size)), MOST_SIDE) / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image if size == image.size else image.resize(size, Image.Resampling.BICUBIC)


def _onto(box: Box | None, photo: Photo, drawn: Image.Image, left: int) -> Box | None:
    """Map a box from pixels of the original photo to those of the photo as drawn, ``left`` pixels in."""
    if box is None:
        return None
    across, down = drawn.width / photo.width, drawn.height / photo.height
    return Box(left + box.x * across, box.y * down, box.w * across, box.h * down)


def _tip(person: Person, box: Box | None, drawn: Image.Image, width: int) -> tuple[float, float]:
    """Return where the bubble's tail ends: at the nearer end of a face, else low in the speaker's third."""
    if box is None:
        x = (width - drawn.width) / 2 + drawn.width * ACROSS.get(person.where, 0.5)
        return x, drawn.height * (0.97 if person.who == "nobody" else 0.8)
    gap = drawn.height / 100
    above = box.y < drawn.height - box.y - box.h
    return box.center[0], max(gap, box.y - gap) if above else min(drawn.height - gap, box.y + box.h + gap)


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    box: Box,
    colour: str,
    font: Font,
    sheet: Image.Image,
    taken: Sequence[Box],
    under: bool,
) -> Box:
    """Write a label above or under a face box, moved down past labels already there; return where it stands."""
    left, upper, right, lower = pen.textbbox((0, 0), text, font)
    w, h = right - left + 8, lower - upper + 8
    x = min(max(box.x, 0), sheet.width - w)
    y = box.y + box.h if under or box.y < h else box.y - h
    while any(x < t.x + t.w and t.x < x + w and y < t.y + t.h and t.y < y + h for t in taken):
        y += h / 2
    pen.rectangle((x, y, x + w, y + h), colour)
    pen.text((x + 4 - left, y + 4 - upper), text, INK, font)
    return Box(x, y, w, h)


def _reading(number: int, person: Person) -> str:
    """Return the number ``--speaker`` takes and who it is: "0 woman, adult, happy"."""
    known = [
        part for part in (person.who, person.age, person.expression, *person.wears) if part not in ("-", "unclear")
    ]
    return f"{number} {', '.join(known)}"


def _notes(scene: Scene) -> str:
    """Return the caption, and whoever was seen without a face."""
    others = [_reading(i, p) for i, p in enumerate(scene.people) if p.box is None and p.who != "nobody"]
    return f"{scene.caption} ({'; '.join(others)})" if others else scene.caption


def _font(size: int, text: str) -> Font:
    """Return a font for ``text``: the one inside Pillow, or one of the system's for letters that one lacks."""
    if any(ord(letter) > LAST_LATIN and letter.isalpha() for letter in text):
        for name in FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue  # not installed here
    return ImageFont.load_default(size)
