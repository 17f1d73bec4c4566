import json
import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image

from bot.domain import NOBODY, BadInput, Box, Person, Scene
from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.speech.decoder import Decoder
from bot.speech.prompt import build_prompt
from bot.speech.tree import TreeModel
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import PLAIN
from export.bench import limits, operators, small_vlm_run
from export.bench.__main__ import main
from export.bench.eager import eager_eyes
from export.bench.measure import KEYS, Bench, Plan
from export.bench.photos import Sample, as_phone_photo, candidates, choose, encoded
from export.bench.plain import PlainSession
from export.bench.rivals import OneByOne, float_speaker
from export.bench.small_vlm import Bits, Shape
from export.graph import export
from export.speaker_rewrite import recover
from models.speaker import EagerSession
from tests.tiny_speaker import SCENE, save_tokenizer, tiny_speaker, tiny_tokenizer

ORDERED = [
    "reply_p50_ms", "reply_p95_ms", "turn_p50_ms", "photos_per_s_8", "rss_mb", "cold_start_s",
    "x_torch_eager", "x_naive_ort", "x_smolvlm_shape", "bandwidth_share", "stages",
]  # fmt: skip
TINY_PLAN = Plan(
    photos=2, rounds=1, together=2, talks=1, phones=1, replies=2, stages=1, rivals=1, small_vlm=1, memory=2**22
)
TINY_SHAPE = Shape(
    pixels=64, patch=8, see_width=32, see_layers=2, see_heads=2, see_hidden=64,
    shuffle=2, width=64, layers=2, heads=4, kv_heads=2, hidden=96, vocabulary=300,
)  # fmt: skip
needs_bundle = pytest.mark.skipif(not (SHIPPED_BUNDLE / MANIFEST).is_file(), reason="there is no bundle of models")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:  # several wait for each other in turns where other programs run
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def absent(bench: Bench) -> list[float]:
    raise ImportError("No module named 'torch'")


