"""A bot in a process of its own, for what cannot be told of one that has long been running: cold start and memory.

    python -m export.bench.fresh FOLDER REPLIES BUNDLE

loads all that ``python -m bot run`` loads and as it does, answers the photos of FOLDER in turn until it has given
REPLIES replies, and prints a line of JSON after the first one and at the end. Nothing is imported here that a bot does
not import. It is measured as it starts every time but the first: with Python's bytecode at hand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from bot.runtime.memory import share_heap
from bot.runtime.startup import at_once, here_to_stay

if TYPE_CHECKING:
    from bot.app import TalkingPhotos
    from export.bench.photos import Sample

STATUS = Path("/proc/self/status")
NO_BYTECODE = "PYTHONDONTWRITEBYTECODE"  # with this every start compiles every module of the bot again


def measure(photos: Sequence[Sample], replies: int, bundle: Path) -> dict[str, float]:
    """Return ``cold_start_s`` (from starting Python to the first reply), ``rss_mb`` and ``peak_rss_mb`` in the end."""
    with tempfile.TemporaryDirectory() as folder:
        for number, photo in enumerate(photos):
            (Path(folder) / f"{number:03}.jpg").write_bytes(photo.data)
        command = [sys.executable, "-m", "export.bench.fresh", folder, str(replies), str(bundle)]
        surroundings = {name: value for name, value in os.environ.items() if name != NO_BYTECODE}
        subprocess.run([sys.executable, "-c", "import bot.app, bot.client"], env=surroundings, check=True)
        begun = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            cold = time.perf_counter() - begun
            rest = child.stdout.read()
    if child.returncode or not first:
        raise RuntimeError(f"The fresh process ended with status {child.returncode}; its own words stand above.")
    parts = json.loads(first)
    return {"cold_start_s": cold, **parts, **json.loads(rest)}


def main() -> None:
    """Be the fresh process."""
    begun = time.perf_counter()
    folder, replies, bundle = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    spans: dict[str, float] = {}
    share_heap()
    with here_to_stay():
        _, engine = at_once(partial(import_client, spans), partial(load, bundle, spans))
    engine.warm_up_soon()
    spans["ready_s"] = time.perf_counter() - begun
    personas = [*engine.personas.values()]
    for number, path in enumerate(islice(cycle(sorted(folder.glob("*.jpg"))), replies)):
        engine.reply(engine.look(path.read_bytes()), personas[number % len(personas)], seed=number)
        if number == 0:
            print(json.dumps(spans), flush=True)
    print(json.dumps(memory()))


def import_client(spans: dict[str, float]) -> None:
    """Import what a running bot holds in memory besides the engine."""
    begun = time.perf_counter()
    import bot.client  # noqa: F401

    spans["import_s"] = time.perf_counter() - begun


def load(bundle: Path, spans: dict[str, float]) -> TalkingPhotos:
    """Return an engine with all models loaded."""
    begun = time.perf_counter()
    from bot.app import TalkingPhotos

    engine = TalkingPhotos(bundle, provider="cpu")
    spans["load_s"] = time.perf_counter() - begun
    return engine


def memory() -> dict[str, float]:
    """Return megabytes that this process holds now and held at most; Linux only, else nothing."""
    if not STATUS.exists():
        return {}
    sizes = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", STATUS.read_text(encoding="ascii")))
    return {"rss_mb": int(sizes["VmRSS"]) / 1024, "peak_rss_mb": int(sizes["VmHWM"]) / 1024}


if __name__ == "__main__":
    main()
