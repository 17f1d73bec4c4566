"""The captioner: EfficientNet-Lite0 with a tuned top, a concept head and a small transformer decoder.

The decoder (Vaswani et al. 2017, arXiv:1706.03762, pre-norm) attends to the photo's grid of features
and to the words a multi-label "concept" head finds most likely in it, as semantic-concept captioners
do (You et al. 2016, arXiv:1603.03925): nouns and colours come grounded even from few photos, and
plain sentences without photos can teach the decoder to turn concepts into language. How much likelier
than usual a concept is also lifts its word's score directly, as far as a gate lets it.

Train: ``python -m models.train.captioner_top``, then ``captioner``, then ``captioner_scst``; export:
``python -m export captioner``.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bot.vision.captioner import LIKELIEST, MAX_WORDS
from models.efficientnet_lite0 import ConvNormAct, EfficientNetLite0

EARLY, FROZEN = 5, 11  # blocks of the first three and of the first five stages
COLOURS = 40 + 12  # channels of the trunk's low features
LOW = COLOURS + 112  # with the deep ones they go into the decoder as they are
LOW_SCALE = 0.3  # brings standardised low features to the size of the pooled deep ones


@dataclass(frozen=True)
class CaptionerConfig:
    """Sizes of the network; ``concepts`` are the ids of the words the concept head knows."""

    words: int
    concepts: tuple[int, ...]
    size: int = 256  # pixels of the squashed photo
    width: int = 256
    layers: int = 2
    heads: int = 8
    inner: int = 768
    hidden: int = 320  # of the concept head
    top: int = 20  # concepts handed to the decoder
    dropout: float = 0.15

    @property
    def grid(self) -> int:
        """Number of grid features."""
        return (self.size // 32) ** 2


class Trunk(nn.Module):
    """The backbone's first five stages, never tuned: deep features for the top and low ones for colours.

    What ImageNet's classes do not need, the last stages drop: of what colour things are. So the decoder
    also gets the third stage's features and the photo's own colours, cell by cell.
    """

    def __init__(self, backbone: EfficientNetLite0) -> None:
        super().__init__()
        self.stem, self.early = backbone.stem, backbone.blocks[:EARLY]
        self.late = backbone.blocks[EARLY:FROZEN]

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, S, S) -> deep (B, 112, S / 16, S / 16), low (B, 52, S / 32, S / 32)."""
        early = self.early(self.stem(image))
        colours = F.pixel_unshuffle(F.avg_pool2d(image, 16), 2)
        return self.late(early), torch.cat((F.avg_pool2d(early, 4), colours), dim=1)


def low_features(deep: Tensor, colours: Tensor) -> Tensor:
    """Join the trunk's deep (B, 112, 2g, 2g) and low (B, 52, g, g) features: (B, LOW, g, g)."""
    return torch.cat((colours, F.avg_pool2d(deep, 2)), dim=1)


class Top(nn.Module):
    """The backbone's last two stages, tuned to what captions speak of, norms folded into the convolutions."""

    def __init__(self, backbone: EfficientNetLite0) -> None:
        super().__init__()
        self.blocks = folded(cast(nn.Sequential, backbone.blocks[FROZEN:]))  # a slice keeps the blocks' numbers

    def forward(self, deep: Tensor) -> Tensor:
        """(B, 112, 2g, 2g) -> (B, 320, g, g)."""
        return self.blocks(deep)


