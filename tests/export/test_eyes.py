"""The figures of the eyes, on scenes and numbers that are known."""

import json
import time

import pytest
from PIL import Image

from bot.domain import NOBODY, Person, Scene
from export.eyes import as_json, draw_scenes, scene_figures
from export.latency import milliseconds
from models.data.photos import PhotoItem


def item(people: str) -> PhotoItem:
    return PhotoItem("a.jpg", ("a caption",), people, "val")


def test_scenes_are_compared_with_what_was_written() -> None:
    man, dog, someone = (Person(who, "adult") for who in ("man", "dog", "person"))  # type: ignore[arg-type]
    one, two = "man, adult, happy, left ; dog, -, unclear, right", "woman, adult, happy, left"
    written = [one, two, two, "nobody, -, -, -"]
    seen = [(man, dog), (man, man), (someone,), (NOBODY,)]
    figures = scene_figures([item(people) for people in written], [Scene("a caption", people) for people in seen])
    expected = {"speaker_kind": 1.0, "speaker_who": 0.5, "speaker_unclear": 1 / 3, "humans": 3 / 4, "scenes": 4}
    assert figures == pytest.approx(expected)


def test_a_dog_that_speaks_for_a_man_is_the_wrong_kind() -> None:
    figures = scene_figures([item("man, adult, happy, left")], [Scene("a dog", (Person("dog"),))])
    assert (figures["speaker_kind"], figures["humans"]) == (0.0, 0.0)


def test_the_json_holds_exactly_the_figures_that_are_compared() -> None:
    results = {
        "detector": {"recall": 0.9, "precision": 0.9, "ms": 3.0, "faces": 10.0},
        "face_reader": dict.fromkeys(
            ("gender", "age_exact", "age_within_one", "happy", "expression", "glasses", "ms", "eyes"), 0.5
        ),
        "captioner": dict.fromkeys(("cider", "cider_nearest", "cider_no_image", "bleu4", "ms", "bleu4_nearest"), 0.1),
    }
    found = json.loads(json.dumps(as_json(results, 24)))
    assert set(found) == {"detector", "face_reader", "captioner", "scenes_read"}
    assert found["detector"] == {"recall": 0.9, "precision": 0.9, "ms": 3.0}
    assert "eyes" not in found["face_reader"]
    assert "bleu4_nearest" not in found["captioner"]


def test_the_median_time_forgets_a_slow_start() -> None:
    naps = iter([0.05] + [0.002] * 100)
    assert 2 <= milliseconds(lambda: time.sleep(next(naps)), rounds=11) < 20


def test_every_scene_stands_under_its_photo() -> None:
    images = [Image.new("RGB", (50, 80), "red")] * 7
    assert draw_scenes(images, [Scene("a red wall")] * 7).size == (6 * 240, 2 * 370)
