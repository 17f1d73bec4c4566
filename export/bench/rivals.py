"""The same bot on other engines: PyTorch op by op, and a plain loop over ONNX Runtime.

Photo, prompts, sampling, frames and ranking are the bot's own; only what runs the networks differs.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import torch

from bot.domain import Persona, Reply
from bot.runtime.bundle import Bundle
from bot.runtime.session import Session
from bot.speech.branches import GraphRunner
from bot.speech.decoder import Decoder, Sample
from bot.speech.speaker import Speaker
from bot.vision.captioner import Captioner as BotCaptioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.observer import Observer
from bot.vision.photo import decode
from export.bench import photos
from export.bench.eager import captioner_networks, eager_eyes
from export.bench.growing import GrowingWriter, growing_graph
from export.bench.plain import PlainSession
from export.graph import Graph, export
from export.speaker_rewrite import recover
from models.captioner import Captioner
from models.speaker import CachedSpeaker, EagerSession
from models.speaker import Speaker as SpeakerNet

EYES = ("face_detector", "face_reader", "captioner_encoder")


class OneByOne(Decoder):
    """Writes one sample after the other, each from the start of the prompt, as a loop over generate() does."""

    def sample(self, prompt: str, *, n: int, seed: int | None, **options: Any) -> list[Sample]:
        """Return ``n`` replies like Decoder.sample."""
        seeds = np.random.default_rng(seed).integers(2**31, size=n).tolist()
        return [one for own in seeds for one in super(OneByOne, self).sample(prompt, n=1, seed=own, **options)]


class Rival:
    """Answers photos with the bot's own code, on networks run by something else; nothing is done side by side."""

    def __init__(self, eyes: Mapping[str, GraphRunner], writer: GrowingWriter, decoder: Decoder) -> None:
        detector, reader, encoder = (cast(Session, eyes[name]) for name in EYES)
        self._observer = Observer(FaceDetector(detector), FaceReader(reader), BotCaptioner(encoder, writer))
        self._speaker = Speaker(decoder)

    def answer(self, data: bytes, persona: Persona, seed: int) -> Reply:
        """Return what is said about the bytes of a photo."""
        return self._speaker.reply(self._observer.look(decode(data)), persona, seed=seed)


def torch_eager(bundle: Bundle) -> Rival:
    """Return the bot on PyTorch, its samples written together and its weights those of the files."""
    decoder = Decoder(EagerSession(recover(bundle.model("speaker").path)), bundle.file("speaker_tokenizer"))
    return Rival(*eager_eyes(bundle), decoder)


def naive_ort(bundle: Bundle, threads: int, folder: Path, *, together: bool = False) -> Rival:
    """Return the bot on ONNX Runtime in float32, with a cache that is handed in and out and grows with each token.

    Samples are written one by one, or ``together`` in a batch. ``folder`` is where float32 files are written.
    """
    written = folder / "speaker.onnx"
    _, network = captioner_networks(bundle)
    if not written.exists():
        write_floats(bundle, network, folder)
    entries = [bundle.model(name) for name in EYES]
    eyes = {entry.name: PlainSession(entry.path, threads, entry) for entry in entries}
    words = bundle.model("captioner_decoder").labels["words"]
    writer = GrowingWriter(PlainSession(folder / "captioner_decoder.onnx", threads), words, network.config)
    kind = Decoder if together else OneByOne
    return Rival(eyes, writer, kind(PlainSession(written, threads), bundle.file("speaker_tokenizer")))


def write_floats(bundle: Bundle, network: Captioner, folder: Path) -> None:
    """Write float32 graphs of the networks that ship with int8 arithmetic; the others compute in float32 anyway."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of packages that no graph here needs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(float_speaker(recover(bundle.model("speaker").path)), folder)
        export(growing_graph(network), folder)


def float_speaker(speaker: SpeakerNet) -> Graph:
    """Return the speaker in plain operators: the cache goes in and a longer one comes out."""
    config = speaker.config
    names = [f"{kind}_{i}" for i in range(config.layers) for kind in ("k", "v")]
    past = (2, config.heads, 4, config.width // config.heads)
    # a tensor for each input: the exporter takes one that is given twice for the same input
    inputs = {"ids": torch.randint(0, config.vocabulary, (2, 3)), **{f"past_{n}": torch.randn(past) for n in names}}
    dynamic = {"ids": {0: "batch", 1: "new"}, **{f"past_{name}": {0: "batch", 2: "past"} for name in names}}
    outputs = ("logits", *(f"present_{name}" for name in names))
    return Graph("speaker", CachedSpeaker(speaker), inputs, outputs, 1e-3, dynamic, "fp32")


class Answers(Protocol):
    """What answers photos."""

    def answer(self, data: bytes, persona: Persona, seed: int) -> Reply:
        """Return what is said about the bytes of a photo."""


def seconds(
    rival: Answers, samples: Sequence[photos.Sample], personas: Sequence[Persona], tick: Callable[[], object]
) -> list[float]:
    """Return how long each photo's reply takes, after one that warms up; ``tick`` is called behind each."""
    rival.answer(samples[-1].data, personas[-1], seed=1)
    times = []
    for number, sample in enumerate(samples):
        begun = time.perf_counter()
        rival.answer(sample.data, personas[number % len(personas)], seed=number)
        times.append(time.perf_counter() - begun)
        tick()
    return times
