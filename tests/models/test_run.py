import argparse
from pathlib import Path

import pytest
import torch
from torch import nn

from models.train.run import TrainingRun, arguments, cosine, need, set_learning_rate, weight_groups


def options(out: Path, *more: str) -> argparse.Namespace:
    parser = arguments("thing", "Train a thing.", minutes=5)
    return parser.parse_args(["--out", str(out), "--device", "cpu", *more])


def test_a_run_stops_after_its_steps_and_resumes_where_it_stopped(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    run = TrainingRun(options(tmp_path, "--steps", "3"))
    assert list(run.steps()) == [0, 1, 2]
    run.metrics = {"accuracy": 0.5}
    run.save(config={"size": 2}, model=model)

    again, other = TrainingRun(options(tmp_path, "--steps", "5")), nn.Linear(2, 2)
    assert again.resume(model=other)
    assert torch.equal(other.weight, model.weight)
    assert again.metrics == {"accuracy": 0.5}
    assert list(again.steps()) == [3, 4]


def test_fresh_ignores_the_last_checkpoint(tmp_path: Path) -> None:
    run = TrainingRun(options(tmp_path, "--steps", "1"))
    run.save(config={}, model=nn.Linear(1, 1))
    assert not TrainingRun(options(tmp_path, "--fresh")).resume(model=nn.Linear(1, 1))


def test_the_same_seed_gives_the_same_numbers(tmp_path: Path) -> None:
    draws = [(TrainingRun(options(tmp_path, "--seed", "4")), torch.rand(1).item())[1] for _ in range(2)]
    assert draws[0] == draws[1]


def test_the_time_budget_ends_a_run(tmp_path: Path) -> None:
    run = TrainingRun(options(tmp_path, "--minutes", "0.001"))
    assert sum(1 for _ in run.steps()) >= 1
    assert run.progress == 1


def test_the_learning_rate_warms_up_and_decays() -> None:
    assert cosine(0.0) < 0.01 < cosine(0.015) < cosine(0.03)
    assert cosine(0.03) == pytest.approx(1.0)
    assert cosine(1.0) == pytest.approx(0.02)
    optimizer = torch.optim.AdamW(weight_groups(nn.Linear(2, 2), lr=0.1, weight_decay=0.5))
    set_learning_rate(optimizer, 0.5)
    set_learning_rate(optimizer, 0.1)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.01, 0.01])
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.5, 0.0]


def test_missing_data_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nowhere is missing: it should hold photos; point --data at it"):
        need(tmp_path / "nowhere", "photos")
