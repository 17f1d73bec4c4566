"""The GAN: draws faces that never existed, by age group, gender presentation and smile.

    python -m models.train.gan --minutes 120
    python -m export gan

Two networks play against each other (Goodfellow et al. 2014, arXiv:1406.2661). D learns to tell real faces
x from drawn ones G(z), G learns to be taken for real; both see the conditions c:

    D:  minimise  -[log D(x, c) + log(1 - D(G(z, c), c))]
    G:  minimise  -log D(G(z, c), c)                 (the non-saturating form of the same paper, section 3)

with D = sigmoid(logit), so that -log D = softplus(-logit) and -log(1 - D) = softplus(logit). What makes it
work with few faces and little time:

- D looks through a frozen ImageNet network (projected GAN: Sauer et al. 2021, arXiv:2111.01007), with a fifth
  small head on the pixels themselves for the texture which that network overlooks;
- G's faces must vary as real ones do, place by place, in what D's eyes see (matching of means and deviations:
  Salimans et al. 2016, arXiv:1606.03498; dos Santos et al. 2019, arXiv:1904.02762); without it G drew one face;
- both kinds of images are changed alike before D looks (DiffAugment: Zhao et al. 2020, arXiv:2006.10738);
- D's gradient at real faces is kept small (R1: Mescheder et al. 2018, arXiv:1801.04406);
- G begins as the decoder of a VAE (models/vae.py), and the faces it learns from afterwards are still drawn from
  the code of a real one and must look like it (VAE/GAN: Larsen et al. 2016, arXiv:1512.09300): faces stand after
  minutes, where the game alone spends hours on where eyes and mouths go;
- conditions enter D by projection (Miyato & Koyama 2018, arXiv:1802.05637), G by the scales of its norms;
- G is narrow where pixels are many: that is where a CPU's time goes.

Shapes: B batch, S = 64 or 128 pixels, K conditions (age group, gender, smile).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from models.efficientnet_lite0 import STAGES, ConvNormAct, EfficientNetLite0, pretrained


@dataclass(frozen=True)
class GanConfig:
    """Sizes: answers by condition, noise and style numbers, channels at 4, 8, 16, 32, 64 and 128 px, D's channels."""

    conditions: Sequence[int] = (5, 2, 2)
    noise: int = 128
    embedding: int = 16
    style: int = 160
    widths: Sequence[int] = (192, 160, 128, 64, 32, 16)
    judge: int = 64


class Styled(nn.Module):
    """Batch norm whose scale and shift depend on the style, then a gated linear unit: 2C channels to C."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(2 * channels, affine=False)
        self.affine = nn.Linear(style, 4 * channels)
        nn.init.normal_(self.affine.weight, std=0.3 * style**-0.5)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, 2C, S, S), (B, style) -> (B, C, S, S)."""
        scale, shift = self.affine(style)[:, :, None, None].chunk(2, dim=1)
        return F.glu(torch.addcmul(shift, self.norm(x), 1 + scale), dim=1)


