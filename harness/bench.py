"""Ratios measured in one run: where the time goes, and what the stack saves.

    make bench                                  about four minutes on two cores
    python -m harness.bench --quick             fewer repetitions

Every figure is a ratio of medians taken alternately in this one run, so that a slow or busy
machine slows both sides. Cells are measured over one epoch a task and scaled to the published
ten: ``10 x training + importances + evaluation``. The user's programs are measured over some
steps and some samples and scaled to the same numbers. A benchmark prints; it never fails.

Where the time of a step goes (``--profile``, torch.profiler, two lanes, one thread, AMD EPYC of
family 26): the body's ten products take 60% for finetune, 55% for dhp, 50% for online-ewc and 44%
for si; copying their results into the stack, 12% (15% for si, which also remembers gradients and
weights); the update of all parameters 5%; the gather of the mini-batch 4%; penalty and path
integral the rest of the difference. The copies are what is left to win.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from harness.bench_baselines import UserProgram, from_loader, from_tensor
from harness.benchmarks import Dataset, Task, cut_into_tasks, mnist_class, split_mnist
from harness.condition import Cell
from harness.executors import BlockDone, Executor, InProcess, OnRay
from harness.plan import CPU_LANES, make_plan
from harness.study import Study
from harness.study_files import load_study
from harness.training import Stack, train_block
from methods.importance import TaskSamples, fisher, mas
from methods.network import padded
from methods.products import product

EPOCHS = 10
WORKER_SEEDS = 24  # enough that every worker trains several blocks after its first
USER_METHODS = ("finetune", "online-ewc", "si", "mas")
TARGETS = {
    "dhp": 1.25,
    "ewc": 2.0,
    "online-ewc": 1.6,
    "si": 1.8,
    "mas": 1.6,
}


@dataclass(frozen=True)
class Ratio:
    """A ratio, what it was aimed at ("<= 1.5", ">= 4", or "" for none) and whether it got there."""

    name: str
    value: float
    target: str = ""
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if not self.target:
            return None
        sign, bound = self.target.split()
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)


def alternate(programs: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Run all programs in turn, ``rounds`` times; returns the median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, program in programs.items():
            seconds[name].append(program())
    return {name: statistics.median(values) for name, values in seconds.items()}


def timed(action: Callable[[], object], times: int = 1) -> float:
    """Return the seconds that an action takes, on average over some calls."""
    started = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - started) / times


def one_epoch(study: Study) -> Study:
    """Return the study with one epoch a task."""
    raw = study.model_dump(mode="json", exclude_none=True)
    for condition in raw["conditions"].values():
        condition["protocol"]["epochs"] = 1
    return Study.model_validate(raw)


def seconds_per_cell(study: Study, name: str, data: Dataset, lanes: int) -> float:
    """Return the seconds of a cell at ten epochs, from one epoch of ``lanes`` cells."""
    cells = [Cell(condition=study.conditions[name], seed=seed) for seed in range(lanes)]
    *_, outcomes = train_block(cells, data)
    assert isinstance(outcomes, list)
    spent = outcomes[0].timings
    return EPOCHS * spent["training"] + spent["importances"] + spent["evaluation"]


def seconds_of_products(steps: int, lanes: int) -> float:
    """Return the seconds a cell's matrix products take alone: the floor.

    The eight products of a step, forward and backward, in the shapes of the published network
    (ten outputs stored as sixteen columns), ``lanes`` at a time.
    """
    widths = [784, 256, 256, padded(10)]
    x = [torch.rand(lanes, 64, width) for width in widths]
    w = [torch.rand(lanes, a, b) for a, b in pairwise(widths)]
    out = [torch.empty_like(m) for m in w]
    bias = [torch.zeros(lanes, 1, width) for width in widths[1:]]

    def step() -> None:
        for layer in range(2):
            product(x[layer], w[layer], bias=bias[layer])
        torch.baddbmm(bias[2], x[2], w[2])
        torch.bmm(x[3], w[2].transpose(1, 2))
        product(x[2], w[1].transpose(1, 2))
        for layer in range(2):
            product(x[layer].transpose(1, 2), x[layer + 1], out=out[layer])
        torch.bmm(x[2].transpose(1, 2), x[3], out=out[2])

    step()
    return timed(step, 60) / lanes * steps


def seconds_of_user(
    method: str, task: Task, batches: Any, steps: int, samples: int, few: int
) -> float:
    """Return the seconds of the user's cell, from a few steps and a few samples."""
    program = UserProgram(method, task.classes)
    program.step(*next(batches))
    training = timed(lambda: program.step(*next(batches)), few) * steps
    if method not in ("online-ewc", "mas"):
        return training
    part = 3 * few
    inputs, labels = task.train_inputs[:part], task.train_labels[:part]
    return training + timed(lambda: program.importances(inputs, labels)) / part * samples


