"""The gain by a second worker, the cost of Ray, and the memory of one worker."""

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
from harness.running.executors import Executor, InProcess
from harness.running.on_ray.executor import OnRay
from harness.running.plan import CPU_LANES, make_plan
from harness.running.training import outcomes_of, train_block
from harness.studies.condition import Cell
from harness.studies.study import Study
from harness.studies.study_files import load_study

SEEDS, ITERATIONS = 16, 100
"""Large enough that every worker trains several blocks after its first."""


@dataclass(frozen=True)
class Pace:
    """The speed of an executor: seconds to start and to run, and cells per minute after that.

    ``per_minute`` leaves out the first block of every worker: it waits until the data set and torch
    are loaded, which happens once in a run of any length.
    """

    start: float
    run: float
    per_minute: float


def pace(study: Study, data: Dataset, start: Callable[[], Executor], lanes: int) -> Pace:
    """Run a study's blocks on an executor and measure the time by the clock."""
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=lanes, device="cpu")
    begun = time.perf_counter()
    executor = start()
    ready = time.perf_counter()
    ends = [
        time.perf_counter()
        for event in executor.run(plan.blocks, data)
        if isinstance(event, BlockDone)
    ]
    if len(ends) != len(plan.blocks):
        raise RuntimeError("a block of the benchmark failed")
    first = executor.workers - 1  # blocks have one size, so the first ones end together
    cells = sum(len(block) for block in plan.blocks[executor.workers :])
    per_minute = 60 * cells / (ends[-1] - ends[first])
    return Pace(ready - begun, ends[-1] - ready, per_minute)


def shortened(study: Study, iterations: int) -> Study:
    """Return the study with ``iterations`` updates for each task."""
    fields = study.model_dump(mode="json", exclude_none=True)
    for condition in fields["conditions"].values():
        del condition["protocol"]["epochs"]
        condition["protocol"]["iterations_per_task"] = iterations
    return Study.model_validate(fields)


def ratios_of_workers(data: Dataset) -> Iterator[Ratio]:
    """Yield the growth of cells per minute with a second worker, and the cost of Ray."""
    short = load_study("smoke")
    digits = split_digits(Path())
    shortened_study = shortened(load_study("dhp-split-mnist"), ITERATIONS)
    long = shortened_study.choose(["finetune"], str(SEEDS))
    in_process = pace(long, data, lambda: InProcess("cpu"), CPU_LANES)
    one_worker = pace(long, data, lambda: OnRay("cpu", 1, None), CPU_LANES)
    two_workers = pace(long, data, lambda: OnRay("cpu", 2, None), CPU_LANES)
    speed_up = two_workers.per_minute / one_worker.per_minute
    yield Ratio("2 workers / 1 worker, cells per minute", speed_up, ">= 1.8")
    cost_of_ray = in_process.per_minute / one_worker.per_minute
    yield Ratio("Ray, 1 worker / in-process, once it runs", cost_of_ray)
    yield Ratio("Ray's start", one_worker.start, unit="s")
    in_process = pace(short, digits, lambda: InProcess("cpu"), CPU_LANES)
    ray = pace(short, digits, lambda: OnRay("cpu", 2, None), CPU_LANES)
    cost_of_ray = (ray.start + ray.run) / (in_process.start + in_process.run)
    yield Ratio("Ray, 2 workers / in-process, short study, start included", cost_of_ray)


def peak_memory(data_dir: Path) -> Ratio:
    """Measure the peak resident memory of a process that trains ten lanes of MNIST."""
    process = subprocess.run(
        [sys.executable, "-m", "harness.bench", "--memory", "--data-dir", str(data_dir)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Ratio("peak memory of a worker, 10 lanes of ewc", float(process.stdout), "<= 1.2", "GB")


def print_own_peak(data: Dataset) -> None:
    """Train ten lanes for a few steps and print the peak memory of this process in GB."""
    study = shortened(load_study("dhp-split-mnist"), 20)
    cells = [Cell(condition=study.conditions["ewc"], seed=seed) for seed in range(10)]
    outcomes_of(train_block(cells, data))
    print(_peak_bytes() / 1e9)


def _peak_bytes() -> int:
    """Return the peak resident memory of this process, in bytes."""
    # Linux also counts in ru_maxrss the memory of the parent, from before the program was started.
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
