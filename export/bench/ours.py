"""The bot itself: each stage, and photos and turns that come in through the desk as they do from Discord."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from statistics import median

import numpy as np

from bot.app import TalkingPhotos
from bot.cogs.engine import Desk
from bot.domain import VOICES, Face, Persona, Reply, Scene, Turn
from bot.runtime.timing import Stopwatch
from bot.speech.decoder import Decoder
from bot.speech.prompt import build_prompt
from bot.speech.tree import TreeModel
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import Captioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.photo import decode
from bot.vision.pixels import small_copy
from export.bench.photos import Sample, as_phone_photo
from export.latency import milliseconds

ROTATION = ("self", "pirate", "detective", "queen", "comedian")
MESSAGES = (  # such as are answered by the language model, too
    "What a lovely day, isn't it?", "What are you looking at?", "I would not wear that to a party.",
    "Tell me something about this place.", "My dog would like you.", "What happens next?",
)  # fmt: skip
TOGETHER = 8  # photos at once
STEPS = 24  # tokens behind a prompt, of which the median is taken
BRANCHES = 10  # samples that the bot draws


@dataclass
class Whole:
    """Milliseconds of whole answers, and of their parts by stage."""

    replies: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)

    def note(self, spent: float, stopwatch: Stopwatch, reply: Reply) -> None:
        """Add an answer."""
        self.replies.append(spent)
        for stage, time_ms in {**stopwatch.timings_ms, **reply.timings_ms}.items():
            self.stages.setdefault(stage, []).append(time_ms)


def cast_of(engine: TalkingPhotos) -> list[Persona]:
    """Return the personas who answer in turn."""
    return [engine.personas[name] for name in ROTATION if name in engine.personas] or [*engine.personas.values()]


def look_and_speak(
    engine: TalkingPhotos, data: bytes, persona: Persona, seed: int, stopwatch: Stopwatch | None = None
) -> tuple[Scene, Reply]:
    """Do what the desk is handed for a posted photo."""
    scene = engine.look(data, stopwatch)
    return scene, engine.reply(scene, persona, seed=seed)


async def one_by_one(engine: TalkingPhotos, samples: Iterable[Sample], tick: Callable[[], object]) -> Whole:
    """Post photos one after the other, each when the last one was answered."""
    whole, personas, desk = Whole(), cast_of(engine), Desk(engine, seats=1, workers=engine.workers)
    for number, sample in enumerate(samples):
        stopwatch, persona = Stopwatch(), personas[number % len(personas)]
        begun = time.perf_counter()
        _, reply = await desk.run(partial(look_and_speak, engine, sample.data, persona, number, stopwatch), lane=number)
        whole.note(1000 * (time.perf_counter() - begun), stopwatch, reply)
        tick()
    desk.close()
    return whole


async def together(
    engine: TalkingPhotos, samples: Sequence[Sample], count: int, at_once: int, tick: Callable[[], object]
) -> tuple[float, list[float]]:
    """Post ``count`` photos from ``at_once`` channels, each of which posts its next one when the last was answered.

    Returns photos a second and the milliseconds that each one's channel waited.
    """
    personas, desk = cast_of(engine), Desk(engine, seats=at_once, workers=engine.workers)
    waiting = iter(enumerate(islice(cycle(samples), count)))
    waited: list[float] = []

    async def channel(lane: int) -> None:
        for number, sample in waiting:
            begun = time.perf_counter()
            persona = personas[number % len(personas)]
            await desk.run(partial(look_and_speak, engine, sample.data, persona, number), lane=lane)
            waited.append(1000 * (time.perf_counter() - begun))
            tick()

    begun = time.perf_counter()
    await asyncio.gather(*(channel(lane) for lane in range(at_once)))
    spent = time.perf_counter() - begun
    desk.close()
    return count / spent, waited


async def turn_by_turn(
    engine: TalkingPhotos, samples: Sequence[Sample], tick: Callable[[], object], turns: int = 2
) -> list[float]:
    """Talk with the one in each photo; return the milliseconds of every answer to a message."""
    personas, desk, times = cast_of(engine), Desk(engine, seats=1, workers=engine.workers), []
    for number, sample in enumerate(samples):
        persona = personas[number % len(personas)]
        scene, reply = await desk.run(partial(look_and_speak, engine, sample.data, persona, number))
        talk: list[Turn] = []
        for turn in range(turns):
            talk += [Turn("persona", reply.text), Turn("user", MESSAGES[(number + turn) % len(MESSAGES)])]
            begun = time.perf_counter()
            reply = await desk.run(partial(engine.reply, scene, persona, tuple(talk), seed=number))
            times.append(1000 * (time.perf_counter() - begun))
        tick()
    desk.close()
    return times


def stages(engine: TalkingPhotos, sample: Sample, rounds: int) -> dict[str, float]:
    """Return the median milliseconds of the parts that no stopwatch tells apart, each measured by itself."""
    sessions, phone = engine.sessions, as_phone_photo(sample)
    photo = decode(sample.data)
    small, _ = small_copy(photo.image)
    detector, reader = FaceDetector(sessions["face_detector"]), FaceReader(sessions["face_reader"])
    captioner = Captioner(sessions["captioner_encoder"], CaptionWriter(sessions["captioner_decoder"]))
    faces: list[Face] = detector.detect(photo.image)[:1]
    found = {
        "decode_12mp": milliseconds(lambda: decode(phone.data), rounds),
        "detector": milliseconds(lambda: detector.detect(small), rounds),
        "detector_2": milliseconds(lambda: detector.detect_many([small, small]), rounds) / 2,
        "captioner": milliseconds(lambda: captioner.caption(small), rounds),
    }
    if faces:
        found["face_reader"] = milliseconds(lambda: reader.read(photo.image, faces), rounds)
        found["face_reader_2"] = milliseconds(lambda: reader.read(photo.image, 2 * faces), rounds) / 2
    return found | speaker_stages(engine, engine.observe(photo), rounds)


def speaker_stages(engine: TalkingPhotos, scene: Scene, rounds: int) -> dict[str, float]:
    """Return milliseconds of reading a whole prompt, and of a token behind it in one reply, all and twice as many.

    ``prompt_tokens`` is how long that prompt is.
    """
    decoder = Decoder(engine.sessions["speaker"], engine.bundle.file("speaker_tokenizer"))
    model = TreeModel(engine.sessions["speaker"], decoder.tokenizer.get_vocab_size())
    prompts = [build_prompt(scene, voice, (), ()) for voice in VOICES]  # all different, so that none is known already
    ids = [decoder.tokenizer.encode(prompt, add_special_tokens=False).ids for prompt in prompts]
    widths = {"step_1": 1, "step_10": BRANCHES, "step_20": 2 * BRANCHES}
    found: dict[str, list[float]] = {name: [] for name in ("prefill", *widths)}
    for prompt in ids[: max(4, rounds // 2)]:
        begun = time.perf_counter()
        with model.open([prompt], sum(widths.values()) * STEPS // 2) as tree:
            found["prefill"].append(1000 * (time.perf_counter() - begun))
            for name, width in widths.items():
                for step in range(STEPS // 2):
                    parents = np.arange(width) if step else np.zeros(width, np.int64)
                    begun = time.perf_counter()
                    tree.grow(parents, np.arange(10, 10 + width))
                    found[name].append(1000 * (time.perf_counter() - begun))
    return {name: median(times) for name, times in found.items()} | {"prompt_tokens": median(map(len, ids))}
