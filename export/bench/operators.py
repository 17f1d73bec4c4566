"""What each network's operators take of a photo's reply, one thread: python -m export.bench.operators.

ONNX Runtime times every operator while photos are answered. What is left of the processor's time is Python's (pixels,
beam search, sampling, frames, ranking) and that of the timing itself, some microseconds for each of 2,000 operators.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from bot.domain import Persona
from bot.runtime.bundle import SHIPPED_BUNDLE, Bundle
from bot.runtime.session import Session
from bot.speech.decoder import Decoder
from bot.speech.personas import load_personas
from bot.speech.speaker import Speaker
from bot.vision.caption_writer import CaptionWriter
from bot.vision.captioner import Captioner
from bot.vision.detector import FaceDetector
from bot.vision.face_reader import FaceReader
from bot.vision.observer import Observer
from bot.vision.photo import decode
from export.bench.ours import ROTATION
from export.bench.photos import Sample, candidates, variants
from models.train.run import DATA

MODELS = ("face_detector", "face_reader", "captioner_encoder", "captioner_decoder", "speaker")
KERNEL = "_kernel_time"
SHOWN = 4  # operators of each network


@dataclass(frozen=True, slots=True)
class Row:
    """An operator of a network: milliseconds and runs a photo."""

    model: str
    operator: str
    ms: float
    runs: float


def main(argv: Sequence[str] | None = None) -> int:
    """Answer photos and print the table."""
    parser = argparse.ArgumentParser(prog="python -m export.bench.operators", description=__doc__)
    parser.add_argument("--photos", type=int, default=12, metavar="N")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/, if there is one")
    parser.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="folder of the models")
    args = parser.parse_args(argv)
    found = [*candidates(args.data, args.photos)]
    samples = [*found, *islice(variants(found), max(0, args.photos - len(found)))]
    with tempfile.TemporaryDirectory() as folder:
        rows, spent = measure(Bundle(args.bundle), samples, Path(folder))
    print("\n".join(table(rows, spent)))
    return 0


def measure(bundle: Bundle, samples: Sequence[Sample], folder: Path) -> tuple[list[Row], float]:
    """Answer each photo once; return all operators, the costliest first, and milliseconds of processor time a photo."""
    sessions = {
        name: Session(bundle.model(name), provider="cpu", threads=1, trace=folder / name) for name in MODELS
    }  # what is loaded later, such as a second speaker, would not be seen
    writer = CaptionWriter(sessions["captioner_decoder"])
    observer = Observer(
        FaceDetector(sessions["face_detector"]),
        FaceReader(sessions["face_reader"]),
        Captioner(sessions["captioner_encoder"], writer),
    )
    speaker = Speaker(Decoder(sessions["speaker"], bundle.file("speaker_tokenizer")))
    personas = load_personas()
    voices = [personas[name] for name in ROTATION]
    answer(observer, speaker, islice(cycle(samples), len(voices)), voices)  # what is read when a voice first speaks
    begun = time.thread_time()
    answer(observer, speaker, samples, voices)
    spent = 1000 * (time.thread_time() - begun) / len(samples)
    answered = len(samples) + len(voices)
    rows = [row for name, session in sessions.items() for row in read(name, session.end_trace(), answered)]
    return sorted(rows, key=lambda row: -row.ms), spent


def answer(observer: Observer, speaker: Speaker, samples: Iterable[Sample], personas: Sequence[Persona]) -> None:
    """Look at each photo and speak about it."""
    for number, sample in enumerate(samples):
        speaker.reply(observer.look(decode(sample.data)), personas[number % len(personas)], seed=number)


def read(model: str, trace: Path, photos: int) -> list[Row]:
    """Return what a trace tells of a network's operators."""
    took, runs = defaultdict[str, float](float), defaultdict[str, int](int)
    for event in json.loads(trace.read_text(encoding="utf-8")):
        if event.get("cat") == "Node" and event["name"].endswith(KERNEL):
            operator = event["args"]["op_name"]
            took[operator] += event["dur"] / 1000
            runs[operator] += 1
    return [Row(model, operator, took[operator] / photos, runs[operator] / photos) for operator in took]


def table(rows: Sequence[Row], spent: float) -> list[str]:
    """Return a Markdown table: each network's total and its costliest operators, and what is left for Python."""
    lines = ["| network | operator | ms a photo | runs a photo |", "|---|---|---|---|"]
    totals = {name: sum(row.ms for row in rows if row.model == name) for name in MODELS}
    for name in sorted(totals, key=lambda name: -totals[name]):
        own = [row for row in rows if row.model == name]
        lines.append(f"| **{name}** | all | {totals[name]:.1f} | {sum(row.runs for row in own):.0f} |")
        lines += [f"| | {row.operator} | {row.ms:.1f} | {row.runs:.0f} |" for row in own[:SHOWN]]
    lines.append(f"| **Python** | and the timing itself | {spent - sum(totals.values()):.1f} | |")
    return [*lines, f"| **all** | | {spent:.1f} | |"]


if __name__ == "__main__":
    sys.exit(main())
