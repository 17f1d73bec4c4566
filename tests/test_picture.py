from pathlib import Path

import pytest
from PIL import Image, ImageColor, ImageFont

from bot import picture
from bot.domain import NOBODY, BadInput, Box, Person, Persona, Scene
from bot.vision.photo import Photo

PIRATE = Persona("pirate", "Captain Maribel Saltmarrow", "pirate")
HIGH = Person("woman", "adult", "happy", "center", Box(120, 40, 60, 60), 0.9)
LOW = Person("man", "senior", "unclear", "left", Box(20, 330, 50, 50), 0.9)
DOG = Person("dog", "-", "happy", "right")
GREEN = (0, 128, 0)


def draw(*people: Person, size=(600, 400), reply="Ahoy!", speaker=0, name=PIRATE.name):
    photo = Photo(Image.new("RGB", size, GREEN), *size)
    return picture.draw(photo, Scene("a woman waves", people), Persona("x", name), reply, speaker)


def rows_of(drawn: Image.Image, colour) -> list[int]:
    """The rows in which a colour is found, from above."""
    wanted = ImageColor.getrgb(colour) if isinstance(colour, str) else colour
    return [y for y in range(drawn.height) if wanted in {drawn.getpixel((x, y)) for x in range(drawn.width)}]


def test_boxes_stand_where_the_faces_are_and_the_speakers_is_marked():
    drawn = draw(HIGH, LOW, speaker=1)
    assert drawn.width == 600
    assert drawn.getpixel((150, 40)) == ImageColor.getrgb(picture.SILENT)
    assert drawn.getpixel((60, 380)) == ImageColor.getrgb(picture.SPEAKING)


def test_a_box_is_scaled_with_the_photo():
    photo = Photo(Image.new("RGB", (600, 400), GREEN), 1200, 800)
    big = Person("woman", "adult", "happy", "center", Box(240, 480, 120, 120), 0.9)
    drawn = picture.draw(photo, Scene("a woman", (big,)), PIRATE, "Ahoy!")
    assert drawn.getpixel((150, 240)) == ImageColor.getrgb(picture.SPEAKING)
    assert drawn.getpixel((120, 290)) == ImageColor.getrgb(picture.SPEAKING)


def test_the_bubble_stands_on_the_side_of_the_speaker():
    above, below = draw(HIGH), draw(LOW)
    assert rows_of(above, GREEN)[0] > 30
    assert rows_of(below, GREEN)[0] == 0
    assert above.height == below.height > 430


def test_the_bubble_grows_with_the_words_and_never_wider_than_the_picture():
    short, long = draw(HIGH), draw(HIGH, reply="words and more words " * 30)
    assert short.width == long.width
    assert long.height > short.height + 100


@pytest.mark.parametrize("size", [(8, 8), (3000, 60), (40, 2000), (1, 1), (4000, 3000)])
def test_any_size_is_drawn_at_a_readable_one(size):
    face = Person("woman", "adult", "happy", "center", Box(0, 0, size[0] / 2, size[1] / 2), 0.9)
    drawn = draw(face, DOG, size=size)
    assert picture.LEAST_WIDTH <= drawn.width <= picture.MOST_SIDE
    assert drawn.height <= picture.MOST_SIDE + 300


@pytest.mark.parametrize("people", [(NOBODY,), (DOG,), (DOG, HIGH)])
def test_who_has_no_face_speaks_from_below(people):
    assert rows_of(draw(*people), GREEN)[0] == 0


@pytest.mark.parametrize("name", ["Капитан", "船長 👻", "", "x" * 300, "\u202eolleh"])
def test_any_name_and_any_words_are_drawn(name):
    assert draw(HIGH, name=name, reply=f"{name} é “quoted” … \n two").width == 600


def test_lines_fit_and_lose_no_word():
    font = ImageFont.load_default(16)
    text = "a reply with one unbelievably-long-word-that-no-line-can-hold and short ones"
    lines = list(picture.wrap(text, font, 120))
    assert all(font.getlength(line) <= 120 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert list(picture.wrap("", font, 120)) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.gif", ".png, .jpg"),
        ("out", ".png, .jpg"),
        ("none/out.png", "none"),
        ("folder.png", "is a folder"),
        ("photo.png", "another name"),
    ],
)
def test_a_wrong_target_is_refused(name, message, tmp_path: Path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "photo.png").write_bytes(b"photo")
    with pytest.raises(BadInput, match=message):
        picture.check_target(tmp_path / name, tmp_path / "photo.png")


@pytest.mark.parametrize("suffix", picture.SUFFIXES)
def test_a_picture_is_saved_in_every_format(suffix, tmp_path: Path):
    target = tmp_path / f"out{suffix.upper()}"
    picture.check_target(target, tmp_path / "photo.png")
    picture.save(draw(HIGH), target)
    assert Image.open(target).size == draw(HIGH).size


def test_a_picture_that_cannot_be_written_is_bad_input(tmp_path: Path):
    with pytest.raises(BadInput, match="cannot be written"):
        picture.save(draw(HIGH), tmp_path / "gone" / "out.png")
