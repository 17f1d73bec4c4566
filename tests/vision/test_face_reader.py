"""The production face reader, on a session whose answers are known."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from bot.domain import Box, Face, FaceReading, Failure
from bot.runtime.bundle import ModelEntry
from bot.runtime.session import Session
from bot.vision.face_labels import HEADS, REQUIRED
from bot.vision.face_reader import FaceReader, age_of, who_of

LABELS = {**{head: list(labels) for head, labels in HEADS.items()}, "thresholds": {"gender": 0.7, "expression": 0.45}}
NORMALISATION = {"size": 32, "margin": 0.05, "mean": [127.0] * 3, "std": [128.0] * 3}


class KnownSession:
    """Stands for a Session: answers with the given probabilities and keeps what it was fed."""

    def __init__(self, answers: dict[str, Any], labels: dict[str, Any] = LABELS) -> None:
        about = {"labels": labels, "normalisation": NORMALISATION}
        self.entry = ModelEntry("face_reader", Path("face_reader.onnx"), about)
        self.output_names = list(HEADS)
        faces = len(answers.get("gender", []))
        rest = {head: one_hot(head, *[labels[0]] * faces) for head, labels in HEADS.items() if head not in answers}
        self.answers = {head: np.array(rows, np.float32) for head, rows in (rest | answers).items()}
        self.fed: list[np.ndarray] = []

    def run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.fed.append(feeds["faces"])
        return self.answers


def one_hot(head: str, *labels: str, p: float = 0.9) -> list[list[float]]:
    count = len(HEADS[head])
    return [[p if name == label else (1 - p) / (count - 1) for name in HEADS[head]] for label in labels]


def reader(session: KnownSession) -> FaceReader:
    return FaceReader(cast(Session, session))


def reading(age_band: str, gender: Any) -> FaceReading:
    return FaceReading(age_band, 0.8, gender, 0.9, "happy", 0.9, "none", 0.9)


def test_all_faces_of_a_photo_go_in_one_batch_in_their_order() -> None:
    session = KnownSession(
        {
            "age_band": one_hot("age_band", "3-9", "70+"),
            "gender": one_hot("gender", "female", "male"),
            "expression": one_hot("expression", "sad", "happy"),
            "glasses": one_hot("glasses", "sunglasses", "glasses"),
            "hair_colour": one_hot("hair_colour", "blond", "white"),
        }
    )
    image = Image.new("RGB", (100, 80), (255, 0, 0))
    image.paste((0, 0, 255), (50, 0, 100, 80))
    faces = [Face(Box(10, 20, 20, 24), 0.9), Face(Box(70, 20, 20, 24), 0.9)]
    girl, grandfather = reader(session).read(image, faces)
    (fed,) = session.fed
    assert fed.shape == (2, 3, 32, 32)
    assert fed[0, 0].mean() > 0.9 > -0.9 > fed[0, 2].mean()
    assert fed[1, 2].mean() > 0.9 > -0.9 > fed[1, 0].mean()
    assert (girl.age_band, girl.gender, girl.expression, girl.glasses) == ("3-9", "female", "sad", "sunglasses")
    assert girl.age_score == pytest.approx(0.9)
    assert (girl.hair_colour, grandfather.hair_colour) == ("blond", "white")
    assert (grandfather.age_band, grandfather.gender) == ("70+", "male")


def test_an_unsure_head_says_unclear_where_it_has_a_threshold() -> None:
    session = KnownSession(
        {
            "age_band": one_hot("age_band", "20-29", p=0.3),
            "gender": one_hot("gender", "male", p=0.69),
            "expression": one_hot("expression", "angry", p=0.44),
            "glasses": one_hot("glasses", "glasses", p=0.4),
        }
    )
    (unsure,) = reader(session).read(Image.new("RGB", (50, 50)), [Face(Box(5, 5, 30, 30), 0.9)])
    assert (unsure.gender, unsure.expression) == ("unclear", "unclear")
    assert (unsure.age_band, unsure.glasses) == ("20-29", "glasses")
    assert unsure.gender_score == pytest.approx(0.69)


def test_no_faces_need_no_model_run() -> None:
    session = KnownSession({})
    assert reader(session).read(Image.new("RGB", (50, 50)), []) == []
    assert not session.fed


def test_a_manifest_without_a_head_is_a_clear_failure() -> None:
    with pytest.raises(Failure, match=r"glasses.*python -m export"):
        reader(KnownSession({}, {head: labels for head, labels in LABELS.items() if head != "glasses"}))


def test_a_reader_of_four_heads_still_reads() -> None:
    labels = {head: LABELS[head] for head in (*REQUIRED, "thresholds")}
    answers = {head: one_hot(head, HEADS[head][0]) for head in REQUIRED}
    (face,) = reader(KnownSession(answers, labels)).read(Image.new("RGB", (50, 50)), [Face(Box(5, 5, 30, 30), 0.9)])
    assert (face.gender, face.facial_hair, face.facial_hair_score) == ("male", "unclear", 0.0)


@pytest.mark.parametrize(
    ("band", "gender", "age", "who"),
    [
        ("0-2", "female", "baby", "baby"),
        ("0-2", "unclear", "baby", "baby"),
        ("3-9", "male", "child", "boy"),
        ("10-19", "female", "teen", "girl"),
        ("10-19", "unclear", "teen", "person"),
        ("20-29", "male", "adult", "man"),
        ("50-59", "unclear", "adult", "person"),
        ("60-69", "female", "senior", "woman"),
        ("70+", "male", "senior", "man"),
    ],
)
def test_age_and_who_are_what_the_corpus_writes(band: str, gender: str, age: str, who: str) -> None:
    assert (age_of(reading(band, gender)), who_of(reading(band, gender))) == (age, who)