def against_users(data: Dataset, data_dir: Path, cell: Mapping[str, float], rounds: int) -> Any:
    """Compare with the user's programs (a) with a DataLoader and (b) on tensors."""
    from torchvision.transforms import ToTensor

    task = first_task(data)
    images = mnist_class()(str(data_dir), train=True, transform=ToTensor())
    rows = [int(i) for i in torch.isin(images.targets, torch.tensor(task.classes)).nonzero()]
    loader = from_loader(images, rows)
    tensors = from_tensor(task.train_inputs, task.train_labels)
    steps = cell_steps(data)
    samples = len(data.train_labels) * 4 // 5  # after every task but the last
    programs = {
        f"{kind} {method}": partial(seconds_of_user, method, task, batches, steps, samples, 40)
        for kind, batches in (("loader", loader), ("tensor", tensors))
        for method in USER_METHODS
    }
    seconds = alternate(programs, rounds)
    return [
        Ratio(f"user's {method}, {label} / ours", seconds[f"{kind} {method}"] / cell[method], goal)
        for kind, label, goal in (
            ("loader", "DataLoader and ToTensor", ">= 4"),
            ("tensor", "data in one tensor", ">= 1.8"),
        )
        for method in USER_METHODS
    ]


def first_task(data: Dataset) -> Task:
    """Return the benchmark's first task as the published protocol has it."""
    return cut_into_tasks(
        data, scaling="unit", validation_fraction=0, width=784, dtype=torch.float32, device="cpu"
    )[0]