class Grow(nn.Module):
    """Enlarge to twice the size and convolve 3x3, as one 4x4 transposed convolution at 4/9 of the cost.

    Its kernel is the 3x3 one added up over four places, so no checkerboard can come of it (Karras et al. 2018).
    """

    def __init__(self, style: int, channels_in: int, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels_in, 2 * channels, 3, 3))
        nn.init.normal_(self.weight, std=(9 * channels_in) ** -0.5)
        self.styled = Styled(style, channels)

    def kernel(self) -> Tensor:
        """Return the 4x4 kernel (C, 2C', 4, 4)."""
        if self.weight.shape[-1] == 4:
            return self.weight
        sides = [(0, 1), (1, 0)]
        return torch.stack([F.pad(self.weight, (*a, *b)) for a in sides for b in sides]).sum(0)

    def fold(self) -> None:
        """Keep the 4x4 kernel itself, which need not be added up for every face."""
        self.weight = nn.Parameter(self.kernel().detach())

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, S, S), (B, style) -> (B, C', 2S, 2S)."""
        return self.styled(F.conv_transpose2d(x, self.kernel(), stride=2, padding=1), style)


class Refine(nn.Module):
    """A residual 3x3 convolution at one size."""

    def __init__(self, style: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, 2 * channels, 3, padding=1, bias=False)
        self.styled = Styled(style, channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """(B, C, S, S), (B, style) -> (B, C, S, S)."""
        return x + self.styled(self.conv(x), style)


class Generator(nn.Module):
    """Noise and conditions -> a face. Two outputs of colour add up: one at 64 px and what 128 px refine of it."""

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = nn.ModuleList(nn.Embedding(count, config.embedding) for count in config.conditions)
        latent, widths = config.noise + config.embedding * len(config.conditions), config.widths
        self.style = nn.Sequential(
            nn.Linear(latent, config.style), nn.LeakyReLU(0.2), nn.Linear(config.style, config.style)
        )
        self.start = nn.Linear(latent, 2 * widths[0] * 16)
        self.first = Styled(config.style, widths[0])
        self.grow = nn.ModuleList(Grow(config.style, a, b) for a, b in pairwise(widths))
        self.refine = Refine(config.style, widths[1])
        self.colour_64 = nn.Conv2d(widths[-2], 3, 3, padding=1)
        self.colour_128 = nn.Conv2d(widths[-1], 3, 3, padding=1)
        nn.init.zeros_(self.colour_128.weight)  # at first the 128 px face is the 64 px one, enlarged

    def forward(self, noise: Tensor, conditions: Tensor, small: bool = False) -> Tensor:
        """(B, noise) of normal noise, conditions (B, K) int64 -> RGB (B, 3, 128, 128) in -1..1, 64 px if ``small``."""
        noise = noise * torch.rsqrt(noise.square().mean(1, keepdim=True) + 1e-8)
        embedded = [embed(conditions[:, i]) for i, embed in enumerate(self.embeddings)]
        latent = torch.cat((noise, *embedded), dim=1)
        style = self.style(latent)
        x = self.first(self.start(latent).unflatten(1, (-1, 4, 4)), style)
        for i, grow in enumerate(list(self.grow)[:-1]):
            x = grow(x, style)
            if i == 0:
                x = self.refine(x, style)
        colour = self.colour_64(x)
        if small:
            return torch.tanh(colour)
        colour = F.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
        return torch.tanh(colour + self.colour_128(self.grow[-1](x, style)))


class Eyes(nn.Module):
    """What D sees with: EfficientNet-Lite0 as ImageNet left it, features at strides 4, 8, 16 and 32, never trained.

    Each is mixed across channels by a fixed random 1x1 convolution and gets the next coarser one, mixed too,
    added: D cannot then rely on a few channels (cross-channel and cross-scale mixing of projected GANs).
    """

    ENDS = (3, 5, 11, 16)  # blocks after which a feature is taken: 24, 40, 112 and 320 channels

    def __init__(self, channels: int, network: EfficientNetLite0 | None = None) -> None:
        """Build the eyes; ``network`` takes the place of the ImageNet weights in tests."""
        super().__init__()
        self.network = fold_batch_norms(network or pretrained(head=False))
        counts = [channels for _, channels, *_ in STAGES]
        kept = (counts[1], counts[2], counts[4], counts[6])
        self.mix = nn.ModuleList(nn.Conv2d(count, channels, 1, bias=False) for count in kept)
        self.down = nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in kept[1:])
        dice = torch.Generator().manual_seed(0)  # every run and every resume sees alike
        for conv in (*self.mix, *self.down):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear", generator=dice)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> list[Tensor]:
        """RGB (B, 3, S, S) in -1..1 -> four maps (B, channels, S / stride, S / stride), the finest first."""
        x = self.network.stem(images * (127.5 / 128) + 0.5 / 128)
        seen = list[Tensor]()
        for i, block in enumerate(self.network.blocks, start=1):
            x = block(x)
            if i in self.ENDS:
                seen.append(self.mix[len(seen)](x))
        for i in reversed(range(len(seen) - 1)):
            coarser = F.interpolate(self.down[i](seen[i + 1]), scale_factor=2.0, mode="bilinear", align_corners=False)
            seen[i] = (seen[i] + coarser) * 0.5**0.5
        return seen


class Judge(nn.Module):
    """One head of D: strided convolutions on one map, then a logit a place, conditions projected."""

    def __init__(self, conditions: Sequence[int], channels: int, halvings: int, channels_in: int = 0) -> None:
        """Build it for a map of ``channels_in`` channels (0: as many as it has itself)."""
        super().__init__()
        layers: list[nn.Module] = []
        widths = (channels_in or channels, *[channels] * halvings)
        for before, after in pairwise(widths):
            conv = spectral_norm(nn.Conv2d(before, after, 4, 2, 1, bias=False))
            layers += [conv, nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        layers += [spectral_norm(nn.Conv2d(channels, channels, 3, padding=1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.logit = spectral_norm(nn.Conv2d(channels, 1, 1))
        self.embeddings = nn.ModuleList(spectral_norm(nn.Embedding(count, channels)) for count in conditions)

    def forward(self, seen: Tensor, conditions: Tensor) -> Tensor:
        """(B, channels, H, W), (B, K) -> logits (B, places)."""
        x = self.layers(seen)
        wanted = sum(embed(conditions[:, i]) for i, embed in enumerate(self.embeddings))
        return (self.logit(x)[:, 0] + torch.einsum("bchw,bc->bhw", x, wanted)).flatten(1)


class Discriminator(nn.Module):
    """A judge of the pixels and four of what the eyes see at their scales; trained apart from the eyes.

    The finest map of the eyes has a place for 4 x 4 pixels: the first judge is there for what is finer.
    """

    def __init__(self, config: GanConfig) -> None:
        super().__init__()
        judges = [Judge(config.conditions, config.judge, halvings) for halvings in (3, 2, 1, 0)]
        self.judges = nn.ModuleList((Judge(config.conditions, config.judge // 2, 4, channels_in=3), *judges))

    def forward(self, seen: Sequence[Tensor], conditions: Tensor) -> list[Tensor]:
        """Return the logits (B, places) of each judge; ``seen`` are the pixels, then the eyes' maps."""
        return [judge(one, conditions) for judge, one in zip(self.judges, seen, strict=True)]


def discriminator_loss(real: Sequence[Tensor], drawn: Sequence[Tensor]) -> Tensor:
    """Return -[log D(x) + log(1 - D(G(z)))], the mean over faces and places, summed over judges."""
    return torch.stack([F.softplus(-r).mean() + F.softplus(d).mean() for r, d in zip(real, drawn, strict=True)]).sum()


def generator_loss(drawn: Sequence[Tensor]) -> Tensor:
    """Return -log D(G(z)), the mean over faces and places, summed over judges."""
    return torch.stack([F.softplus(-d).mean() for d in drawn]).sum()


Moments = list[tuple[Tensor, Tensor]]  # mean and standard deviation (channels, H, W) of each map over many faces


def moments(seen: Sequence[Tensor]) -> Moments:
    """Return mean and standard deviation over the batch of each map (B, channels, H, W)."""
    return [(one.mean(0), (one.var(0) + 1e-6).sqrt()) for one in seen]


def matching_loss(drawn: Moments, real: Moments) -> Tensor:
    """Return how far means and deviations are apart, squared, in deviations of real faces; summed over maps."""
    pairs = zip(drawn, real, strict=True)
    gaps = [
        ((m - mean) / spread).square().mean() + (s / spread - 1).square().mean() for (m, s), (mean, spread) in pairs
    ]
    return torch.stack(gaps).sum()


def likeness_loss(drawn: Sequence[Tensor], real: Sequence[Tensor], scale: Moments) -> Tensor:
    """Return how far each drawn face is from its own real one, squared, in deviations of real faces; mean over maps."""
    triples = zip(drawn, real, scale, strict=True)
    return torch.stack([((a - b) / spread).square().mean() for a, b, (_, spread) in triples]).mean()


def gradient_penalty(real: Sequence[Tensor], seen: Sequence[Tensor]) -> Tensor:
    """Return R1, the mean over faces of |gradient of D's logits with respect to what it sees of a real face|^2.

    The eyes are fixed, so the gradient is taken at the maps they give (and at the pixels, where D looks at those).
    """
    total = torch.stack([logits.mean(1).sum() for logits in real]).sum()
    gradients = torch.autograd.grad(total, list(seen), create_graph=True)
    return torch.stack([g.square().flatten(1).sum(1).mean() for g in gradients]).sum()


def fold_batch_norms(network: EfficientNetLite0) -> EfficientNetLite0:
    """Return the network in eval mode with each batch norm made part of the convolution before it."""
    for layer in network.eval().modules():
        if isinstance(layer, ConvNormAct):
            conv, norm = layer[0], layer[1]
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            assert norm.running_var is not None
            assert norm.running_mean is not None
            scale = norm.weight.detach() / torch.sqrt(norm.running_var + norm.eps)
            conv.weight = nn.Parameter(conv.weight.detach() * scale[:, None, None, None])
            conv.bias = nn.Parameter(norm.bias.detach() - norm.running_mean * scale)
            layer[1] = nn.Identity()
    return network


def diff_augment(images: Tensor, dice: torch.Generator) -> Tensor:
    """Change light, colour and contrast, move by up to 1/8 and cut out a square of half the side (Zhao et al. 2020).

    Differentiable, so G learns through it; what it never sees undone it need not draw. (B, 3, S, S) -> the same.
    """
    count, _, side, _ = images.shape

    def random(*shape: int) -> Tensor:
        return torch.rand(shape, generator=dice).to(images)

    x = images + (random(count, 1, 1, 1) - 0.5)
    grey = x.mean(1, keepdim=True)
    x = grey + (x - grey) * (2 * random(count, 1, 1, 1))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * (0.5 + random(count, 1, 1, 1))

    moved = torch.randint(-(side // 8), side // 8 + 1, (count, 2), generator=dice)
    hole = torch.randint(0, side + 1, (count, 2), generator=dice)
    places = torch.arange(side)
    rows, columns = ((places + moved[:, i, None]) for i in (0, 1))  # (B, S) each: where a pixel comes from
    inside = ((rows >= 0) & (rows < side))[:, :, None] & ((columns >= 0) & (columns < side))[:, None]
    cut = [((places - hole[:, i, None]).abs() < side // 4) for i in (0, 1)]
    kept = inside & ~(cut[0][:, :, None] & cut[1][:, None])
    index = torch.arange(count)[:, None, None], rows.clamp(0, side - 1)[:, :, None], columns.clamp(0, side - 1)[:, None]
    x = x.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2)
    return x * kept[:, None].to(x)
