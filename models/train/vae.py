"""Train the VAE on aligned FairFace crops, then find the latent directions of smile, age and the rest.

    OMP_NUM_THREADS=1 python -m models.train.vae --minutes 60 --compile

Faces are mirrored and lit a little differently at random. The weights that are kept are an exponential
average. At the end every training face is encoded and the change that goes with each attribute, as the
face reader sees it, is stored in the checkpoint as ``directions`` (attributes, latent).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from bot.vision.face_labels import HEADS
from models.data.aligned_faces import AlignedFaces, to_network, to_pixels
from models.train.face_reader import moving_average
from models.train.generated import frechet_distance, image_features, in_batches, read_faces, save_sheet
from models.train.run import BEST, TrainingRun, arguments, cosine, set_learning_rate, weight_groups
from models.vae import Perception, Vae, VaeConfig, effects, vae_loss

# What one unit of each direction is: from none of it to all of it; of age, from 25 years to 65
ATTRIBUTES: dict[str, tuple[str, tuple[str, ...]]] = {
    "smile": ("expression", ("happy",)),
    "age": ("age_band", ()),
    "female": ("gender", ("female",)),
    "glasses": ("glasses", ("glasses", "sunglasses")),
    "facial_hair": ("facial_hair", ("stubble", "mustache", "goatee", "beard")),
    "long_hair": ("hair_length", ("long",)),
    "light_hair": ("hair_colour", ("blond", "grey", "white")),
    "headwear": ("headwear", ("hat", "cap", "scarf", "other")),
    "eyes_open": ("eyes", ("open",)),
}
YEARS = (1, 6, 15, 25, 35, 45, 55, 65, 75)  # the middle of each age band
AGE_UNIT = 40.0  # years
LIGHT = 0.1  # standard deviation of the changes of brightness and contrast
STRENGTHS = (0.0, 0.5, 1.0, 1.5)  # of the smile on the sheets of morphs
EVALUATED = 600


class Batches:
    """Draws faces; the same seed and step give the same batch, also after a resume."""

    def __init__(self, pixels: np.ndarray, batch: int, latent: int, seed: int) -> None:
        self.pixels, self.batch, self.latent, self.seed = pixels, batch, latent, seed

    def draw(self, step: int) -> tuple[Tensor, Tensor]:
        """Return faces (B, 3, 128, 128), mirrored and lit at random, and noise (B, latent)."""
        epoch, place = divmod(step * self.batch, max(1, len(self.pixels) - self.batch + 1))
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.pixels))
        random = np.random.default_rng((self.seed, epoch, step))
        faces = to_network(self.pixels[order[place : place + self.batch]])
        mirrored = torch.from_numpy(random.random(len(faces)) < 0.5)[:, None, None, None]
        light, contrast = torch.from_numpy(random.normal(0, LIGHT, (2, len(faces), 1, 1, 1))).float()
        faces = (torch.where(mirrored, faces.flip(3), faces) * (1 + contrast) + light).clamp(-1, 1)
        noise = torch.from_numpy(random.normal(size=(len(faces), self.latent))).float()
        return faces.contiguous(memory_format=torch.channels_last), noise


def train(
    run: TrainingRun,
    folder: Path,
    config: VaeConfig,
    batch: int,
    lr: float,
    perception: nn.Module | None = None,
    compiled: bool = False,
) -> Vae:
    """Train until the budget is spent, with sheets and checkpoints every few minutes, then measure."""
    network, looks = Vae(config), perception or Perception()
    for module in (network, looks):
        module.to(run.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = AveragedModel(network, avg_fn=moving_average, use_buffers=True)
    optimizer = torch.optim.AdamW(weight_groups(network, lr, 0.01), betas=(0.9, 0.99))
    parts: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer}
    faces, held_out = AlignedFaces.load(folder, "train"), AlignedFaces.load(folder, "val")
    batches = Batches(faces.pixels, batch, config.latent, run.args.seed)
    run.resume(**parts)
    forward: Callable[..., tuple[Tensor, Tensor, Tensor]] = torch.compile(network) if compiled else network
    network.train()
    for step in run.steps():
        images, noise = (value.to(run.device) for value in batches.draw(step))
        set_learning_rate(optimizer, cosine(run.progress))
        drawn, mean, log_variance = forward(images, noise)
        loss, terms = vae_loss(config, images, drawn, mean, log_variance, looks(drawn, images))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(network)
        if step % 10 == 0:
            run.log(terms)
        if step % run.args.sheet_every == 0:
            draw_reconstructions(averaged(average), held_out.pixels, run)
        if run.due():
            run.save(config=asdict(config), **parts)
    run.save(config=asdict(config), **parts)
    smoothed = averaged(average)
    finish(run, smoothed, faces, held_out)
    return smoothed


def averaged(average: AveragedModel) -> Vae:
    """Return the averaged network in eval mode: what is exported."""
    network = average.module.eval()
    assert isinstance(network, Vae)
    return network


def encode(network: Vae, pixels: np.ndarray) -> Tensor:
    """Return the latent means (N, L) of uint8 faces (N, 128, 128, 3)."""
    device = next(network.parameters()).device
    return in_batches(
        lambda some: network.encoder(to_network(some.numpy()).to(device))[0].cpu(), torch.from_numpy(pixels)
    )


def decode(network: Vae, latents: Tensor) -> np.ndarray:
    """Return the uint8 faces (N, 128, 128, 3) of latents (N, L)."""
    device = next(network.parameters()).device
    return to_pixels(in_batches(lambda some: network.decoder(some.to(device)).cpu(), latents))


def attributes_of(read: dict[str, np.ndarray]) -> Tensor:
    """Return each of ATTRIBUTES (N, A) as the face reader's probabilities say it; age in units of 40 years from 25."""
    columns = []
    for head, labels in ATTRIBUTES.values():
        if labels:
            columns.append(read[head][:, [HEADS[head].index(label) for label in labels]].sum(1))
        else:
            columns.append((read[head] @ np.array(YEARS) - 25) / AGE_UNIT)
    return torch.from_numpy(np.stack(columns, axis=1)).float()


