"""The captioner as two graphs: the photo is seen once, the words are decoded one by one over a cache in one place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bot.runtime.binding import HIDDEN
from bot.vision.pixels import MEAN, STD
from export.branching_captioner import BranchingCaptioner
from export.graph import Graph
from models.captioner import Captioner, CaptionerConfig, Trunk, low_features
from models.efficientnet_lite0 import pretrained

TRAINING_DATA = (
    "2,739 COCO photos with our own captions and COCO captions and portraits cut out of them, 23,386 COCO captions "
    "as text, FairFace crops (Karkkainen & Joo 2021) with captions composed from our labels"
)
LICENCE = (
    "captions and weights: MIT; COCO captions and FairFace: CC BY 4.0; the photos are Flickr's under mixed "
    "Creative Commons licences and were used for training only; EfficientNet-Lite0 weights: Apache-2.0"
)

SEEN = ("keys", "values", "lift")  # what the encoder hands to the decoder


class Encoder(nn.Module):
    """Photo -> keys and values of the decoder's attention to it, and which words it lifts."""

    def __init__(self, trunk: Trunk, network: Captioner) -> None:
        super().__init__()
        self.trunk, self.network = trunk, network
        # the embeddings of the concept words alone: the decoder has the whole table
        self.table = network.embed(network.concept_ids).detach()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, 3, size, size) -> keys and values (layers, 1, heads, N, width / heads), lift (1, words)."""
        network = self.network
        deep, colours = self.trunk(image)
        seen = network.see(network.top(deep), low_features(deep, colours))
        concepts = network.concepts(seen)
        return *network.keys_and_values(network.cells(seen), concepts, self.table), network.lift(concepts)


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the encoder and the decoder of a training checkpoint."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    network = load(saved)
    config, vocabulary = network.config, saved["config"]["vocabulary"]
    about = {"training_data": TRAINING_DATA, "licence": LICENCE, "metrics": saved["metrics"]}
    normalisation = {"size": config.size, "mean": MEAN, "std": STD}
    return [
        encoder_graph(Encoder(Trunk(pretrained()), network), {**about, "normalisation": normalisation}),
        decoder_graph(network, {**about, "labels": {"words": vocabulary}}),
    ]


def encoder_graph(encoder: Encoder, about: Mapping[str, Any]) -> Graph:
    """Return the encoder's graph."""
    size = encoder.network.config.size
    image = torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Graph("captioner_encoder", encoder, {"image": image}, SEEN, 1e-3, precision="int8_weights", about=about)


def decoder_graph(network: Captioner, about: Mapping[str, Any]) -> Graph:
    """Return the decoder's graph: see BranchingCaptioner for what goes in and comes out."""
    config = network.config
    # Every dynamic axis is 2 or longer here, and differs from the others: a 1 would be built into the graph.
    new, total, room, places = 3, 7, 9, config.grid + config.top
    generator = torch.Generator().manual_seed(1)
    size = config.width // config.heads
    inputs: dict[str, Tensor] = {
        "ids": torch.randint(config.words, (1, new), generator=generator),
        "said": torch.tensor([2]),
        "bias": HIDDEN * (torch.rand(1, 1, new, total, generator=generator) < 0.2).float(),
        "last": torch.tensor([total - 1], dtype=torch.int32),
        "total": torch.tensor(total, dtype=torch.int32),
        "lift": torch.randn(1, config.words, generator=generator),
    }
    layers = range(config.layers)
    seen = [name for i in layers for name in (f"keys_{i}", f"values_{i}")]
    cached = [f"{kind}_{i}" for i in layers for kind in ("k", "v")]
    inputs |= {name: torch.randn(1, config.heads, places, size, generator=generator) for name in seen}
    inputs |= {f"past_{name}": torch.randn(1, config.heads, room, size, generator=generator) for name in cached}
    dynamic = {
        "ids": {1: "new"},
        "bias": {2: "new", 3: "seen"},
        **{f"past_{name}": {2: "room"} for name in cached},
    }
    outputs = ("words", "log_probs", *(f"present_{name}" for name in cached))
    module = BranchingCaptioner(network)
    return Graph("captioner_decoder", module, inputs, outputs, 1e-3, dynamic=dynamic, precision="int8", about=about)


def load(saved: Mapping[str, Any]) -> Captioner:
    """Return the trained network of a checkpoint in eval mode."""
    names = {field.name for field in fields(CaptionerConfig)}
    network = Captioner(CaptionerConfig(**{key: value for key, value in saved["config"].items() if key in names}))
    network.load_state_dict(saved["network"])
    return network.eval()
