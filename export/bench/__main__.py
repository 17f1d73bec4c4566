"""Measure how fast the bot is on this machine, and against what else could have been done.

    python -m export.bench             # about three minutes on two idle cores: two tables
    python -m export.bench --json      # one object
    python -m export.bench --quick     # half a minute: fewer photos, without the plain loop

Measured are stages, whole replies one at a time and eight at a time, turns, cold start, memory, and the same work done
by PyTorch op by op, by a plain loop over ONNX Runtime and by a model of SmolVLM-256M's shape; last, which share of the
memory's bandwidth the speaker uses. Give it an idle machine: everything else that runs is measured, too.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bot.domain import BadInput, Failure
from bot.runtime.bundle import SHIPPED_BUNDLE
from export.bench.measure import QUICK, RIVALS, Plan, Rivals, run
from export.bench.table import to_json, to_table
from models.train.run import DATA

QUIET = 0.15  # cores that other programs may use


def main(argv: Sequence[str] | None = None, *, plan: Plan | None = None, rivals: Rivals = RIVALS) -> int:
    """Run the benchmark and print its figures."""
    args = parser().parse_args(argv)
    plan = plan or (QUICK if args.quick else Plan())
    plan = replace(plan, photos=args.photos or plan.photos)
    started = time.perf_counter()
    try:
        bench = run(plan, rivals, threads=args.threads, data=args.data, bundle=args.bundle)
    except (BadInput, Failure) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, BadInput) else 1
    print((to_json if args.json else to_table)(bench.figures, bench.skipped))
    print(f"measured in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if (others := bench.figures["busy_with_others"]) > QUIET:
        print(f"Other programs kept {others:.1f} cores busy; measure again when they do not.", file=sys.stderr)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(
        prog="python -m export.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--json", action="store_true", help="print one JSON object instead of the tables")
    made.add_argument("--quick", action="store_true", help="measure everything, but less of it")
    made.add_argument("--photos", type=int, default=0, metavar="N", help="different photos (24; 12 with --quick)")
    made.add_argument("--threads", type=int, default=2, metavar="N", help="cores that the bot and its rivals get")
    made.add_argument("--data", type=Path, default=DATA, help="folder with photos/, if there is one")
    made.add_argument("--bundle", type=Path, default=SHIPPED_BUNDLE, help="folder of the models")
    return made


if __name__ == "__main__":
    sys.exit(main())
