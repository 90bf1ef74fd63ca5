"""The executor of cells that the user's own functions train: some processes side by side."""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from harness.data.own_tasks import Data
from harness.errors import InputError
from harness.running.events import Block, BlockDone, BlockProgress, Event
from harness.running.functions.job import Job, Preparation
from harness.running.functions.memory import (
    LARGE_SHARE,
    LEAST_SHARE,
    bytes_of,
    total_and_left,
)
from harness.running.functions.packages import versions_of
from harness.running.functions.process import AnonymousFile, Process
from harness.running.functions.returned import TIMED_OUT, failed, outcome_of
from harness.running.functions.terms import Terms
from harness.running.outcomes import Outcome
from harness.studies.condition import Cell

TICK_S = 0.5
"""How often time limits and memory are looked at."""
SIGN_S = 5.0
"""How often a cell at work gives a sign, whether it says anything or not."""
GRACE_S = 10.0
"""So long a function's process may take to end after it has returned."""
MOST_LINES = 20
"""Lines that a failed cell has printed last, which are kept with its failure."""


@dataclass(eq=False)
class Slot:
    """A place for one cell at a time.

    Attributes
    ----------
    gpu : that its cells see; None for all.
    process : of its cell; kept for the next one where functions are known to be clean.
    files : what the process was started with.
    block, job, started : the cell at work; None for none.
    answer : what the function returned or raised.
    """

    gpu: str | None
    process: Process | None = None
    files: tuple[AnonymousFile, ...] = ()
    block: Block | None = None
    job: Job | None = None
    started: float = 0.0
    answered: float = 0.0
    last_sign: float = 0.0
    rows: int = 0
    done_rows: int = 0
    answer: dict[str, Any] | None = None
    ended_for: str = ""
    status: str = "failed"
    environment: dict[str, Any] = field(default_factory=dict)


