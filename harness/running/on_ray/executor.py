"""The executor that trains on Ray, and goes on where Ray breaks."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
import torch

from harness.data.own_tasks import Data
from harness.errors import InputError, in_a_line
from harness.running import provenance
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockNotStarted,
    Event,
    ExecutorLost,
    NodeJoined,
)
from harness.running.executors import InProcess, placed
from harness.running.functions.terms import Terms
from harness.running.on_ray.orders import Orders
from harness.running.on_ray.process import Foreman

BLOCK_TIMEOUT_S = 600.0
"""So long a worker may give no sign, which it does after each epoch, until its block runs again."""
LOOK_EVERY_S = 5.0
"""How often the cluster is asked for its nodes, which join and leave while blocks run."""
NO_WORKER_S = 30.0
"""After so long without any worker at work there is a word about it; the next after twice that."""
REJOIN_S = 300.0
"""So long a cluster that was lost is tried again, before blocks are trained in this process."""
REJOIN_EVERY_S = 5.0
MOST_LOSSES = 2
"""So often in a row, without a finished block in between, Ray may break on this machine."""


class OnRay:
    """Ray Core tasks with one core (or one GPU) each, on this machine or on a cluster.

    Ray lives in a process of its own. Where that breaks, by its own fault or because the cluster's
    head is gone, the cluster is joined again, or Ray started anew; where that does not help, the
    rest is trained in this process.

    Parameters
    ----------
    device : "cpu" or "cuda".
    workers : blocks that run at the same time at most; None for as many as the machine or cluster
        has cores (GPUs), those of nodes that join during a run included.
    address : of a running cluster; None starts Ray on this machine alone.
    timeout : seconds after which a block is run again if there is no sign of its worker.
    bound : the numerics class of seeds that have cells on record; see ``Scheduler``.
    terms : of cells that the user's own functions train.
    log : where the log of a Ray that broke goes; None for the folder of temporary files.
    look_every, word_after : see ``Orders``.

    Attributes
    ----------
    bound : is kept up to date with what was trained.
    classes : the numerics classes of the nodes that have joined.

    Raises
    ------
    InputError
        Where Ray is not installed or there is no cluster at the address.
    """

    place = "on Ray"

    def __init__(
        self,
        device: str,
        workers: int | None,
        address: str | None,
        timeout: float = BLOCK_TIMEOUT_S,
        bound: Mapping[int, str] | None = None,
        *,
        terms: Terms | None = None,
        log: Path | None = None,
        look_every: float = LOOK_EVERY_S,
        word_after: float = NO_WORKER_S,
    ) -> None:
        versions = {"torch": torch.__version__, "numpy": np.__version__}
        self.device = device
        self.log = log
        self.bound = dict(bound or {})
        self.classes: set[str] = set()
        terms = terms or Terms()
        timing = (look_every, word_after)
        self.orders = Orders(device, workers, address, timeout, versions, *timing, terms)
        self.foreman: Foreman | None = self._start()
        self.workers = self.foreman.capacity

    def _start(self) -> Foreman:
        try:
            return Foreman(self.orders, self.log)
        except EOFError as error:
            place = "here" if self.orders.address is None else f"at {self.orders.address}"
            raise InputError(
                f"Ray {place} ended while it started ({error}); --executor in-process does without"
            ) from None

    def close(self) -> None:
        """Leave Ray, and end it where it was started here; for who has not run anything."""
        if self.foreman is not None:
            self.foreman.end()
            self.foreman = None

    def run(  # noqa: D102
        self, blocks: Iterable[Block], data: Data, count: int = 0
    ) -> Generator[Event, None, None]:
        waiting = iter(blocks)
        losses = 0
        if self.foreman is None:  # it has run blocks before
            self.foreman = self._start()
        try:
            while self.foreman is not None:
                unfinished: list[Block] = []
                try:
                    for event in self._serve(self.foreman, waiting, unfinished, data, count):
                        losses = 0 if isinstance(event, BlockDone) else losses
                        yield event
                    return
                except EOFError as error:
                    losses += 1
                    why = str(error) or "the process that owns it ended"
                    self.foreman.end(broken=True)
                    why += f"; its log is {self.foreman.log}"
                    self.foreman = None
                    waiting = chain(unfinished, waiting)
                    yield from self._again(losses, why)
            yield from self._in_this_process(waiting, data)
        finally:
            self.close()

    def _serve(
        self,
        foreman: Foreman,
        waiting: Iterator[Block],
        unfinished: list[Block],
        data: Data,
        count: int,
    ) -> Iterator[Event]:
        """Give blocks to the process that owns Ray, and pass on what it says.

        Parameters
        ----------
        unfinished : is kept up to date with the blocks that it has.
        """
        # Of this machine alone all workers are of one class, whatever was recorded elsewhere.
        bound = {} if self.orders.address is None else self.bound
        foreman.say(("work", data, bound, count))
        while True:
            word, *rest = foreman.hear()
            if word == "event":
                (event,) = rest
                if isinstance(event, BlockDone | BlockFailed | BlockNotStarted):
                    self._finished(event.block, unfinished)
                if isinstance(event, NodeJoined) and event.numerics is not None:
                    self.classes.add(event.numerics)
                event = placed(event, self.device)
                if isinstance(event, BlockDone):
                    numerics = event.environment["numerics"]
                    self.bound |= {cell.seed: numerics for cell in event.block}
                yield event
            elif word == "want":
                block = next(waiting, None)
                if block is not None:
                    unfinished.append(block)
                foreman.say(block)
            elif word == "workers":
                (self.workers,) = rest
            elif word == "lost":
                raise EOFError(rest[0])
            else:
                return

    def _finished(self, part: Block, unfinished: list[Block]) -> None:
        """Take the cells of a block, which may be a part of one that was given, off the list."""
        done = set(part)
        for place, block in enumerate(unfinished):
            if not done.isdisjoint(block):
                rest = tuple(cell for cell in block if cell not in done)
                unfinished[place : place + 1] = [rest] if rest else []
                done -= set(block)
                if not done:
                    return

    def _again(self, losses: int, why: str) -> Iterator[Event]:
        """Start Ray again, or join its cluster again; leaves no foreman where neither helps."""
        address = self.orders.address
        if address is None:
            if losses > MOST_LOSSES:
                yield ExecutorLost(why, "The rest is trained in this process, one core")
                return
            yield ExecutorLost(why, "It is started again; finished cells are kept")
        else:
            minutes = REJOIN_S / 60
            remedy = (
                f"{address} is tried for {minutes:.0f} minutes, then this process goes on alone"
            )
            yield ExecutorLost(why, remedy)
        deadline = time.monotonic() + (REJOIN_S if address is not None else 0.0)
        while True:
            try:
                self.foreman = self._start()
                return
            except InputError as error:
                if time.monotonic() >= deadline:
                    remedy = "The rest is trained in this process, one core"
                    yield ExecutorLost(in_a_line(error), remedy)
                    return
            time.sleep(REJOIN_EVERY_S)

    def _in_this_process(self, waiting: Iterable[Block], data: Data) -> Iterator[Event]:
        """Train the rest here, but for seeds whose other conditions were trained elsewhere."""
        from harness.running.training import use_one_thread

        if self.device == "cuda" and not torch.cuda.is_available():
            for block in waiting:
                yield BlockNotStarted(block, "the cluster is lost, and this machine has no GPU")
            return
        if self.device == "cpu":
            use_one_thread()
        here = provenance.environment(self.device)["numerics"]
        for block in waiting:
            if any(self.bound.get(cell.seed, here) != here for cell in block):
                why = "the other conditions of its seeds were trained on nodes that round otherwise"
                yield BlockNotStarted(block, why)
            else:
                yield from InProcess(self.device, self.orders.terms).run([block], data)
