"""docs/how-it-works.md: its links and formulas hold, its numbers are those of the code, its pictures can be drawn."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bot.domain import VOICES
from bot.runtime.bundle import MANIFEST, SHIPPED_BUNDLE, Bundle
from bot.speech.ranker import FACT
from bot.speech.speaker import COOLED, FRAMED, SAMPLES
from bot.vision import photo
from bot.vision.boxes import iou
from bot.vision.detector import OVERLAP, VOTERS
from bot.vision.face_labels import HEADS, THRESHOLDS

pytest.importorskip("matplotlib", reason="needs the train extra")
from export import figures
from export.figure_numbers import MOST, as_bytes, measured
from export.figure_paper import MOST_BYTES, ROOT, Models
from export.figure_portraits import MEAN, SPREAD, smiling_women
from export.figure_seeing import worked_example
from export.figure_speaking import chances
from models.face_detector import FRAME, STRIDES, FaceDetectorNet
from models.speaker import SpeakerConfig
from models.vae import effects, kl_divergence

PAGES = [ROOT / "docs" / "how-it-works.md", ROOT / "docs" / "how-it-works.zh-CN.md"]
TEXTS = [page.read_text(encoding="utf-8") for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
RECORD = "collapse.webp"  # of runs that are gone
MOST_OF_ALL = 700_000
both = pytest.mark.parametrize("text", TEXTS, ids=[page.name for page in PAGES])


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def slugs(path: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def displayed(text: str) -> list[str]:
    return re.findall(r"^\$\$\n(.*?)\n\$\$$", prose(text), re.DOTALL | re.MULTILINE)


def inline(text: str) -> list[str]:
    rest = re.sub(r"^\$\$\n.*?\n\$\$$", "", prose(text), flags=re.DOTALL | re.MULTILINE)
    return [
        formula for line in rest.splitlines() for formula in re.findall(r"\$([^$]*)\$", re.sub("`[^`]*`", "", line))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_the_page_leads_somewhere(page):
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in slugs(file)):
            broken.append(target)
    assert not broken


def test_both_languages_link_each_other_and_the_same_files_pictures_and_formulas():
    english, chinese = ([t.partition("#")[0] for t in LINK.findall(text)] for text in TEXTS)
    assert PAGES[1].name in english
    assert PAGES[0].name in chinese
    names = {page.name for page in PAGES}
    assert [t for t in english if t and t not in names] == [t for t in chinese if t and t not in names]
    assert [f.rstrip(",.") for f in displayed(TEXTS[0])] == [f.rstrip(",.") for f in displayed(TEXTS[1])]
    marks = [re.findall(r"<!-- (figures: [\w, ]+) -->", text) for text in TEXTS]
    assert marks[0] == marks[1]


def test_every_picture_of_the_page_can_be_drawn_and_is_small():
    shown = {Path(target).name for target in LINK.findall(TEXTS[0]) if target.startswith(f"{figures.FOLDER.name}/")}
    assert shown == {figures.file_of(name) for name in figures.FIGURES} | {RECORD}
    sizes = {path.name: path.stat().st_size for path in figures.FOLDER.iterdir()}
    assert set(sizes) == shown
    assert max(sizes.values()) < MOST_BYTES
    assert sum(sizes.values()) < MOST_OF_ALL


@both
def test_no_formula_has_what_githubs_markdown_would_spoil(text):
    formulas = displayed(text) + inline(text)
    assert len(formulas) > 60
    for formula in formulas:
        assert formula == formula.strip() != "", formula
        assert not re.search(r"[}\])]_|[*<>`]|\\[^a-zA-Z]", formula), formula
        assert formula.count("{") == formula.count("}"), formula
    assert prose(text).count("$") % 2 == 0


def test_chinese_formulas_stand_apart_from_chinese_characters():
    lines = re.sub(r"`[^`]*`", "", prose(TEXTS[1]))
    assert not re.findall(r"[\u3000-\u9fff\uff00-\uffef]\$[^$\n]+\$|\$[^$\n]+\$[\u3000-\u9fff\uff00-\uffef]", lines)


@both
def test_the_worked_convolution_is_the_shipped_detectors(text):
    one = worked_example(Models(Bundle()))
    products = one.inputs * one.kernel
    rows = ["".join(f" {'-' if v < 0 else '+'} {abs(v):.2f}" for v in row) for row in products]
    first = [row.replace(" + ", "", 1) if row.startswith(" + ") else row.replace(" - ", "-", 1) for row in rows]
    assert f"y = ({first[0]}) + ({first[1]}) + ({first[2]}) + {one.bias:.2f} = {one.result:.2f}" in text
    np.testing.assert_allclose(one.total, products.sum() + one.bias, rtol=1e-5)


def test_the_kernel_gives_in_onnx_runtime_what_the_example_says():
    models = Models(Bundle())
    one = worked_example(models)
    weight = torch.from_numpy(one.kernel)[None, None]
    pixels = torch.from_numpy(one.inputs)[None, None]
    assert torch.nn.functional.conv2d(pixels, weight).item() + one.bias == pytest.approx(one.result, abs=1e-4)


@both
def test_the_kernel_in_bytes_is_rounded_as_the_page_says(text):
    kernel = worked_example(Models(Bundle())).kernel
    stored = as_bytes(kernel)
    largest = float(np.abs(kernel).max())
    assert rf"\frac{{\max \lvert w \rvert}}{{127}} = \frac{{{largest:.2f}}}{{127}} = {stored.scale:.4f}" in text
    assert f"{kernel[1, 1]:.2f}" in text
    assert f"{stored.steps[1, 1]:.0f}" in text
    assert f"{stored.back[1, 1]:.2f}" in text
    total = 255 * int(stored.steps[1, 1]) + 255 * int(stored.steps[1, 2])
    assert rf"255 \cdot {stored.steps[1, 1]:.0f} + 255 \cdot {stored.steps[1, 2]:.0f} = {total} \gt {2**15 - 1}" in text
    assert rf"255 \cdot {MOST} = {255 * MOST}" in text
    assert 255 * MOST < 2**15 - 1


@both
def test_the_small_examples_are_computed_right(text):
    for heat, expected in ((1, "0.67"), (2, "0.51")):
        shares = [f"{share:.2f}" for share in chances(np.array([2.0, 1.0, 0.0]), heat)]
        assert shares[0] == expected
        assert re.search("[, 、]+".join(shares), text)
    nats = kl_divergence(torch.tensor([[MEAN]]), torch.tensor([[2 * np.log(SPREAD)]])).item()
    assert f"= {nats:.2f}$" in text
    assert sum((FRAME // stride) ** 2 for stride in STRIDES) == 2100
    assert f"{np.log(SpeakerConfig.vocabulary):.1f}$" in text
    size = SpeakerConfig.layers * 2 * SpeakerConfig.width * 4
    assert f"{size / 1024:.0f} KB" in text


@both
def test_the_benchmark_on_the_page_is_that_of_the_benchmark(text):
    found = measured()
    for name, form in (
        ("reply_p50_ms", "{:.0f}"), ("reply_p95_ms", "{:.0f}"), ("turn_p50_ms", "{:.0f}"), ("photos_per_s_8", "{:.1f}"),
        ("cold_start_s", "{:.1f}"), ("rss_mb", "{:.0f} MiB"), ("step_1", "{:.1f}"), ("prefill", "{:.0f}"),
    ):  # fmt: skip
        assert form.format(found[name]) in text, name


@both
def test_thresholds_and_counts_on_the_page_are_those_of_the_code(text):
    entry = Bundle().model("face_detector")
    for value in (OVERLAP, VOTERS, entry.labels["threshold"], THRESHOLDS["expression"], THRESHOLDS["gender"]):
        assert f"{value:g}" in text
    assert f"{FACT:g}" in text
    assert f"{COOLED:g}" in text
    assert f"{photo.MAX_BYTES // 2**20} MiB" in text
    assert len(photo.FORMATS) == 8
    assert len(HEADS) == 10
    assert (SAMPLES, FRAMED, len(VOICES)) == (10, 8, 24)
    parameters = sum(weight.numel() for weight in FaceDetectorNet().parameters())
    assert round(parameters, -3) == 331_000


def test_least_squares_keeps_the_smile_apart_from_gender_as_the_picture_claims():
    attributes, points = (torch.from_numpy(values).float() for values in smiling_women())
    fitted = effects(points, attributes)[0]
    smiles = attributes[:, 0] > 0.5
    difference = points[smiles].mean(0) - points[~smiles].mean(0)
    female = torch.tensor([-0.6, 1.8])
    truth = torch.tensor([1.6, 0.4])
    assert torch.linalg.norm(fitted - truth) < 0.15
    assert (difference - truth) @ female > 1


def test_a_picture_is_drawn(tmp_path):
    figures.draw(Models(Bundle()), ["cost", "convolution"], tmp_path)
    for name in ("cost", "convolution"):
        image = Image.open(tmp_path / figures.file_of(name)).convert("RGB")
        assert image.width > 800
        assert len(image.getcolors(2**20)) > 5


def test_pictures_of_models_that_a_bundle_lacks_are_left_out(tmp_path, capsys):
    manifest = json.loads((SHIPPED_BUNDLE / MANIFEST).read_text(encoding="utf-8"))
    manifest["models"].pop("gan", None)
    (tmp_path / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    figures.draw(Models(Bundle(tmp_path)), ["gan"], tmp_path / "out")
    assert "gan.webp: left out, the bundle has no gan" in capsys.readouterr().out
    assert not list((tmp_path / "out").iterdir())


def test_boxes_overlap_as_the_formula_says():
    assert iou(np.array([[0, 0, 2, 2.0]]), np.array([[1, 0, 2, 2.0]])).item() == pytest.approx(2 / 6)
