"""Train the GAN on aligned FairFace crops, discriminator and generator in turn.

    OMP_NUM_THREADS=1 python -m models.train.gan --minutes 120 --compile

First G learns as the decoder of a VAE, whose encoder is only needed here; then the game begins. A first part of
the budget runs at 64 px, where everything costs less, the rest at 128 px (progressive growing: Karras et al. 2018,
arXiv:1710.10196). Each step of the game draws one batch of faces that both networks learn from: D first, then G
through the D that has learned. They are drawn from codes of real faces and must stay like those, and the game
weighs little: with as little training D knows what skin looks like long before it knows where eyes belong, and
a G that follows it eagerly draws fine skin on broken faces. Rare ages are shown more often, and the faces drawn
are asked for with the conditions of the real ones beside them, so that D cannot tell by the conditions.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from bot.portrait.wishes import AGES, GENDERS
from models.data.aligned_faces import AlignedFaces, to_network, to_pixels
from models.gan import (
    Discriminator,
    Eyes,
    GanConfig,
    Generator,
    Moments,
    diff_augment,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    likeness_loss,
    matching_loss,
    moments,
)
from models.train.face_reader import moving_average
from models.train.generated import agreement, frechet_distance, image_features, in_batches, read_faces, save_sheet
from models.train.run import BEST, TrainingRun, arguments, set_learning_rate, trapezoid
from models.vae import Encoder, VaeConfig, kl_divergence, reparameterise

R1_EVERY, R1_WEIGHT = 16, 1.0  # steps between gradient penalties; gamma of gamma / 2 |gradient|^2
GAME, MATCHING, LIKENESS, PIXELS, KL = 0.25, 0.3, 2.0, 3.0, 6e-3  # weights in G's loss; of the KL, of each nat
FASTER = 5.0  # times G's learning rate for D: else D stays near chance, and G follows its noise
VAE_RATE = 3.0  # times the learning rate while G is a decoder
CODED_SHARE = 1.0  # of the faces drawn in the game: those from the code of a real face
CODED = (48, 96, 128, 160)  # channels of the encoder at 32, 16, 8 and 4 px
MOMENT_BATCHES, MOMENT_STEP = 80, 2**40  # batches of real faces the moments are of, and the step they are drawn as
BALANCE = 0.5  # a face is drawn by (how many share its conditions) ** -BALANCE
COLUMNS = 4  # noises on a sheet, each not smiling and smiling
EVALUATED = 600


Batch = tuple[Tensor, Tensor, Tensor, torch.Generator]


class Batches:
    """Draws real faces, their conditions and noise; the same seed and step give the same, also after a resume."""

    def __init__(self, faces: AlignedFaces, batch: int, noise: int, seed: int) -> None:
        self.faces, self.batch, self.noise, self.seed = faces, batch, noise, seed
        _, kind, counts = np.unique(faces.conditions, axis=0, return_inverse=True, return_counts=True)
        weights = counts[kind.ravel()] ** -BALANCE
        self.weights = weights / weights.sum()

    def draw(self, step: int, small: bool) -> Batch:
        """Return faces (B, 3, S, S), conditions (B, K), noise (B, noise) and the dice for this step's augmentation."""
        random = np.random.default_rng((self.seed, step))
        dice = torch.Generator().manual_seed(int(random.integers(2**62)))
        places = random.choice(len(self.weights), self.batch, p=self.weights)
        images = to_network(self.faces.pixels[places])
        mirrored = torch.from_numpy(random.random(self.batch) < 0.5)[:, None, None, None]
        images = torch.where(mirrored, images.flip(3), images).contiguous(memory_format=torch.channels_last)
        if small:
            images = F.avg_pool2d(images, 2)
        return (
            images,
            torch.from_numpy(self.faces.conditions[places]),
            torch.randn(self.batch, self.noise, generator=dice),
            dice,
        )


