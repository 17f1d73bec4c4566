"""Measure the shipped bundle on held-out data.

    python -m export.evaluate replies    # answers 20 photos with five personas: a table and a contact sheet
    python -m export.evaluate tongue     # fluency, voice, grounding, dialogue, speed: a table and a sheet to mark
    python -m export.evaluate eyes       # detector, face reader, captioner and scenes: figures and a contact sheet
    python -m export.evaluate portraits  # GAN and VAE: how real, obedient and fast; sheets of faces and morphs

Everything runs from the ONNX files of the bundle, on the CPU, on photos and faces that training never saw.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.runtime.bundle import SHIPPED_BUNDLE
from export import eyes, portraits, replies, tongue
from models.train.run import DATA, RUNS


def main() -> int:
    """Run one evaluation and print its table."""
    parser = argparse.ArgumentParser(
        prog="python -m export.evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    kinds = parser.add_subparsers(required=True, metavar="{replies,eyes,tongue,portraits}")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, default=DATA, help="folder with photos/, faces/ and teachers/")
    shared.add_argument("--out", type=Path, default=RUNS / "evaluate", help="where the contact sheet goes")
    shared.add_argument("--seed", type=int, default=1, help="which photos are drawn and what is said")
    shared.add_argument("--json", action="store_true", help="print JSON instead of the table")
    said = kinds.add_parser("replies", parents=[shared], help=replies.__doc__)
    said.add_argument("--portraits", type=int, default=8)
    said.add_argument("--scenes", type=int, default=12)
    said.set_defaults(report=replies.report)
    seen = kinds.add_parser("eyes", parents=[shared], help=eyes.__doc__)
    seen.add_argument("--threads", type=int, default=2, help="CPU threads of every model")
    seen.add_argument("--scenes", type=int, default=24, help="photos on the contact sheet")
    seen.set_defaults(report=eyes.report)
    spoken = kinds.add_parser("tongue", parents=[shared], help=tongue.__doc__)
    spoken.add_argument("--threads", type=int, default=2, help="CPU threads of every model")
    spoken.add_argument("--scenes", type=int, default=120, help="written scenes, and as many photos, that are answered")
    spoken.add_argument("--scored", type=int, default=400, help="authored replies whose perplexity is taken")
    spoken.set_defaults(report=tongue.report)
    drawn = kinds.add_parser("portraits", parents=[shared], help=portraits.__doc__)
    drawn.add_argument("--threads", type=int, default=2, help="CPU threads of every model")
    drawn.add_argument("--faces", type=int, default=0, help="validation faces that are compared (0: all)")
    drawn.add_argument("--drawn", type=int, default=0, help="faces the GAN draws (0: as many as those)")
    drawn.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="folder of the models")
    drawn.set_defaults(report=portraits.report)
    args = parser.parse_args()
    args.report(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
