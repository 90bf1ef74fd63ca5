"""Seeds that agree show no spread: no finite interval and no p-value below 1 rests on them.

Accuracies that are equal by right differ by rounding, which depends on their size: each law is
tried at many. Warnings are errors here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reported import STUDY, record

from reports.findings.agreement import agreements
from reports.findings.attribution import decompose, fieller
from reports.findings.crossing import Levels
from reports.findings.effects import against_reference, effects
from reports.findings.error_rates import judge_many
from reports.findings.joint_test import SURE, joint_inference
from reports.findings.specifications import specifications
from reports.findings.variance import decompose as decompose_variance
from reports.numbers.intervals import FIXED, Interval, Procedure, has_spread, t_interval
from reports.numbers.paired import compare_paired
from reports.numbers.planning import seeds_needed
from reports.numbers.sequential import ANYTIME
from reports.numbers.tables import mean_with_interval, summary
from reports.numbers.verdict import Verdict

pytestmark = pytest.mark.filterwarnings("error")
EVERYTHING = Interval(-math.inf, math.inf)
quick = settings(derandomize=True, deadline=None, max_examples=100)

accuracies = st.lists(st.integers(0, 10_000).map(lambda v: v / 100), min_size=2, max_size=8)
steps = st.integers(-500, 500).filter(bool).map(lambda v: v / 100)
LEVELS: Levels = {
    f"p={p} h={h}": {"p": p, "h": h} for h in ("linear", "blog") for p in ("off", "on")
}


def finals(base: list[float], gains: dict[str, float]) -> dict[str, dict[int, float]]:
    """Return final accuracies of every crossing: seed by seed ``base`` and a constant gain."""
    return {
        name: {s: value + gains.get(name, 0.0) for s, value in enumerate(base)} for name in LEVELS
    }


@quick
@given(accuracies, steps)
def test_only_what_differs_by_more_than_rounding_has_spread(base: list[float], gain: float) -> None:
    equal = (np.array(base) + gain) - np.array(base)
    assert not has_spread(equal)
    assert not has_spread(equal[:1])
    assert has_spread([*equal, equal[0] + 1e-4]), "one of a million test images, in %"
    assert has_spread(np.array([equal, equal]), axis=1).tolist() == [False, False]


@quick
@given(accuracies, steps)
def test_equal_gains_have_no_p_value_and_no_interval(base: list[float], gain: float) -> None:
    own = finals(base, {"p=on h=linear": gain, "p=on h=blog": gain})
    for effect in effects(own, LEVELS):
        assert (effect.p, effect.p_holm, effect.ci95) == (1, 1, EVERYTHING), effect
    for effect in effects(own, LEVELS, lambda *_: True):  # nothing differs but by a constant
        real = effect.factors == ("p",)
        assert effect.ci95 == (EVERYTHING if real else Interval(0, 0)), effect
    for level in against_reference(own, LEVELS, "p"):
        assert (level.p, level.p_holm, level.ci95) == (1, 1, EVERYTHING)
    taken = decompose(own, LEVELS, "p=on h=blog", "p=off h=linear")
    assert taken is not None
    assert [share.share_ci95 for share in taken.shares] == [None, None]
    compared = compare_paired([v + gain for v in base], base)
    assert (compared.p_t, compared.ci95, compared.hedges_gz) == (1, EVERYTHING, None)


def test_the_smallest_p_value_of_equal_differences_was_1e_32() -> None:
    """90 + s against 90.1 + s: the standard deviation of the differences is 1e-17, not 0."""
    own = finals([90.0, 91.0, 92.0], {"p=on h=linear": 0.1, "p=on h=blog": 0.1})
    assert [(one.p, one.p_holm) for one in effects(own, LEVELS)] == [(1, 1)] * 3


@quick
@given(st.integers(0, 10_000).map(lambda v: v / 100), st.integers(1, 12))
def test_equal_accuracies_have_a_mean_and_no_interval(value: float, n: int) -> None:
    mean, low, high = mean_with_interval(np.full(n, value))
    assert mean == pytest.approx(value)
    assert math.isnan(low)
    assert math.isnan(high)


def test_equal_accuracies_have_no_interval_in_the_summary() -> None:
    row = summary([record("a", seed, 1.0) for seed in range(3)], ["a"]).iloc[0]
    assert row["final_accuracy"] == 100
    ends = [f"{metric}_{end}" for metric in ("final_accuracy", "forgetting") for end in ("low",)]
    assert row[ends].isna().all()


@pytest.mark.parametrize("final", [0.7, 0.6])
def test_equal_accuracies_neither_agree_nor_disagree_with_a_published_one(final: float) -> None:
    """70% is published: that three seeds hit it is not a difference of 0 for sure."""
    published = STUDY.published[0].model_copy(update={"runs": {"a": 11}})
    (one,) = agreements([record("a", seed, final) for seed in range(3)], [published])
    assert one.difference == pytest.approx(100 * final - 70)
    assert (one.ci95, one.prediction95, one.agrees) == (EVERYTHING, EVERYTHING, None)


def test_a_share_of_a_gain_needs_spread_in_both() -> None:
    rng = np.random.default_rng(0)
    whole, flat = rng.normal(4, 1, 6), np.full(6, 0.1) + rng.normal(0, 1e-15, 6)
    assert fieller(0.5 * whole, whole, 0.95) is not None
    assert fieller(flat, whole, 0.95) is None
    assert fieller(whole, 40 * flat, 0.95) is None
    assert fieller(np.zeros(6), whole, 0.95) == Interval(0, 0), "no part on any seed"
    own = finals([90.0, 91.0, 92.0], {})
    own["p=on h=blog"] = {0: 90.1, 1: 91.2, 2: 91.7}  # gains 0.1, 0.2, -0.3: no gain to share
    taken = decompose(own, LEVELS, "p=on h=blog", "p=off h=linear")
    assert taken is not None
    assert [share.share for share in taken.shares] == [None, None]


class Curve:
    """The gain of plasticity under two starts."""

    id, text = "c", "a curve"
    treatment, baseline = {"p": "on"}, {"p": "off"}
    reported, margin, negligible, alpha = 1.0, 0.5, 0.1, 0.05


@quick
@given(accuracies, st.floats(0.05, 0.15), st.booleans())
def test_flipped_gains_are_sure_just_where_their_interval_is(
    base: list[float], gain: float, apart: bool
) -> None:
    """Gains that are all equal show nothing; the least difference of two seeds shows spread."""
    own = finals(base, {"p=on h=linear": gain, "p=on h=blog": gain})
    for name in ("p=on h=linear", "p=on h=blog"):
        own[name][0] += 1e-5 * apart
    specs = specifications(own, LEVELS, Curve())
    joint = joint_inference(specs, 1.0)
    assert joint is not None
    sure = [spec.ci95 is not None and spec.ci95.low > 0 for spec in specs]
    assert joint.observed[SURE] == np.mean(sure)
    assert all(sure) == apart


@quick
@given(st.integers(0, 10_000).map(lambda v: v / 100), st.floats(0.01, 3))
def test_a_table_of_equal_cells_tells_nothing_of_its_variance(value: float, step: float) -> None:
    found = decompose_variance(np.full((3, 4), value) + np.arange(4) / 1e13)
    assert found is not None
    assert found.total == 0
    assert found.total_ci95 == Interval(0, math.inf)
    assert {part.ci95 for part in found.parts.values()} == {Interval(0, math.inf)}
    assert set(found.seeds_ci95.values()) == {(2, None)}
    rows = decompose_variance(value + step * np.arange(3)[:, None] + np.zeros((3, 4)))
    assert rows is not None
    assert [rows.parts[name].variance for name in ("order", "residual")] == [0, 0]


@pytest.mark.parametrize("procedure", [FIXED, ANYTIME], ids=["fixed", "anytime"])
def test_simulated_studies_without_spread_settle_nothing(procedure: Procedure) -> None:
    claim: Any = STUDY.claims[0]
    codes = judge_many(np.array([10.0, 0.1]), np.zeros(2), 3, claim, procedure)
    assert codes.tolist() == [list(Verdict).index(Verdict.INCONCLUSIVE)] * 2


@pytest.mark.parametrize("procedure", [FIXED, ANYTIME], ids=["fixed", "anytime"])
@pytest.mark.parametrize("band", [(-math.inf, 3.13), (1.0, math.inf), (-math.inf, math.inf)])
def test_planning_towards_an_edge_at_infinity_warns_of_nothing(
    procedure: Procedure, band: tuple[float, float]
) -> None:
    needed = seeds_needed(2.0, 1.0, 2, Interval(*band), superior=True, procedure=procedure)
    assert needed is not None
    assert needed > 2
    assert t_interval([1.0, 1.0], 0.95) == EVERYTHING
