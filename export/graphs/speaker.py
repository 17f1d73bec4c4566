"""The speaker's decoder with its key-value cache as graph inputs and outputs, int8."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from export.graph import Graph
from models.speaker import CachedSpeaker, Speaker, SpeakerConfig
from models.train.tokenizer import NAME

TRAINING_DATA = [
    {"name": "models/data/corpus: scenes, replies and dialogues in 24 voices", "licence": "MIT"},
    {"name": "bot/resources/frames expanded with the scenes below", "licence": "MIT"},
    {"name": "captions of COCO photos, ours and COCO's own", "licence": "CC BY 4.0"},
    {"name": "Synthetic Persona Chat (Google)", "licence": "CC BY 4.0"},
    {"name": "Topical-Chat (Amazon)", "licence": "CDLA-Sharing-1.0"},
    {"name": "Microsoft Personality Chat", "licence": "MIT"},
    {"name": "LIGHT personas (Meta)", "licence": "MIT"},
]


def graphs(checkpoint: Path) -> list[Graph]:
    """Return the graph ``speaker`` of a training run's checkpoint."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=False)
    speaker = Speaker(SpeakerConfig(**saved["config"]))
    speaker.load_state_dict(saved["model"])
    about = {
        "labels": {"tokenizer": "speaker_tokenizer"},
        "training_data": TRAINING_DATA,
        "licence": "MIT",
        "metrics": {f"nats_{name}": round(value, 3) for name, value in saved["metrics"].items()},
    }
    return [speaker_graph(speaker, about)]


def files(checkpoint: Path) -> dict[str, Path]:
    """Return the tokenizer the checkpoint was trained with."""
    return {"speaker_tokenizer": checkpoint.parent / NAME}


def speaker_graph(speaker: Speaker, about: Mapping[str, Any]) -> Graph:
    """Return the graph of ``speaker``: ids and pasts in, logits and presents out (see CachedSpeaker)."""
    config = speaker.config
    names = [f"{kind}_{i}" for i in range(config.layers) for kind in ("k", "v")]
    # Every dynamic axis is 2 or longer here: a 1 would be built into the graph.
    past = (2, config.heads, 4, config.width // config.heads)
    generator = torch.Generator().manual_seed(0)
    inputs: dict[str, Tensor] = {"ids": torch.randint(0, config.vocabulary, (2, 3), generator=generator)}
    inputs |= {f"past_{name}": torch.randn(past, generator=generator) for name in names}
    dynamic = {"ids": {0: "batch", 1: "sequence"}, **{f"past_{name}": {0: "batch", 2: "past"} for name in names}}
    outputs = ("logits", *(f"present_{name}" for name in names))
    return Graph(
        "speaker", CachedSpeaker(speaker), inputs, outputs, 1e-3, dynamic=dynamic, precision="int8", about=about
    )
