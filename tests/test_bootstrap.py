"""The bootstrap interval of a mean, held against scipy's digit for digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from reports.numbers.bootstrap import bca_of_mean, means_without_one
from reports.numbers.intervals import has_spread
from reports.numbers.paired import GAIN_DECIMALS

DECIMALS = GAIN_DECIMALS


def rounded_mean(sample: Any, axis: int) -> Any:
    return np.asarray(np.round(sample.mean(axis), DECIMALS))


def samples(n: int) -> list[Any]:
    """Smooth, skewed, and in the coarse steps of test sets of 91 and 2,115 samples."""
    draw = np.random.default_rng(n)
    steps = [draw.integers(-4, 9, n) / 91, draw.integers(-40, 90, n) / 2115]
    return [
        np.round(sample, DECIMALS) + 0.0
        for sample in (
            draw.normal(0.3, 1, n),
            draw.exponential(2, n) ** 2,
            *(100 * step for step in steps),
        )
        if has_spread(sample)
    ]


@pytest.mark.parametrize("n", [2, 3, 5, 6, 11, 17, 101, 257, 1001])
def test_interval_is_scipys_digit_for_digit(n: int) -> None:
    for sample in samples(n):
        theirs = stats.bootstrap(
            (sample,),
            rounded_mean,
            n_resamples=1_999,
            batch=500,
            method="BCa",
            rng=np.random.default_rng(n),
        ).confidence_interval
        ours = bca_of_mean(sample, 1_999, 0.95, DECIMALS, seed=n)
        assert ours == (theirs.low, theirs.high)


def test_resamples_do_not_depend_on_how_many_are_drawn_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sample = samples(101)[0]
    at_once = bca_of_mean(sample, 999, 0.95, DECIMALS, seed=3)
    monkeypatch.setattr("reports.numbers.bootstrap.DRAWN_AT_ONCE", 707)
    assert bca_of_mean(sample, 999, 0.95, DECIMALS, seed=3) == at_once


@pytest.mark.parametrize("n", [2, 3, 5, 11, 1001, 10_001])
def test_means_of_all_but_one_are_those_of_the_others_added_up(n: int) -> None:
    """Also where n - 1 divides a power of ten, so that means lie between two roundings."""
    for sample in samples(n):
        places = np.random.default_rng(n).permutation(n)[:200]
        one_by_one = [rounded_mean(np.delete(sample, place), 0) for place in places]
        assert (means_without_one(sample, DECIMALS)[places] == one_by_one).all()


def test_a_hundred_thousand_values_take_the_limit_of_the_t_interval() -> None:
    (sample, *_) = samples(100_000)
    low, high = bca_of_mean(sample, 199, 0.95, DECIMALS, seed=0)
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    assert (low - sample.mean()) / error == pytest.approx(-1.96, abs=0.5)
    assert (high - sample.mean()) / error == pytest.approx(1.96, abs=0.5)
