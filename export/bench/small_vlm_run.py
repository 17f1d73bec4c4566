"""Let a model of SmolVLM-256M's shape answer a photo: one tile, a prompt, 40 tokens, the likeliest each time."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from bot.runtime.binding import Binding
from bot.runtime.session import Session
from bot.speech.tree import turns
from bot.vision.photo import decode
from bot.vision.pixels import to_batch
from export.bench.photos import Sample
from export.bench.plain import PlainSession
from export.bench.small_vlm import Bits, Shape, write_eyes, write_tongue

PROMPT = 24  # tokens around the photo's: who speaks, and "Answer in character as the person in the photo."
TOKENS = 40
ROPE_BASE = 100000.0


class SmallVlm:
    """Eyes and tongue of a shape, with a table of embedded tokens and a cache that stays where it is."""

    def __init__(self, folder: Path, shape: Shape, bits: Bits, threads: int) -> None:
        self.shape = shape
        self._eyes = PlainSession(write_eyes(folder / "eyes.onnx", shape, bits), threads)
        tongue = PlainSession(write_tongue(folder / "tongue.onnx", shape, bits), threads)
        self._room = shape.image_tokens + PROMPT + TOKENS
        table = np.random.default_rng(1).random((shape.vocabulary, shape.width), np.float32)
        self._table = (table - 0.5).astype(np.float16)
        self._binding = Binding(cast(Session, tongue))
        for name in [name for name in tongue.input_shapes if name.startswith("past_")]:
            cache = np.zeros((1, shape.kv_heads, self._room, shape.head_size), np.float32)
            self._binding.read(name, cache)
            self._binding.write(name.replace("past_", "present_"), cache)
        for name, table in zip(("cos", "sin"), turns(self._room, shape.head_size, ROPE_BASE), strict=True):
            self._binding.read(name, table)
        self._last, self._total = np.zeros(1, np.int32), np.zeros((), np.int32)
        self._logits = np.zeros((1, 1, shape.vocabulary), np.float32)
        self._binding.read("last", self._last)
        self._binding.read("total", self._total)
        self._binding.write("logits", self._logits)

    def answer(self, data: bytes, tokens: int = TOKENS) -> list[int]:
        """Return the tokens that answer the bytes of a photo."""
        seen = self.look(decode(data).image)
        written = [self.step(np.concatenate([self.embed(range(PROMPT)), seen], axis=1), start=0)]
        while len(written) < tokens:
            written.append(self.step(self.embed(written[-1:]), self.shape.image_tokens + PROMPT + len(written) - 1))
        return written

    def look(self, image: Image.Image) -> np.ndarray:
        """Return the tokens (1, image_tokens, width) of a photo."""
        square = image.resize((self.shape.pixels, self.shape.pixels), Image.Resampling.BILINEAR, reducing_gap=2.0)
        return self._eyes.run({"photo": to_batch([square])})["tokens"]

    def embed(self, ids: Sequence[int]) -> np.ndarray:
        """Return tokens as the tongue reads them, (1, T, width)."""
        return self._table[np.array(ids)][None].astype(np.float32)

    def step(self, embedded: np.ndarray, start: int) -> int:
        """Put (1, T, width) behind ``start`` tokens and return the likeliest next one; ``logits`` holds all."""
        self._total[...] = start + embedded.shape[1]
        self._last[:] = self._total - 1
        self._binding.read("embedded", np.ascontiguousarray(embedded))
        self._binding.run()
        return int(self.logits.argmax())

    @property
    def logits(self) -> np.ndarray:
        """What followed the last step, (vocabulary,)."""
        return self._logits[0, 0]


def seconds(
    photos: Sequence[Sample], bits: Bits, threads: int, shape: Shape | None = None, *, tick: Callable[[], object]
) -> list[float]:
    """Return how long each photo's answer takes, after one that warms up; ``tick`` is called after each."""
    with tempfile.TemporaryDirectory() as folder:
        model = SmallVlm(Path(folder), shape or Shape(), bits, threads)
        model.answer(photos[0].data, tokens=2)
        times = []
        for photo in photos:
            begun = time.perf_counter()
            model.answer(photo.data)
            times.append(time.perf_counter() - begun)
            tick()
        return times
