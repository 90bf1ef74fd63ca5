"""How many cells a second a driver takes in, and whether it stays small: python tests/soak.py

Trains thousands of tiny cells in process and on Ray, and prints for each thousand its cells a
second and the driver's memory: both must stay flat. Then how long it takes for what is the
driver's alone (records, reservations, journal), by handing it finished cells.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from harness.data.benchmarks import Dataset, split_digits
from harness.data.own_tasks import Data
from harness.keeping.store import Store
from harness.running.events import Block, BlockDone, Event
from harness.running.executors import Executor, InProcess
from harness.running.journal import Journal
from harness.running.on_ray.executor import OnRay
from harness.running.plan import make_plan
from harness.running.runner import Run, Tally
from harness.running.training import outcomes_of, train_block
from harness.studies.study import Study


class Finished:
    """Hands out the outcome of one cell again and again, so that only the driver works."""

    workers = 1
    place = "in this process"

    def __init__(self, block: Block, data: Dataset) -> None:
        (self.outcome,) = outcomes_of(train_block(block, data))

    def run(
        self, blocks: Iterable[Block], data: Data, count: int = 0
    ) -> Generator[Event, None, None]:
        """Yield every block as done."""
        for block in blocks:
            yield BlockDone(block, [self.outcome] * len(block), {"numerics": "none"})


def memory_mib() -> float:
    """Return the memory that this process has now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return float("nan")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--executors", default="ray,none", help="ray, in-process, none (driver)")
    options = parser.parse_args()
    study = Study.model_validate(
        {
            "name": "soak",
            "seeds": options.cells // 2,
            "protocol": {"benchmark": "split-digits", "hidden": [8], "iterations_per_task": 1},
            "conditions": {"finetune": {}, "dhp": {"plasticity": "on"}},
        }
    )
    data = split_digits(Path())
    plan = make_plan(study, data.checksum(), [], workers=2, lanes=1, device="cpu")
    for name in options.executors.split(","):
        executors: dict[str, Executor] = {}
        if name == "ray":
            executors[name] = OnRay("cpu", 2, None)
        elif name == "in-process":
            executors[name] = InProcess("cpu")
        else:
            executors[name] = Finished(plan.blocks[0], data)
        with tempfile.TemporaryDirectory() as folder:
            soak(name, executors[name], Store(Path(folder)), data, plan)


def soak(name: str, executor: Executor, store: Store, data: Dataset, plan: object) -> None:
    """Run all cells; print as they come in."""
    from harness.running.plan import Plan

    assert isinstance(plan, Plan)
    tally = Tally()
    journal = Journal(store.root)
    began, last = time.monotonic(), time.monotonic()

    def observe(event: Event) -> None:
        nonlocal last
        journal.observe(event)
        if isinstance(event, BlockDone) and (tally.done + tally.diverged) % 1000 == 0:
            now = time.monotonic()
            pace = 1000 / (now - last)
            last = now
            count = tally.done + tally.diverged
            print(
                f"{name:10} {count:7} cells {pace:8.1f} a second {memory_mib():7.0f} MiB",
                flush=True,
            )

    before = os.times()
    Run(plan, data, "soak", store, tally).execute(executor, observe)
    after = os.times()
    cpu = after.user + after.system - before.user - before.system
    count = tally.done + tally.diverged
    print(
        f"{name:10} {count} cells in {time.monotonic() - began:.0f} s; the driver's own CPU time: "
        f"{1000 * cpu / count:.2f} ms a cell"
    )


if __name__ == "__main__":
    main()
