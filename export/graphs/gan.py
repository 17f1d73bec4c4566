"""The GAN's generator: noise and conditions to a face."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from bot.portrait.wishes import CONDITIONS
from export.graph import Graph
from models.gan import GanConfig, Generator, Grow

TRAINING_DATA = (
    "FairFace, about 9,400 aligned frontal faces (Karkkainen & Joo 2021, CC BY 4.0); smiles by our own labels and "
    "face reader (MIT); the discriminator looked through EfficientNet-Lite0's ImageNet weights (Apache-2.0)"
)
LICENCE = "MIT; FairFace data CC BY 4.0, attribution: Karkkainen & Joo 2021"


class Drawing(nn.Module):
    """The generator with the two inputs the bot gives: noise and the numbers of the conditions."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, conditions: Tensor) -> Tensor:
        """(B, noise), (B, 3) int64 -> RGB (B, 3, 128, 128) in -1..1."""
        return self.generator(noise, conditions)


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the graph of a checkpoint: ``noise`` (B, 128) and ``conditions`` (B, 3) to ``faces`` (B, 3, 128, 128)."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    config = GanConfig(**state["config"])
    generator = Generator(config)
    generator.load_state_dict(state["network"])
    for layer in generator.grow:
        assert isinstance(layer, Grow)
        layer.fold()
    noise = torch.randn(3, config.noise, generator=torch.Generator().manual_seed(0))
    conditions = torch.tensor([[0, 0, 0], [2, 1, 1], [4, 0, 1]])
    about = {
        "normalisation": {"size": 128, "mean": [127.5] * 3, "std": [127.5] * 3},
        "labels": {name: list(labels) for name, labels in CONDITIONS.items()},
        "training_data": TRAINING_DATA,
        "licence": LICENCE,
        "metrics": {name: round(value, 4) for name, value in state["metrics"].items()},
    }
    rows = {0: "batch"}
    inputs = {"noise": noise, "conditions": conditions}
    return [
        Graph(
            "gan",
            Drawing(generator),
            inputs,
            ("faces",),
            1e-3,
            {"noise": rows, "conditions": rows},
            "int8_weights",
            about,
        )
    ]
