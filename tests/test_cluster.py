"""A Ray cluster of several nodes on this machine: nodes that join are used, nodes that leave lose
nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from harness.data.benchmarks import split_digits
from harness.running import executors
from harness.running.events import Block, BlockDone, BlockFailed, BlockProgress
from harness.running.executors import OnRay
from harness.running.plan import make_plan
from harness.running.training import outcomes_of, train_block
from harness.studies.study import Study

pytestmark = pytest.mark.slow

STUDY = Study.model_validate(
    {
        "name": "joined",
        "seeds": 80,
        "protocol": {"benchmark": "split-digits", "iterations_per_task": 300},
        "conditions": {"finetune": {}},
    }
)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a cluster whose head trains nothing but has one node with one core."""
    monkeypatch.setattr(executors, "CAPACITY_EVERY_S", 0.2)
    started = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    started.add_node(num_cpus=1)
    started.wait_for_nodes()
    try:
        yield started
    finally:
        ray.shutdown()
        started.shutdown()


def test_a_node_that_joins_is_used_and_one_that_leaves_costs_only_its_blocks(cluster: Any) -> None:
    data = split_digits(Path())
    plan = make_plan(STUDY, data.checksum(), [], workers=1, lanes=1, device="cpu")
    executor = OnRay("cpu", None, cluster.address)
    assert executor.workers == 1
    done: dict[int, BlockDone] = {}
    running: set[int] = set()
    most, joined, left = 0, None, False

    def until_the_node_has_left() -> Iterator[Block]:
        for block in plan.blocks:  # how many it takes depends on how fast a node starts
            if left:
                return
            started.append(block[0].seed)
            yield block

    started: list[int] = []
    for event in executor.run(until_the_node_has_left(), data):
        assert not isinstance(event, BlockFailed), event
        if isinstance(event, BlockProgress):
            running.add(event.block[0].seed)
            most = max(most, len(running))
            if joined is None and event.fraction > 0:
                joined = cluster.add_node(num_cpus=1)
        elif isinstance(event, BlockDone):
            running.discard(event.block[0].seed)
            done[event.block[0].seed] = event
            if most == 2 and not left:
                cluster.remove_node(joined)
                left = True
    assert left, "both nodes were at work at a time"
    assert sorted(done) == started
    for seed in (started[0], started[-1]):
        (alone,) = outcomes_of(train_block(plan.blocks[seed], data))
        assert done[seed].outcomes[0].accuracy == alone.accuracy
        assert done[seed].outcomes[0].telemetry == alone.telemetry