class Pool:
    """Runs cells in processes, as many at a time as there are workers.

    Parameters
    ----------
    device : "cpu" or "cuda"; with "cuda" each worker's cells see one GPU.
    workers : cells at a time.
    """

    def __init__(self, device: str, workers: int, terms: Terms) -> None:
        self.workers = workers
        self.terms = terms
        self._preparation = Preparation(device, terms)
        gpus = _gpus() if device == "cuda" else []
        self._slots = [Slot(gpus[n % len(gpus)] if gpus else None) for n in range(workers)]
        self._selector = selectors.DefaultSelector()
        self._last_look = 0.0

    def close(self) -> None:
        """End what runs, and let go of everything."""
        for slot in self._slots:
            self._end(slot)
        self._preparation.close()

    def run(  # noqa: D102
        self, blocks: Iterable[Block], data: Data, count: int = 0
    ) -> Generator[Event, None, None]:
        try:
            yield from self.serve(blocks, data)
        finally:
            self.close()

    def serve(self, blocks: Iterable[Block], data: Data) -> Iterator[Event]:
        """Run cells; processes that can be used again are kept."""
        waiting, more = iter(blocks), True
        while True:
            for slot in self._slots:
                if slot.block is None and more:
                    block = next(waiting, None)
                    more = block is not None
                    if block is not None:
                        self._begin(slot, block, data)
                        yield BlockProgress(block, 0)
            if all(slot.block is None for slot in self._slots):
                return
            for key, _ in self._selector.select(TICK_S):
                slot, process = key.data
                if not process.read(key.fd) and process is slot.process:
                    self._selector.unregister(key.fd)
            now = time.monotonic()
            if now - self._last_look >= TICK_S:
                self._last_look = now
                self._look_at_time(now)
                self._look_at_memory()
            for slot in self._slots:
                if slot.block is None:
                    continue
                block, rows = slot.block, slot.rows
                if self._is_over(slot):
                    yield BlockDone(block, [self._finish(slot)], dict(slot.environment))
                elif rows or now - slot.last_sign >= SIGN_S:
                    slot.last_sign, slot.rows = now, 0
                    yield BlockProgress(block, self._share(slot))

    def _begin(self, slot: Slot, block: Block, data: Data) -> None:
        (cell,) = block
        job = self._preparation.job(cell, data)
        files = (job.setup, *job.more)
        if slot.process is not None and (slot.files != files or slot.process.ended is not None):
            self._end(slot)
        slot.block, slot.job = block, job
        slot.started = slot.last_sign = time.monotonic()
        slot.rows, slot.done_rows = 0, 0
        slot.answer, slot.ended_for, slot.answered, slot.status = None, "", 0.0, "failed"
        if slot.process is None:
            variables = {} if slot.gpu is None else {"CUDA_VISIBLE_DEVICES": slot.gpu}
            slot.process = Process(job.setup, job.more, variables, partial(_hear, slot))
            slot.files = files
            for descriptor in slot.process.descriptors:
                self._selector.register(descriptor, selectors.EVENT_READ, (slot, slot.process))
        slot.process.ask(job.request)
        if self.terms.fresh or "words" in job.request:
            slot.process.no_more()

    def _share(self, slot: Slot) -> float:
        """Return the share of a cell that is done, as far as its rows tell."""
        tasks = slot.job.expected.tasks if slot.job is not None else None
        if tasks:
            return min(1.0, slot.done_rows / tasks)
        return slot.done_rows / (slot.done_rows + 1)

    def _is_over(self, slot: Slot) -> bool:
        process = slot.process
        if process is None or process.ended is not None or process.lost:
            return True
        return slot.answer is not None and not (self.terms.fresh or slot.ended_for)

    def _look_at_time(self, now: float) -> None:
        limit = self.terms.cell_timeout
        for slot in self._slots:
            if slot.block is None or slot.process is None:
                continue
            if slot.answer is not None:
                if now - slot.answered > GRACE_S:
                    slot.process.end()
            elif limit is not None and now - slot.started > limit and not slot.ended_for:
                slot.ended_for = f"took longer than --cell-timeout {limit:g}"
                slot.status = TIMED_OUT
                slot.process.end()

    def _look_at_memory(self) -> None:
        """End the largest cell before the system has no memory left and ends anything."""
        known = total_and_left()
        if known is None or known[1] > LEAST_SHARE * known[0]:
            return
        sizes = [(bytes_of(s.process.pid), s) for s in self._slots if s.block and s.process]
        size, slot = max(sizes, key=lambda pair: pair[0], default=(0, None))
        if slot is None or slot.process is None or size < LARGE_SHARE * known[0]:
            return
        if not slot.ended_for:
            slot.ended_for = (
                f"was ended when it had {size / 2**30:.1f} GiB and the machine had no memory left"
            )
            slot.process.end()

    def _finish(self, slot: Slot) -> Outcome:
        """Return what came of a slot's cell, and make room for the next one."""
        process, job = slot.process, slot.job
        if process is None or job is None:
            raise ValueError("a slot without a cell")
        if process.ended is not None or process.lost or self.terms.fresh:
            self._end(slot)
        seconds = time.monotonic() - slot.started
        outcome = self._outcome(slot, process, job)
        outcome.timings = {"training": seconds, "total": seconds}
        answer = slot.answer or {}
        streams = bool(answer.get("streams"))
        slot.environment = {
            "packages": versions_of(answer.get("modules", ())),
            "pairing": "streams" if streams else "seed number",
        }
        slot.block = slot.job = None
        return outcome

    def _outcome(self, slot: Slot, process: Process, job: Job) -> Outcome:
        answer = slot.answer
        printed = _last_lines(process)
        if slot.ended_for and answer is None:
            return failed(f"{slot.ended_for}{printed}", slot.status)
        if "words" in job.request:
            if process.ended != 0:
                return failed(f"{_how_it_ended(process.ended)}{printed}")
            answer = _last_value(process.out.text())
        if answer is None:
            return failed(f"ended without a result: {_how_it_ended(process.ended)}{printed}")
        if "raised" in answer:
            trace = str(answer["trace"]).rstrip()
            raised = str(answer["raised"])
            return failed(raised if trace == raised else f"{raised}\n\n{trace}")
        if "wrong" in answer:
            return failed(f"returned {answer['wrong']}; {RETURN}")
        try:
            return outcome_of(answer["returned"], job.expected)
        except ValueError as error:
            return failed(f"{error}{printed}")

    def _end(self, slot: Slot) -> None:
        process, slot.process = slot.process, None
        if process is None:
            return
        for descriptor in process.descriptors:
            if descriptor in self._selector.get_map():
                self._selector.unregister(descriptor)
        process.close()


RETURN = "return a number, a list of numbers, rows of a matrix, or a mapping of names to these"


def _hear(slot: Slot, line: dict[str, Any]) -> None:
    if "progress" in line:
        slot.rows = 1
        slot.done_rows = int(line["progress"])
    elif slot.answer is None:
        slot.answer = line
        slot.answered = time.monotonic()


def _last_value(text: str) -> dict[str, Any]:
    """Return the JSON value that a program printed last, as a function's answer."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return {"wrong": "nothing: it printed nothing"}
    try:
        return {"returned": json.loads(lines[-1])}
    except ValueError:
        return {"wrong": f"no JSON value: its last line is '{lines[-1].strip()[:100]}'"}


def _last_lines(process: Process) -> str:
    lines = (process.out.text() + process.err.text()).rstrip().splitlines()
    shown = "\n".join(lines[-MOST_LINES:])
    return f"\n\nwhat it printed last:\n{shown}" if shown else ""


def _how_it_ended(status: int | None) -> str:
    if status is None:
        return "its process was ended from outside"
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        hint = ", as a system without memory does" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {os.waitstatus_to_exitcode(status)}"


def _gpus() -> list[str]:
    """Return the GPUs that this process may use, as the driver's variable names them."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    named = visible.split(",") if visible else [str(n) for n in range(torch.cuda.device_count())]
    if not named:
        raise InputError("--device cuda: no CUDA device here; use --device cpu")
    return named


def is_trained_by_function(block: Block) -> bool:
    """Tell whether a block is a cell of the user's own function."""
    cell: Cell = block[0]
    return cell.condition.function is not None
