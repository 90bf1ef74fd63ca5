"""The benchmark's arithmetic; its timings are for people to read, not for tests to judge."""

from __future__ import annotations

import pytest
import torch
from small import small_data

from harness.bench import Ratio, alternate, cell_steps, one_epoch, seconds_of_products
from harness.bench_baselines import UserProgram, from_tensor
from harness.benchmarks import Dataset
from harness.study_files import load_study


@pytest.mark.parametrize(
    ("target", "met"), [("", None), ("<= 2", True), ("<= 1.9", False), (">= 2", True)]
)
def test_a_target_is_met_or_not(target: str, met: bool | None) -> None:
    assert Ratio("name", 2.0, target).met is met


def test_programs_take_turns_and_the_median_counts() -> None:
    calls: list[str] = []
    values = iter([1.0, 50.0, 3.0, 60.0, 2.0, 70.0])

    def program(name: str) -> float:
        calls.append(name)
        return next(values)

    seconds = alternate({"a": lambda: program("a"), "b": lambda: program("b")}, 3)
    assert calls == ["a", "b"] * 3
    assert seconds == {"a": 2.0, "b": 60.0}


def test_a_published_cell_has_ten_epochs_of_every_task() -> None:
    data: Dataset = small_data(per_class=50)  # 100 samples a task: two mini-batches of 64
    assert cell_steps(data) == 10 * 5 * 2
    short = one_epoch(load_study("dhp-split-mnist"))
    assert {c.protocol.epochs for c in short.conditions.values()} == {1}
    assert seconds_of_products(1, 1) > 0


@pytest.mark.parametrize("method", ["finetune", "online-ewc", "si", "mas"])
def test_the_users_programs_learn(method: str) -> None:
    torch.manual_seed(0)
    inputs = torch.rand(128, 784)
    labels = (inputs[:, 0] > 0.5).long() + 2
    program = UserProgram(method, (2, 3))
    program.importances(inputs[:3], labels[:3])
    batches = from_tensor(inputs, labels)
    before = program.loss(inputs, labels).item()
    for _ in range(40):
        program.step(*next(batches))
    assert program.loss(inputs, labels).item() < before
    assert (float(sum(p.abs().sum() for p in program.path)) > 0) == (method == "si")
