"""What every training script shares: arguments, seed, device, time budget, checkpoints, curves.

A script builds its network and data, then loops ``for step in run.steps():``. Learning rates follow
``run.progress`` (0..1, the larger of time and steps used up), so one schedule fits any budget, also
after a resume: the minutes already spent are part of the checkpoint.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

DATA = Path(os.environ.get("TALKING_PHOTOS_DATA", "../shared/data"))
RUNS = Path(os.environ.get("TALKING_PHOTOS_RUNS", "runs"))
LAST, BEST = "last.pt", "best.pt"
SAVE_SECONDS = 120.0


def arguments(name: str, description: str, *, minutes: float) -> argparse.ArgumentParser:
    """Return a parser with the options every training script has."""
    parser = argparse.ArgumentParser(prog=f"python -m models.train.{name}", description=description)
    parser.add_argument("--minutes", type=float, default=minutes, help="time budget, resumed minutes included")
    parser.add_argument("--steps", type=int, default=0, help="stop after this many steps (0: by time only)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (0: PyTorch's own choice)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with photos/, faces/ and text/")
    parser.add_argument("--out", type=Path, default=RUNS / name, help="checkpoints, curves and pictures go here")
    parser.add_argument("--fresh", action="store_true", help="start over instead of resuming from --out")
    return parser


def need(path: Path, what: str) -> Path:
    """Return ``path`` or stop with one sentence that says what to put there."""
    if not path.exists():
        raise SystemExit(f"{path} is missing: it should hold {what}; point --data at it (see models/data/README.md).")
    return path


class TrainingRun:
    """Book-keeping of one training: seed, device, budget, checkpoints and TensorBoard curves."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.out: Path = args.out
        self.out.mkdir(parents=True, exist_ok=True)
        if args.threads:
            torch.set_num_threads(args.threads)
        seed_everything(args.seed)
        cuda = torch.cuda.is_available() if args.device == "auto" else args.device == "cuda"
        self.device = torch.device("cuda" if cuda else "cpu")
        self.writer = SummaryWriter(str(self.out / "curves"))
        self.step = 0
        self.metrics: dict[str, float] = {}
        self._spent = 0.0
        self._started = time.monotonic()
        self._saved = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes trained so far, earlier sessions included."""
        return self._spent + (time.monotonic() - self._started) / 60

    @property
    def progress(self) -> float:
        """Share of the budget used, 0..1."""
        by_steps = self.step / self.args.steps if self.args.steps else 0.0
        return min(1.0, max(by_steps, self.minutes / max(self.args.minutes, 1e-9)))

    def resume(self, **parts: Any) -> bool:
        """Load ``last.pt`` into modules and optimisers given by name; return whether there was one."""
        path = self.out / LAST
        if self.args.fresh or not path.exists():
            return False
        checkpoint = torch.load(path, map_location=self.device, weights_only=False)
        for name, part in parts.items():
            part.load_state_dict(checkpoint[name])
        self.step, self._spent, self.metrics = checkpoint["step"], checkpoint["minutes"], checkpoint["metrics"]
        self._started = time.monotonic()
        tqdm.write(f"resumed {path} at step {self.step} ({self._spent:.1f} minutes)")
        return True

    def save(self, file: str = LAST, *, config: Mapping[str, Any], **parts: Any) -> Path:
        """Write a checkpoint atomically: config, step, minutes, metrics and every part's state."""
        path = self.out / file
        state = {name: part.state_dict() for name, part in parts.items()}
        about = {"config": dict(config), "step": self.step, "minutes": self.minutes, "metrics": self.metrics}
        torch.save({**about, **state}, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)
        return path

    def due(self, seconds: float = SAVE_SECONDS) -> bool:
        """Return True once every ``seconds``: time to save and evaluate."""
        if time.monotonic() - self._saved < seconds:
            return False
        self._saved = time.monotonic()
        return True

    def steps(self) -> Iterator[int]:
        """Yield step numbers with a progress bar until the budget is spent."""
        bar = tqdm(total=100.0, unit="%", bar_format="{l_bar}{bar}| {n:.1f}% {elapsed} {postfix}", mininterval=5)
        self.bar = bar
        while self.progress < 1:
            yield self.step
            self.step += 1
            bar.update(100 * self.progress - bar.n)
        bar.close()

    def log(self, values: Mapping[str, float], prefix: str = "train") -> None:
        """Write scalars to TensorBoard and show them on the progress bar."""
        for name, value in values.items():
            self.writer.add_scalar(f"{prefix}/{name}", value, self.step)
        if hasattr(self, "bar"):
            self.bar.set_postfix({"step": self.step, **{k: f"{v:.3f}" for k, v in values.items()}}, refresh=False)

    @property
    def fast_bfloat16(self) -> bool:
        """Whether bfloat16 speeds this run up: on a GPU, and on CPUs with AMX (1.7 times); it slows other CPUs."""
        cpu = Path("/proc/cpuinfo")
        return self.device.type == "cuda" or (cpu.exists() and "amx_bf16" in cpu.read_text())

    def autocast(self) -> torch.autocast:
        """Return the bfloat16 autocast context of this run's device."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def cosine(progress: float, *, warmup: float = 0.03, floor: float = 0.02) -> float:
    """Return the learning-rate factor at ``progress``: linear warm-up, then cosine down to ``floor``."""
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


def trapezoid(progress: float, *, warmup: float = 0.02, decay: float = 0.4) -> float:
    """Return the learning-rate factor at ``progress``: linear warm-up, level, then linear down to 0.

    Warmup-stable-decay (Hu et al. 2024): a level rate lets a run go on with new data before it is brought down.
    """
    return max(1e-3, min(1.0, progress / warmup, (1 - progress) / decay))


def set_learning_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Scale every group's ``initial_lr`` (set on first use) by ``factor``."""
    for group in optimizer.param_groups:
        group.setdefault("initial_lr", group["lr"])
        group["lr"] = group["initial_lr"] * factor


def weight_groups(model: nn.Module, lr: float, weight_decay: float) -> list[dict[str, Any]]:
    """Split parameters so that only matrices and kernels decay, not biases, norms and scales."""
    decay = [p for p in model.parameters() if p.requires_grad and p.ndim >= 2]
    plain = [p for p in model.parameters() if p.requires_grad and p.ndim < 2]
    return [
        {"params": decay, "lr": lr, "weight_decay": weight_decay},
        {"params": plain, "lr": lr, "weight_decay": 0.0},
    ]
