"""The speaker's decoder over a key-value cache that stays where it is, fused and int8."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bot.runtime.binding import HIDDEN
from bot.speech.tree import ROPE_BASE, turns
from export.graph import Graph
from export.tree_speaker import TreeSpeaker
from models.speaker import Speaker, SpeakerConfig
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
    """Return the graph of ``speaker``: see TreeSpeaker for what goes in and comes out."""
    config = speaker.config
    assert config.rope_base == ROPE_BASE, "the bot turns positions with another base than the speaker was trained with"
    names = [f"{kind}_{i}" for i in range(config.layers) for kind in ("k", "v")]
    # Every dynamic axis is 2 or longer here, and differs from the others: a 1 would be built into the graph.
    new, total, room = 3, 7, 9
    generator = torch.Generator().manual_seed(0)
    cos, sin = (torch.from_numpy(table) for table in turns(room, config.width // config.heads))
    inputs: dict[str, Tensor] = {
        "ids": torch.randint(0, config.vocabulary, (1, new), generator=generator),
        "positions": torch.tensor([[2, 2, 4]]),
        "bias": HIDDEN * (torch.rand(1, 1, new, total, generator=generator) < 0.2).float(),
        "wanted": torch.tensor([2, 0]),
        "last": torch.tensor([total - 1], dtype=torch.int32),
        "total": torch.tensor(total, dtype=torch.int32),
        "cos": cos,
        "sin": sin,
    }
    past = (1, config.heads, room, config.width // config.heads)
    inputs |= {f"past_{name}": torch.randn(past, generator=generator) for name in names}
    dynamic = {
        "ids": {1: "new"},
        "positions": {1: "new"},
        "bias": {2: "new", 3: "seen"},
        "wanted": {0: "asked"},
        "cos": {0: "turns"},
        "sin": {0: "turns"},
        **{f"past_{name}": {2: "room"} for name in names},
    }
    outputs = ("logits", *(f"present_{name}" for name in names))
    return Graph("speaker", TreeSpeaker(speaker), inputs, outputs, 1e-3, dynamic=dynamic, precision="int8", about=about)