class Game:
    """Generator and encoder, discriminator, their optimisers, the averaged generator: what a step changes."""

    def __init__(self, config: GanConfig, lr: float, device: torch.device, eyes: Eyes | None = None) -> None:
        self.config, self.device = config, device
        self.generator, self.discriminator = Generator(config), Discriminator(config)
        self.encoder = Encoder(VaeConfig(latent=config.noise, widths=CODED))
        self.eyes = eyes or Eyes(config.judge)
        for network in (self.generator, self.encoder, self.discriminator, self.eyes):
            network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = AveragedModel(self.generator, avg_fn=moving_average, use_buffers=True)
        self.draw: Callable[..., Tensor] = self.generator  # or its compiled form
        self.real: Moments = []
        self.optimizers = [
            torch.optim.Adam([*self.generator.parameters(), *self.encoder.parameters()], lr, betas=(0.5, 0.99)),
            torch.optim.Adam(self.discriminator.parameters(), FASTER * lr, betas=(0.0, 0.99)),
        ]

    @property
    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds, by name."""
        players = {"generator": self.generator, "encoder": self.encoder, "discriminator": self.discriminator}
        optimizers = dict(zip(("generator_optimizer", "discriminator_optimizer"), self.optimizers, strict=True))
        return {**players, "average": self.average, **optimizers}

    @torch.no_grad()
    def know(self, batches: Batches, small: bool) -> None:
        """Find the moments of real faces at a size, as the eyes see them changed: what G's are to match."""
        sums: list[list[Tensor]] = []
        for i in range(MOMENT_BATCHES):
            images, _, _, dice = batches.draw(MOMENT_STEP + i, small)
            seen = self.eyes(diff_augment(images.to(self.device), dice))
            terms = [value for one in seen for value in (one.mean(0), one.square().mean(0))]
            sums.append(terms)
        means = [torch.stack(values).mean(0) for values in zip(*sums, strict=True)]
        pairs = zip(means[::2], means[1::2], strict=True)
        self.real = [(mean, (square - mean.square()).clamp(min=1e-4).sqrt()) for mean, square in pairs]

    def see(self, images: Tensor) -> list[Tensor]:
        """Return what D judges: the images (B, 3, S, S) themselves, then the four maps of the eyes."""
        return [images, *self.eyes(images)]

    def code(self, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Return codes (B, noise) of real faces, drawn from what the encoder makes of them at 64 px, and their KL."""
        mean, log_variance = self.encoder(F.adaptive_avg_pool2d(images, 64))
        return reparameterise(mean, log_variance, noise), kl_divergence(mean, log_variance).mean()

    def recall(self, batch: Batch, small: bool) -> dict[str, float]:
        """Train G as the decoder of a VAE: what it draws from a face's code must look like that face."""
        images, conditions, noise = (value.to(self.device) for value in batch[:3])
        codes, kl = self.code(images, noise)
        drawn = self.draw(codes, conditions, small)
        with torch.no_grad():
            real_seen = self.eyes(images)
        pixels, likeness = (images - drawn).abs().mean(), likeness_loss(self.eyes(drawn), real_seen, self.real)
        self.optimizers[0].zero_grad()
        (PIXELS * pixels + LIKENESS * likeness + KL * kl).backward()
        self.optimizers[0].step()
        self.average.update_parameters(self.generator)
        return {"pixels": pixels.item(), "likeness": likeness.item(), "kl": kl.item()}

    def learn(self, batch: Batch, small: bool, penalise: bool) -> dict[str, float]:
        """Train D on real and drawn faces, then G through the new D; return both losses and how sure D is."""
        images, conditions, noise = (value.to(self.device) for value in batch[:3])
        dice, coded = batch[3], round(CODED_SHARE * len(images))
        codes, kl = self.code(images[:coded], noise[:coded])
        before = dice.get_state()
        with torch.no_grad():
            real_seen = self.see(diff_augment(images, dice))
        dice.set_state(before)  # each face is changed as the real one that it shall look like
        faces = self.draw(torch.cat((codes, noise[coded:])), conditions, small)
        drawn_seen = self.see(diff_augment(faces, dice))
        pixels = (images[:coded] - faces[:coded]).abs().mean()
        pairs = [[one[:coded] for one in seen[1:]] for seen in (drawn_seen, real_seen)]
        likeness = likeness_loss(pairs[0], pairs[1], self.real)

        if penalise:
            real_seen = [seen.requires_grad_() for seen in real_seen]
        real = self.discriminator(real_seen, conditions)
        drawn = self.discriminator([seen.detach() for seen in drawn_seen], conditions)
        d_loss = discriminator_loss(real, drawn)
        penalty = gradient_penalty(real, real_seen) if penalise else torch.zeros(())
        self.optimizers[1].zero_grad()
        (d_loss + 0.5 * R1_WEIGHT * R1_EVERY * penalty).backward()
        self.optimizers[1].step()

        self.discriminator.requires_grad_(False)  # spare the gradients that only G's step would make
        g_loss = generator_loss(self.discriminator(drawn_seen, conditions))
        apart = matching_loss(moments(drawn_seen[1:]), self.real)
        self.optimizers[0].zero_grad()
        (GAME * g_loss + MATCHING * apart + PIXELS * pixels + LIKENESS * likeness + KL * kl).backward()
        self.optimizers[0].step()
        self.discriminator.requires_grad_(True)
        self.average.update_parameters(self.generator)
        sure = [torch.cat(logits, dim=1).detach().sign().mean().item() for logits in (real, drawn)]
        alike = {"pixels": pixels, "likeness": likeness, "kl": kl}
        losses = {"g": g_loss, "d": d_loss, "apart": apart, **alike}
        told = {**{name: value.item() for name, value in losses.items()}, "sure_real": sure[0], "sure_drawn": -sure[1]}
        return {**told, "r1": penalty.item()} if penalise else told


def train(run: TrainingRun, folder: Path, config: GanConfig, batch: int, lr: float, compiled: bool = False) -> Game:
    """Train until the budget is spent, with a sheet and a checkpoint every few minutes, then measure."""
    game = Game(config, lr, run.device)
    batches = Batches(AlignedFaces.load(folder, "train"), batch, config.noise, run.args.seed)
    run.resume(**game.parts)
    if compiled:
        game.draw = torch.compile(game.generator)
    game.generator.train()
    known = None
    for step in run.steps():
        small, decoding = run.progress < run.args.small_share, run.progress < run.args.vae_share
        if small != known:
            game.know(batches, small)
            known = small
        for optimizer in game.optimizers:
            set_learning_rate(optimizer, trapezoid(run.progress, decay=0.3) * (VAE_RATE if decoding else 1.0))
        batch_now = batches.draw(step, small)
        if decoding:
            losses = game.recall(batch_now, small)
        else:
            losses = game.learn(batch_now, small, penalise=step % R1_EVERY == 0)
        if step % 10 == 0:
            run.log(losses)
        if step % run.args.sheet_every == 0:
            draw_sheet(game, run, small)
        if run.due():
            run.save(config=asdict(config), **game.parts)
    run.save(config=asdict(config), **game.parts)
    finish(run, game, folder)
    return game


def averaged(game: Game) -> Generator:
    """Return the averaged generator in eval mode: what is exported."""
    network = game.average.module.eval()
    assert isinstance(network, Generator)
    return network


def conditions_grid(columns: int) -> Tensor:
    """Return conditions (rows * 2 * columns, 3): a row an age group and gender, each noise sober, then smiling."""
    kinds = itertools.product(range(len(AGES)), range(len(GENDERS)), range(columns), (0, 1))
    return torch.tensor([(age, gender, smile) for age, gender, _, smile in kinds])


def draw_sheet(game: Game, run: TrainingRun, small: bool, columns: int = COLUMNS, name: str = "") -> None:
    """Write a sheet of the averaged generator's faces: the same noises every time and in every row."""
    conditions = conditions_grid(columns)
    rows = len(AGES) * len(GENDERS)
    noise = torch.randn(columns, game.config.noise, generator=torch.Generator().manual_seed(0))
    noise = noise.repeat_interleave(2, dim=0).repeat(rows, 1)
    drawn = in_batches(lambda z, c: averaged(game)(z.to(run.device), c.to(run.device), small), noise, conditions)
    save_sheet(np.split(to_pixels(drawn), rows), run.out, name or f"{run.step:06d}")


def finish(run: TrainingRun, game: Game, folder: Path) -> None:
    """Measure the averaged generator against validation faces, draw a last sheet, save ``best.pt``."""
    held_out, seen = AlignedFaces.load(folder, "val"), AlignedFaces.load(folder, "train")
    count = min(EVALUATED, len(held_out.files), len(seen.files))
    random = np.random.default_rng(0)
    held_out, seen = (faces.take(random.permutation(len(faces.files))[:count]) for faces in (held_out, seen))
    dice, network = torch.Generator().manual_seed(0), averaged(game)
    conditions = torch.from_numpy(held_out.conditions)
    noise = torch.randn(count, game.config.noise, generator=dice)
    drawn = to_pixels(in_batches(lambda z, c: network(z.to(run.device), c.to(run.device)), noise, conditions))
    truth = image_features(held_out.pixels)
    run.metrics = {
        "faces": float(count),
        "fd_gan": frechet_distance(image_features(drawn), truth),
        "fd_real": frechet_distance(image_features(seen.pixels), truth),
        **agreement(read_faces(drawn), held_out.conditions),
        **{f"real_{name}": v for name, v in agreement(read_faces(held_out.pixels), held_out.conditions).items()},
    }
    run.log(run.metrics, "val")
    draw_sheet(game, run, small=False, name="final")
    run.save(BEST, config=asdict(game.config), network=network)
    print(run.metrics, flush=True)


def main() -> None:
    """Parse arguments and train."""
    parser = arguments("gan", __doc__ or "", minutes=120)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--lr", type=float, default=2e-4)
    parser.add_argument("--sheet-every", type=int, default=250, help="steps between sheets of samples")
    parser.add_argument("--small-share", type=float, default=0.2, help="share of the budget at 64 px")
    parser.add_argument("--vae-share", type=float, default=0.6, help="share of the budget in which G is a decoder")
    parser.add_argument("--compile", action="store_true", help="compile G: 1.6 times as fast, after a minute each size")
    args = parser.parse_args()
    train(TrainingRun(args), args.data / "faces", GanConfig(), args.batch, args.lr, args.compile)


if __name__ == "__main__":
    main()
