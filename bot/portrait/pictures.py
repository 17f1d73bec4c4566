"""Drawn faces and morphs as files: labelled as generated where people look, and in the file itself.

The label is part of the picture, so that it stays when the picture is saved and posted again; the file also
carries IPTC's digital source type (https://cv.iptc.org/newscodes/digitalsourcetype/), which other programs read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from bot.portrait.artist import Portrait
from bot.portrait.wishes import Wish

SIDE = 256  # pixels of a shown portrait, twice what the generator draws
LABEL = "AI-generated"
DRAWN, CHANGED = "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
NOTE = "Talking Photos: this face was made by a neural network."
QUALITY = 90  # of JPEG
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"/></rdf:RDF></x:xmpmeta>'
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn character: ``picture`` is a labelled PNG, ``avatar`` a JPEG for beside a character's words."""

    picture: bytes
    avatar: bytes
    seed: int
    wish: Wish


def drawing_of(portrait: Portrait) -> Drawing:
    """Return the files of a portrait."""
    large = portrait.image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    xmp = XMP.format(kind=DRAWN)
    avatar, picture = BytesIO(), BytesIO()
    large.save(avatar, "JPEG", quality=QUALITY, comment=NOTE, xmp=xmp.encode())
    about = PngInfo()
    about.add_text("Comment", f"{NOTE} Seed {portrait.seed}.")
    about.add_itxt("XML:com.adobe.xmp", xmp)
    labelled(large).save(picture, "PNG", pnginfo=about)
    return Drawing(picture.getvalue(), avatar.getvalue(), portrait.seed, portrait.wish)


def as_gif(frames: Sequence[Image.Image], milliseconds: Sequence[int]) -> bytes:
    """Return a GIF that shows the frames again and again, each labelled and for its time.

    All frames share the colours of the first, middle and last, so that what does not move costs nothing.
    """
    shown = [labelled(frame) for frame in frames]
    strip = Image.new("RGB", (shown[0].width * 3, shown[0].height))
    for place, number in enumerate((0, len(shown) // 2, len(shown) - 1)):
        strip.paste(shown[number], (place * shown[0].width, 0))
    palette = strip.quantize(256, Image.Quantize.MEDIANCUT)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in shown]
    file = BytesIO()
    flat[0].save(
        file, "GIF", save_all=True, append_images=flat[1:], duration=list(milliseconds), loop=0, comment=NOTE.encode()
    )
    return file.getvalue()


def labelled(image: Image.Image) -> Image.Image:
    """Return a copy of an RGB picture with LABEL in its lower left corner."""
    copy = image.copy()
    pen, font = ImageDraw.Draw(copy, "RGBA"), ImageFont.load_default(max(9, image.height // 20))
    left, top, right, bottom = pen.textbbox((0, 0), LABEL, font=font)
    pad = max(2, image.height // 64)
    y = image.height - (bottom - top) - 2 * pad
    pen.rectangle((0, y, right - left + 2 * pad, image.height), (0, 0, 0, 150))
    pen.text((pad - left, y + pad - top), LABEL, (255, 255, 255, 255), font=font)
    return copy
