"""Running a plan and keeping what comes out, whatever happens meanwhile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.data.benchmarks import Dataset
from harness.keeping.code_version import code
from harness.keeping.records import SCHEMA, Record, seal
from harness.keeping.store import Conflict, Store
from harness.running import interruption
from harness.running.events import Block, BlockDone, BlockFailed, Event
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
    rescued : the file that holds the unwritten ones.
    """

    done: int = 0
    diverged: int = 0
    failed: list[BlockFailed] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    unwritten: list[Record] = field(default_factory=list)
    write_error: str = ""
    rescued: Path | None = None

    @property
    def clean(self) -> bool:
        """Whether every cell of the run was recorded as done."""
        return not (self.diverged or self.failed or self.conflicts or self.unwritten)


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
    by then. A cell that another driver has recorded meanwhile is not started.

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
            cells = tuple(cell for cell in block if cell.key(checksum) not in store)
            if cells:
                yield cells

    try:
        with closing(executor.run(still_missing(), data)) as events:
            for event in events:
                with interruption.held():  # what has arrived is kept
                    _keep(event, study_name, origin, store, tally)
                observe(event)
                interruption.check()
    finally:
        _flush(tally, store)
        if tally.unwritten:
            tally.rescued = _rescue(tally.unwritten, study_name)


def _keep(
    event: Event, study_name: str, origin: Mapping[str, Any], store: Store, tally: Tally
) -> None:
    """Record the cells of a block that is done; note one that failed."""
    if isinstance(event, BlockDone):
        for record in _records(event, study_name, origin):
            tally.done += record["status"] == "done"
            tally.diverged += record["status"] == "diverged"
            tally.unwritten.append(record)
        _flush(tally, store)
    elif isinstance(event, BlockFailed):
        tally.failed.append(event)


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


def _rescue(records: list[Record], study_name: str) -> Path | None:
    """Put records that the store did not take into the system's folder for temporary files."""
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"{study_name}-records-"))
        rescue = Store(folder)
        for record in records:
            rescue.write(record)
    except OSError:
        return None
    return rescue.records


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
