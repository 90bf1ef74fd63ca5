"""How long a plan would take on a cluster: a simulation that gives blocks to nodes as a run does.

The scheduler is that of a run (``harness.running.scheduling``); what is simulated are the machines:
a worker needs a while until it begins, trains a block in the time that was measured here, and the
driver takes in one finished cell after the other.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from harness.running.events import Block
from harness.running.scheduling import Job, Node, Scheduler

WORKER_START_S = 8.0
"""A worker's first block waits for imports and data so long (5 to 12 s on two slow cores)."""
INTAKE_S = 0.01
"""The driver needs so long for each cell, most of it for the disk (``tests/soak.py`` measures)."""


@dataclass(frozen=True)
class Cluster:
    """Machines to predict for.

    Attributes
    ----------
    nodes, room : how many there are, and how many blocks each takes at a time.
    """

    nodes: int
    room: int

    @property
    def workers(self) -> int:
        """How many blocks run at the same time."""
        return self.nodes * self.room


@dataclass(frozen=True)
class Prediction:
    """What to expect of a plan on a cluster.

    Attributes
    ----------
    seconds : from start to end.
    efficiency : share of that time in which workers train.
    bottleneck : what a larger cluster would not make faster, in words.
    """

    seconds: float
    efficiency: float
    bottleneck: str


def predict(blocks: Sequence[Block], paces: Mapping[str, float], cluster: Cluster) -> Prediction:
    """Simulate a run.

    Parameters
    ----------
    blocks : in order of execution.
    paces : seconds of one cell, by the structure of its condition; a block takes as long as its
        cells one by one.
    """
    scheduler = Scheduler()
    for number in range(cluster.nodes):
        scheduler.nodes[str(number)] = Node(str(number), "simulated", cluster.room)
    begun = dict.fromkeys(scheduler.nodes, 0)  # workers of a node that have been at work
    seconds = {b: paces[b[0].condition.structure()] * len(b) for b in blocks}
    running: list[tuple[float, int, Job, Node]] = []
    waiting, tickets = iter(blocks), count()
    now = driver_free = busy_driver = 0.0
    while True:
        for job, node in scheduler.assignments(lambda: next(waiting, None)):
            start = now
            if len(node.running) > begun[node.name]:
                begun[node.name] += 1
                start += WORKER_START_S
            heapq.heappush(running, (start + seconds[job.block], next(tickets), job, node))
        if not running:
            break
        ended, _, job, node = heapq.heappop(running)
        intake = INTAKE_S * len(job.block)
        driver_free = max(ended, driver_free) + intake
        busy_driver += intake
        now = max(now, driver_free)
        scheduler.succeeded(job, node)
    work = sum(seconds.values())
    efficiency = work / (cluster.workers * now) if now else 1.0
    return Prediction(now, efficiency, _bottleneck(blocks, seconds, cluster, now, busy_driver))


def _bottleneck(
    blocks: Sequence[Block],
    seconds: Mapping[Block, float],
    cluster: Cluster,
    total: float,
    busy_driver: float,
) -> str:
    longest = max(seconds.values(), default=0.0)
    if busy_driver > total / 2:
        return "the driver, which takes in one cell after the other"
    if len(blocks) < cluster.workers:
        return f"too few blocks: {len(blocks)} for {cluster.workers} workers"
    if total / 4 < WORKER_START_S:
        return "the start of the workers"
    if longest > total / 4:
        return "the longest block"
    return "the number of workers"
