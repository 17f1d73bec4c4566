"""The captioner as two graphs: the photo is seen once, the words are decoded step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bot.vision.pixels import MEAN, STD
from export.graph import Graph
from models.captioner import Captioner, CaptionerConfig
from models.efficientnet_lite0 import EfficientNetLite0, pretrained

TRAINING_DATA = (
    "2,739 COCO photos with our own captions and COCO captions, 23,386 COCO captions as text, "
    "FairFace crops (Karkkainen & Joo 2021) with captions composed from our labels"
)
LICENCE = (
    "captions and weights: MIT; COCO captions and FairFace: CC BY 4.0; the photos are Flickr's under mixed "
    "Creative Commons licences and were used for training only; EfficientNet-Lite0 weights: Apache-2.0"
)


class Encoder(nn.Module):
    """Photo -> keys and values of the decoder's attention to it, and which words it lifts."""

    def __init__(self, backbone: EfficientNetLite0, network: Captioner) -> None:
        super().__init__()
        self.backbone, self.network = backbone, network
        # the embeddings of the concept words alone: the decoder has the whole table
        self.table = network.embed(network.concept_ids).detach()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(1, 3, size, size) -> keys and values (layers, 1, heads, N, width / heads), lift (1, words)."""
        network = self.network
        grid = network.see(self.backbone(image))
        concepts = network.concept_head(grid.mean(1))
        seen = network.look(grid) + network.place
        return *network.keys_and_values(seen, concepts, self.table), network.lift(concepts)


class Decoder(nn.Module):
    """Words so far, keys and values -> logits of the next word."""

    def __init__(self, network: Captioner) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, keys: Tensor, values: Tensor, lift: Tensor) -> Tensor:
        """Word ids (B, T) and what the encoder returned -> (B, words)."""
        last = self.network(ids, keys, values)[:, -1:]
        # three axes give MatMul; a two-axis Gemm would have the quantiser transpose the tied embedding itself
        return self.network.scores(last, lift)[:, 0]


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the encoder and the decoder of a training checkpoint."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    network = load(saved)
    config = network.config
    backbone = pretrained(head=False).eval()
    about = {"training_data": TRAINING_DATA, "licence": LICENCE, "metrics": saved["metrics"]}
    normalisation = {"size": config.size, "mean": MEAN, "std": STD}
    encoder = Encoder(backbone, network).eval()
    image = torch.rand(1, 3, config.size, config.size, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        seen = dict(zip(("keys", "values", "lift"), encoder(image), strict=True))
    ids = torch.arange(21).view(3, 7) + len(saved["config"]["vocabulary"]) // 2
    return [
        Graph(
            "captioner_encoder", encoder, {"image": image}, tuple(seen), tolerance=1e-3,
            about={**about, "normalisation": normalisation},
        ),
        Graph(
            "captioner_decoder", Decoder(network), {"ids": ids, **seen}, ("scores",),
            tolerance=1e-3, dynamic={"ids": {0: "beams", 1: "length"}}, precision="int8",
            about={**about, "labels": {"words": saved["config"]["vocabulary"]}},
        ),
    ]  # fmt: skip


def load(saved: Mapping[str, Any]) -> Captioner:
    """Return the trained network of a checkpoint in eval mode."""
    names = {field.name for field in fields(CaptionerConfig)}
    network = Captioner(CaptionerConfig(**{key: value for key, value in saved["config"].items() if key in names}))
    network.load_state_dict(saved["network"])
    return network.eval()
