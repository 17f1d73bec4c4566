"""Draw the pictures of the built-in characters with the shipped GAN.

    python -m export.avatars                    # writes bot/resources/avatars from the seeds below
    python -m export.avatars --candidates 12    # a sheet of more seeds for each character, to choose from

Seeds were chosen by eye from such sheets; with another GAN the same seeds are other faces.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bot.domain import Persona
from bot.portrait.pictures import DRAWN, NOTE, SIDE, XMP
from bot.portrait.studio import Studio
from bot.portrait.wishes import Wish, wish_of
from bot.runtime.bundle import Bundle
from bot.speech.personas import AVATARS, load_personas
from models.train.run import RUNS

SEEDS = {
    "alien": 7, "bard": 2, "butler": 20, "coach": 21, "comedian": 19, "commentator": 4, "conspiracist": 10, "cowboy": 7,
    "detective": 5, "grandma": 9, "knight": 24, "naturalist": 13, "philosopher": 0, "pirate": 5, "poet": 4, "queen": 9,
    "robot": 22, "self": 8, "sergeant": 2, "surfer": 26, "teen": 5, "vampire": 5, "villain": 2, "wizard": 23,
}  # fmt: skip
# What a name says to people but to no list of words
GENDERS = {
    "alien": "male", "bard": "male", "comedian": "male", "commentator": "male", "conspiracist": "male",
    "detective": "male", "naturalist": "female", "philosopher": "female", "pirate": "female", "poet": "female",
    "robot": "male", "sergeant": "female", "surfer": "male", "teen": "female", "wizard": "male",
}  # fmt: skip
# Those who are not of flesh and blood: shadows and lights of these colours
TINTS = {"alien": ("#0c2416", "#c8f5b0"), "robot": ("#101a26", "#cfe3f2"), "vampire": ("#150a14", "#efe6ea")}
QUALITY = 82


def wish(persona: Persona) -> Wish:
    """Return what a built-in character looks like."""
    return Wish(gender=GENDERS.get(persona.id)).over(wish_of(persona))


def avatar(studio: Studio, persona: Persona, seed: int) -> Image.Image:
    """Return the picture of a character."""
    face = studio.artist.draw(wish(persona), seed).image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    if colours := TINTS.get(persona.id):
        tinted = ImageOps.colorize(ImageOps.autocontrast(face.convert("L"), cutoff=1), *colours)
        return Image.blend(tinted, ImageEnhance.Color(face).enhance(0.4), 0.2)
    return face


def write(picture: Image.Image, path: Path) -> None:
    """Write a picture as JPEG, which webhooks take, that says how it was made."""
    picture.save(path, "JPEG", quality=QUALITY, optimize=True, comment=NOTE, xmp=XMP.format(kind=DRAWN).encode())


def candidates(studio: Studio, count: int) -> Image.Image:
    """Return a sheet with a row of seeds 0..count-1 for each character."""
    personas = list(load_personas().values())
    side, head = 96, 14
    sheet = Image.new("RGB", (count * side, len(personas) * (side + head)), "white")
    pen = ImageDraw.Draw(sheet)
    for row, persona in enumerate(personas):
        pen.text((2, row * (side + head)), f"{persona.id}, {persona.name}: {wish(persona)}", "black")
        for column in range(count):
            drawn = avatar(studio, persona, column).resize((side, side), Image.Resampling.LANCZOS)
            sheet.paste(drawn, (column * side, row * (side + head) + head))
    return sheet


def main() -> int:
    """Write the pictures, or the sheet to choose from."""
    parser = argparse.ArgumentParser(
        prog="python -m export.avatars", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=None, help="folder of models (default: the shipped one)")
    parser.add_argument("--candidates", type=int, default=0, metavar="N", help="draw a sheet of so many seeds instead")
    parser.add_argument("--out", type=Path, default=RUNS / "avatars", help="where the sheet goes")
    args = parser.parse_args()
    studio = Studio(Bundle(args.bundle) if args.bundle else Bundle(), provider="cpu")
    if args.candidates:
        args.out.mkdir(parents=True, exist_ok=True)
        path = args.out / "candidates.png"
        candidates(studio, args.candidates).save(path)
        print(path)
        return 0
    AVATARS.mkdir(exist_ok=True)
    for persona in load_personas().values():
        write(avatar(studio, persona, SEEDS[persona.id]), AVATARS / f"{persona.id}.jpg")
    print(f"{len(SEEDS)} pictures in {AVATARS}, {sum(p.stat().st_size for p in AVATARS.iterdir()) / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
