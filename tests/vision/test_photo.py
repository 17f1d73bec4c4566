import io
import random
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from bot.domain import BadInput, Box
from bot.vision import photo
from bot.vision.photo import decode, open_photo

pillow_heif.register_heif_opener()
RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def picture(width=64, height=48, left=RED, right=BLUE):
    """Left half one colour, right half another."""
    image = Image.new("RGB", (width, height), left)
    image.paste(right, (width // 2, 0, width, height))
    return image


def encode(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def near(pixel, color, slack=40):
    return all(abs(a - b) <= slack for a, b in zip(pixel, color, strict=True))


def png(width, height, *chunks):
    """Build a PNG by hand: what Pillow would refuse to write."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def rgb16_png():
    row = b"\0" + struct.pack(">HHH", 0xFFFF, 0, 0) * 4
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(row * 4)), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body


def animation(kind, **options):
    frames = [Image.new("RGB", (40, 30), color) for color in (RED, BLUE, WHITE)]
    return encode(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_reads_every_format(kind):
    shot = decode(encode(picture(), kind))
    assert (shot.width, shot.height, shot.image.size, shot.image.mode) == (64, 48, (64, 48), "RGB")
    assert near(shot.image.getpixel((5, 24)), RED)
    assert near(shot.image.getpixel((58, 24)), BLUE)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_takes_the_first_frame(kind):
    shot = decode(animation(kind))
    assert shot.image.size == (40, 30)
    assert near(shot.image.getpixel((20, 15)), RED)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_the_photo_upright_and_drops_metadata(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "A maker"
    corner = Image.new("RGB", (64, 48))
    corner.paste(RED, (0, 0, 32, 24))
    shot = decode(encode(corner, kind, exif=exif))
    upright = (48, 64) if orientation >= 5 else (64, 48)
    assert shot.image.size == (shot.width, shot.height) == upright
    # Where the red corner lands: top left, top right, bottom right, bottom left, then the same transposed.
    right, bottom = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
    spot = (upright[0] * (3 if right else 1) // 4, upright[1] * (3 if bottom else 1) // 4)
    assert near(shot.image.getpixel(spot), RED)
    assert not shot.image.info
    assert not dict(shot.image.getexif())


def outcome(data):
    """Whether decoding ends as it may: in an RGB photo or in one sentence. Anything else raises."""
    try:
        return decode(data).image.mode == "RGB"
    except BadInput as error:
        return str(error).endswith(".")


MODES = {
    "cmyk-jpeg": (encode(picture().convert("CMYK"), "JPEG"), RED),
    "cmyk-tiff": (encode(picture().convert("CMYK"), "TIFF"), RED),
    "ycbcr-tiff": (encode(picture().convert("YCbCr"), "TIFF"), RED),
    "palette": (encode(picture().quantize(16), "PNG"), RED),
    "palette-transparent": (encode(picture().quantize(16), "PNG", transparency=bytes(16)), WHITE),
    "gif-transparent": (encode(Image.new("P", (64, 48), 3), "GIF", transparency=3), WHITE),
    "grey": (encode(Image.new("L", (64, 48), 128), "JPEG"), (128, 128, 128)),
    "grey16": (encode(Image.fromarray(np.full((48, 64), 0x8000, np.uint16)), "PNG"), (128, 128, 128)),
    "grey16-tiff": (encode(Image.fromarray(np.full((48, 64), 0x8000, np.uint16)), "TIFF"), (128, 128, 128)),
    "int32-tiff": (encode(Image.fromarray(np.eye(48, dtype=np.int32)), "TIFF"), (0, 0, 0)),
    "float-tiff": (encode(Image.fromarray(np.full((48, 64), np.nan, np.float32)), "TIFF"), (0, 0, 0)),
    "rgb16": (rgb16_png(), RED),
    "one-bit": (encode(Image.new("1", (64, 48), 1), "PNG"), WHITE),
    "one-bit-tiff": (encode(Image.new("1", (64, 48), 1), "TIFF", compression="group4"), WHITE),
    "grey-alpha": (encode(Image.new("LA", (64, 48), (0, 0)), "PNG"), WHITE),
    "alpha": (encode(Image.new("RGBA", (64, 48), (0, 0, 0, 0)), "PNG"), WHITE),
    "alpha-half": (encode(Image.new("RGBA", (64, 48), (255, 0, 0, 128)), "WEBP"), (255, 127, 127)),
    "alpha-key": (encode(Image.new("RGB", (64, 48), RED), "PNG", transparency=RED), WHITE),
    "one-pixel": (encode(Image.new("RGB", (1, 1), RED), "PNG"), RED),
    "progressive": (encode(picture(), "JPEG", progressive=True), RED),
    "interlaced-gif": (encode(picture(), "GIF", interlace=1), RED),
}


@pytest.mark.parametrize("case", MODES)
def test_reads_every_mode(case):
    data, color = MODES[case]
    shot = decode(data)
    assert shot.image.mode == "RGB"
    assert near(shot.image.getpixel((shot.width // 8, shot.height // 2)), color, 12)


@pytest.mark.parametrize(("width", "height"), [(20000, 500), (500, 20000), (20000, 1), (1, 20000), (8000, 5000)])
def test_bounds_the_working_image_of_huge_photos(width, height):
    shot = decode(encode(Image.new("L", (width, height)), "PNG"))
    assert (shot.width, shot.height) == (width, height)
    assert shot.image.width * shot.image.height <= 4.1 * photo.LEAST_PIXELS
    assert min(shot.image.size) >= 1


def test_boxes_are_reported_in_pixels_of_the_original():
    shot = decode(encode(picture(4000, 3000), "JPEG"))
    assert (shot.width, shot.height, shot.image.size) == (4000, 3000, (1000, 750))
    assert shot.to_original(Box(100, 75, 200, 75)).as_list() == [400.0, 300.0, 800.0, 300.0]
    assert shot.to_original(Box(-10, 700, 1100, 200)).as_list() == [0.0, 2800.0, 4000.0, 200.0]
    turned = Image.Exif()
    turned[0x0112] = 6
    shot = decode(encode(picture(4000, 3000), "JPEG", exif=turned))
    assert (shot.width, shot.height, shot.image.size) == (3000, 4000, (750, 1000))


@pytest.mark.parametrize(
    ("kind", "size", "working"),
    [
        ("JPEG", (1600, 1200), (1600, 1200)),
        ("PNG", (2048, 1536), (1024, 768)),
        ("JPEG", (3000, 2250), (1500, 1125)),  # libjpeg knows halves, quarters and eighths
        ("PNG", (3000, 2250), (1000, 750)),
        ("JPEG", (4032, 3024), (1008, 756)),
    ],
)
def test_large_photos_are_divided_by_a_whole_number_that_leaves_enough(kind, size, working):
    shot = decode(encode(picture(*size), kind))
    assert shot.image.size == working
    assert shot.image.width * shot.image.height >= photo.LEAST_PIXELS
    colour = picture(*size).getpixel((size[0] // 8, size[1] // 2))
    assert near(shot.image.getpixel((working[0] // 8, working[1] // 2)), colour, 12)


SMALL_JPEG, SMALL_PNG = encode(picture(), "JPEG"), encode(picture(), "PNG")
BAD = {
    "empty": (b"", "empty file"),
    "one byte": (b"\xff", "not a photo"),
    "text": (b"Dear diary, today I was a photo.\n" * 20, "not a photo"),
    "html": (b"\n<!DOCTYPE html><html><body>404</body></html>", "a web page"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>', "an SVG drawing"),
    "zip": (b"PK\x03\x04" + bytes(200), "a ZIP archive"),
    "pdf": (b"%PDF-1.7\n" + bytes(200), "a PDF"),
    "mp4": (b"\0\0\0\x18ftypisom\0\0\2\0", "a video"),
    "webm": (b"\x1aE\xdf\xa3" + bytes(50), "a video"),
    "start of a heic": (encode(picture(), "HEIF")[:30], "damaged"),
    "start of a webp": (encode(picture(), "WEBP")[:20], "damaged"),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a photo"),
    "ico": (encode(picture(), "ICO"), "not a photo"),
    "ppm": (encode(picture(), "PPM"), "not a photo"),
    "only the start of a jpeg": (b"\xff\xd8\xff\xe0", "damaged"),
    "truncated jpeg": (SMALL_JPEG[: len(SMALL_JPEG) * 3 // 4], "damaged"),
    "truncated png": (SMALL_PNG[: len(SMALL_PNG) * 3 // 4], "damaged"),
    "corrupt chunk": (SMALL_PNG[:60] + bytes([SMALL_PNG[60] ^ 255]) + SMALL_PNG[61:], "damaged"),
    "bad pixels": (png(8, 8, (b"IDAT", zlib.compress(b"too short"))), "damaged"),
    "no pixels": (png(8, 8), "damaged"),
    "64 megapixels": (png(8000, 8000, (b"IDAT", b"")), "64 megapixels"),
    "100 megapixels": (png(10000, 10000, (b"IDAT", b"")), "100 megapixels"),
    "bomb": (png(60000, 60000, (b"IDAT", zlib.compress(bytes(1 << 20)))), "too many pixels"),
    "huge gif": (b"GIF89a" + struct.pack("<HHBBB", 60000, 60000, 0, 0, 0) + b";", "."),
    "tiff without a directory": (encode(picture(), "TIFF", compression="tiff_lzw")[:-30] + bytes(30), "damaged"),
    "corrupt lzw tiff": (encode(picture(), "TIFF", compression="tiff_lzw").replace(b"\x80", b"\x7f"), "damaged"),
    "text bomb": (png(8, 8, (b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 27)))), "damaged"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_sentence_and_nothing_else(case, capfd):
    data, says = BAD[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadInput) as caught:
            decode(data)
    message = str(caught.value)
    assert says in message
    assert message.endswith(".")
    assert "\n" not in message
    assert ". " not in message
    assert "send" in message
    assert caught.value.__cause__ is None
    assert capfd.readouterr() == ("", "")


def test_refuses_too_many_bytes_before_decoding(monkeypatch, tmp_path):
    monkeypatch.setattr(Image, "open", lambda *args, **options: pytest.fail("was opened"))
    data = SMALL_JPEG + bytes(photo.MAX_BYTES)
    with pytest.raises(BadInput, match=r"25\.0 MB; send one of at most 25 MB"):
        decode(data)
    path = tmp_path / "big.jpg"
    path.write_bytes(data)
    with pytest.raises(BadInput, match="at most 25 MB"):
        open_photo(path)


def test_refuses_too_many_pixels_before_decoding(monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("was decoded"))
    with pytest.raises(BadInput, match="50 megapixels; send one of at most 40 megapixels"):
        decode(png(10000, 5000, (b"IDAT", b"")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_every_truncation_is_a_photo_or_bad_input(kind):
    data = encode(picture(16, 12), kind, **({"exif": b"Exif\0\0II*\0"} if kind == "JPEG" else {}))
    for length in range(len(data)):
        assert outcome(data[:length])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_flipped_bytes_are_a_photo_or_bad_input(kind, capfd):
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encode(picture(16, 12), kind, **({"exif": exif} if kind in ("JPEG", "PNG", "WEBP") else {}))
    dice = random.Random(7)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(dice.randint(1, 4)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        assert outcome(bytes(broken))
    assert capfd.readouterr() == ("", "")


def test_reads_a_file_whatever_its_name(tmp_path):
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(SMALL_PNG)
    assert open_photo(path).width == 64


def test_says_what_is_wrong_with_a_path(tmp_path):
    with pytest.raises(BadInput, match="There is no file"):
        open_photo(tmp_path / "missing.jpg")
    with pytest.raises(BadInput, match="is a folder"):
        open_photo(tmp_path)
    with pytest.raises(BadInput, match="cannot be read"):
        open_photo(tmp_path / "missing\0.jpg")
    (tmp_path / "note.jpg").write_text("hello")
    with pytest.raises(BadInput, match="not a photo"):
        open_photo(tmp_path / "note.jpg")
    with pytest.raises(BadInput, match="cannot be read"):
        open_photo(tmp_path / "note.jpg" / "inside.jpg")


def test_lets_no_warning_out_of_a_fresh_process(tmp_path):
    path = tmp_path / "big.png"
    path.write_bytes(png(10000, 10000, (b"IDAT", b"")))
    code = f"import pathlib; from bot.vision.photo import open_photo; open_photo(pathlib.Path({str(path)!r}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "Warning" not in run.stderr
    assert "BadInput: The photo has 100 megapixels" in run.stderr
