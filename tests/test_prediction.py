"""The time of a run on a cluster that is not here, by a simulation of its scheduler."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from commands import run

from harness.running import prediction
from harness.running.events import Block
from harness.running.plan import make_plan
from harness.running.prediction import Cluster, predict
from harness.studies.study import Study
from harness.studies.study_files import load_study


def study(seeds: int) -> Study:
    return load_study("smoke").choose(["finetune", "dhp"], str(seeds))


def blocks_of(seeds: int, lanes: int = 1) -> tuple[tuple[Block, ...], dict[str, float]]:
    part = study(seeds)
    plan = make_plan(part, "data", [], workers=1, lanes=lanes, device="cpu")
    paces = dict.fromkeys((c.structure() for c in part.ours.values()), 10.0)
    return plan.blocks, paces


def test_one_worker_takes_the_sum_and_many_take_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prediction, "INTAKE_S", 0.0)
    blocks, paces = blocks_of(8)
    start = prediction.WORKER_START_S
    alone = predict(blocks, paces, Cluster(1, 1))
    assert alone.seconds == pytest.approx(start + 160)
    assert alone.efficiency == pytest.approx(160 / (start + 160))
    assert alone.bottleneck == "the number of workers"
    four = predict(blocks, paces, Cluster(2, 2))
    assert four.seconds == pytest.approx(start + 40)
    many = predict(blocks, paces, Cluster(100, 10))
    assert many.seconds == pytest.approx(start + 10)
    assert many.bottleneck == "too few blocks: 16 for 1000 workers"


def test_a_block_of_several_cells_takes_as_long_as_its_cells() -> None:
    blocks, paces = blocks_of(8, lanes=4)
    assert len(blocks) == 4
    assert predict(blocks, paces, Cluster(1, 4)).seconds >= prediction.WORKER_START_S + 40


def test_more_workers_are_never_slower_until_the_driver_is_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks, paces = blocks_of(400)
    predicted = [predict(blocks, paces, Cluster(nodes, 8)) for nodes in (1, 2, 4, 8, 16, 64)]
    for fewer, more in pairwise(predicted):
        assert more.seconds <= fewer.seconds
        assert more.efficiency <= fewer.efficiency
    monkeypatch.setattr(prediction, "INTAKE_S", 0.1)
    fast = dict.fromkeys(paces, 0.01)
    assert "the driver" in predict(blocks, fast, Cluster(64, 8)).bottleneck


def test_a_dry_run_predicts_and_says_that_it_is_simulated(tmp_path: Path) -> None:
    said = run(
        "run",
        "smoke",
        "--out",
        tmp_path / "out",
        "--dry-run",
        "--nodes",
        "1,4",
        "--cpus-per-node",
        8,
    )
    assert said.returncode == 0, said.stderr
    assert "smoke: 20 cells to run, simulated from the pace here" in said.stdout
    assert "efficiency" in said.stdout
    for wrong, says in (
        (("--nodes", 4), "add --dry-run"),
        (("--dry-run", "--nodes", "0"), "no number of machines"),
        (("--dry-run", "--nodes", "many"), "no number of machines"),
        (("--dry-run", "--cpus-per-node", 4), "describe the machines of --nodes"),
        (("--dry-run", "--nodes", 2, "--gpus-per-node", 8, "--device", "cpu"), "no GPU"),
    ):
        refused = run("run", "smoke", "--out", tmp_path / "out", *wrong)
        assert (refused.returncode, says in refused.stderr) == (2, True), refused.stderr