@needs_bundle
def test_one_object_holds_every_figure_of_the_bot_and_its_rivals(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("export.latency.WARM_UP", 1)
    monkeypatch.setattr("export.bench.ours.STEPS", 8)
    rivals = {
        "x_torch_eager": lambda bench: [8.0] * bench.plan.rivals,
        "x_naive_ort": absent,
        "x_smolvlm_int8": lambda bench: [12.0],
        "x_smolvlm_4bit": lambda bench: [10.0, 11.0, 30.0],
    }
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    assert main(["--json", "--data", str(tmp_path)], plan=TINY_PLAN, rivals=rivals) == 0
    figures = json.loads(capsys.readouterr().out)
    assert list(figures)[: len(ORDERED)] == ORDERED == list(KEYS)
    assert figures["x_naive_ort"] is None
    assert "torch" in figures["skipped"]["x_naive_ort"]
    assert all(figures[key] > 0 for key in ORDERED if key not in ("x_naive_ort", "stages", "rss_mb"))
    assert figures["x_torch_eager"] == pytest.approx(8000 / figures["same_photos_ms"], rel=0.01)
    assert figures["x_smolvlm_shape"] == figures["x_smolvlm_4bit"] < figures["x_smolvlm_int8"]
    wanted = {"decode_12mp", "detector", "face_reader", "captioner", "facts", "prefill", "rank"}
    wanted |= {"step_1", "step_10", "step_20", "detector_2", "face_reader_2"}
    assert wanted <= set(figures["stages"])
    assert all(time >= 0 for time in figures["stages"].values())
    assert figures["stages"]["step_1"] < figures["reply_p50_ms"]
    assert cores is None or len(os.sched_getaffinity(0)) == cores


@needs_bundle
def test_operators_of_all_networks_and_what_is_left_add_up(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert operators.main(["--photos", "1", "--data", str(tmp_path)]) == 0
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()[2:]]
    totals = {name: float(ms) for name, _, ms, _ in rows if name}
    assert totals.keys() == {*operators.MODELS, "Python", "all"}
    assert totals["all"] == pytest.approx(sum(totals.values()) - totals["all"], abs=0.5)
    assert totals["captioner_encoder"] > totals["Python"] / 10 > 0
    costliest = {rows[i][0]: rows[i + 1][1] for i in range(len(rows)) if rows[i][0] in operators.MODELS}
    assert costliest["captioner_encoder"] == costliest["face_detector"] == "Conv"


@needs_bundle
def test_the_networks_in_pytorch_see_what_the_shipped_files_see() -> None:
    bundle, rng = Bundle(), np.random.default_rng(0)
    eyes, growing = eager_eyes(bundle)
    shapes = {
        "face_detector": ("pixels", 320, 1e-2), "face_reader": ("faces", 128, 1e-4),
        "captioner_encoder": ("image", 256, 1e-3),
    }  # fmt: skip
    for name, (field, side, tolerance) in shapes.items():
        feeds = {field: rng.normal(size=(1, 3, side, side)).astype(np.float32)}
        expected = shipped(bundle, name).run(feeds)
        assert_alike(eyes[name].run(feeds), expected, tolerance)
    paths = [[[PLAIN]], [[PLAIN, 40], [PLAIN, 50]], [[PLAIN, 50, 60], [PLAIN, 40, 60], [PLAIN, 50, 70]]]
    told = []
    for writer in (growing, CaptionWriter(shipped(bundle, "captioner_decoder"))):
        with writer.open(expected) as next_words:
            for ids, parents in zip(paths, ([0], [0, 0], [1, 0, 1]), strict=True):
                words, log_probs = next_words(np.array(ids), np.array(parents))
        told.append([dict(zip(*row, strict=True)) for row in zip(words.tolist(), log_probs.tolist(), strict=True)])
    for ours, theirs in zip(*told, strict=True):
        both = ours.keys() & theirs.keys()
        assert len(both) > 0.8 * len(ours)
        assert [ours[word] for word in both] == pytest.approx([theirs[word] for word in both], abs=0.5)  # int8


def shipped(bundle: Bundle, name: str) -> Session:
    return Session(bundle.model(name), provider="cpu", threads=1)


def assert_alike(got: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float) -> None:
    assert list(got) == list(expected)
    for name, values in expected.items():
        assert got[name] == pytest.approx(values, abs=tolerance), name


@needs_bundle
def test_the_speaker_in_pytorch_goes_on_as_the_shipped_one_does() -> None:
    bundle = Bundle()
    ids = Decoder(session := shipped(bundle, "speaker"), bundle.file("speaker_tokenizer")).tokenizer.encode(
        build_prompt(SCENE, "pirate", (), ()), add_special_tokens=False
    ).ids  # fmt: skip
    eager = EagerSession(recover(bundle.model("speaker").path))
    shape = eager.input_shapes["past_k_0"]
    empty = {n: np.zeros((1, shape[1], 0, shape[3]), np.float32) for n in eager.input_shapes if n != "ids"}
    logits = eager.run({"ids": np.array([ids]), **empty})["logits"][0, -1]
    with TreeModel(session, len(logits)).open([ids], 4) as tree:
        assert np.corrcoef(tree.first, logits)[0, 1] > 0.99
        assert tree.first.argmax() == logits.argmax()


def test_the_plain_loop_writes_what_pytorch_writes_sample_by_sample(tmp_path: Path) -> None:
    speaker = tiny_speaker(tiny_tokenizer())
    session = PlainSession(export(float_speaker(speaker), tmp_path).path, threads=1)
    path, prompt = save_tokenizer(tmp_path), build_prompt(SCENE, "pirate", (), ())
    got = OneByOne(session, path).sample(prompt, n=3, seed=5, temperature=0.5, max_tokens=10)
    decoder, alone = Decoder(EagerSession(speaker), path), []
    for seed in np.random.default_rng(5).integers(2**31, size=3).tolist():
        alone += decoder.sample(prompt, n=1, seed=seed, temperature=0.5, max_tokens=10)
    assert [one.text for one in got] == [one.text for one in alone]
    weights = session.entry.path.stat().st_size
    assert limits.step_bytes(cast(Session, session), 0) == weights
    assert limits.step_bytes(cast(Session, session), 10) == weights + 2 * 2 * 10 * 32 * 4  # two layers, keys and values


@pytest.mark.parametrize("bits", ["int8", "4-bit"])
def test_the_small_vision_language_model_goes_on_from_what_it_saw_and_said(bits: Bits, tmp_path: Path) -> None:
    model = small_vlm_run.SmallVlm(tmp_path, TINY_SHAPE, bits, threads=1)
    red, noise = (Sample(name, encoded(image)) for name, image in pictures())
    written = model.answer(red.data)
    assert len(written) == 40
    assert model.answer(red.data) == written
    seen = model.look(Image.new("RGB", (64, 64), "red"))
    assert seen.shape == (1, TINY_SHAPE.image_tokens, TINY_SHAPE.width)
    prompt = np.concatenate([model.embed(range(small_vlm_run.PROMPT)), seen], axis=1)
    model.step(prompt, start=0)
    model.step(model.embed([7]), start=prompt.shape[1])
    stepwise = model.logits.copy()
    model.step(np.concatenate([prompt, model.embed([7])], axis=1), start=0)
    assert np.corrcoef(stepwise, model.logits)[0, 1] > 0.9  # all at once, activations are rounded by another scale
    model.answer(noise.data, tokens=1)
    other = model.logits.copy()
    model.answer(red.data, tokens=1)
    assert not np.allclose(other, model.logits, atol=0.1)


def pictures() -> list[tuple[str, Image.Image]]:
    return [("red", Image.new("RGB", (64, 64), "red")), ("noise", Image.effect_noise((64, 64), 90).convert("RGB"))]


def test_photos_with_one_face_come_first_and_crops_fill_the_number() -> None:
    face = Person("woman", "adult", "happy", "center", Box(1, 1, 9, 9))
    one, none = (Sample(name, encoded(image)) for name, image in pictures())
    chosen = choose([(none, Scene("nothing", (NOBODY,))), (one, Scene("a woman", (face,)))], 4)
    assert chosen[0] == one
    assert all(sample.name.startswith("red cut to") for sample in chosen[1:])
    sizes = [Image.open(BytesIO(sample.data)).size for sample in chosen]
    assert len(set(sizes)) == 4
    assert choose([(none, Scene("nothing", (NOBODY,)))], 1) == [none]
    with pytest.raises(BadInput, match="no photo"):
        choose([], 3)


def test_without_data_there_is_a_portrait_and_phones_make_it_twelve_megapixels(tmp_path: Path) -> None:
    found = list(candidates(tmp_path, 9))
    assert len(found) == 1
    width, height = Image.open(BytesIO(as_phone_photo(found[0]).data)).size
    assert {width, height} == {4000, 3000}


def test_the_machine_is_measured_and_left_as_it_was() -> None:
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    with limits.pinned(1) as cores:
        found = limits.bandwidth(cores, 2**22)
    assert cores == 1 or not before
    assert all(value > 1e8 for value in found.values())
    assert not before or os.sched_getaffinity(0) == before
    assert limits.Bystanders().cores() >= 0
