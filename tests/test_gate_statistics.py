"""The statistics of the gate against statsmodels, scipy and simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from reports.findings.gate.cells import Metric
from reports.findings.gate.exact import compare_exactly
from reports.findings.gate.origin import infrastructure
from reports.findings.gate.power import accuracy_step
from reports.findings.gate.shifts import Outcome, fresh_shifts, shifts_of_differences
from reports.numbers.margins import (
    FALSE_ALARM,
    MISS,
    POWER,
    UNDECIDED,
    drop_caught,
    errors_needed,
    margin_by_rule,
    seeds_for_margin,
)

FINAL = Metric("final_accuracy", better=True)
LOSS = Metric("loss", better=False)


@pytest.mark.parametrize("n", [3, 10, 20, 100])
@pytest.mark.parametrize("tests", [1, 30])
def test_the_margin_has_the_power_that_statsmodels_computes(n: int, tests: int) -> None:
    effect = errors_needed(n, tests) / math.sqrt(n)
    power = TTestPower().power(effect, n, MISS, alternative="larger")
    assert power == pytest.approx(1 - UNDECIDED / tests, abs=1e-6)


def test_the_drop_that_is_caught_has_the_power_that_statsmodels_computes() -> None:
    n, tests, sd, margin = 15, 20, 1.3, 0.9
    effect = (drop_caught(n, margin, sd, tests) - margin) / sd
    power = TTestPower().power(effect, n, FALSE_ALARM / (2 * tests), alternative="larger")
    assert power == pytest.approx(POWER, abs=1e-6)


def test_seeds_for_a_margin_are_the_least_that_resolve_it() -> None:
    needed = seeds_for_margin(0.3, 1.5, 30)
    assert needed is not None

    def margin(n: int) -> float:
        return errors_needed(n, 30) * 1.5 / math.sqrt(n)

    assert margin(needed) <= 0.3 < margin(needed - 1)
    assert seeds_for_margin(1e-9, 1.0, 30) is None


def test_the_rule_of_the_margin() -> None:
    errors = errors_needed(20, 30) / math.sqrt(20)
    assert margin_by_rule(20, 1.0, [], 0.0, 30) == pytest.approx(errors * math.sqrt(2))
    assert margin_by_rule(20, 1.0, [0.5, 0.2], 0.0, 30) == pytest.approx(errors * 0.5)
    assert margin_by_rule(20, 1.0, [1e-6], 0.0, 30) == 0.1, (
        "a tenth of the spread is of no interest"
    )
    assert margin_by_rule(20, 1.0, [0.0], 0.3, 30) == pytest.approx(errors * 0.3)
    assert margin_by_rule(20, 0.0, [], 0.0, 30) == 0
    assert math.isinf(margin_by_rule(1, 1.0, [], 0.0, 30))


def test_the_step_of_an_accuracy_is_one_sample_of_the_smallest_task() -> None:
    generator = np.random.default_rng(2)
    sizes = (40, 50)
    accepted = {
        ("a", seed): {
            "status": "done",
            "accuracy": [
                [int(generator.integers(30, 40)) / 40, None],
                [int(generator.integers(n - 10, n)) / n for n in sizes],
            ],
        }
        for seed in range(30)
    }
    assert accuracy_step(accepted) == pytest.approx(100 / 40 / 2)
    assert accuracy_step({}) == 0


@pytest.mark.parametrize("drop", [0.0, 1.0], ids=["unchanged", "by the margin"])
def test_rates_of_a_check_by_simulation(drop: float) -> None:
    """12 metrics, 15 seeds, 300 checks; bounds at four standard errors of the stated rates."""
    generator = np.random.default_rng(7)
    tests, n, checks = 12, 15, 300
    margin = margin_by_rule(n, 1.0, [], 0.0, tests)
    alarms = undecided = passed = 0
    for _ in range(checks):
        moved = generator.normal(-drop * margin, math.sqrt(2), (tests, n))
        shifts = shifts_of_differences([(f"c{i}", FINAL, moved[i], margin) for i in range(tests)])
        outcomes = [shift.outcome for shift in shifts]
        alarms += Outcome.REGRESSION in outcomes
        undecided += Outcome.INCONCLUSIVE in outcomes
        passed += outcomes.count(Outcome.OK)
    bound = FALSE_ALARM + 4 * math.sqrt(FALSE_ALARM / checks)
    assert alarms / checks <= bound
    if drop == 0:
        assert undecided / checks <= UNDECIDED + 4 * math.sqrt(UNDECIDED / checks)
    else:
        assert passed / (tests * checks) == pytest.approx(
            MISS, abs=4 * math.sqrt(MISS / (tests * checks))
        )


def test_p_values_are_those_of_scipy() -> None:
    moved = np.random.default_rng(3).normal(-1.0, 1.0, 12)
    (shift,) = shifts_of_differences([("a", FINAL, moved, 0.4)])
    test = stats.ttest_1samp(moved, -0.4, alternative="less")
    assert shift.p_worse == pytest.approx(2 * test.pvalue), "Holm over worse and better"
    (ends,) = [stats.ttest_1samp(moved, 0).confidence_interval(0.95)]
    assert (shift.ci95.low, shift.ci95.high) == pytest.approx((ends.low, ends.high))


def cells(values: Any, condition: str = "a", first: int = 0) -> dict[tuple[str, int], Any]:
    return {
        (condition, first + seed): {
            "status": "done",
            "accuracy": [[float(value) / 100]],
            "telemetry": [{"task": 0, "loss": 1.0}],
        }
        for seed, value in enumerate(values)
    }


def test_fresh_seeds_are_compared_by_welch() -> None:
    generator = np.random.default_rng(5)
    accepted, new = generator.normal(90, 1, 20), generator.normal(85, 2, 12)
    asked = [("a", "final_accuracy")]
    margins = {"a": {"final_accuracy": 1.0}}
    (shift,) = fresh_shifts(cells(new, first=1000), cells(accepted), margins, asked)
    test = stats.ttest_ind(new + 1.0, accepted, equal_var=False, alternative="less")
    assert shift.p_worse == pytest.approx(2 * test.pvalue)
    assert shift.n == 12
    assert shift.outcome is Outcome.REGRESSION


@pytest.mark.parametrize(
    ("moved", "margin", "metric", "outcome"),
    [
        ([0.0] * 5, 0.5, FINAL, Outcome.OK),
        ([0.0] * 5, 0.0, LOSS, Outcome.OK),
        ([0.1] * 5, 0.0, LOSS, Outcome.CHANGED),
        ([-30.0] * 5, 0.5, FINAL, Outcome.REGRESSION),
        ([-0.5] * 5, 0.5, FINAL, Outcome.INCONCLUSIVE),
        ([-30.0], 0.5, FINAL, Outcome.INCONCLUSIVE),
        ([math.nan] * 5, 0.5, FINAL, Outcome.INCONCLUSIVE),
        ([30.0] * 5, 0.5, FINAL, Outcome.IMPROVEMENT),
        ([-30.0] * 5, math.inf, FINAL, Outcome.INCONCLUSIVE),
    ],
)
def test_differences_without_spread(
    moved: list[float], margin: float, metric: Metric, outcome: Outcome
) -> None:
    (shift,) = shifts_of_differences([("a", metric, np.array(moved), margin)])
    assert shift.outcome is outcome


def test_the_exact_layer_sees_every_kind_of_difference() -> None:
    accepted = cells([90, 91, 92, 93])
    new = cells([90, 91, 92, 93])
    assert compare_exactly(new, accepted).differences == ()
    new["a", 1]["accuracy"] = [[np.nextafter(0.91, 1)]]
    new["a", 2]["telemetry"] = [{"task": 0, "loss": 1.0, "eta": 0.1}]
    new["a", 3]["status"] = "diverged"
    found = compare_exactly(new, accepted)
    assert [(d.seed, d.after_task, d.quantity) for d in found.differences] == [
        (1, 1, "accuracy on task 1"),
        (2, 1, "eta"),
        (3, 0, "status"),
    ]
    assert found.values == 4 * 3 + 1
    assert found.compared == 4 * 3
    new["a", 0]["telemetry"][0]["loss"] = -0.0
    accepted["a", 0]["telemetry"][0]["loss"] = 0.0
    assert compare_exactly(new, accepted).differences[0].seed == 0, "-0 is not 0"


def test_infrastructure_is_named_only_where_one_machine_makes_all_alarms() -> None:
    machines = {("a", 0): "one", ("a", 1): "two", ("b", 0): "one"}
    assert infrastructure(machines, [("a", 0), ("b", 0)], False, lambda m: False) is not None
    assert infrastructure(machines, [("a", 0), ("a", 1)], False, lambda m: False) is None
    assert infrastructure(machines, [], True, lambda m: m == "two") is not None
    assert infrastructure(machines, [], True, lambda m: True) is None
    assert infrastructure({("a", 0): "one"}, [("a", 0)], False, lambda m: False) is None
    assert infrastructure(machines, [], False, lambda m: False) is None


def test_where_less_is_better_a_rise_is_what_scipy_calls_surely_beyond_the_margin() -> None:
    moved = np.random.default_rng(4).normal(1.0, 1.0, 12)
    nats = Metric("loss", better=True, lower=True, own_unit="nats")
    (shift,) = shifts_of_differences([("a", nats, moved, 0.4)])
    worse = stats.ttest_1samp(moved, 0.4, alternative="greater").pvalue
    within = stats.ttest_1samp(moved, 0.4, alternative="less").pvalue
    assert shift.p_worse == pytest.approx(2 * worse), "Holm over worse and better"
    assert shift.p_ok == pytest.approx(within)
    (fallen,) = shifts_of_differences([("a", nats, -5 - moved, 0.4)])
    assert fallen.outcome is Outcome.IMPROVEMENT
    for constant, outcome in ((0.5, Outcome.REGRESSION), (-0.5, Outcome.IMPROVEMENT)):
        (shift,) = shifts_of_differences([("a", nats, np.full(5, constant), 0.0)])
        assert shift.outcome is outcome
