"""The captioner as two graphs: the photo is seen once, the words are decoded one by one with a key-value cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bot.vision.pixels import MEAN, STD
from export.graph import Graph
from models.captioner import Captioner, CaptionerConfig, Seen, Trunk, low_features
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
        # the mirrored photo shows the same things: concepts are surer when both have a say
        deep, colours = self.trunk(torch.cat((image, image.flip(3))))
        both = network.see(network.top(deep), low_features(deep, colours))
        concepts = network.concepts(both).mean(0, keepdim=True)
        seen = Seen(both.grid[:1], both.low[:1])
        return *network.keys_and_values(network.cells(seen), concepts, self.table), network.lift(concepts)


class Decoder(nn.Module):
    """The last word, what was computed for earlier ones, keys and values -> logits of the next word."""

    def __init__(self, network: Captioner) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, past: Tensor, keys: Tensor, values: Tensor, lift: Tensor) -> tuple[Tensor, Tensor]:
        """Word ids (B, 1), past (layers, 2, B, heads, P, width / heads) and the encoder's outputs.

        Returns logits (B, words) and the past with the new word.
        """
        hidden, present = self.network.step(ids, past, keys, values)
        # three axes give MatMul; a two-axis Gemm would have the quantiser transpose the tied embedding itself
        return self.network.scores(hidden, lift)[:, 0], present


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the encoder and the decoder of a training checkpoint."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    network = load(saved)
    config, vocabulary = network.config, saved["config"]["vocabulary"]
    about = {"training_data": TRAINING_DATA, "licence": LICENCE, "metrics": saved["metrics"]}
    normalisation = {"size": config.size, "mean": MEAN, "std": STD}
    encoder, image = Encoder(Trunk(pretrained()), network).eval(), noise(config.size)
    with torch.no_grad():
        seen = dict(zip(SEEN, encoder(image), strict=True))
    return [
        Graph(
            "captioner_encoder", encoder, {"image": image}, SEEN, tolerance=1e-3, precision="int8_weights",
            about={**about, "normalisation": normalisation},
        ),
        decoder_graph(network, seen, {**about, "labels": {"words": vocabulary}}),
    ]  # fmt: skip


def noise(size: int) -> Tensor:
    """Return the encoder's example input."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def decoder_graph(network: Captioner, seen: Mapping[str, Tensor], about: Mapping[str, Any]) -> Graph:
    """Return the decoder's graph; ``seen`` is what the encoder makes of its example, by name."""
    ids = torch.arange(3 * 6).view(3, 6) + network.config.words // 2
    past = network.no_past(3)
    with torch.no_grad():
        for word in ids.split(1, dim=1)[:-1]:
            _, past = network.step(word, past, seen["keys"], seen["values"])
    beams, said = {2: "beams", 4: "said"}, {0: "beams"}
    return Graph(
        "captioner_decoder", Decoder(network), {"ids": ids[:, -1:], "past": past, **seen}, ("scores", "present"),
        tolerance=1e-3, dynamic={"ids": said, "past": beams}, precision="int8", about=about,
    )  # fmt: skip


def load(saved: Mapping[str, Any]) -> Captioner:
    """Return the trained network of a checkpoint in eval mode."""
    names = {field.name for field in fields(CaptionerConfig)}
    network = Captioner(CaptionerConfig(**{key: value for key, value in saved["config"].items() if key in names}))
    network.load_state_dict(saved["network"])
    return network.eval()