def psnr(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean peak signal-to-noise ratio in dB of uint8 faces (N, H, W, 3)."""
    errors = np.square(first.astype(np.float32) - second).mean((1, 2, 3))
    return float((10 * np.log10(255**2 / errors.clip(1e-3))).mean())


def finish(run: TrainingRun, network: Vae, faces: AlignedFaces, held_out: AlignedFaces) -> None:
    """Find the directions, measure on validation faces, draw the last sheets, save ``best.pt``."""
    latents = encode(network, faces.pixels)
    found = effects(latents, attributes_of(dict(faces.read)))
    directions = dict(zip(ATTRIBUTES, found, strict=True))
    held_out = held_out.take(np.random.default_rng(0).permutation(len(held_out.files))[:EVALUATED])
    held = encode(network, held_out.pixels)
    drawn = decode(network, held)
    dice = torch.Generator().manual_seed(0)
    spread = latents.std(0)
    samples = decode(network, latents.mean(0) + spread * torch.randn(len(held), held.shape[1], generator=dice))
    truth = image_features(held_out.pixels)
    run.metrics = {
        "faces": float(len(held)),
        "vae_psnr": psnr(drawn, held_out.pixels),
        "fd_reconstructed": frechet_distance(image_features(drawn), truth),
        "fd_vae": frechet_distance(image_features(samples), truth),
        **morph_figures(network, held_out, held, directions),
    }
    run.log(run.metrics, "val")
    draw_reconstructions(network, held_out.pixels, run, "final")
    draw_morphs(network, held_out, held, directions, run)
    kept = {name: value.tolist() for name, value in directions.items()}
    run.save(BEST, config={**asdict(network.config), "directions": kept}, network=network)
    print(run.metrics, flush=True)


def morph_figures(
    network: Vae, faces: AlignedFaces, latents: Tensor, directions: dict[str, Tensor]
) -> dict[str, float]:
    """Return in how many faces that do not smile the reader sees a smile after the walk, by its strength."""
    happy = HEADS["expression"].index("happy")
    sober = np.flatnonzero(faces.read["expression"][:, happy] < 0.3)
    figures = {}
    for strength in STRENGTHS:
        read = read_faces(decode(network, latents[sober] + strength * directions["smile"]))
        figures[f"smile_success_{strength}"] = float((read["expression"][:, happy] >= 0.5).mean())
    before, after = (
        attributes_of(read_faces(decode(network, latents[sober] + strength * directions["age"])))[:, 1].mean()
        for strength in (0.0, 1.0)
    )
    return {**figures, "years_older": float(after - before) * AGE_UNIT}


def draw_reconstructions(network: Vae, pixels: np.ndarray, run: TrainingRun, name: str = "", columns: int = 12) -> None:
    """Write a sheet: validation faces over their reconstructions, then samples of the prior."""
    shown = pixels[: 2 * columns]
    drawn = decode(network, encode(network, shown))
    dice = torch.Generator().manual_seed(0)
    samples = decode(network, torch.randn(columns, network.config.latent, generator=dice))
    rows = [shown[:columns], drawn[:columns], shown[columns:], drawn[columns:], samples]
    save_sheet(rows, run.out, name or f"{run.step:06d}")


def draw_morphs(
    network: Vae, faces: AlignedFaces, latents: Tensor, directions: dict[str, Tensor], run: TrainingRun, rows: int = 8
) -> None:
    """Write a sheet of sober faces, their reconstruction and walks along smile (three), age (two) and glasses."""
    sober = np.flatnonzero(faces.read["expression"][:, HEADS["expression"].index("happy")] < 0.3)[:rows]
    walks = [("smile", s) for s in (0.0, 0.7, 1.4, 2.0)] + [("age", -0.7), ("age", 1.0), ("glasses", 1.0)]
    columns = [faces.pixels[sober]] + [decode(network, latents[sober] + s * directions[name]) for name, s in walks]
    save_sheet(list(np.stack(columns, axis=1)), run.out, "morphs")


def main() -> None:
    """Parse arguments and train."""
    parser = arguments("vae", __doc__ or "", minutes=60)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--beta", type=float, default=VaeConfig.beta, help="weight of the KL term")
    parser.add_argument("--sheet-every", type=int, default=250, help="steps between sheets of reconstructions")
    parser.add_argument("--compile", action="store_true", help="compile the network: faster after a minute")
    args = parser.parse_args()
    config = VaeConfig(beta=args.beta)
    train(TrainingRun(args), args.data / "faces", config, args.batch, args.lr, compiled=args.compile)


if __name__ == "__main__":
    main()
