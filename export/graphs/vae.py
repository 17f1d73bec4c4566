"""The VAE as two graphs: a face to latent numbers, and those to a face with a smile, age and so on added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from bot.portrait.alignment import TEMPLATE
from export.graph import Graph
from models.vae import SIZE, Decoder, Encoder, Vae, VaeConfig

TRAINING_DATA = (
    "FairFace, about 9,400 aligned frontal faces (Karkkainen & Joo 2021, CC BY 4.0); directions by our own face "
    "reader (MIT); compared through EfficientNet-Lite0's ImageNet weights (Apache-2.0)"
)
LICENCE = "MIT; FairFace data CC BY 4.0, attribution: Karkkainen & Joo 2021"


class Encoding(nn.Module):
    """The encoder's mean: what a face is, without the noise of training."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, faces: Tensor) -> Tensor:
        """RGB (B, 3, 128, 128) in -1..1, aligned -> latent (B, L)."""
        return self.encoder(faces)[0]


class Morphing(nn.Module):
    """The decoder after a walk along the directions."""

    directions: Tensor

    def __init__(self, decoder: Decoder, directions: Mapping[str, Sequence[float]]) -> None:
        super().__init__()
        self.decoder = decoder
        self.register_buffer("directions", torch.tensor(list(directions.values())))

    def forward(self, latent: Tensor, strengths: Tensor) -> Tensor:
        """(B, L), how far along each direction (B, A) -> RGB (B, 3, 128, 128) in -1..1."""
        return self.decoder(latent + strengths @ self.directions)


def graphs(checkpoint: Path) -> list[Graph]:
    """Return both graphs of a checkpoint; ``strengths`` of 1 add the whole of an attribute, negative ones take it."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    config = dict(state["config"])
    directions = config.pop("directions")
    vae = Vae(VaeConfig(**config))
    vae.load_state_dict(state["network"])
    dice = torch.Generator().manual_seed(0)
    faces = torch.rand(3, 3, SIZE, SIZE, generator=dice) * 2 - 1
    latent = torch.randn(3, vae.config.latent, generator=dice)
    strengths = torch.rand(3, len(directions), generator=dice)
    about = {
        "normalisation": {
            "size": SIZE,
            "mean": [127.5] * 3,
            "std": [127.5] * 3,
            "template": [list(p) for p in TEMPLATE],
        },
        "labels": {"directions": list(directions)},
        "training_data": TRAINING_DATA,
        "licence": LICENCE,
        "metrics": {name: round(value, 4) for name, value in state["metrics"].items()},
    }
    rows = {0: "batch"}
    encoding, morphing = Encoding(vae.encoder), Morphing(vae.decoder, directions)
    code, axes = {"latent": latent, "strengths": strengths}, {"latent": rows, "strengths": rows}
    return [
        Graph("vae_encoder", encoding, {"faces": faces}, ("latent",), 1e-3, {"faces": rows}, "int8_weights", about),
        Graph("vae_decoder", morphing, code, ("faces",), 1e-3, axes, "int8_weights", about),
    ]
