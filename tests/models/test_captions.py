import random

import numpy as np
import pytest

from bot.vision.captioner import COCO, END, MAX_WORDS, PLAIN, SPECIALS, UNKNOWN
from models.data.caption_set import folds, photo_captions, view_rows
from models.data.captions import Vocabulary, mirrored, to_words
from models.data.face_captions import ACTIONS, SUBJECTS, face_caption
from models.data.faces import FaceLabels, FaceRow


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("2 Zebras, standing.", ["two", "zebras", ",", "standing"]),
        ("A dark-haired woman's hat,", ["a", "dark-haired", "woman's", "hat"]),
        ("  ", []),
    ],
)
def test_to_words(caption, words):
    assert to_words(caption) == words


def test_mirroring_swaps_sides_and_nothing_else():
    words = to_words("a man on the left looks right at a cat")
    assert mirrored(words) == to_words("a man on the right looks left at a cat")
    assert mirrored(mirrored(words)) == words


def test_vocabulary_maps_rare_words_to_unknown():
    vocabulary = Vocabulary.count([["a", "cat"], ["a", "cat"], ["a", "yak"]], least=2)
    assert vocabulary.words == [*SPECIALS, "a", "cat"]
    assert vocabulary.encode(["a", "yak"], PLAIN) == [PLAIN, 5, UNKNOWN, END]
    assert len(vocabulary.encode(["a"] * 50, PLAIN)) == MAX_WORDS + 2


def test_concepts_are_frequent_and_say_something():
    captions = [["a", "cat", "on", "the", "left"]] * 3 + [["a", "yak"]]
    vocabulary = Vocabulary.count(captions, least=1)
    assert [vocabulary.words[i] for i in vocabulary.concepts(captions, 10, least=2)] == ["cat"]


def test_photo_captions_put_the_plain_one_first():
    captions = photo_captions(("a cat", "an animal"), "A cat.")
    assert captions[0] == (PLAIN, ["a", "cat"])
    assert [style for style, _ in captions].count(COCO) == 2
    assert len(photo_captions(("a cat", "an animal"), "")) == 2


def test_views_of_one_image_lie_a_step_apart():
    assert view_rows(2, 5, (False, True)) == ((2, False), (7, True))


def test_a_file_has_one_fold_and_the_folds_are_even():
    files = [f"{i}.jpg" for i in range(100)] + ["3.jpg"]
    fold = folds(files)
    assert fold[3] == fold[100]
    assert np.bincount(fold[:100]).tolist() == [50, 50]


def face(labels: FaceLabels | None, **changes) -> FaceRow:
    row = {"age_band": "30-39", "gender": "male", "sharpness": 90.0, "colour": 40.0, **changes}
    return FaceRow(file="1.jpg", box=None, landmarks=(), frontal=True, labels=labels, **row)


def labels(**changes) -> FaceLabels:
    plain = {"expression": "happy", "strength": 3, "glasses": "none", "facial_hair": "none", "headwear": "none"}
    plain |= {"hair_length": "short", "hair_colour": "black", "eyes": "open", "note": ""}
    return FaceLabels(**{**plain, **changes})


def said(row: FaceRow, times: int = 60) -> str:
    return " . ".join(" ".join(face_caption(row, random.Random(i))) for i in range(times))


def test_face_captions_say_what_the_labels_say():
    text = said(face(labels(glasses="glasses", facial_hair="beard", hair_colour="grey")))
    assert "glasses" in text
    assert "a grey beard" in text
    assert "short grey hair" in text
    assert any(action in text for action in ACTIONS["happy"][1])
    assert "sad" not in text
    assert "woman" not in text


def test_faces_without_labels_are_described_by_age_and_gender_only():
    text = said(face(None, age_band="3-9", gender="female"))
    assert any(subject in text for subject in SUBJECTS["3-9"]["female"])
    assert "smile" not in text


def test_grey_photos_are_called_black_and_white():
    assert "black and white" in said(face(labels(), colour=0.5))
    assert "black and white" not in said(face(labels()))
