import io
import tarfile

import pytest
from PIL import Image

from models.data.photos import Photos

HEADER = "file,source,coco_caption,caption_a,caption_b,people,split\n"


@pytest.fixture
def folder(tmp_path):
    with tarfile.open(tmp_path / "photos.tar", "w") as tar:
        for name, color in (("a.png", "red"), ("b.png", "blue")):
            data = io.BytesIO()
            Image.new("RGB", (4, 3), color).save(data, "PNG")
            info = tarfile.TarInfo(name)
            info.size = len(data.getvalue())
            tar.addfile(info, io.BytesIO(data.getvalue()))
    rows = (
        'a.png,COCO,,"a red, plain square",a square,"man, adult, sad, left",train\n'
        "b.png,COCO,blue,,,,val\nlost.png,,,,,,val\n"
    )
    (tmp_path / "photos.csv").write_text(HEADER + rows)
    return tmp_path


def test_items_by_split(folder):
    photos = Photos(folder)
    assert [item.file for item in photos.items()] == ["a.png", "b.png"]
    (item,) = photos.items("train")
    assert item.captions == ("a red, plain square", "a square")
    assert item.people == "man, adult, sad, left"
    assert photos.items("val")[0].coco_caption == "blue"
    assert photos.items("val", captioned=True) == []


def test_images_are_read_in_any_order(folder):
    photos = Photos(folder)
    assert [photos.image(name).getpixel((0, 0)) for name in ("b.png", "a.png")] == [(0, 0, 255), (255, 0, 0)]
    with pytest.raises(KeyError):
        photos.image("lost.png")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SystemExit, match=r"photos\.csv is missing"):
        Photos(tmp_path)
