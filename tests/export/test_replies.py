import io
import tarfile
from pathlib import Path

from PIL import Image

from export.replies import Answer, answer_all, as_table, portraits
from models.train.contact_sheet import TEXT_HEIGHT, TILE, contact_sheet


def jpeg(color: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(buffer, "JPEG")
    return buffer.getvalue()


def test_the_table_has_a_row_for_every_answer_and_no_stray_bars() -> None:
    answer = Answer("a.jpg", "a cat", "cat, -, happy, center", "pirate", "Arr | harr", "framed", 12.0)
    lines = as_table([answer, answer]).splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {9}
    assert lines[2].startswith("| 1 | a.jpg | a cat | cat, -, happy, center | pirate | Arr / harr | framed | 12 |")


def test_the_sheet_holds_every_photo_in_rows() -> None:
    images = [Image.new("RGB", (100, 50), color) for color in ("red", "green", "blue")]
    sheet = contact_sheet(images, ["one", "two", "three"], columns=2)
    assert sheet.size == (2 * TILE, 2 * (TILE + TEXT_HEIGHT))
    assert sheet.getpixel((5, 5)) == (255, 0, 0)
    assert sheet.getpixel((TILE + 5, 5)) == (0, 128, 0)
    assert sheet.getpixel((5, TILE + TEXT_HEIGHT + 5)) == (0, 0, 255)


def test_the_same_seed_draws_the_same_portraits(tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    with tarfile.open(tmp_path / "faces" / "faces-val.tar", "w") as tar:
        for name in ("1.jpg", "2.jpg", "3.jpg"):
            data = jpeg("red")
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    first, again = (list(portraits(tmp_path, 2, seed=4)) for _ in range(2))
    assert len(first) == 2
    assert first == again


def test_every_photo_is_answered_by_the_personas_in_rotation() -> None:
    answers = answer_all([("sky.jpg", jpeg("skyblue")), ("field.jpg", jpeg("green"))], seed=1)
    assert [answer.persona for answer in answers] == ["self", "pirate"]
    assert all(answer.reply and answer.caption and answer.total_ms > 0 for answer in answers)
