"""The VAE: a face as 128 numbers and back, so that a smile or an age is a direction to walk in.

    python -m models.train.vae --minutes 60
    python -m export vae

Variational autoencoder (Kingma & Welling 2014, arXiv:1312.6114). The encoder gives a normal distribution
q(z|x) = N(mu, diag(sigma^2)), the decoder p(x|z); maximised is the evidence lower bound

    log p(x) >= ELBO = E_q(z|x)[log p(x|z)] - KL(q(z|x) || p(z)),    p(z) = N(0, I),

through z = mu + sigma * e with e ~ N(0, I) (the reparameterisation), where the second term has the closed form

    KL = 1/2 sum(mu^2 + sigma^2 - 1 - log sigma^2)                   (appendix B of the paper).

Taking each of N pixel values as Laplace distributed around the decoder's with scale b makes -log p(x|z) the
sum of |x - x'| / b up to a constant. Minimised is therefore, per value and times b,

    mean |x - x'|  +  beta (b / N) KL  +  w * features(x, x'),       beta as in Higgins et al. 2017,

the last a distance between what an ImageNet network sees in both (Zhang et al. 2018, arXiv:1801.03924; Hou et
al. 2017, arXiv:1610.00291): without it faces are blurred. Shapes: B batch, L latent numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.efficientnet_lite0 import EfficientNetLite0, pretrained
from models.gan import fold_batch_norms

SIZE = 128  # pixels
NOISE_SCALE = 0.1  # b, of values in -1..1


@dataclass(frozen=True)
class VaeConfig:
    """Sizes: latent numbers, channels at 64, 32, 16, 8 and 4 px; weights of the KL and the feature terms."""

    latent: int = 128
    widths: Sequence[int] = (24, 48, 96, 128, 160)
    beta: float = 40.0
    features: float = 0.6


class Residual(nn.Module):
    """A residual 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.SiLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, S, S) -> the same shape."""
        return x + self.layers(x)


class Encoder(nn.Module):
    """A face -> mean and log variance of its latent distribution."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels_in, channels in pairwise((3, *config.widths)):
            conv = nn.Conv2d(channels_in, channels, 4, 2, 1, bias=False)
            layers += [conv, nn.BatchNorm2d(channels), nn.SiLU()]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(config.widths[-1] * 16, 2 * config.latent)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """RGB (B, 3, 128, 128) in -1..1 -> mean (B, L), log variance (B, L) in -10..4."""
        mean, log_variance = self.head(self.layers(faces).flatten(1)).chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 4)


class Decoder(nn.Module):
    """Latent numbers -> a face."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = list(reversed(config.widths))
        self.start = nn.Linear(config.latent, widths[0] * 16)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.SiLU()]
        for i, (channels_in, channels) in enumerate(pairwise((*widths, widths[-1]))):
            conv = nn.ConvTranspose2d(channels_in, channels, 4, 2, 1, bias=False)
            layers += [conv, nn.BatchNorm2d(channels), nn.SiLU()]
            if i < 2:  # at 8 and 16 px, where a face takes its shape and convolutions cost little
                layers.append(Residual(channels))
        self.layers = nn.Sequential(*layers)
        self.colour = nn.Conv2d(widths[-1], 3, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, L) -> RGB (B, 3, 128, 128) in -1..1."""
        return torch.tanh(self.colour(self.layers(self.start(latent).unflatten(1, (-1, 4, 4)))))


class Vae(nn.Module):
    """Encoder and decoder together."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)

    def forward(self, faces: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Faces (B, 3, 128, 128), normal noise (B, L) -> their reconstruction, mean and log variance."""
        mean, log_variance = self.encoder(faces)
        return self.decoder(reparameterise(mean, log_variance, noise)), mean, log_variance


class Perception(nn.Module):
    """How different two images look to EfficientNet-Lite0's first stages, as in LPIPS but without fitted weights."""

    ENDS = (1, 3, 5, 11)  # blocks after which images are compared: strides 2, 4, 8 and 16

    def __init__(self, network: EfficientNetLite0 | None = None) -> None:
        """Build it; ``network`` takes the place of the ImageNet weights in tests."""
        super().__init__()
        self.network = fold_batch_norms(network or pretrained(head=False))
        self.requires_grad_(False).eval()

    def features(self, images: Tensor) -> list[Tensor]:
        """RGB (B, 3, S, S) in -1..1 -> maps whose channels at each place have length 1."""
        x = self.network.stem(images * (127.5 / 128) + 0.5 / 128)
        seen = []
        for i, block in enumerate(list(self.network.blocks)[: self.ENDS[-1]], start=1):
            x = block(x)
            if i in self.ENDS:
                seen.append(F.normalize(x, dim=1, eps=1e-4))
        return seen

    def forward(self, images: Tensor, truth: Tensor) -> Tensor:
        """Return the mean squared distance of the maps, 0 for equal images; gradients flow to ``images`` only."""
        with torch.no_grad():
            wanted = self.features(truth)
        pairs = zip(self.features(images), wanted, strict=True)
        return torch.stack([(a - b).square().sum(1).mean() for a, b in pairs]).mean()


def reparameterise(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Return mean + sigma * noise, (B, L): a sample through which gradients reach both."""
    return mean + torch.exp(0.5 * log_variance) * noise


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, sigma^2) || N(0, 1)) in nats, summed over latent numbers: (B, L), (B, L) -> (B,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def vae_loss(
    config: VaeConfig, faces: Tensor, drawn: Tensor, mean: Tensor, log_variance: Tensor, looks: Tensor | float
) -> tuple[Tensor, dict[str, float]]:
    """Return the negative ELBO per pixel value, times b, plus the weighted feature distance; and its terms."""
    pixels = (faces - drawn).abs().mean()
    kl = kl_divergence(mean, log_variance).mean()
    values = faces[0].numel()
    loss = pixels + config.beta * NOISE_SCALE / values * kl + config.features * looks
    return loss, {"loss": loss.item(), "pixels": pixels.item(), "kl": kl.item(), "looks": torch.as_tensor(looks).item()}


def effects(latents: Tensor, attributes: Tensor) -> Tensor:
    """Return how the latents change with each attribute while the others stay: (N, L), (N, A) -> (A, L).

    Least squares of the latents on all attributes together, so that the smile's direction does not turn men
    into women because women smile more in photos. Adding row a moves a face by one unit of attribute a.
    """
    known = torch.cat((attributes, torch.ones(len(attributes), 1)), dim=1)
    return torch.linalg.lstsq(known.double(), latents.double()).solution[:-1].float()
