"""A Ray cluster of several nodes on this machine: nodes that join are used, nodes that leave lose
nothing, nodes that round otherwise are kept apart, and nodes that cannot work are left out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from processes import PATIENCE_S
from ray.cluster_utils import Cluster

from harness.data.benchmarks import split_digits
from harness.errors import InputError
from harness.running.events import (
    Block,
    BlockDone,
    BlockFailed,
    BlockProgress,
    Event,
    NodeGone,
    NodeJoined,
    NoWorker,
)
from harness.running.on_ray.executor import OnRay
from harness.running.plan import make_plan
from harness.running.training import outcomes_of, train_block
from harness.studies.study import Study

pytestmark = pytest.mark.slow


def study(seeds: int, iterations: int) -> Study:
    return Study.model_validate(
        {
            "name": "joined",
            "seeds": seeds,
            "protocol": {"benchmark": "split-digits", "iterations_per_task": iterations},
            "conditions": {"finetune": {}, "dhp": {"plasticity": "on"}},
        }
    )


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.add_node(num_cpus=1)
    try:
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture
def cluster(shared: Any) -> Iterator[Any]:
    """Return a cluster whose head trains nothing but has one node with one core."""
    own = list(shared.worker_nodes)
    shared.wait_for_nodes(PATIENCE_S)
    yield shared
    ray.shutdown()
    for node in [node for node in shared.worker_nodes if node not in own]:
        shared.remove_node(node)
    shared.wait_for_nodes(PATIENCE_S)


def test_a_node_that_joins_is_used_and_one_that_leaves_costs_only_its_blocks(cluster: Any) -> None:
    data = split_digits(Path())
    plan = make_plan(study(80, 300), data.checksum(), [], workers=1, lanes=1, device="cpu")
    executor = OnRay("cpu", None, cluster.address, look_every=0.2)
    assert executor.workers == 1
    done: dict[Block, BlockDone] = {}
    running: set[Block] = set()
    most, joined, left = 0, None, False

    def until_the_node_has_left() -> Iterator[Block]:
        for block in plan.blocks:  # how many it takes depends on how fast a node starts
            if left:
                return
            started.append(block)
            yield block

    started: list[Block] = []
    for event in executor.run(until_the_node_has_left(), data):
        assert not isinstance(event, BlockFailed), event
        if isinstance(event, BlockProgress):
            running.add(event.block)
            most = max(most, len(running))
            if joined is None and event.fraction > 0:
                joined = cluster.add_node(num_cpus=1)
        elif isinstance(event, BlockDone):
            running.discard(event.block)
            done[event.block] = event
            if most == 2 and not left:
                cluster.remove_node(joined)
                left = True
    assert left, "both nodes were at work at a time"
    assert sorted(done, key=started.index) == started
    for block in (started[0], started[-1]):
        (alone,) = outcomes_of(train_block(block, data))
        assert done[block].outcomes[0].accuracy == alone.accuracy
        assert done[block].outcomes[0].telemetry == alone.telemetry


@pytest.mark.long
def test_nodes_that_round_otherwise_and_nodes_that_cannot_work(
    cluster: Any, tmp_path: Path
) -> None:
    """One node without vector instructions, and one whose torch is broken."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('no libcudart')\n")
    cluster.add_node(num_cpus=1, env_vars={"ATEN_CPU_CAPABILITY": "default"})
    cluster.add_node(num_cpus=1, env_vars={"PYTHONPATH": str(tmp_path)})
    data = split_digits(Path())
    plan = make_plan(study(12, 200), data.checksum(), [], workers=1, lanes=1, device="cpu")
    executor = OnRay("cpu", None, cluster.address, look_every=0.2)
    assert executor.workers == 3
    events: list[Event] = []
    both = False

    def until_both_have_worked() -> Iterator[Block]:
        for number, block in enumerate(plan.blocks):
            if both and number % 2 == 0:  # both conditions of each seed that was begun
                return
            given.append(block)
            yield block

    given: list[Block] = []
    for event in executor.run(until_both_have_worked(), data):
        events.append(event)
        classes = {e.environment["numerics"] for e in events if isinstance(e, BlockDone)}
        both = len(classes) == 2
    used = [e.numerics for e in events if isinstance(e, NodeJoined)]
    assert len(set(used)) == len(used) == 2
    (out,) = [e.why for e in events if isinstance(e, NodeGone)]
    assert out is not None
    assert "its canary failed" in out
    assert "no libcudart" in out
    done = [e for e in events if isinstance(e, BlockDone)]
    assert {e.block for e in done} == set(given)
    by_seed: dict[int, set[str]] = {}
    for event in done:
        by_seed.setdefault(event.block[0].seed, set()).add(event.environment["numerics"])
    assert all(len(classes) == 1 for classes in by_seed.values())
    assert both, "both classes have trained"


def test_a_busy_cluster_is_waited_for_with_a_word_about_it(cluster: Any) -> None:
    class Occupant:
        """Takes the only core."""

        def here(self) -> None: ...

    data = split_digits(Path())
    plan = make_plan(study(1, 5), data.checksum(), [], workers=1, lanes=1, device="cpu")
    ray.init(address=cluster.address, log_to_driver=False)
    occupant: Any = ray.remote(num_cpus=1)(Occupant)
    occupant = occupant.remote()
    ray.get(occupant.here.remote())
    executor = OnRay("cpu", None, cluster.address, look_every=0.2, word_after=0.5)
    events = executor.run(plan.blocks, data)
    words = [next(events), next(events)]
    first, second = (word for word in words if isinstance(word, NoWorker))
    assert 0 < first.seconds < second.seconds
    assert "ray status" in first.advice
    ray.kill(occupant)
    assert sum(isinstance(event, BlockDone) for event in events) == 2


def test_rays_client_protocol_is_refused_with_the_way_round_it() -> None:
    with pytest.raises(InputError, match=r"ray://here:10001: .* submit STUDY --address http"):
        OnRay("cpu", None, "ray://here:10001")
