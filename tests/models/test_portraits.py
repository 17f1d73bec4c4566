import numpy as np
import pytest

from models.data.face_boxes import FaceBoxes
from models.data.photos import PhotoItem
from models.data.portraits import portraits, subject


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("a bearded man in glasses and a gray jacket sits with a pug", "a bearded man in glasses and a gray jacket"),
        ("a woman in a red top and white shorts jumps", "a woman in a red top"),
        ("a man jumps over a fence", ""),  # says nothing a portrait could show
        ("two men in suits talk", ""),
        ("a brown dog sits", ""),
    ],
)
def test_subject_is_what_a_portrait_shows(caption, words):
    assert " ".join(subject(caption)) == words


def boxes(*heights: float) -> FaceBoxes:
    sides = np.array([[50.0, 40.0, height * 0.8, height] for height in heights])
    return FaceBoxes(sides, np.zeros((len(heights), 5, 2)), np.ones((len(heights), 2)))


def photo(people: str) -> PhotoItem:
    return PhotoItem("a.jpg", ("a man in a blue shirt holds a cat", "more"), people, "train")


def test_a_portrait_needs_one_person_with_one_large_face():
    alone = photo("man, adult, happy, center ; person, adult, unclear, far ; cat, -, unclear, center")
    found = portraits([alone], {"a.jpg": boxes(60.0, 20.0)})
    assert [one.face[3] for one in found] == [60.0]
    assert all(words[-6:] != [] and "blue" in words and "cat" not in words for words in found[0].captions)
    assert not portraits([alone], {"a.jpg": boxes(15.0)})
    assert not portraits([alone], {"a.jpg": boxes(60.0, 50.0)})
    assert not portraits([photo("man, adult, happy, left ; man, adult, happy, right")], {"a.jpg": boxes(60.0)})
