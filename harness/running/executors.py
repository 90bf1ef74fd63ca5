"""What an executor is, and the one that trains in this process; Ray gives the same bits."""

from __future__ import annotations

import traceback
from collections.abc import Generator, Iterable
from itertools import groupby
from typing import Any, Protocol

from harness.data.own_tasks import Data
from harness.errors import in_a_line
from harness.running import provenance
from harness.running.events import Block, BlockDone, BlockFailed, BlockProgress, Event
from harness.running.functions.pool import Pool, is_trained_by_function
from harness.running.functions.terms import Terms
from harness.running.outcomes import Outcome
from harness.running.training import Progress, train_block, use_one_thread

Result = tuple[list[Outcome], dict[str, Any]]
"""The outcomes of a block, and the environment that they were computed in."""


class Executor(Protocol):
    """Runs blocks and reports what happens; blocks are drawn only when there is room.

    ``place`` says in words where it trains.
    """

    workers: int
    place: str

    def run(
        self, blocks: Iterable[Block], data: Data, count: int = 0
    ) -> Generator[Event, None, None]:
        """Yield the events of all blocks, in the order in which they happen.

        Parameters
        ----------
        count : about how many blocks there are, to be told to the autoscaler of a cluster.
        """
        ...


def work(block: Block, data: Data, device: str) -> Generator[Progress, None, Result]:
    """Train a block where this is called."""
    yield Progress(0)  # somebody is at work: to cut the data into tasks takes a while
    outcomes = yield from train_block(block, data, device)
    return outcomes, provenance.environment(device)


class InProcess:
    """Blocks one after the other in this process; needs no Ray.

    Cells of the user's own functions have processes of their own, some at a time.

    Parameters
    ----------
    workers : number of such processes.
    """

    place = "in this process"

    def __init__(self, device: str, terms: Terms | None = None, workers: int = 1) -> None:
        self.device = device
        self.workers = workers
        self.terms = terms or Terms()

    def run(  # noqa: D102
        self, blocks: Iterable[Block], data: Data, count: int = 0
    ) -> Generator[Event, None, None]:
        pool = Pool(self.device, self.workers, self.terms)
        try:
            for by_function, some in groupby(blocks, is_trained_by_function):
                if by_function:
                    for event in pool.serve(some, data):
                        yield placed(event, self.device)
                else:
                    for block in some:
                        yield from self._in_this_process(block, data)
        finally:
            pool.close()

    def _in_this_process(self, block: Block, data: Data) -> Generator[Event, None, None]:
        training = work(block, data, self.device)
        try:
            while True:
                yield BlockProgress(block, next(training).fraction)
        except StopIteration as end:
            yield BlockDone(block, *end.value)
        except Exception as error:
            yield BlockFailed(block, in_a_line(error), traceback.format_exc())


def placed(event: Event, device: str) -> Event:
    """Return an event with this machine as its environment, where it does not say another."""
    if not isinstance(event, BlockDone) or "numerics" in event.environment:
        return event
    if device == "cpu":
        use_one_thread()  # as all that is trained here: how it rounds depends on that
    machine = provenance.environment(device)
    return BlockDone(event.block, event.outcomes, {**machine, **event.environment})