def cell_steps(data: Dataset) -> int:
    """Return the updates of a cell at the published protocol."""
    sizes = [int(torch.isin(torch.from_numpy(data.train_labels), torch.tensor(t)).sum())
             for t in data.tasks]  # fmt: skip
    return EPOCHS * sum(-(-size // 64) for size in sizes)


def importances(study: Study, data: Dataset, rounds: int) -> list[Ratio]:
    """Compare importances by matrix products with one backward pass per sample."""
    task = first_task(data)
    cells = [Cell(condition=study.conditions["ewc"], seed=s) for s in range(CPU_LANES)]
    network = Stack(cells, data, "cpu").network
    samples = TaskSamples(task.train_inputs, task.train_labels, network.output_mask(task.classes))
    few = 300
    part = task.train_inputs[:few], task.train_labels[:few]
    users = {m: UserProgram(m, task.classes) for m in ("online-ewc", "mas")}
    scale = len(task.train_labels) / few
    seconds = alternate(
        {
            "exact": lambda: timed(lambda: fisher(network, samples, "exact")) / CPU_LANES,
            "true": lambda: timed(lambda: fisher(network, samples, "true")) / CPU_LANES,
            "mas": lambda: timed(lambda: mas(network, samples)) / CPU_LANES,
            "user fisher": lambda: timed(lambda: users["online-ewc"].importances(*part)) * scale,
            "user mas": lambda: timed(lambda: users["mas"].importances(*part)) * scale,
        },
        rounds,
    )
    return [
        Ratio("per-sample true-label Fisher / ours", seconds["user fisher"] / seconds["true"],
              ">= 20"),
        Ratio("per-sample true-label Fisher / our exact Fisher",
              seconds["user fisher"] / seconds["exact"]),
        Ratio("per-sample MAS / ours", seconds["user mas"] / seconds["mas"], ">= 20"),
    ]  # fmt: skip


@dataclass(frozen=True)
class Pace:
    """How an executor did: seconds to start and to run, and cells per minute once all workers run.

    The first block of every worker is left out of ``per_minute``: it waits for the data set and
    for torch to load, once in a run however long.
    """

    start: float
    run: float
    per_minute: float


def workers(study: Study, data: Dataset) -> list[Ratio]:
    """Measure how cells per minute grow with workers, and what Ray costs."""

    def pace(part: Study, of: Dataset, start: Callable[[], Executor], lanes: int) -> Pace:
        plan = make_plan(part, of.checksum(), [], workers=1, lanes=lanes, device="cpu")
        begun = time.perf_counter()
        executor = start()
        ready = time.perf_counter()
        ends = [
            time.perf_counter() for e in executor.run(plan.blocks, of) if isinstance(e, BlockDone)
        ]
        assert len(ends) == len(plan.blocks)
        first = executor.workers - 1  # blocks are of one size, so these end together
        cells = sum(len(block) for block in plan.blocks[executor.workers :])
        steady = 60 * cells / (ends[-1] - ends[first])
        return Pace(ready - begun, ends[-1] - ready, steady)

    long = study.choose(["finetune"], str(WORKER_SEEDS))
    here = pace(long, data, lambda: InProcess("cpu"), CPU_LANES)
    one = pace(long, data, lambda: OnRay("cpu", 1, None), CPU_LANES)
    two = pace(long, data, lambda: OnRay("cpu", 2, None), CPU_LANES)
    short = load_study("smoke")
    digits = _digits()
    short_here = pace(short, digits, lambda: InProcess("cpu"), 2)
    short_ray = pace(short, digits, lambda: OnRay("cpu", 2, None), 2)
    return [
        Ratio("2 workers / 1 worker, cells per minute", two.per_minute / one.per_minute, ">= 1.8"),
        Ratio("Ray, 1 worker / in-process, long study, start left out", one.run / here.run),
        Ratio("Ray, 2 workers / in-process, short study, start included",
              (short_ray.start + short_ray.run) / (short_here.start + short_here.run)),
        Ratio("Ray's start", one.start, unit="s"),
        Ratio("cells per minute, 2 workers (finetune, one epoch)", two.per_minute, unit=""),
    ]  # fmt: skip


def _digits() -> Dataset:
    from harness.benchmarks import split_digits

    return split_digits(Path())


def peak_memory(data_dir: Path) -> Ratio:
    """Measure the peak resident memory of a process that trains ten lanes of MNIST."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.bench", "--memory", "--data-dir", str(data_dir)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Ratio("peak memory of a worker, 10 lanes of ewc", float(done.stdout), "<= 1.2", "GB")


def _print_own_peak(study: Study, data: Dataset) -> None:
    raw = study.choose(["ewc"], None).conditions["ewc"]
    short = raw.protocol.model_copy(update={"epochs": None, "iterations_per_task": 20})
    condition = raw.model_copy(update={"protocol": short})
    list(train_block([Cell(condition=condition, seed=s) for s in range(10)], data))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)


def print_profile(study: Study, data: Dataset) -> None:
    """Print, for some conditions, the operators that take the most time of a training step."""
    from torch.profiler import ProfilerActivity, profile

    steps = 200
    for name in ("finetune", "dhp", "online-ewc", "si"):
        cells = [Cell(condition=study.conditions[name], seed=seed) for seed in range(CPU_LANES)]
        stack = Stack(cells, data, "cpu")
        task = stack.tasks[0]
        mask = stack.network.output_mask(task.classes)
        samples = TaskSamples(task.train_inputs[:512], task.train_labels[:512], mask)
        stack.consolidation.end_task(lambda: samples)  # noqa: B023 (called at once)
        draws = torch.Generator().manual_seed(0)
        rows = torch.randint(0, len(task.train_labels), (steps, CPU_LANES, 64), generator=draws)
        for batch in rows[:20]:
            stack.step(task, mask, batch)
        with profile(activities=[ProfilerActivity.CPU]) as found:
            for batch in rows:
                stack.step(task, mask, batch)
        events = found.key_averages()
        total = sum(event.self_cpu_time_total for event in events)
        print(f"{name}: {total / steps:.0f} us a step of {CPU_LANES} lanes, profiler included")
        for event in sorted(events, key=lambda event: -event.self_cpu_time_total)[:10]:
            share = 100 * event.self_cpu_time_total / total
            print(f"  {share:5.1f}%  {event.count / steps:5.1f} calls  {event.key}")


def measure(data: Dataset, data_dir: Path, *, quick: bool) -> list[Ratio]:
    """Take all measurements; returns them in the order of the printout."""
    study = one_epoch(load_study("dhp-split-mnist"))
    rounds = 1 if quick else 3
    conditions = [*USER_METHODS, "dhp"] if quick else list(study.conditions)
    steps = cell_steps(data)
    programs: dict[str, Callable[[], float]] = {
        name: partial(seconds_per_cell, study, name, data, CPU_LANES) for name in conditions
    }
    rounded = one_epoch(load_study("precision-split-mnist"))
    for name in ("finetune-bf16", "dhp-bf16"):
        programs[name] = partial(seconds_per_cell, rounded, name, data, CPU_LANES)
    programs["floor"] = partial(seconds_of_products, steps, CPU_LANES)
    cell = alternate(programs, rounds)
    found = [Ratio("finetune / its matrix products alone", cell["finetune"] / cell["floor"],
                   "<= 1.5")]  # fmt: skip
    for name in conditions[1:]:
        target = f"<= {TARGETS[name]}" if name in TARGETS else ""
        found.append(Ratio(f"{name} / finetune", cell[name] / cell["finetune"], target))
    found += [
        Ratio(f"{name}, bf16 / float32", cell[f"{name}-bf16"] / cell[name])
        for name in ("finetune", "dhp")
    ]
    found += against_users(data, data_dir, cell, rounds)
    found += importances(study, data, rounds)
    if not quick:
        by_lanes = alternate(
            {
                str(lanes): partial(seconds_per_cell, study, "si", data, lanes)
                for lanes in (1, CPU_LANES, 5, 10)
            },
            1,
        )
        found += [
            Ratio(f"si, {lanes} lanes / {CPU_LANES} lanes", s / by_lanes[str(CPU_LANES)])
            for lanes, s in by_lanes.items()
        ]
        found += workers(study, data)
    found.append(peak_memory(data_dir))
    found.append(Ratio("one finetune cell, one core", cell["finetune"], unit="s"))
    return found


def main() -> None:
    """Print the table to standard error and the JSON document to standard output."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data-dir", type=Path, default=Path(os.environ.get("REPRO_DATA_DIR") or "data")
    )
    parser.add_argument("--quick", action="store_true", help="fewer repetitions, no workers")
    parser.add_argument("--profile", action="store_true", help="where a step's time goes")
    parser.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    data = split_mnist(arguments.data_dir)
    if arguments.memory:
        _print_own_peak(load_study("dhp-split-mnist"), data)
        return
    if arguments.profile:
        print_profile(load_study("dhp-split-mnist"), data)
        return
    found = measure(data, arguments.data_dir, quick=arguments.quick)
    table = Table("measured", "value", "target", "", title="one run, one machine")
    for ratio in found:
        mark = {True: "met", False: "NOT MET", None: ""}[ratio.met]
        table.add_row(ratio.name, f"{ratio.value:.2f} {ratio.unit}", ratio.target, mark)
    Console(stderr=True).print(table)
    print(json.dumps([asdict(ratio) | {"met": ratio.met} for ratio in found], indent=1))


if __name__ == "__main__":
    main()