def folded(blocks: nn.Sequential) -> nn.Sequential:
    """Return a copy of ``blocks`` in which each convolution does its batch norm's work."""
    blocks = copy.deepcopy(blocks).eval()
    for part in [module for module in blocks.modules() if isinstance(module, ConvNormAct)]:
        convolution, norm = part[0], part[1]
        assert isinstance(convolution, nn.Conv2d)
        assert isinstance(norm, nn.BatchNorm2d)
        part[0], part[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return blocks


class ConceptHead(nn.Module):
    """Which concept words belong to the photo: logits from average-pooled features."""

    def __init__(self, channels: int, hidden: int, concepts: int, dropout: float = 0.4) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.classify = nn.Linear(hidden, concepts)
        self.dropout = dropout

    def forward(self, pooled: Tensor) -> Tensor:
        """(B, channels) -> (B, concepts) logits."""
        x = F.relu(self.norm(self.reduce(F.dropout(pooled, self.dropout, self.training))))
        return self.classify(F.dropout(x, self.dropout, self.training))


class Block(nn.Module):
    """Causal self-attention, attention to the photo, feed-forward; each behind its own norm."""

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        d = config.width
        self.heads, self.dropout = config.heads, config.dropout
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)
        self.qkv, self.out = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.query, self.cross_out = nn.Linear(d, d), nn.Linear(d, d)
        self.wide, self.narrow = nn.Linear(d, config.inner), nn.Linear(config.inner, d)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, past: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return (B, T, d) for x (B, T, d) with keys and values (M, H, N, d / H); B / M captions share a photo.

        ``past`` (2, B, H, P, d / H) are keys and values of earlier words, then T is 1; the second result is
        the same with the new words.
        """
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=past is None)
        x = x + self._drop(self.out(y.transpose(1, 2).reshape(b, t, d)))
        # captions of one photo stand side by side: their queries form one row, the photo is never copied
        q = self.query(self.norm2(x)).view(keys.shape[0], -1, self.heads, d // self.heads).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, keys, values)
        x = x + self._drop(self.cross_out(y.transpose(1, 2).reshape(b, t, d)))
        return x + self._drop(self.narrow(self._drop(F.gelu(self.wide(self.norm3(x)))))), torch.stack((k, v))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


@dataclass(frozen=True, slots=True)
class Seen:
    """Of each photo: grid (B, N, 1280) after the last convolution, standardised low features (B, N, LOW)."""

    grid: Tensor
    low: Tensor

    def pooled(self) -> Tensor:
        """Return one vector a photo (B, 1280 + 2 LOW)."""
        return torch.cat((self.grid.mean(1), LOW_SCALE * self.low.mean(1), LOW_SCALE * self.low.amax(1)), dim=1)


class Captioner(nn.Module):
    """The tuned top's features in, next-word logits out.

    Training reads those from disk; ``top`` is here for inference. The trunk is ImageNet's and no part of it.
    """

    low_mean: Tensor
    low_spread: Tensor
    concept_ids: Tensor
    prior: Tensor
    slots: Tensor

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        self.top = Top(EfficientNetLite0())
        self.head = ConvNormAct(320, 1280, 1)  # the backbone's last convolution, never tuned
        self.concept_head = ConceptHead(1280 + 2 * LOW, config.hidden, len(config.concepts))
        self.look, self.look_low = nn.Linear(1280, d), nn.Linear(LOW, d, bias=False)
        self.register_buffer("low_mean", torch.zeros(LOW))
        self.register_buffer("low_spread", torch.ones(LOW))
        self.place = nn.Parameter(torch.randn(config.grid, d) * 0.02)
        self.blank = nn.Parameter(torch.randn(1, 1, d) * 0.02)  # stands where there is no photo
        self.strength = nn.Linear(1, d)
        self.memory_norm = nn.LayerNorm(d)
        self.keys_values = nn.Linear(d, 2 * d * config.layers)
        self.embed = nn.Embedding(config.words, d)
        nn.init.normal_(self.embed.weight, std=0.05)
        self.position = nn.Parameter(torch.randn(MAX_WORDS + 1, d) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(d)
        self.gate = nn.Linear(d, 1)
        nn.init.constant_(self.gate.bias, -1.5)
        self.register_buffer("prior", torch.zeros(len(config.concepts)))  # mean concept logits
        self.register_buffer("concept_ids", torch.tensor(config.concepts), persistent=False)
        slots = torch.full((config.words,), len(config.concepts))
        slots[self.concept_ids] = torch.arange(len(config.concepts))
        self.register_buffer("slots", slots, persistent=False)  # place of a word among the concepts, or the end

    def see(self, features: Tensor, low: Tensor) -> Seen:
        """Top's features (B, 320, g, g) and low ones (B, LOW, g, g) -> what concept head and decoder see."""
        grid = self.head(features).flatten(2).transpose(1, 2)
        return Seen(grid, (low.flatten(2).transpose(1, 2) - self.low_mean) / self.low_spread)

    def concepts(self, seen: Seen) -> Tensor:
        """Return concept logits (B, C)."""
        return self.concept_head(seen.pooled())

    def memory(self, seen: Seen | None, concepts: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values (layers, M, H, N, d / H) of M photos and their concept logits (M, C).

        Without photos the decoder sees the concepts alone.
        """
        cells = self.blank.expand(len(concepts), -1, -1) if seen is None else self.cells(seen)
        return self.keys_and_values(cells, concepts, self.embed(self.concept_ids))

    def cells(self, seen: Seen) -> Tensor:
        """Return the grid as the decoder attends to it (B, N, d)."""
        return self.look(seen.grid) + self.look_low(LOW_SCALE * seen.low) + self.place

    def keys_and_values(self, cells: Tensor, concepts: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Like ``memory`` of cells (B, N', d); ``table`` (C, d) holds the embeddings of the concept words."""
        strength, best = concepts.topk(self.config.top, dim=-1)
        words = F.embedding(best, table) + self.strength(strength[..., None])
        x = self.memory_norm(torch.cat((cells, words), dim=1))
        b, n, _ = x.shape
        c = self.config
        both = self.keys_values(x).view(b, n, 2, c.layers, c.heads, -1).permute(2, 3, 0, 4, 1, 5)
        return both[0], both[1]

    def forward(self, ids: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Word ids (B, T) -> hidden states (B, T, d) from which ``scores`` makes logits."""
        x = self.embed(ids) + self.position[: ids.shape[1]]
        x = F.dropout(x, self.config.dropout, self.training)
        for i, block in enumerate(self.blocks):
            x, _ = block(x, keys[i], values[i])
        return self.norm(x)

    def step(self, ids: Tensor, past: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """One more word ids (B, 1) after ``past`` (layers, 2, B, H, P, d / H) -> hidden (B, 1, d) and the new past.

        Gives what ``forward`` gives for the last word, without computing the earlier ones again.
        """
        said = past.shape[4]
        x = self.embed(ids) + self.position[said : said + 1]
        grown = []
        for i, block in enumerate(self.blocks):
            x, present = block(x, keys[i], values[i], past[i])
            grown.append(present)
        return self.norm(x), torch.stack(grown)

    def no_past(self, captions: int) -> Tensor:
        """Return the past of captions that have no word yet."""
        c = self.config
        return torch.zeros(c.layers, 2, captions, c.heads, 0, c.width // c.heads)

    def lift(self, concepts: Tensor) -> Tensor:
        """Concept logits (B, C) -> how much likelier than usual each word is (B, words), 0 for other words."""
        return F.pad(concepts - self.prior, (0, 1))[:, self.slots]

    def scores(self, hidden: Tensor, lift: Tensor) -> Tensor:
        """Hidden states (..., d) and lift (..., words) -> (..., words) logits through the tied embedding."""
        return F.linear(hidden, self.embed.weight) + F.softplus(self.gate(hidden)) * lift

    def likeliest(self, hidden: Tensor, lift: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states (..., d) and lift (..., words) -> the likeliest next words (..., K) and log-probabilities."""
        log_probs, words = self.scores(hidden, lift).log_softmax(-1).topk(min(LIKELIEST, self.config.words))
        return words, log_probs
