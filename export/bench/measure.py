"""Everything that the benchmark measures, in order, and what becomes of it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from bot.app import TalkingPhotos
from export.bench import fresh, limits, ours
from export.bench.photos import Sample, as_phone_photo, candidates, choose

Rivals = Mapping[str, Callable[["Bench"], list[float]]]  # by the name of the figure: seconds of each photo's reply

KEYS = (
    "reply_p50_ms", "reply_p95_ms", "turn_p50_ms", "photos_per_s_8", "rss_mb", "cold_start_s",
    "x_torch_eager", "x_naive_ort", "x_smolvlm_shape", "bandwidth_share", "stages",
)  # fmt: skip
BAR = "{percentage:3.0f}% |{bar:30}| {elapsed} {desc}"
SMALL_VLMS = ("x_smolvlm_int8", "x_smolvlm_4bit")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    photos: int = 24
    rounds: int = 3  # of all photos, one after the other
    together: int = 72  # photos that come in 8 at a time
    talks: int = 24
    phones: int = 8  # photos with 12 megapixels
    replies: int = 50  # of the fresh process
    stages: int = 40  # calls of each stage
    rivals: int = 8  # photos that the other engines answer
    small_vlm: int = 5  # photos that the model of SmolVLM's shape answers
    memory: int = limits.BYTES  # size of the arrays by which bandwidth is measured
    without: tuple[str, ...] = ()  # rivals that are left out


QUICK = Plan(
    photos=12, rounds=1, together=16, talks=4, phones=2, replies=12, stages=8, rivals=2, small_vlm=1,
    without=("x_naive_ort", "x_naive_ort_batched", "x_smolvlm_4bit"),  # writing the loop's graphs takes half a minute
)  # fmt: skip


@dataclass
class Bench:
    """A run of the benchmark: what it measures with, and its figures so far."""

    engine: TalkingPhotos
    plan: Plan
    threads: int
    scratch: Path  # a folder for models that are only written to be measured
    bar: Any
    samples: list[Sample] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def tick(self) -> None:
        """Move the progress bar on."""
        self.bar.update()


def run(plan: Plan, rivals: Rivals, *, threads: int, data: Path, bundle: Path) -> Bench:
    """Measure the bot and its rivals on so many cores, with photos of the folder ``data`` if there are any."""
    rivals = {name: measure for name, measure in rivals.items() if name not in plan.without}
    bystanders = limits.Bystanders()
    with (
        limits.pinned(threads) as cores,
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=_ticks(plan, rivals), desc="load", bar_format=BAR, leave=False) as bar,
    ):
        engine = TalkingPhotos(bundle, provider="cpu")
        engine.warm_up()
        bench = Bench(engine, plan, cores, Path(scratch), bar)
        bench.skipped = dict.fromkeys(plan.without, "--quick leaves it out")
        bar.set_description("look for photos with one face")
        found = [(sample, engine.look(sample.data)) for sample in candidates(data, 2 * plan.photos)]
        bench.samples = choose(found, plan.photos)
        measure_bot(bench)
        measure_process(bench)
        measure_limits(bench)
        for name, measure in rivals.items():
            bar.set_description(name)
            compare(bench, name, measure)
    both = [bench.figures[name] for name in SMALL_VLMS if bench.figures.get(name)]
    bench.figures["x_smolvlm_shape"] = min(both, default=None)  # the quicker of the two is the one to beat
    bench.figures["busy_with_others"] = bystanders.cores()
    return bench


def measure_bot(bench: Bench) -> None:
    """Fill in stages, whole replies, turns and photos that come together."""
    engine, plan, samples = bench.engine, bench.plan, bench.samples
    bench.bar.set_description("the bot: photo to reply")
    many = list(islice(cycle(samples), plan.photos * plan.rounds))
    whole = asyncio.run(ours.one_by_one(engine, many, bench.tick))
    phones = [as_phone_photo(sample) for sample in samples[: plan.phones]]
    large = asyncio.run(ours.one_by_one(engine, phones, bench.tick))
    bench.bar.set_description("the bot: turns, photos together, stages")
    turns = asyncio.run(ours.turn_by_turn(engine, samples[: plan.talks], bench.tick))
    a_second, waited = asyncio.run(ours.together(engine, samples, plan.together, ours.TOGETHER, bench.tick))
    stages = {stage: median(times) for stage, times in whole.stages.items()}
    stages = ours.stages(engine, samples[0], plan.stages) | stages
    bench.figures |= {
        "reply_p50_ms": median(whole.replies),
        "reply_p95_ms": float(np.percentile(whole.replies, 95)),
        "turn_p50_ms": median(turns),
        "photos_per_s_8": a_second,
        "prompt_tokens": stages.pop("prompt_tokens"),
        "stages": stages,
        "turn_p95_ms": float(np.percentile(turns, 95)),
        "reply_12mp_p50_ms": median(large.replies),
        "wait_p50_ms_8": median(waited),
        "wait_p95_ms_8": float(np.percentile(waited, 95)),
        "same_photos_ms": median([t for i, t in enumerate(whole.replies) if i % plan.photos < plan.rivals]),
        "workers": engine.workers,
        "threads_each": engine.threads,
    }


def measure_process(bench: Bench) -> None:
    """Fill in cold start and memory of a fresh process, and the size of the bundle."""
    bench.bar.set_description("a fresh process")
    folder = bench.engine.bundle.folder
    bench.figures |= fresh.measure(bench.samples, bench.plan.replies, folder)
    bench.figures["bundle_mb"] = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 2**20
    bench.tick()


def measure_limits(bench: Bench) -> None:
    """Fill in the bandwidth of memory, and the share of it that a step of the speaker uses."""
    bench.bar.set_description("memory")
    figures = bench.figures
    both = limits.bandwidth(bench.engine.threads, bench.plan.memory)
    seen = round(figures["prompt_tokens"]) + ours.STEPS // 4
    needed = limits.step_bytes(bench.engine.sessions["speaker"], seen)
    figures["bandwidth_share"] = needed / (figures["stages"]["step_1"] / 1000) / max(both.values())
    figures |= {f"memory_{name}_gb_s": value / 1e9 for name, value in both.items()}
    figures["step_mb"] = needed / 2**20
    bench.tick()


def compare(bench: Bench, name: str, measure: Callable[[Bench], list[float]]) -> None:
    """Fill in how many times our reply time a rival takes; one that cannot run here is skipped with the reason."""
    try:
        times = measure(bench)
    except ImportError as error:
        bench.skipped[name] = f"{error}; install it with pip install -e '.[export,train]'"
        bench.figures[name] = None
        return
    bench.figures[name] = 1000 * median(times) / bench.figures["same_photos_ms"]
    bench.figures[f"{name.removeprefix('x_')}_ms"] = 1000 * median(times)


def torch_eager(bench: Bench) -> list[float]:
    """Return the seconds of PyTorch."""
    import torch

    from export.bench import rivals

    torch.set_num_threads(bench.threads)
    rival = rivals.torch_eager(bench.engine.bundle)
    return rivals.seconds(rival, bench.samples[: bench.plan.rivals], ours.cast_of(bench.engine), bench.tick)


def naive_ort(bench: Bench, *, together: bool = False) -> list[float]:
    """Return the seconds of ONNX Runtime in a plain loop, or in one that at least writes all samples together."""
    from export.bench import rivals

    rival = rivals.naive_ort(bench.engine.bundle, bench.threads, bench.scratch, together=together)
    return rivals.seconds(rival, bench.samples[: bench.plan.rivals], ours.cast_of(bench.engine), bench.tick)


def small_vlm(bench: Bench, bits: Literal["int8", "4-bit"]) -> list[float]:
    """Return the seconds of a model of SmolVLM's shape."""
    from export.bench import small_vlm_run

    samples = bench.samples[: bench.plan.small_vlm]
    return small_vlm_run.seconds(samples, bits, bench.threads, tick=bench.tick)


RIVALS: Rivals = {
    "x_torch_eager": torch_eager,
    "x_naive_ort": naive_ort,
    "x_naive_ort_batched": partial(naive_ort, together=True),
    "x_smolvlm_int8": partial(small_vlm, bits="int8"),
    "x_smolvlm_4bit": partial(small_vlm, bits="4-bit"),
}


def _ticks(plan: Plan, rivals: Rivals) -> int:
    """Return how many steps the progress bar has; a tick is a reply or some seconds of other work."""
    bot = plan.photos * plan.rounds + plan.phones + min(plan.talks, plan.photos) + plan.together + 2
    return bot + sum(plan.small_vlm if name in SMALL_VLMS else plan.rivals for name in rivals)
