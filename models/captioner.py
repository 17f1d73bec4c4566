"""The captioner: EfficientNet-Lite0 features, a concept head and a small transformer decoder.

The decoder (Vaswani et al. 2017, arXiv:1706.03762, pre-norm) attends to the photo's grid of features
and to the words a multi-label "concept" head finds most likely in it, as semantic-concept captioners
do (You et al. 2016, arXiv:1603.03925): nouns and colours come grounded even from few photos, and
plain sentences without photos can teach the decoder to turn concepts into language. How much likelier
than usual a concept is also lifts its word's score directly, as far as a gate lets it.

Train: ``python -m models.train.captioner``; export: ``python -m export captioner``.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bot.vision.captioner import MAX_WORDS
from models.efficientnet_lite0 import ConvNormAct


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

    def forward(self, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """(B, T, d) with keys and values (M, H, N, d / H) -> (B, T, d); B / M captions share a photo."""
        b, t, d = x.shape
        q, k, v = (y.view(b, t, self.heads, -1).transpose(1, 2) for y in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self._drop(self.out(y.transpose(1, 2).reshape(b, t, d)))
        # captions of one photo stand side by side: their queries form one row, the photo is never copied
        q = self.query(self.norm2(x)).view(keys.shape[0], -1, self.heads, d // self.heads).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, keys, values)
        x = x + self._drop(self.cross_out(y.transpose(1, 2).reshape(b, t, d)))
        return x + self._drop(self.narrow(self._drop(F.gelu(self.wide(self.norm3(x))))))

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Captioner(nn.Module):
    """Features before the backbone's last convolution in, next-word logits out.

    The backbone itself is not part of it: training reads its features from disk.
    """

    concept_ids: Tensor
    prior: Tensor
    slots: Tensor

    def __init__(self, config: CaptionerConfig) -> None:
        super().__init__()
        self.config = config
        d = config.width
        self.head = ConvNormAct(320, 1280, 1)  # the backbone's last convolution
        self.concept_head = ConceptHead(1280, config.hidden, len(config.concepts))
        self.look = nn.Linear(1280, d)
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

    def see(self, features: Tensor) -> Tensor:
        """(B, 320, h, w) -> grid features (B, h * w, 1280) after the backbone's last convolution."""
        return self.head(features).flatten(2).transpose(1, 2)

    def memory(self, grid: Tensor | None, concepts: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values (layers, B, H, N, d / H) of grid (B, N', 1280) and concept logits (B, C).

        Without a grid the decoder sees the concepts alone.
        """
        seen = self.blank.expand(len(concepts), -1, -1) if grid is None else self.look(grid) + self.place
        return self.keys_and_values(seen, concepts, self.embed(self.concept_ids))

    def keys_and_values(self, seen: Tensor, concepts: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Like ``memory`` of seen (B, N', d); ``table`` (C, d) holds the embeddings of the concept words."""
        strength, best = concepts.topk(self.config.top, dim=-1)
        words = F.embedding(best, table) + self.strength(strength[..., None])
        x = self.memory_norm(torch.cat((seen, words), dim=1))
        b, n, _ = x.shape
        c = self.config
        both = self.keys_values(x).view(b, n, 2, c.layers, c.heads, -1).permute(2, 3, 0, 4, 1, 5)
        return both[0], both[1]

    def forward(self, ids: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Word ids (B, T) -> hidden states (B, T, d) from which ``scores`` makes logits."""
        x = self.embed(ids) + self.position[: ids.shape[1]]
        x = F.dropout(x, self.config.dropout, self.training)
        for i, block in enumerate(self.blocks):
            x = block(x, keys[i], values[i])
        return self.norm(x)

    def lift(self, concepts: Tensor) -> Tensor:
        """Concept logits (B, C) -> how much likelier than usual each word is (B, words), 0 for other words."""
        return F.pad(concepts - self.prior, (0, 1))[:, self.slots]

    def scores(self, hidden: Tensor, lift: Tensor) -> Tensor:
        """Hidden states (..., d) and lift (..., words) -> (..., words) logits through the tied embedding."""
        return F.linear(hidden, self.embed.weight) + F.softplus(self.gate(hidden)) * lift
