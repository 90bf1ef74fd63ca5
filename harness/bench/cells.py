"""What a cell of a training function costs beside the function itself."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.data.no_data import no_data
from harness.running.cores import cores_here
from harness.running.events import Block, BlockDone
from harness.running.executors import Executor, InProcess
from harness.running.functions.terms import Terms
from harness.running.on_ray.executor import OnRay
from harness.studies.condition import Cell
from harness.studies.study_files import load_study

FUNCTION = "def train(seed: int) -> float:\n    return 0.5\n"
STUDY = 'name = "cells"\ntrain = "at_once.py:train"\nseeds = 1\n[conditions]\nplain = {}\n'


@dataclass(frozen=True)
class Overhead:
    """The cost of one cell whose function returns at once.

    Attributes
    ----------
    elapsed : seconds by the clock, divided by the number of cells.
    busy : seconds of a processor; None on Ray, whose processes are not this one's.
    """

    name: str
    workers: int
    elapsed: float
    busy: float | None


def overheads(count: int) -> Iterator[Overhead]:
    """Run so many cells in each way, and yield what one of them takes."""
    workers = cores_here()
    with tempfile.TemporaryDirectory(prefix="dhp-repro-") as folder:
        (Path(folder) / "at_once.py").write_text(FUNCTION, encoding="utf-8")
        (Path(folder) / "cells.toml").write_text(STUDY, encoding="utf-8")
        condition = load_study(str(Path(folder) / "cells.toml")).ours["plain"]
    blocks: list[Block] = [(Cell(condition=condition, seed=seed),) for seed in range(count)]
    fresh, kept = Terms(), Terms(fresh=False)
    yield _measured("fresh processes", InProcess("cpu", fresh, workers), blocks)
    yield _measured('isolation = "none"', InProcess("cpu", kept, workers), blocks)
    if find_spec("ray"):
        for name, terms in (("fresh processes", fresh), ('isolation = "none"', kept)):
            executor = OnRay("cpu", workers, None, terms=terms)
            yield _measured(f"on Ray, {name}", executor, blocks)


def _measured(name: str, executor: Executor, blocks: list[Block]) -> Overhead:
    """Run all blocks; the clock starts with the first cell that is done."""
    started = time.perf_counter()
    busy_before, done = _busy(), 0
    for event in executor.run(blocks, no_data(), len(blocks)):
        if isinstance(event, BlockDone):
            if [outcome.status for outcome in event.outcomes] != ["done"]:
                raise RuntimeError(event.outcomes[0].failure)
            done += 1
            if done == 1:
                started = time.perf_counter()
            last = time.perf_counter()
    elapsed = (last - started) / (done - 1)
    busy = None if isinstance(executor, OnRay) else (_busy() - busy_before) / done
    return Overhead(name, executor.workers, elapsed, busy)


def _busy() -> float:
    """Return the seconds that processors have spent on this process and those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
