"""The captioner's decoder as it is usually run: a cache that is handed in and out and grows word by word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from bot.speech.branches import GraphRunner
from bot.vision.captioner import NextWords
from export.graph import Graph
from models.captioner import Captioner, CaptionerConfig

INPUTS, OUTPUTS = ("ids", "past", "keys", "values", "lift"), ("words", "log_probs", "present")


class GrowingDecoder(nn.Module):
    """The last word, what was computed for earlier ones, and the encoder's outputs -> the likeliest next words."""

    def __init__(self, network: Captioner) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, past: Tensor, keys: Tensor, values: Tensor, lift: Tensor) -> tuple[Tensor, ...]:
        """Word ids (B, 1), past (layers, 2, B, heads, P, width / heads) and the encoder's outputs.

        Returns words and log-probabilities (B, K), and the past with the new word.
        """
        hidden, present = self.network.step(ids, past, keys, values)
        return *self.network.likeliest(hidden[:, 0], lift), present


class GrowingWriter:
    """What bot.vision.caption_writer.CaptionWriter is, on something that runs a GrowingDecoder."""

    def __init__(self, session: GraphRunner, words: list[str], config: CaptionerConfig) -> None:
        self.words, self._session = words, session
        self._nothing = np.zeros((config.layers, 2, 1, config.heads, 0, config.width // config.heads), np.float32)

    @contextmanager
    def open(self, memory: Mapping[str, np.ndarray]) -> Iterator[NextWords]:
        """Begin captions of a photo."""
        past = self._nothing

        def next_words(ids: np.ndarray, parents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            nonlocal past
            told = self._session.run({"ids": ids[:, -1:], "past": past[:, :, parents], **memory})
            past = told["present"]
            return told["words"], told["log_probs"]

        yield next_words


def growing_graph(network: Captioner) -> Graph:
    """Return a GrowingDecoder's graph in float32."""
    config = network.config
    size = config.width // config.heads
    seen = (config.layers, 1, config.heads, config.grid + config.top, size)
    shapes = {"past": (config.layers, 2, 3, config.heads, 5, size), "keys": seen, "values": seen}
    inputs = {"ids": torch.tensor([[7], [8], [9]]), **{name: torch.randn(shape) for name, shape in shapes.items()}}
    inputs["lift"] = torch.randn(1, config.words)
    beams = {"ids": {0: "beams"}, "past": {2: "beams", 4: "said"}}
    return Graph("captioner_decoder", GrowingDecoder(network), inputs, OUTPUTS, 1e-3, beams, "fp32")
