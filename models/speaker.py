"""The speaker: a small decoder-only transformer that writes what the one in the photo says.

    python -m models.train.speaker --minutes 75
    python -m export speaker

Pre-norm blocks with RMSNorm (Zhang & Sennrich 2019), rotary positions (RoPE, Su et al. 2021), SwiGLU
(Shazeer 2020) and one matrix for embedding and output head (Press & Wolf 2017).
Shapes: B batch, T new positions, P cached positions, S = P + T, C width, H heads, D = C / H, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

Past = tuple[Tensor, Tensor]  # keys and values of earlier positions, each (B, H, P, D)


@dataclass(frozen=True)
class SpeakerConfig:
    """Sizes; the defaults give 9.4M parameters."""

    vocabulary: int = 6000
    width: int = 320
    layers: int = 6
    heads: int = 5
    hidden: int = 864
    dropout: float = 0.0
    rope_base: float = 10000.0

    def as_dict(self) -> dict[str, Any]:
        """Return the sizes as the checkpoint stores them."""
        return asdict(self)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (i, i + D/2) of x (B, H, T, D) by its position's angle; cos, sin (B, 1, T, D/2)."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), dim=-1).to(x.dtype)


class Attention(nn.Module):
    """Causal multi-head self-attention with rotary positions."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Return (B, T, C) and the keys and values of all S positions; mask (B or 1, 1, T, S) is True where seen."""
        b, t, c = x.shape
        q, k, v = (part.view(b, t, self.heads, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)  # (B, H, T, D)
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)  # (B, H, S, D)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(y.transpose(1, 2).reshape(b, t, c)), (k, v)


class Block(nn.Module):
    """Attention, then a SwiGLU network, each added to its normalised input's source."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.norm1 = nn.RMSNorm(config.width, eps=1e-5)
        self.attention = Attention(config)
        self.norm2 = nn.RMSNorm(config.width, eps=1e-5)
        self.gate_up = nn.Linear(config.width, 2 * config.hidden, bias=False)
        self.down = nn.Linear(config.hidden, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Return x (B, T, C) with this block's contribution, and its keys and values."""
        attended, present = self.attention(self.norm1(x), cos, sin, mask, past)
        x = x + self.dropout(attended)
        gate, up = self.gate_up(self.norm2(x)).chunk(2, dim=-1)
        return x + self.dropout(self.down(F.silu(gate) * up)), present


class Speaker(nn.Module):
    """Token ids in, next-token logits out."""

    def __init__(self, config: SpeakerConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width, eps=1e-5)
        self.apply(self._initialise)
        for name, weight in self.named_parameters():
            if name.endswith(("out.weight", "down.weight")):  # keeps the residual stream's variance (GPT-2)
                nn.init.normal_(weight, std=0.02 / (2 * config.layers) ** 0.5)

    @staticmethod
    def _initialise(module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(
        self, ids: Tensor, positions: Tensor, mask: Tensor, pasts: list[Past] | None = None
    ) -> tuple[Tensor, list[Past]]:
        """Return final features (B, T, C) and every block's keys and values.

        ids (B, T) int64; positions (B or 1, T) int64; mask (B or 1, 1, T, S) bool, True where a position
        may be seen; ``pasts`` holds P earlier positions a block.
        """
        half = self.config.width // self.config.heads // 2
        powers = torch.arange(half, device=ids.device, dtype=torch.float32) / half
        angles = positions[:, None, :, None] * self.config.rope_base**-powers  # (B, 1, T, D/2)
        cos, sin = angles.cos(), angles.sin()
        x = self.dropout(self.embedding(ids))  # (B, T, C)
        presents = []
        for i, block in enumerate(self.blocks):
            x, present = block(x, cos, sin, mask, pasts[i] if pasts is not None else None)
            presents.append(present)
        return self.norm(x), presents

    def head(self, features: Tensor) -> Tensor:
        """Return logits (..., V) of features (..., C); the weights are the embedding's."""
        return F.linear(features, self.embedding.weight)


class CachedSpeaker(nn.Module):
    """The speaker as the bot runs it: positions and mask follow from the cache's length."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self.speaker = speaker

    def forward(self, ids: Tensor, *pasts: Tensor) -> tuple[Tensor, ...]:
        """Return logits (B, T, V), then keys and values (B, H, S, D) of each block in turn.

        ids (B, T) int64; ``pasts``: past_k_0, past_v_0, past_k_1, ... each (B, H, P, D), P may be 0.
        """
        new, cached = ids.shape[1], pasts[0].shape[2]
        positions = torch.arange(cached, cached + new, device=ids.device)  # (T,)
        mask = torch.arange(cached + new, device=ids.device)[None, :] <= positions[:, None]  # (T, S)
        pairs = [(pasts[i], pasts[i + 1]) for i in range(0, len(pasts), 2)]
        features, presents = self.speaker(ids, positions[None], mask[None, None], pairs)
        return (self.speaker.head(features), *(tensor for pair in presents for tensor in pair))


class EagerSession:
    """Runs a speaker under bot.speech.decoder.Decoder without exporting it first."""

    def __init__(self, speaker: Speaker) -> None:
        config = speaker.config
        shape: list[Any] = ["batch", config.heads, "past", config.width // config.heads]
        names = [f"{kind}_{i}" for i in range(config.layers) for kind in ("k", "v")]
        self._outputs = ["logits", *(f"present_{name}" for name in names)]
        self.input_shapes: dict[str, list[Any]] = {"ids": ["batch", "sequence"], **{f"past_{n}": shape for n in names}}
        self._module = CachedSpeaker(speaker)
        self._device = speaker.embedding.weight.device

    @torch.no_grad()
    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network once in eval mode and return every output by name."""
        inputs = [torch.from_numpy(feeds[name]).to(self._device) for name in self.input_shapes]
        outputs = self._module.eval()(*inputs)
        return {name: value.cpu().numpy() for name, value in zip(self._outputs, outputs, strict=True)}
