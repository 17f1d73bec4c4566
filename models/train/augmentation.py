"""Does it help the face reader to train on faces of our GAN or VAE, too? The same short training with and without.

    python -m models.train.augmentation --steps 500 --threads 1

Every arm takes the same number of steps, batch, seed and schedule; a share of each batch are made faces in place of
real ones. Once on all training faces, once on a tenth of them, where made ones have more to add. The GAN and the
VAE were trained on FairFace's training faces, all of them: with a tenth they bring in what the others taught
them. The table (augmentation.md, augmentation.json under --out) grows with every arm; finished ones are not run again.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from bot.runtime.bundle import SHIPPED_BUNDLE
from models.data.generated_faces import COUNT, KINDS, maker
from models.train.face_reader import train
from models.train.run import BEST, TrainingRun, arguments

LIMITS = (0, 2250)  # training faces of an arm; 0 is all of them
# What the table shows: column, metric, and the metric that counts the faces it is of
COLUMNS = (
    ("age", "age_band_accuracy", "age_band_faces"),
    ("within one band", "age_within_one", "age_band_faces"),
    ("gender", "gender_accuracy", "gender_faces"),
    ("expression", "expression_accuracy", "expression_faces"),
    ("happy or not", "happy_or_not", "expression_faces"),
)

Result = dict[str, float | str]


def run_arm(args: argparse.Namespace, limit: int, kind: str, seed: int) -> Result:
    """Train one arm, unless it was already, and return its figures on the validation faces."""
    out = args.out / f"{limit or 'all'}-{kind}-{seed}"
    best = out / BEST
    if args.fresh or not (best.exists() and step_of(best) == args.steps):
        options = argparse.Namespace(**{**vars(args), "out": out, "seed": seed, "minutes": math.inf})
        make = maker(kind, args.augment_share, args.portraits, seed, args.made)
        train(TrainingRun(options), args.data / "faces", args.batch, args.lr, None, limit, make)
    metrics = torch.load(best, map_location="cpu", weights_only=True)["metrics"]
    return {"faces": limit, "augment": kind, "seed": seed, **metrics}


def step_of(checkpoint: Path) -> int:
    """Return after how many steps a checkpoint was written."""
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["step"])


def as_table(results: Sequence[Result], steps: int) -> str:
    """Return a table in markdown: the mean over seeds of each kind of arm, and one standard error of its faces."""
    names = [name for name, *_ in COLUMNS]
    lines = [
        f"Validation accuracy in per cent after {steps} steps, one standard error of so many faces beside it.",
        "",
        f"| training faces | made faces | seeds | {' | '.join(names)} |",
        "|---" * (3 + len(names)) + "|",
    ]
    for limit, kind in dict.fromkeys((r["faces"], r["augment"]) for r in results):
        arms = [r for r in results if (r["faces"], r["augment"]) == (limit, kind)]
        cells = [cell(arms, metric, count) for _, metric, count in COLUMNS]
        lines.append(f"| {limit or 'all'} | {kind} | {len(arms)} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def cell(arms: Sequence[Result], metric: str, count: str) -> str:
    """Return mean, standard error by the number of faces and, of several seeds, lowest and highest."""
    values = [float(arm[metric]) for arm in arms]
    mean = float(np.mean(values))
    error = math.sqrt(mean * (1 - mean) / float(arms[0][count]))
    spread = f" ({100 * min(values):.1f} to {100 * max(values):.1f})" if len(values) > 1 else ""
    return f"{100 * mean:.1f} ± {100 * error:.1f}{spread}"


def main() -> None:
    """Run the arms one after the other and print the table."""
    parser = arguments("augmentation", __doc__ or "", minutes=math.inf)
    parser.set_defaults(steps=500)
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=8e-4)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--limits", nargs="+", type=int, default=list(LIMITS), help="training faces (0: all)")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="each arm once with each")
    parser.add_argument("--augment-share", type=float, default=0.25, help="how much of a batch are made faces")
    parser.add_argument("--made", type=int, default=COUNT, help="how many different faces are made")
    parser.add_argument("--portraits", type=Path, default=SHIPPED_BUNDLE, help="bundle with the GAN and the VAE")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    results: list[Result] = []
    arms = [
        (limit, kind, seed) for seed in args.seeds for limit in sorted(args.limits, reverse=True) for kind in args.kinds
    ]
    for limit, kind, seed in arms:
        results.append(run_arm(args, limit, kind, seed))
        (args.out / "augmentation.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        (args.out / "augmentation.md").write_text(as_table(results, args.steps), encoding="utf-8")
        print(as_table(results, args.steps), flush=True)


if __name__ == "__main__":
    main()
