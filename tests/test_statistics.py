"""Statistics against scipy, statsmodels, brute force, numbers worked out by hand and simulation.

Simulations have fixed seeds. Each check allows five standard errors: with other seeds it would
fail a correct program about once in 10^6 runs, all of them together less than once in 10^4.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import ttost_paired

from reports.numbers import flips, significance
from reports.numbers.flips import random_flip_ps
from reports.numbers.intervals import (
    Floats,
    Interval,
    half_width,
    mean_interval,
    prediction_interval,
    t_interval,
)
from reports.numbers.paired import PairedComparison, compare_paired, paired_gains
from reports.numbers.significance import holm, sign_flip_p, tost
from reports.numbers.verdict import Verdict, judge

EVERYTHING = Interval(-math.inf, math.inf)
quick = settings(derandomize=True, deadline=None, max_examples=100)


def drawn(n: int, *, seed: int = 0, gain: float = 0.5) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return 97 + gain + rng.normal(size=n), 97 + rng.normal(size=n)


def slack(rate: float, trials: int) -> float:
    return 5 * math.sqrt(rate * (1 - rate) / trials)


# Against well-kept libraries


@pytest.mark.parametrize("n", [2, 3, 5, 20, 45])
def test_comparison_agrees_with_scipy(n: int) -> None:
    a, b = drawn(n)
    result, test = compare_paired(a, b), stats.ttest_rel(a, b)
    assert result.p_t == pytest.approx(test.pvalue)
    for level, ours in ((0.95, result.ci95), (0.90, result.ci90)):
        theirs = test.confidence_interval(level)
        assert_allclose((ours.low, ours.high), (theirs.low, theirs.high))
    assert_allclose((t_interval(a - b, 0.95).low, result.mean), (result.ci95.low, (a - b).mean()))
    if n <= significance.EXACT_FLIPS:
        exact = stats.wilcoxon(a - b, method="exact")
        assert result.p_wilcoxon == pytest.approx(float(exact.pvalue))


def test_bootstrap_is_scipys_and_repeats() -> None:
    a, b = drawn(12)
    theirs = stats.bootstrap((a - b,), np.mean, rng=np.random.default_rng(7), batch=1000)
    ours = compare_paired(a, b, seed=7).bca95
    assert_allclose((ours.low, ours.high), tuple(theirs.confidence_interval), atol=1e-9)
    assert compare_paired(a, b, seed=7) == compare_paired(a, b, seed=7)
    assert compare_paired(a, b, seed=8).bca95 != ours


@pytest.mark.parametrize(("low", "high"), [(-0.3, 0.3), (0.2, 1.4), (-2.0, 0.1)])
@pytest.mark.parametrize("n", [3, 12])
def test_tost_agrees_with_statsmodels(n: int, low: float, high: float) -> None:
    a, b = drawn(n)
    gains = a - b
    expected = ttost_paired(a, b, low, high)[0]
    assert tost(gains.mean(), gains.std(ddof=1), n, low, high) == pytest.approx(expected)


@settings(quick, max_examples=15)  # statsmodels takes its time
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


# Against brute force and numbers worked out by hand


@quick
@given(arrays(float, st.integers(1, 9), elements=st.integers(-4, 4).map(float)))
def test_sign_flip_counts_every_flip(gains: Floats) -> None:
    flips = np.array(list(product((-1, 1), repeat=len(gains))))
    expected = np.mean(np.abs(flips @ gains) >= abs(gains.sum()))
    assert sign_flip_p(gains) == pytest.approx(expected)


@quick
@given(arrays(float, st.integers(1, 9), elements=st.integers(-4, 4).map(float)))
def test_wilcoxon_is_exact_with_ties_and_zeros(gains: Floats) -> None:
    flips = np.array(list(product((-1, 1), repeat=len(gains))))
    ranks = stats.rankdata(np.abs(gains)) * np.sign(gains)
    expected = np.mean(np.abs(flips @ ranks) >= abs(ranks.sum()))
    assert compare_paired(gains + 97, np.full(len(gains), 97)).p_wilcoxon == expected


def test_random_flips_take_over_where_exact_ones_end(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = np.random.default_rng(1).normal(0.3, 1, size=18)
    exact = sign_flip_p(gains)
    monkeypatch.setattr(significance, "EXACT_FLIPS", 17)
    assert sign_flip_p(gains) == pytest.approx(exact, abs=slack(exact, significance.RANDOM_FLIPS))
    assert sign_flip_p(gains, seed=3) == sign_flip_p(gains, seed=3)


@pytest.mark.parametrize("n", [1, 5, 30, 31])
def test_smallest_p_is_that_of_a_gain_at_every_seed(n: int) -> None:
    result = compare_paired(np.arange(n) + 2, np.ones(n))
    assert result.p_sign_flip == pytest.approx(result.smallest_p)
    assert result.p_wilcoxon == pytest.approx(result.smallest_p)


def test_comparison_worked_out_by_hand() -> None:
    # Differences 1, 2, 3, 2, 0: mean 8/5, sum of squares 18, variance (18 - 5 * 64/25) / 4 = 1.3.
    result = compare_paired([11, 12, 13, 12, 10], [10] * 5)
    assert (result.n, result.unit) == (5, "points")
    assert result.mean == pytest.approx(1.6)
    assert result.sd == pytest.approx(math.sqrt(1.3))
    half = 2.7764451 * math.sqrt(1.3 / 5)
    assert_allclose((result.ci95.low, result.ci95.high), (1.6 - half, 1.6 + half))
    # All signs equal, the zero's sign is free: 2 * 2 of 32 flips reach the sum of 8.
    assert result.p_sign_flip == result.p_wilcoxon == 4 / 32
    assert result.smallest_p == 2 / 32
    # Four degrees of freedom: gamma(2) / (sqrt(2) gamma(3/2)) = 0.797885.
    assert result.hedges_gz == pytest.approx(0.7978846 * 1.6 / math.sqrt(1.3))
    # Four wins and a tie are 4.5 of 5.
    assert result.probability_superior == pytest.approx(0.9)
    wins = result.probability_superior_ci95
    assert_allclose(stats.beta.cdf((wins.low, wins.high), (4.5, 5.5), (1.5, 0.5)), (0.025, 0.975))


def test_gains_in_both_units() -> None:
    assert_allclose(paired_gains([97, 98], [95, 96]), [2, 2])
    assert_allclose(paired_gains([96, 99], [80, 90], "relative %"), [20, 10])
    assert paired_gains([0.3, 0.3], [0.1, 0.3])[1] == 0
    thirds = paired_gains([0.3, 0.6, 97.2], [0.1, 0.4, 97.0])
    assert np.ptp(thirds) == 0
    assert_allclose(thirds, 0.2)


def test_prediction_interval_worked_out_by_hand() -> None:
    # Mean 2, sd 1, n 3: 2 +- 4.302653 sqrt(1/3 + 1/6).
    interval = prediction_interval([1, 2, 3], 6, 0.95)
    assert_allclose((interval.low, interval.high), (2 - 3.0424349, 2 + 3.0424349))


# Laws


pairs = st.integers(2, 12).flatmap(
    lambda n: arrays(float, (2, n), elements=st.integers(8000, 10000).map(lambda v: v / 100))
)


def ends(result: PairedComparison) -> Floats:
    intervals = (result.ci95, result.ci90, result.bca95)
    return np.array([result.mean, *(end for ci in intervals for end in (ci.low, ci.high))])


def chances(result: PairedComparison) -> tuple[float, ...]:
    return result.p_t, result.p_wilcoxon, result.p_sign_flip


@quick
@given(pairs)
def test_swapping_the_conditions_mirrors_the_comparison(values: Floats) -> None:
    a, b = values
    one, other = compare_paired(a, b), compare_paired(b, a)
    mirrored = (other.ci95, other.ci90, other.bca95)
    assert_allclose(ends(one)[1:], [e for ci in mirrored for e in ((-ci).low, (-ci).high)])
    assert one.mean == -other.mean
    assert one.sd == other.sd
    assert chances(one) == chances(other)
    assert one.probability_superior == pytest.approx(1 - other.probability_superior)
    wins, losses = one.probability_superior_ci95, other.probability_superior_ci95
    assert_allclose((wins.low, wins.high), (1 - losses.high, 1 - losses.low), atol=1e-12)


@quick
@given(pairs, st.floats(-50, 50), st.sampled_from([0.01, 0.3, 1.0, 100.0]))
def test_shift_of_both_and_scale_change_nothing_else(
    values: Floats, shift: float, scale: float
) -> None:
    a, b = values
    plain, moved = compare_paired(a, b), compare_paired(scale * (a + shift), scale * (b + shift))
    assert_allclose(ends(moved) / scale, ends(plain), atol=1e-7)
    assert_allclose(chances(moved), chances(plain), atol=1e-9)
    assert moved.probability_superior == plain.probability_superior
    if plain.hedges_gz is not None:
        assert moved.hedges_gz == pytest.approx(plain.hedges_gz)


@quick
@given(st.floats(-3, 3), st.floats(0.01, 3), st.integers(2, 30), st.floats(-3, 3), st.floats(0, 3))
def test_tost_is_the_90_percent_interval_within_the_band(
    mean: float, sd: float, n: int, low: float, width: float
) -> None:
    p = tost(mean, sd, n, low, low + width)
    inside = mean_interval(n, mean, sd, 0.90).inside(Interval(low, low + width))
    assert inside == (p <= 0.05) or p == pytest.approx(0.05)
    assert p >= tost(mean, sd, n, low - 1, low + width + 1)


@quick
@given(pairs)
def test_every_number_is_in_its_range(values: Floats) -> None:
    result = compare_paired(*values)
    assert all(0 <= p <= 1 for p in chances(result))
    assert min(result.p_wilcoxon, result.p_sign_flip) >= result.smallest_p
    assert result.ci90.inside(result.ci95)
    wins = result.probability_superior
    assert Interval(wins, wins).inside(result.probability_superior_ci95)
    assert result.probability_superior_ci95.inside(Interval(0, 1))


# Degenerate data: warnings are errors here


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("gain", [0.0, 4.69])
def test_one_seed_shows_no_spread(gain: float) -> None:
    result = compare_paired([95 + gain], [95])
    assert (result.sd, result.hedges_gz) == (None, None)
    assert result.mean == pytest.approx(gain)
    assert result.ci95 == result.ci90 == result.bca95 == EVERYTHING
    assert chances(result) == (1, 1, 1)
    assert result.smallest_p == 1
    assert tost(gain, None, 1, -9, 9) == 1
    assert t_interval([gain], 0.95) == prediction_interval([gain], 3, 0.95) == EVERYTHING


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [2, 5, 40])
def test_equal_differences_show_no_spread(n: int) -> None:
    baseline = np.linspace(90, 95.7, n)
    result = compare_paired(baseline + 0.1, baseline)
    assert result.mean == pytest.approx(0.1)
    assert result.sd == 0
    assert result.ci95 == result.ci90 == result.bca95 == EVERYTHING
    assert (result.p_t, result.hedges_gz, result.probability_superior) == (1, None, 1)
    assert result.p_sign_flip == pytest.approx(result.smallest_p)
    assert tost(0.1, 0.0, n, -9, 9) == 1
    assert t_interval(np.full(n, 0.1), 0.95) == EVERYTHING


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [2, 5, 40])
def test_equal_conditions_are_no_gain(n: int) -> None:
    values = np.linspace(90, 95.7, n)
    result = compare_paired(values, values, same=True)
    assert result.ci95 == result.ci90 == result.bca95 == Interval(0, 0)
    assert t_interval(values - values, 0.95, same=True) == Interval(0, 0)
    assert chances(result) == (1, 1, 1)
    assert (result.probability_superior, result.hedges_gz) == (0.5, None)
    assert tost(0, 0, n, -0.3, 0.3) == 0


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_differences_that_happen_to_be_zero_show_no_spread(n: int) -> None:
    values = np.linspace(90, 95.7, n)
    result = compare_paired(values, values)
    assert result.sd is None
    assert result.ci95 == result.ci90 == result.bca95 == EVERYTHING
    assert tost(0, result.sd, n, -0.3, 0.3) == 1
    assert t_interval(values - values, 0.95) == EVERYTHING
    assert np.isinf(half_width(np.zeros(1), np.zeros(1), 2, 0.95)).all()
    if n == 1:
        assert compare_paired(values, values, same=True).ci95 == EVERYTHING


def test_steps_of_a_small_test_set_do_not_prove_a_gain_to_be_none() -> None:
    """A true gain of 0.308 points that shows in steps of one point, so that it is often zero.

    Two seeds with a gain of 0 happen in 48% of studies, five in 16%; NOT REPRODUCED (within 0.3)
    was wrong in as many. It is never given for them now.
    """
    draws = np.random.default_rng(61)
    wrong = {}
    for n in (2, 3, 5):
        gains = (draws.random((4000, n)) < 0.308).astype(float)
        zero = ~gains.any(axis=1)
        assert zero.mean() == pytest.approx(0.692**n, abs=5 * math.sqrt(0.25 / 4000))
        codes = [
            judge(compare_paired(90 + row, np.full(n, 90.0)), 4.0, 1.0, 0.3, unit="points").verdict
            for row in gains[:50]
        ]
        wrong[n] = sum(code is Verdict.NOT_REPRODUCED for code in codes)
    assert wrong == {2: 0, 3: 0, 5: 0}


@pytest.mark.filterwarnings("error")
def test_two_seeds_and_one_outlier_have_finite_numbers() -> None:
    for values in ([1, 2], [0, 0, 0, 0, 1], [1, 1, 1, 1, 1.0001]):
        result = compare_paired(np.add(values, 90), np.full(len(values), 90))
        assert np.isfinite(ends(result)).all()
    assert compare_paired([92, 93], [91, 91]).hedges_gz is None


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([], [], "one value or more"),
        ([[1.0]], [[1.0]], "one value or more"),
        ([1, math.nan, math.inf], [1, 2, 3], "2 of 3 values of a .* position 1: drop"),
        ([1, 2], [1], "2 values against 1"),
    ],
)
def test_unpaired_values_are_refused(a: list[float], b: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compare_paired(a, b)


def test_other_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="no unit"):
        compare_paired([1], [1], unit="percent")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="positive baseline"):
        compare_paired([1, 1], [1, 0], unit="relative %")
    with pytest.raises(ValueError, match="no interval"):
        Interval(math.nan, 1)
    with pytest.raises(ValueError, match=r"95% is 0\.95"):
        t_interval([1, 2], 95)
    with pytest.raises(ValueError, match="no p-value"):
        holm([0.2, math.nan])
    with pytest.raises(ValueError, match="future study"):
        prediction_interval([1, 2], 0, 0.95)
    assert holm([]) == []


@pytest.mark.parametrize(
    "gains",
    [
        np.round(np.random.default_rng(1).normal(0.1, 1, 31), 10),
        np.round(100 * np.random.default_rng(2).integers(-3, 4, 57) / 91, 10),  # with ties
        np.concatenate([np.full(20, 0.1), np.full(20, -0.1)]),  # a mean of 0, and flips beside it
        np.concatenate([np.ones(1), np.zeros(39)]),
        np.full(33, 0.3),
        np.zeros(32),
    ],
)
def test_random_flips_are_those_of_scipy(gains: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    ranks = np.sign(gains) * stats.rankdata(np.abs(gains))
    expected = [
        stats.permutation_test(
            (sample,),
            np.mean,
            permutation_type="samples",
            n_resamples=1_999,
            batch=1_000,
            rng=np.random.default_rng(4),
        ).pvalue
        for sample in (ranks, gains)
    ]
    assert random_flip_ps(np.stack([ranks, gains]), 1_999, seed=4) == expected
    monkeypatch.setattr(flips, "SIGNS_AT_ONCE", 100)
    assert random_flip_ps(np.stack([ranks, gains]), 1_999, seed=4) == expected
