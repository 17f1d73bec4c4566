"""The recall network: which authored reply suits this scene and voice? A dual encoder over bags of tokens.

    python -m models.train.recall --minutes 3
    python -m export.recall                  # what recall is worth; it is not shipped, see models/cards/recall.md

Scene with voice, and reply, become unit vectors; their product over a learned temperature is the score. Trained
with InfoNCE over the replies of a batch (van den Oord et al. 2018), both ways (CLIP, Radford et al. 2021).
Shapes: B batch, N tokens of all its texts, C width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from bot.domain import Scene
from bot.speech.prompt import voice_part

TEMPERATURE = 0.07  # where it starts
WEIGHT_SPEED = 4.0  # lets the tokens' weights learn faster than all else


@dataclass(frozen=True)
class RecallConfig:
    """Sizes; the defaults give 1.1M parameters."""

    vocabulary: int = 6000
    width: int = 160
    dropout: float = 0.3


Bags = tuple[Tensor, Tensor]  # token ids (N,) int64 of all texts in a row, where each starts (B,) int64


def bags(texts: Sequence[str], tokenizer: Tokenizer, device: torch.device | str = "cpu") -> Bags:
    """Return texts as bags; capitals do not count."""
    encoded = tokenizer.encode_batch([f" {text.lower()}" for text in texts], add_special_tokens=False)
    starts = torch.tensor([0, *(len(one.ids) for one in encoded)]).cumsum(0)[:-1]
    return torch.tensor([i for one in encoded for i in one.ids]).to(device), starts.to(device)


def query(scene: Scene, voice: str, traits: Sequence[str] = ()) -> str:
    """Return what the scene encoder reads."""
    return scene.as_text() + voice_part(voice, traits)


class DualEncoder(nn.Module):
    """One table of token vectors and weights for both sides, and a residual layer for each.

    Words that both sides share count from the start; a token that tells little comes to count little.
    """

    def __init__(self, config: RecallConfig) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(config.vocabulary, config.width, mode="sum")
        self.weight = nn.Embedding(config.vocabulary, 1, _weight=torch.zeros(config.vocabulary, 1))
        self.drop = nn.Dropout(config.dropout)
        self.scene, self.reply = _layers(config.width), _layers(config.width)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(TEMPERATURE)))

    def encode_scenes(self, scenes: Bags) -> Tensor:
        """Return the unit vectors (B, C) of queries (see ``query``)."""
        return self._encode(scenes, self.scene)

    def encode_replies(self, replies: Bags) -> Tensor:
        """Return the unit vectors (B, C) of replies."""
        return self._encode(replies, self.reply)

    def forward(self, scenes: Bags, replies: Bags) -> Tensor:
        """Return the mean InfoNCE loss in nats of B pairs: reply i is scene i's, all others are negatives."""
        scores = self.encode_scenes(scenes) @ self.encode_replies(replies).T * self.log_scale.exp()  # (B, B)
        right = torch.arange(len(scores), device=scores.device)
        return (F.cross_entropy(scores, right) + F.cross_entropy(scores.T, right)) / 2

    def _encode(self, texts: Bags, side: nn.Module) -> Tensor:
        ids, starts = texts
        weights = F.softplus(WEIGHT_SPEED * self.weight(ids)[:, 0])  # (N,)
        x = F.normalize(self.table(ids, starts, weights), dim=-1)
        x = self.drop(x * math.sqrt(x.shape[-1]))
        return F.normalize(x + side(x), dim=-1)


def _layers(width: int) -> nn.Module:
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
