"""The plan of a run: blocks, their order, and an estimate of their time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pin_keys import studies_and_searches

from harness.data.benchmarks import split_digits
from harness.running.plan import estimate_paces, estimate_seconds, make_plan
from harness.running.training import GPU_LANES, outcomes_of, train_block
from harness.studies.study_files import load_study


def test_the_plan_is_seed_major_and_stacks_grids_of_scalars() -> None:
    study = next(one for one in studies_and_searches() if one.name == "tune-dhp-split-mnist")
    plan = make_plan(study, "data", [], workers=2, lanes=6, device="cpu")
    assert plan.missing == 144
    assert {len(block) for block in plan.blocks} == {6}
    assert len({c.condition.method.get("strength") for c in plan.blocks[0]}) == 6
    smoke = load_study("smoke")
    plan = make_plan(smoke.choose(None, "6"), "data", [], workers=2, lanes=3, device="cpu")
    seeds = [{cell.seed for cell in block} for block in plan.blocks]
    assert seeds == [{0, 1, 2}] * 10 + [{3, 4, 5}] * 10


def test_the_plan_counts_what_is_recorded_and_spreads_what_is_left() -> None:
    smoke = load_study("smoke")
    whole = make_plan(smoke, "data", [], workers=1, lanes=1, device="cpu")
    keys = [block[0].key("data") for block in whole.blocks]
    rest = make_plan(smoke, "data", keys[:13], workers=8, lanes=None, device="cpu")
    assert (rest.missing, rest.recorded) == (7, 13)
    assert len(rest.blocks) == 7, "more workers than work: one lane each"


@pytest.mark.slow
def test_the_estimate_is_of_the_right_size() -> None:
    data = split_digits(Path())
    study = load_study("smoke")
    plan = make_plan(study, data.checksum(), [], workers=1, lanes=2, device="cpu")
    estimate = estimate_seconds(plan, estimate_paces(plan, data, "cpu"), 1) or 0.0
    started = time.perf_counter()
    for block in plan.blocks:
        outcomes_of(train_block(block, data))
    took = time.perf_counter() - started
    assert took / 8 < estimate < took * 8, "loose: the machine may be busy"


def test_a_block_for_a_gpu_fits_its_stacks() -> None:
    study = load_study("dhp-split-digits").choose(["finetune", "mas"], "100")
    plans = {
        lanes: make_plan(study, "data", [], workers=1, lanes=lanes, device="cuda")
        for lanes in (None, 5, 1000)
    }
    longest = {lanes: max(map(len, plan.blocks)) for lanes, plan in plans.items()}
    assert longest == {None: GPU_LANES, 5: 5, 1000: GPU_LANES}
    assert all(plan.missing == 200 for plan in plans.values())
