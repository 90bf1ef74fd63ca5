"""Workers of Ray that are lost or hang: their blocks run again, to the same bits."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from processes import Process, alive, descendants

from harness.data.benchmarks import split_digits
from harness.running.events import BlockDone, BlockFailed, BlockLost, BlockProgress
from harness.running.on_ray.executor import OnRay
from harness.running.plan import make_plan
from harness.running.training import outcomes_of, train_block
from harness.studies.study import Study

pytestmark = pytest.mark.slow


def heavier() -> Study:
    return Study.model_validate(
        {
            "name": "heavier",
            "seeds": 2,
            "protocol": {"benchmark": "split-digits", "iterations_per_task": 600},
            "conditions": {"finetune": {}},
        }
    )


def test_a_lost_worker_is_replaced_and_the_bits_stay() -> None:
    study, data = heavier(), split_digits(Path())
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=2, device="cpu")
    killed: set[Process] = set()
    done = []
    for event in OnRay("cpu", 1, None).run(plan.blocks, data):
        assert not isinstance(event, BlockFailed), event
        if isinstance(event, BlockDone):
            done.append(event)
        elif not killed and isinstance(event, BlockProgress) and event.fraction > 0:
            killed = {p for p in descendants(os.getpid()) if p.name.startswith("ray::train")}
            for worker in killed:
                os.kill(worker.pid, signal.SIGKILL)
    assert len(killed) == 1
    alone = outcomes_of(train_block(plan.blocks[0], data))
    assert [o.accuracy for o in done[0].outcomes] == [o.accuracy for o in alone]
    assert [o.telemetry for o in done[0].outcomes] == [o.telemetry for o in alone]


def test_a_worker_that_hangs_is_replaced_and_the_bits_stay() -> None:
    study, data = heavier(), split_digits(Path())
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=2, device="cpu")
    stopped: set[Process] = set()
    lost, done = [], []
    for event in OnRay("cpu", 1, None, timeout=4.0).run(plan.blocks, data):
        assert not isinstance(event, BlockFailed), event
        if isinstance(event, BlockLost):
            lost.append(event)
        elif isinstance(event, BlockDone):
            done.append(event)
        elif not stopped and isinstance(event, BlockProgress) and event.fraction > 0:
            stopped = {p for p in descendants(os.getpid()) if p.name.startswith("ray::train")}
            for worker in stopped:
                os.kill(worker.pid, signal.SIGSTOP)
    assert len(stopped) == 1
    assert lost[0].why == "no sign of its worker for 4 s"
    assert not alive(stopped)
    alone = outcomes_of(train_block(plan.blocks[0], data))
    assert [o.accuracy for o in done[0].outcomes] == [o.accuracy for o in alone]
    assert [o.telemetry for o in done[0].outcomes] == [o.telemetry for o in alone]
