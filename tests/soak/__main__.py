"""``python -m tests.soak``: thousands of messages to the bot on the loopback Discord, none lost and none doubled.

The bot runs in a process of its own, so that its memory, files and clock are measured without those of the server and
the people. The exit status is 1 when anything was lost, doubled, wrong, against Discord's rules or left open. The log
beside the JSON begins with what happened in the channel of each fault before it and of the slowest answers meanwhile,
and goes on with what the bot logged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path

from tests.soak.run import soak

OUT = Path(__file__).parents[2] / "runs" / "soak.json"


def main() -> int:
    """Run a soak, show its table and write its JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--engine", choices=["fake", "real"], default="fake", help="the shipped models, or none")
    parser.add_argument("--seed", type=int, default=1, help="of what people do; the order of answers is not fixed")
    parser.add_argument("--openapi", type=float, default=0.02, help="share of requests checked against the description")
    parser.add_argument("--minutes", type=float, default=60.0, help="after which it stops, however far it is")
    parser.add_argument("--out", type=Path, default=OUT)
    wanted = parser.parse_args()
    report = asyncio.run(soak(wanted.messages, wanted.engine, wanted.seed, wanted.openapi, wanted.minutes))
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    wanted.out.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
    wanted.out.with_suffix(".log").write_text(report.log, encoding="utf-8")
    print(report.table())
    for fault in report.faults:
        print(fault, file=sys.stderr)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
