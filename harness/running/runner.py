"""Running a plan and keeping what comes out, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.data.benchmarks import Dataset
from harness.keeping.code_version import code
from harness.keeping.records import SCHEMA, Record, seal
from harness.keeping.store import Conflict, Store
from harness.running import interruption
from harness.running.events import Block, BlockDone, BlockFailed, Event, NotKept
from harness.running.executors import Executor
from harness.running.plan import Plan
from harness.studies.known_data import is_genuine


@dataclass
class Tally:
    """What came of a run.

    Attributes
    ----------
    done, diverged : cells recorded by this run, by status.
    failed : blocks that raised, with the error.
    conflicts : cells whose second result differs from their record.
    unwritten, write_error : records that could not be written to the store, and why.
    stopped : whether blocks were not started because of that.
    rescued, rescued_cells : the folder that holds copies of the first so many unwritten ones; None
        where it could not be made.
    """

    done: int = 0
    diverged: int = 0
    failed: list[BlockFailed] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    unwritten: list[Record] = field(default_factory=list)
    write_error: str = ""
    stopped: bool = False
    rescued: Path | None = None
    rescued_cells: int = 0

    @property
    def whereabouts(self) -> str:
        """Where the unwritten records are, as the end of a sentence."""
        lost = len(self.unwritten) - self.rescued_cells
        if self.rescued is None or self.rescued_cells == 0:
            return "and nowhere else either: they are in memory only"
        kept = f"kept in {self.rescued}"
        return kept if lost == 0 else f"{kept} except {lost}, which are in memory only"

    @property
    def clean(self) -> bool:
        """Whether every cell of the run was recorded as done."""
        problems = self.diverged or self.failed or self.conflicts or self.unwritten
        return not (problems or self.stopped)


def execute(
    plan: Plan,
    data: Dataset,
    study_name: str,
    store: Store,
    executor: Executor,
    observe: Callable[[Event], None],
    tally: Tally,
) -> None:
    """Run the blocks of a plan and record every cell as soon as its block is done.

    An interruption (KeyboardInterrupt) passes through; everything that had arrived is on disk
    by then. A cell that another driver has recorded meanwhile is not started, and nothing is where
    a record cannot be written: what runs is finished, and copies of its records go to the system's
    folder for temporary files at once.

    Parameters
    ----------
    observe : told of every event, after its records are written.
    tally : is kept up to date, so that it is true after an interruption too.
    """
    checksum = data.checksum()
    # The code is asked for now: who commits while cells are trained does not change what runs.
    origin = {"code": code(), "data": checksum}

    def still_missing() -> Iterator[Block]:
        for block in plan.blocks:
            if tally.unwritten:
                tally.stopped = True
                return
            cells = tuple(cell for cell in block if cell.key(checksum) not in store)
            if cells:
                yield cells

    try:
        with closing(executor.run(still_missing(), data)) as events:
            for event in events:
                with interruption.held():  # what has arrived is kept
                    kept = _keep(event, study_name, origin, store, tally)
                observe(kept)
                interruption.check()
    finally:
        _flush(tally, store)
        if tally.rescued is not None and not tally.unwritten:
            shutil.rmtree(tally.rescued.parent, ignore_errors=True)
            tally.rescued = None


def _keep(
    event: Event, study_name: str, origin: Mapping[str, Any], store: Store, tally: Tally
) -> Event:
    """Record the cells of a block that is done; note one that failed.

    Returns
    -------
    What to tell: the event, or NotKept where cells of the block could not be written.
    """
    if isinstance(event, BlockFailed):
        tally.failed.append(event)
    if not isinstance(event, BlockDone):
        return event
    records = list(_records(event, study_name, origin))
    tally.done += sum(record["status"] == "done" for record in records)
    tally.diverged += sum(record["status"] == "diverged" for record in records)
    tally.unwritten += records
    _flush(tally, store)
    if not tally.unwritten:
        return event
    _rescue(tally, study_name)
    return NotKept(event.block, tally.write_error, tally.whereabouts)


def _flush(tally: Tally, store: Store) -> None:
    """Write what waits to be written; what cannot be (a full disk) goes on waiting."""
    while tally.unwritten:
        try:
            conflict = store.write(tally.unwritten[0])
        except OSError as error:
            tally.write_error = error.strerror or str(error)
            return
        tally.unwritten.pop(0)
        if conflict is not None:
            tally.conflicts.append(conflict)


def _rescue(tally: Tally, study_name: str) -> None:
    """Put copies of the unwritten records into the system's folder for temporary files."""
    with suppress(OSError):
        if tally.rescued is None:
            tally.rescued = Store(Path(tempfile.mkdtemp(prefix=f"{study_name}-records-"))).records
        for number, record in enumerate(tally.unwritten, start=1):
            Store(tally.rescued.parent).write(record)
            tally.rescued_cells = number


def _records(event: BlockDone, study_name: str, origin: Mapping[str, Any]) -> Iterator[Record]:
    checksum = origin["data"]
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    for cell, outcome in zip(event.block, event.outcomes, strict=True):
        condition = cell.condition
        settings = condition.settings()
        record: Record = {
            "schema": SCHEMA,
            "key": cell.key(checksum),
            "program": condition.program(checksum),
            "study": study_name,
            "condition": condition.name,
            "seed": cell.seed,
            "status": outcome.status,
            "accuracy": outcome.accuracy,
            "telemetry": outcome.telemetry,
            "timings": {**outcome.timings, "finished": finished, "lanes": len(event.block)},
            "protocol": settings["protocol"],
            "method": settings["method"],
            "provenance": {
                **origin,
                "data_genuine": is_genuine(condition.protocol.benchmark, checksum),
                **event.environment,
            },
        }
        yield seal(record)
