"""The benchmark's arithmetic; its timings are for people to read, not for tests to judge."""

from __future__ import annotations

from pathlib import Path

import mnist_folder
import pytest
import torch
from small import small_data

from harness.bench.race import Race, Ratio
from harness.bench.steps import (
    Products,
    Trained,
    cell_steps,
    floor,
    products_of_a_step,
)
from harness.bench.users import UserProgram, from_tensor
from harness.bench.workers import shortened
from harness.data.benchmarks import Dataset
from harness.data.torchvision_mnist import training_set
from harness.running.training import Stack
from harness.studies.condition import Cell
from harness.studies.study_files import load_study
from methods.products import libraries


@pytest.mark.parametrize(
    ("target", "met"), [("", None), ("<= 2", True), ("<= 1.9", False), (">= 2", True)]
)
def test_a_target_is_met_or_not(target: str, met: bool | None) -> None:
    assert Ratio("name", 2.0, target).met is met


def test_programs_take_turns_and_ratios_are_of_one_round() -> None:
    calls: list[str] = []
    values = iter([1.0, 50.0, 3.0, 60.0, 2.0, 70.0])

    def program(name: str) -> float:
        calls.append(name)
        return next(values)

    race = Race({"a": lambda: program("a"), "b": lambda: program("b")})
    race.run(0.0)
    assert calls == ["a", "b"] * 3
    assert race.seconds("a") == 2.0
    assert race.ratio("b", "a") == 35.0  # of 50, 20 and 35


def test_the_floor_takes_each_product_through_its_fastest_library() -> None:
    found: dict[str, float] = {}
    for number, library in enumerate(libraries(), start=1):
        times = Products(library, 2).seconds()
        assert len(times) == len(products_of_a_step(1)) == 8
        assert min(times.values()) > 0
        found |= dict.fromkeys(times, float(number))
    assert floor(found) == 8 * 1.0
    last = [name for name in found if name.startswith([*libraries()][-1])]
    assert floor(found | {last[0]: 0.25}) == 7 + 0.25
    assert sum(product.flops for product in products_of_a_step(2)) == 2 * 2 * 64 * (
        2 * (784 * 256) + 3 * (256 * 256) + 3 * (256 * 16)
    )


def test_a_published_cell_has_ten_epochs_of_every_task() -> None:
    data: Dataset = small_data(per_class=50)  # 100 samples a task: two mini-batches of 64
    assert cell_steps(data) == 10 * 5 * 2
    short = shortened(load_study("dhp-split-mnist"), 7)
    assert {c.stack_protocol.iterations_per_task for c in short.ours.values()} == {7}
    assert {c.stack_protocol.epochs for c in short.ours.values()} == {None}


def test_the_steps_that_are_timed_train_under_a_penalty_in_force() -> None:
    data = small_data(pixels=784, per_class=300)
    study = load_study("dhp-split-mnist")
    cells = [Cell(condition=study.conditions["ewc"], seed=0)]
    tasks = Stack(cells, data, "cpu").tasks
    program = Trained(study, "ewc", data, tasks, 2)
    before = program.stack.network.weights[0].clone()
    program.step()
    assert not torch.equal(before, program.stack.network.weights[0])
    assert (program.stack.consolidation.penalty() > 0).all()
    assert program.stack.tasks is tasks


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


@pytest.mark.parametrize("compressed", [False, True])
def test_the_users_data_are_read_packed_and_unpacked(tmp_path: Path, compressed: bool) -> None:
    files = mnist_folder.small_files(side=28)
    images = training_set(mnist_folder.write(tmp_path, files, compressed=compressed), None)
    assert len(images) == 40
    pixels = files["train-images-idx3-ubyte"][16:]
    assert images.data.numpy().tobytes() == pixels
