"""Running a plan and keeping what comes out, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.data.own_tasks import Data
from harness.keeping.code_version import code
from harness.keeping.records import SCHEMA, UNFINISHED, Record, seal
from harness.keeping.reservations import Reservations
from harness.keeping.store import Conflict, Store
from harness.running import interruption
from harness.running.deadline import Deadline
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockNotStarted,
    Event,
    NotKept,
    WaitingForOthers,
)
from harness.running.executors import Executor
from harness.running.plan import Plan
from harness.studies.condition import Cell
from harness.studies.known_data import is_genuine

LOOK_FOR_OTHERS_S = 1.0
"""How often a run that waits for other drivers looks for their records."""
TOO_LATE = "they would not end before the deadline"


@dataclass
class Tally:
    """What came of a run.

    Attributes
    ----------
    done, diverged : cells recorded by this run, by status.
    failed : blocks that raised, with the error; cells of the user's own functions that failed or
        took too long among them, whose records say so.
    left_out : blocks that this run did not start, with the reason.
    by_others : cells that other drivers recorded while this run waited for them.
    conflicts : cells whose second result differs from their record.
    unwritten, write_error : records that could not be written to the store, and why.
    unbridged : why no seeds were trained in a second numerics class; empty where they were, or
        nobody asked.
    vanished : cells that were recorded in a directory that was removed meanwhile.
    stopped : whether blocks were not started because of that.
    rescued, rescued_cells : the folder that holds copies of the first so many unwritten ones; None
        where it could not be made.
    """

    done: int = 0
    diverged: int = 0
    failed: list[BlockFailed] = field(default_factory=list)
    left_out: list[BlockNotStarted] = field(default_factory=list)
    by_others: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    unwritten: list[Record] = field(default_factory=list)
    write_error: str = ""
    unbridged: str = ""
    vanished: int = 0
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
        problems = self.diverged or self.failed or self.left_out or self.conflicts or self.unwritten
        return not (problems or self.stopped or self.vanished)


@dataclass
class Run:
    """Runs the blocks of a plan and records every cell as soon as its block is done.

    Cells that another driver has reserved are left to it; when nothing else is left to do, this one
    waits until they are on record, or takes over those of a driver that is gone.

    Parameters
    ----------
    tally : is kept up to date, so that it is true after an interruption too.
    deadline : no block is started that would not end before it; None for none.
    again : of cells that failed in earlier runs, the hashes of their records, by key.
    ready : blocks that were trained before the run.
    deterministic : by the source of a function, whether it gave the same for the same seed.
    """

    plan: Plan
    data: Data
    study_name: str
    store: Store
    tally: Tally
    deadline: Deadline | None = None
    again: Mapping[str, str] = field(default_factory=dict)
    ready: Sequence[BlockDone] = ()
    deterministic: Mapping[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._checksum = self.data.checksum()
        # The code is asked for now: who commits while cells are trained does not change what runs.
        self._origin: dict[str, Any] = {"code": code(), "data": self._checksum}
        self._reservations = Reservations(self.store.root)
        self._elsewhere: dict[str, Cell] = {}

    def execute(self, executor: Executor, observe: Callable[[Event], None]) -> None:
        """Run the plan.

        An interruption (KeyboardInterrupt) passes through; everything that had arrived is on disk
        by then. Nothing is started where a record cannot be written: what runs is finished, and
        copies of its records go to the system's folder for temporary files at once.

        Parameters
        ----------
        observe : told of every event, after its records are written.
        """
        blocks: Sequence[Block] = self.plan.blocks
        self._reservations.begin()
        try:
            for block in self._missing([event.block for event in self.ready], observe):
                ready = next(event for event in self.ready if event.block == block)
                with interruption.held():
                    kept = self._take_in(ready)
                observe(kept)
            while blocks:
                events = executor.run(self._missing(blocks, observe), self.data, len(blocks))
                with closing(events):
                    for event in events:
                        with interruption.held():  # what has arrived is kept
                            kept = self._take_in(event)
                        observe(kept)
                        interruption.check()
                blocks = self._wait_for_others(observe)
        finally:
            with interruption.held():
                _flush(self.tally, self.store)
                self._reservations.end()
                if self.tally.rescued is not None and not self.tally.unwritten:
                    shutil.rmtree(self.tally.rescued.parent, ignore_errors=True)
                    self.tally.rescued = None

    def _missing(
        self, blocks: Iterable[Block], observe: Callable[[Event], None]
    ) -> Iterator[Block]:
        """Yield what of the blocks is to be trained now, here."""
        for block in blocks:
            if self.tally.unwritten:
                self.tally.stopped = True
                return
            cells = tuple(cell for cell in block if self._reserve(cell))
            if not cells:
                continue
            if self.deadline is not None and not self.deadline.allows(cells):
                self._reservations.release(cell.key(self._checksum) for cell in cells)
                late = BlockNotStarted(cells, TOO_LATE)
                self.tally.left_out.append(late)
                observe(late)
                continue
            yield cells

    def _reserve(self, cell: Cell) -> bool:
        """Return whether a cell is to be trained here: nobody has done it, or has it now."""
        key = cell.key(self._checksum)
        if self._is_there(key):
            return False
        if not self._reservations.take(key):
            self._elsewhere[key] = cell
            return False
        if self._is_there(key):  # recorded, and given back, since it was looked for
            self._reservations.release([key])
            return False
        return True

    def _is_there(self, key: str) -> bool:
        """Tell whether a cell is on record, a failure that was there before this run aside."""
        return self.store.has_other_than(key, self.again.get(key))

    def _take_in(self, event: Event) -> Event:
        origin: dict[str, Any] = self._origin
        if isinstance(event, BlockDone) and (of := event.block[0].condition.function) is not None:
            known = self.deterministic.get(str(of.train_source or of.command_source))
            if known is not None:
                origin = {**origin, "deterministic": known}
        kept = _keep(event, self.study_name, origin, self.store, self.tally)
        if isinstance(event, BlockDone):
            if self.deadline is not None:
                self.deadline.learn(event)
            unwritten = {record["key"] for record in self.tally.unwritten}
            keys = {cell.key(self._checksum) for cell in event.block}
            self._reservations.release(keys - unwritten)
        elif isinstance(event, BlockFailed | BlockNotStarted):
            self._reservations.release(cell.key(self._checksum) for cell in event.block)
        return kept

    def _wait_for_others(self, observe: Callable[[Event], None]) -> list[Block]:
        """Wait for cells that other drivers have; returns those that were given up by them."""
        if self._elsewhere and not self.tally.stopped:
            observe(WaitingForOthers(len(self._elsewhere)))
        while self._elsewhere and not self.tally.stopped:
            given_up = []
            for key, cell in list(self._elsewhere.items()):
                if self._is_there(key):
                    self.tally.by_others += 1
                    del self._elsewhere[key]
                elif self._reservations.free(key):
                    given_up.append(cell)
                    del self._elsewhere[key]
            if given_up:
                return [(cell,) for cell in given_up]
            if self.deadline is not None and self.deadline.passed:
                blocks = [(cell,) for cell in self._elsewhere.values()]
                self.tally.left_out += [BlockNotStarted(block, TOO_LATE) for block in blocks]
                break
            time.sleep(LOOK_FOR_OTHERS_S)
        return []


def _keep(
    event: Event, study_name: str, origin: Mapping[str, Any], store: Store, tally: Tally
) -> Event:
    """Record the cells of a block that is done; note one that failed.

    Returns
    -------
    What to tell: the event, or NotKept where cells of the block could not be written, or
    BlockFailed for a cell that failed.
    """
    if isinstance(event, BlockFailed):
        tally.failed.append(event)
    if isinstance(event, BlockNotStarted):
        tally.left_out.append(event)
    if not isinstance(event, BlockDone):
        return event
    records = list(_records(event, study_name, origin))
    tally.done += sum(record["status"] == "done" for record in records)
    tally.diverged += sum(record["status"] == "diverged" for record in records)
    tally.unwritten += records
    failures = [_failure(event)] if records[0]["status"] in UNFINISHED else []
    tally.failed += failures
    _flush(tally, store)
    if not tally.unwritten:
        return failures[0] if failures else event
    _rescue(tally, study_name)
    return NotKept(event.block, tally.write_error, tally.whereabouts)


def _failure(event: BlockDone) -> BlockFailed:
    """Return what to tell of a cell whose function failed, or took too long."""
    (cell,), (outcome,) = event.block, event.outcomes
    details = f"{cell.condition.name} seed {cell.seed}: {outcome.failure}\n"
    return BlockFailed(event.block, outcome.failure.partition("\n")[0], details)


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
                "data": condition.data_of(checksum),
                "data_genuine": is_genuine(condition.protocol.benchmark or "", checksum),
                **event.environment,
            },
        }
        if outcome.right is not None:
            record["right"] = {**outcome.right}
        if condition.function is not None:
            record["values"], record["curves"] = outcome.values, outcome.curves
        if outcome.failure:
            record["failure"] = outcome.failure
        yield seal(record)
