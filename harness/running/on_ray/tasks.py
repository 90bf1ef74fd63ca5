"""What runs on the workers: a block, and the canary that tells what a node computes.

What they need is imported there: the process that hands them out does not wait for torch.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.keeping.code_version import hash_of_sources
from harness.running.events import Block, BlockDone, BlockProgress

if TYPE_CHECKING:
    from harness.data.own_tasks import Data
    from harness.running.executors import Result
    from harness.running.functions.pool import Pool
    from harness.running.functions.terms import Terms
    from harness.running.outcomes import Outcome


@dataclass(frozen=True)
class Sign:
    """A sign of life: the share of a block that is done, and the process that trains it."""

    fraction: float
    pid: int


def train(
    block: Block, data: Data, device: str, terms: Terms
) -> Iterator[Sign | Result | tuple[list[Outcome], dict[str, Any]]]:
    """Train a block; a task of Ray cannot return beside its signs, so the result comes last."""
    if block[0].condition.function is not None:
        for event in _pool(device, terms).serve([block], data):
            if isinstance(event, BlockProgress):
                yield Sign(event.fraction, os.getpid())
            elif isinstance(event, BlockDone):
                yield event.outcomes, event.environment
        return
    from harness.running.executors import work

    training = work(block, data, device)
    while True:
        try:
            progress = next(training)
        except StopIteration as end:
            yield end.value
            return
        yield Sign(progress.fraction, os.getpid())


@cache
def _pool(device: str, terms: Terms) -> Pool:
    """Return what runs the user's own functions below this worker, and ends with it."""
    from harness.running.functions.pool import Pool

    return Pool(device, 1, terms)


@dataclass(frozen=True)
class Canary:
    """What a node says of itself.

    Attributes
    ----------
    environment : as records keep it; ``numerics`` is the node's class.
    sources : hash of the project's code there.
    bits : hash of a small cell that was trained there; nodes of one class agree in it.
    """

    environment: dict[str, Any]
    sources: str
    bits: str


def canary(device: str) -> Canary:
    """Train a small cell on random data, with a trace and a penalty, and hash what comes out."""
    import numpy as np

    from harness.data.benchmarks import Dataset
    from harness.running import provenance
    from harness.running.training import outcomes_of, train_block
    from harness.studies.condition import Cell, Condition

    random = np.random.default_rng(0)
    labels = np.arange(80, dtype=np.int64) % 4
    images = random.integers(0, 256, (80, 64), dtype=np.uint8)
    tests = images[:40], labels[:40]
    data = Dataset("canary", images, labels, *tests, white=255, tasks=((0, 1), (2, 3)))
    condition = Condition.model_validate(
        {
            "name": "canary",
            "protocol": {"benchmark": "split-digits", "hidden": [16, 16], "epochs": 2},
            "method": {"plasticity": "on", "consolidation": "si", "strength": 1.0},
        }
    )
    (outcome,) = outcomes_of(train_block([Cell(condition=condition, seed=0)], data, device))
    told = json.dumps([outcome.status, outcome.accuracy, outcome.telemetry], sort_keys=True)
    return Canary(
        provenance.environment(device),
        hash_of_sources(),
        hashlib.sha256(told.encode()).hexdigest()[:16],
    )
