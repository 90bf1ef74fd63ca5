"""Simulated studies: intervals cover at their level, planned seeds have their power."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats
from test_statistics import slack

from reports.numbers.intervals import (
    Interval,
    prediction_interval,
    t_interval,
)
from reports.numbers.paired import compare_paired
from reports.numbers.planning import seeds_needed


@pytest.mark.parametrize(("n", "level"), [(3, 0.95), (5, 0.90), (10, 0.95)])
def test_t_and_prediction_intervals_cover_at_their_level(n: int, level: float) -> None:
    trials, future = 4000, 5
    rng = np.random.default_rng(11)
    samples, futures = rng.normal(3, 2, (trials, n)), rng.normal(3, 2, (trials, future)).mean(1)
    intervals = [t_interval(sample, level) for sample in samples]
    predicted = [prediction_interval(sample, future, level) for sample in samples]
    covered = np.mean([ci.low <= 3 <= ci.high for ci in intervals])
    foreseen = np.mean([ci.low <= x <= ci.high for ci, x in zip(predicted, futures, strict=True)])
    assert covered == pytest.approx(level, abs=slack(level, trials))
    assert foreseen == pytest.approx(level, abs=slack(level, trials))


def test_the_bootstrap_covers_too_little_at_five_seeds() -> None:
    trials = 1500
    samples = np.random.default_rng(12).normal(size=(trials, 5))
    results = [compare_paired(sample, np.zeros(5)) for sample in samples]
    bca = np.mean([r.bca95.low <= 0 <= r.bca95.high for r in results])
    student = np.mean([r.ci95.low <= 0 <= r.ci95.high for r in results])
    assert bca == pytest.approx(0.84, abs=slack(0.84, trials))
    assert student == pytest.approx(0.95, abs=slack(0.95, trials))


@pytest.mark.parametrize("n", [2, 5, 10])
def test_chance_of_superiority_is_covered_with_any_share_of_ties(n: int) -> None:
    outcomes = [(wins, ties) for wins in range(n + 1) for ties in range(n + 1 - wins)]
    intervals = [
        compare_paired([1] * wins + [0] * ties + [-1] * (n - wins - ties), [0] * n)
        for wins, ties in outcomes
    ]
    low = np.array([r.probability_superior_ci95.low for r in intervals])
    high = np.array([r.probability_superior_ci95.high for r in intervals])
    counts = np.array([(w, t, n - w - t) for w, t in outcomes])
    for tie, share in product((0, 0.1, 0.5, 0.9), np.linspace(0, 1, 41)):
        win = (1 - tie) * share
        lose = max(0.0, 1 - win - tie)
        chance = stats.multinomial.pmf(counts, n, [win, tie, lose])
        truth = win + tie / 2
        covered = (low <= truth + 1e-9) & (truth <= high + 1e-9)
        assert chance[covered].sum() >= 0.95


@pytest.mark.parametrize("superior", [False, True])
def test_seeds_needed_have_the_power_that_they_promise(superior: bool) -> None:
    mean, sd, trials = 0.5, 0.3, 50_000
    band = Interval(-0.1, 0.9) if superior else Interval(0.0, 1.2)
    n = seeds_needed(mean, sd, 2, band, superior=superior)
    assert n is not None

    def power(count: int) -> float:
        rng = np.random.default_rng(13)
        means = rng.normal(mean, sd / math.sqrt(count), trials)
        sds = sd * np.sqrt(rng.chisquare(count - 1, trials) / (count - 1))
        error = sds / math.sqrt(count)
        wide, narrow = (stats.t.ppf(q, count - 1) * error for q in (0.975, 0.95))
        found = (means - narrow >= band.low) & (means + narrow <= band.high)
        return float(np.mean(found & (means > wide)) if superior else np.mean(found))

    assert power(n) >= 0.8 - slack(0.8, trials)
    assert power(n - 1) <= 0.8 + slack(0.8, trials)


def test_seeds_needed_say_none_where_none_would_do() -> None:
    band = Interval(0, 1)
    assert seeds_needed(1.0, 0.5, 5, band) is None
    assert seeds_needed(0.5, 0.5, 5, band, cap=6) is None
    assert seeds_needed(0.5, None, 1, band) is None
    assert seeds_needed(0.5, 0.0, 5, band) is None
    assert seeds_needed(0.5, 0.01, 5, band) == 6
    few, many = seeds_needed(0.5, 0.5, 5, band), seeds_needed(0.5, 1.0, 5, band)
    assert few is not None
    assert many is not None
    assert few < many
