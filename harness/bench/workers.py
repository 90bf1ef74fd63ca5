"""What more workers and Ray bring and cost, and the memory of one worker."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.bench.race import Ratio
from harness.data.benchmarks import Dataset, split_digits
from harness.running.events import BlockDone
from harness.running.executors import Executor, InProcess, OnRay
from harness.running.plan import CPU_LANES, make_plan
from harness.running.training import train_block
from harness.studies.condition import Cell
from harness.studies.study import Study
from harness.studies.study_files import load_study

SEEDS, ITERATIONS = 16, 100
"""Enough that every worker trains several blocks after its first."""


@dataclass(frozen=True)
class Pace:
    """How an executor did: seconds to start and to run, and cells per minute once all workers run.

    The first block of every worker is left out of ``per_minute``: it waits for the data set and
    for torch to load, once in a run however long.
    """

    start: float
    run: float
    per_minute: float


def pace(study: Study, data: Dataset, start: Callable[[], Executor], lanes: int) -> Pace:
    """Run a study's blocks on an executor and take the time by the clock."""
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=lanes, device="cpu")
    begun = time.perf_counter()
    executor = start()
    ready = time.perf_counter()
    ends = [
        time.perf_counter() for e in executor.run(plan.blocks, data) if isinstance(e, BlockDone)
    ]
    if len(ends) != len(plan.blocks):
        raise RuntimeError("a block of the benchmark failed")
    first = executor.workers - 1  # blocks are of one size, so these end together
    cells = sum(len(block) for block in plan.blocks[executor.workers :])
    steady = 60 * cells / (ends[-1] - ends[first])
    return Pace(ready - begun, ends[-1] - ready, steady)


def shortened(study: Study, iterations: int) -> Study:
    """Return the study with so many updates a task."""
    raw = study.model_dump(mode="json", exclude_none=True)
    for condition in raw["conditions"].values():
        del condition["protocol"]["epochs"]
        condition["protocol"]["iterations_per_task"] = iterations
    return Study.model_validate(raw)


def ratios_of_workers(data: Dataset) -> Iterator[Ratio]:
    """Yield how cells per minute grow with workers, and what Ray costs."""
    short = load_study("smoke")
    digits = split_digits(Path())
    whole = shortened(load_study("dhp-split-mnist"), ITERATIONS)
    long = whole.choose(["finetune"], str(SEEDS))
    here = pace(long, data, lambda: InProcess("cpu"), CPU_LANES)
    one = pace(long, data, lambda: OnRay("cpu", 1, None), CPU_LANES)
    two = pace(long, data, lambda: OnRay("cpu", 2, None), CPU_LANES)
    yield Ratio("2 workers / 1 worker, cells per minute", two.per_minute / one.per_minute, ">= 1.8")
    steady = here.per_minute / one.per_minute
    yield Ratio("Ray, 1 worker / in-process, once it runs", steady)
    yield Ratio("Ray's start", one.start, unit="s")
    here = pace(short, digits, lambda: InProcess("cpu"), CPU_LANES)
    ray = pace(short, digits, lambda: OnRay("cpu", 2, None), CPU_LANES)
    times = (ray.start + ray.run) / (here.start + here.run)
    yield Ratio("Ray, 2 workers / in-process, short study, start included", times)


def peak_memory(data_dir: Path) -> Ratio:
    """Measure the peak resident memory of a process that trains ten lanes of MNIST."""
    done = subprocess.run(
        [sys.executable, "-m", "harness.bench", "--memory", "--data-dir", str(data_dir)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Ratio("peak memory of a worker, 10 lanes of ewc", float(done.stdout), "<= 1.2", "GB")


def print_own_peak(data: Dataset) -> None:
    """Train ten lanes for a moment and print this process's peak memory in GB."""
    study = shortened(load_study("dhp-split-mnist"), 20)
    list(train_block([Cell(condition=study.conditions["ewc"], seed=s) for s in range(10)], data))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9)
