"""The confidence sequence: its definition, and its errors where one looks after every seed.

Simulations have fixed seeds. Every bound is five standard errors or more away from the true rate
(about 3% for the sequence, 39% for the t test peeked at 99 times): with other seeds a check would
fail a correct program less than once in 10^6 runs.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from reports.numbers.intervals import Floats, Interval, mean_interval
from reports.numbers.sequential import (
    ANYTIME,
    MIXTURE,
    anytime,
    critical,
    sequential_p,
)
from reports.numbers.significance import tost


def confidence_sequence(
    n: int, mean: float, sd: float | None, level: float = 0.95, *, mixture: float = MIXTURE
) -> Interval:
    """The interval that is valid at all numbers of seeds at once, as a report computes it."""
    return mean_interval(n, mean, sd, level, anytime(mixture))


EVERYTHING = Interval(-math.inf, math.inf)
quick = settings(derandomize=True, deadline=None, max_examples=200)


@pytest.mark.parametrize(("n", "mean", "sd"), [(2, 1.0, 0.5), (5, -0.4, 0.3), (30, 0.1, 1.0)])
def test_p_is_the_bayes_factor_of_the_t_statistic(n: int, mean: float, sd: float) -> None:
    """The mixture of noncentral t densities over mu / sigma, integrated numerically."""
    t = math.sqrt(n) * mean / sd

    def weighted(effect: float) -> float:
        density = stats.nct.pdf(t, n - 1, math.sqrt(n) * effect)
        return float(density * stats.norm.pdf(effect, scale=1 / math.sqrt(MIXTURE)))

    mixed, _ = integrate.quad(weighted, -10, 10, points=[mean / sd], limit=200)
    expected = min(1.0, float(stats.t.pdf(t, n - 1)) / mixed)
    assert sequential_p(n, mean, sd) == pytest.approx(expected, rel=1e-5)


@quick
@given(
    st.integers(2, 200),
    st.floats(-3, 3),
    st.floats(0.01, 3),
    st.floats(-3, 3),
    st.sampled_from([0.1, 0.5, 2.0]),
)
def test_the_interval_holds_what_the_p_value_does_not_reject(
    n: int, mean: float, sd: float, null: float, mixture: float
) -> None:
    interval = confidence_sequence(n, mean, sd, 0.95, mixture=mixture)
    p = sequential_p(n, mean, sd, null=null, mixture=mixture)
    assert (interval.low <= null <= interval.high) == (p >= 0.05) or p == pytest.approx(0.05)


@quick
@given(st.integers(2, 200), st.floats(-3, 3), st.floats(0.01, 3))
def test_looking_whenever_one_likes_costs_width(n: int, mean: float, sd: float) -> None:
    sequence = confidence_sequence(n, mean, sd, 0.95)
    assert mean_interval(n, mean, sd, 0.95).inside(sequence)
    assert confidence_sequence(n, mean, sd, 0.90).inside(sequence)
    mirrored, doubled = confidence_sequence(n, -mean, sd), confidence_sequence(n, 2 * mean, 2 * sd)
    assert mirrored == -sequence
    assert doubled == Interval(2 * sequence.low, 2 * sequence.high)


@quick
@given(st.integers(2, 60), st.floats(-1, 1), st.floats(0.01, 1))
def test_tost_goes_with_the_sequence(n: int, mean: float, sd: float) -> None:
    p = tost(mean, sd, n, -0.5, 0.5, ANYTIME)
    inside = mean_interval(n, mean, sd, 0.90, ANYTIME).inside(Interval(-0.5, 0.5))
    assert inside == (p <= 0.05) or p == pytest.approx(0.05)


def test_the_default_mixture_is_as_narrow_as_it_says() -> None:
    counts = np.arange(5, 51)
    best = np.min([critical(counts, 0.95, phi) for phi in np.geomspace(0.01, 20, 200)], axis=0)
    assert (critical(counts, 0.95) < 1.10 * best).all()
    assert np.isfinite(critical([2, 3, 4, 5], 0.95)).tolist() == [False, False, True, True]


@pytest.mark.filterwarnings("error")
def test_data_without_spread_decide_nothing() -> None:
    for n, mean, sd in ((1, 4.0, None), (2, 4.0, 0.0), (9, 4.0, 0.0), (3, 4.0, 0.001)):
        assert confidence_sequence(n, mean, sd) == EVERYTHING
        assert sequential_p(n, mean, sd) >= 0.05
    assert confidence_sequence(5, 0.0, 0.0) == Interval(0, 0)
    assert confidence_sequence(5, 0.0, None) == EVERYTHING
    assert sequential_p(5, 0.0, 0.0) == 1


def test_nonsense_is_refused() -> None:
    for mixture in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="mixture"):
            anytime(mixture)
        with pytest.raises(ValueError, match="mixture"):
            sequential_p(1, 0.0, None, mixture=mixture)
    with pytest.raises(ValueError, match="level"):
        confidence_sequence(5, 0.0, 1.0, 95)


def looks(trials: int, last: int, seed: int) -> tuple[Floats, Floats]:
    """Return the means and standard errors (trials, last - 1) of noise at n = 2 to last."""
    noise = np.random.default_rng(seed).normal(size=(trials, last))
    n = np.arange(1, last + 1)
    means = noise.cumsum(1) / n
    squares = (noise**2).cumsum(1) - n * means**2
    return means[:, 1:], np.sqrt(squares[:, 1:] / (n[1:] - 1) / n[1:])


def test_peeking_fools_the_t_test_and_not_the_sequence() -> None:
    """Noise, looked at after each of 2 to 100 seeds until it seems significant at 5%."""
    trials, last = 10_000, 100
    means, errors = looks(trials, last, seed=21)
    n = np.arange(2, last + 1)
    wrong_t = np.mean((np.abs(means) > stats.t.ppf(0.975, n - 1) * errors).any(1))
    wrong_sequence = np.mean((np.abs(means) > critical(n, 0.95) * errors).any(1))
    assert wrong_t > 0.30
    assert wrong_sequence <= 0.05
    # Not so careful as to be useless: most of the error that it may make, it makes.
    assert wrong_sequence > 0.02


def test_each_side_of_the_sequence_errs_with_half_the_probability() -> None:
    """What TOST on 90% intervals needs: each one-sided test errs at 5% in all looks together."""
    trials, last = 10_000, 200
    means, errors = looks(trials, last, seed=22)
    n = np.arange(2, last + 1)
    for side in (means, -means):
        assert np.mean((side > critical(n, 0.90) * errors).any(1)) <= 0.05
