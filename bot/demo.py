"""``make demo``: one photo, three personas, what was seen, what was said, how long it took.

Usage: ``python -m bot.demo [PHOTO]``. Without PHOTO it takes the public-domain portrait of Grace
Hopper that matplotlib carries (the ``demo`` extra).
"""

from __future__ import annotations

import importlib.util
import sys
import time
import zlib
from pathlib import Path

from bot import terminal
from bot.app import TalkingPhotos
from bot.domain import BadInput, Failure
from bot.runtime.timing import Stopwatch
from bot.settings import load_settings
from bot.speech.personas import find_persona
from bot.vision.photo import open_photo

PERSONAS = ("self", "pirate", "detective")


def sample_photo() -> Path:
    """Return the path of matplotlib's Grace Hopper portrait without importing matplotlib."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise BadInput('Name a photo, or install the sample portrait first: pip install "talking-photos[demo]".')
    return Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"


def run(path: Path) -> None:
    """Print the whole exchange for one photo."""
    stopwatch, settings = Stopwatch(), load_settings()
    with stopwatch("decode"):
        photo = open_photo(path)
    started = time.perf_counter()
    engine = TalkingPhotos(settings.bundle, provider=settings.provider, threads=settings.threads)
    provider = engine.sessions["speaker"].provider.removesuffix("ExecutionProvider")
    print(f"models loaded in {time.perf_counter() - started:.1f} s, running on {provider}\n\n{path}")
    scene = engine.observe(photo, stopwatch)
    print(f"{terminal.describe_scene(scene)}\n  {terminal.describe_timings(stopwatch.timings_ms)}\n")
    seed = zlib.crc32(path.read_bytes())  # one photo is answered alike every time, another one otherwise
    for number, name in enumerate(PERSONAS):
        persona = find_persona(engine.personas, name)
        reply = engine.reply(scene, persona, seed=seed + number)
        print(f"{persona.name}: {reply.text}\n  {reply.source}; {terminal.describe_timings(reply.timings_ms)}\n")


def main() -> int:
    """Run the demo; one sentence and a status on errors, as the command line does."""
    try:
        run(Path(sys.argv[1]) if len(sys.argv) > 1 else sample_photo())
    except (BadInput, Failure) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, BadInput) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
