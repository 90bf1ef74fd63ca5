"""Several sites together: against statsmodels, scipy, a worked example, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.oneway import anova_oneway

from reports.numbers.pooling import Sample, difference, pool

generator = np.random.default_rng(5)
SPREAD = [generator.normal(4 + shift, 1, n) for shift, n in ((0, 10), (1.5, 8), (-1, 12), (3, 5))]
ALIKE = [generator.normal(4, 1, n) for n in (10, 8, 12)]


def samples(values: list[np.ndarray]) -> list[Sample]:
    return [Sample(len(v), float(v.mean()), float(v.std(ddof=1))) for v in values]


@pytest.mark.parametrize("values", [SPREAD, ALIKE, SPREAD[:2]])
def test_the_pooled_mean_is_that_of_statsmodels(values: list[np.ndarray]) -> None:
    found = pool(samples(values))
    means = np.array([v.mean() for v in values])
    variances = np.array([v.var(ddof=1) / len(v) for v in values])
    theirs = combine_effects(means, variances, method_re="iterated", atol=1e-10, maxiter=500)
    tau2 = max(0.0, theirs.tau2)
    assert found.q == pytest.approx(theirs.q)
    assert found.i2 == pytest.approx(max(0.0, theirs.i2))
    assert found.tau2 == pytest.approx(tau2, abs=1e-5)
    if tau2:
        assert found.mean == pytest.approx(theirs.mean_effect_re, abs=1e-5)
        scale = max(1.0, theirs.scale_hksj_re)
        assert found.error == pytest.approx(theirs.sd_eff_w_re * math.sqrt(scale), abs=1e-5)
    else:
        assert found.mean == pytest.approx(theirs.mean_effect_fe)
        scale = max(1.0, theirs.scale_hksj_fe)
        assert found.error == pytest.approx(theirs.sd_eff_w_fe * math.sqrt(scale))


@pytest.mark.parametrize("values", [SPREAD, ALIKE, SPREAD[:2]])
def test_the_test_of_equal_sites_is_that_of_statsmodels(values: list[np.ndarray]) -> None:
    assert pool(samples(values)).p == pytest.approx(anova_oneway(values, use_var="unequal").pvalue)


def test_a_worked_example() -> None:
    """Three means with the variance 0.1 each: all of it can be done on paper.

    The weights are equal, so the mean is 4 and Q = (1 + 0 + 1) / 0.1 = 20, I2 = 18 / 20. Q at tau2
    is 2 / (0.1 + tau2), which is 2 at tau2 = 0.9; there each weight is 1, the scale is 1 and the
    error sqrt(1 / 3), and t at 0.975 with 2 degrees of freedom is 4.302653. Q is 7.377759 at
    2 / 7.377759 - 0.1, and 0.05063562 at 2 / 0.05063562 - 0.1.
    """
    found = pool([Sample(10, mean, 1.0) for mean in (3.0, 4.0, 5.0)])
    assert (found.mean, found.q, found.i2) == pytest.approx((4.0, 20.0, 0.9))
    assert found.tau2 == pytest.approx(0.9)
    assert found.error == pytest.approx(0.5773503)
    assert found.ci95.low == pytest.approx(4 - 4.302653 * 0.5773503, abs=1e-5)
    assert found.interval(0.95) == found.ci95
    assert found.tau2_ci95.low == pytest.approx(0.1710848, abs=1e-6)
    assert found.tau2_ci95.high == pytest.approx(39.39788, abs=1e-4)
    assert found.together == pytest.approx(4.0)
    assert found.together_ci95.high == pytest.approx(4 + 2.051831 / math.sqrt(30), abs=1e-5)


def test_sites_that_agree_by_chance_do_not_narrow_the_interval() -> None:
    found = pool([Sample(10, 4.0, 1.0), Sample(10, 4.0, 1.0)])
    assert found.q == 0.0
    assert found.i2 == 0.0
    assert found.error == pytest.approx(math.sqrt(0.1 / 2)), "scale 1, and not 0"


def test_what_cannot_be_pooled_is_refused() -> None:
    good = Sample(5, 1.0, 1.0)
    for bad in ([good], [good, Sample(1, 1.0, 1.0)], [good, Sample(5, 1.0, 0.0)]):
        with pytest.raises(ValueError, match="two sites or more"):
            pool(bad)


def test_two_classes_are_compared_as_scipy_does() -> None:
    first, second = samples(SPREAD[:2])
    found = difference(first, second)
    theirs = stats.ttest_ind(SPREAD[1], SPREAD[0], equal_var=False)
    assert found.p == pytest.approx(theirs.pvalue)
    assert found.ci95.low == pytest.approx(theirs.confidence_interval(0.95).low)
    assert found.ci90.high == pytest.approx(theirs.confidence_interval(0.90).high)


@pytest.mark.parametrize(("sites", "tau"), [(2, 0.0), (2, 1.0), (3, 0.5), (5, 0.0), (5, 0.5)])
def test_the_interval_covers_the_mean_over_sites(sites: int, tau: float) -> None:
    """Five seeds a site with a spread of 1: the worst that one would pool.

    At least 93% of 95% intervals hold the truth: 95% less three Monte-Carlo errors of 0.7%.
    """
    draws, studies, seeds = np.random.default_rng(17), 1000, 5
    values = 4 + tau * draws.normal(size=(studies, sites, 1))
    values = values + draws.normal(size=(studies, sites, seeds))
    covered = 0
    for study in values:
        found = pool(samples(list(study)))
        covered += found.ci95.low <= 4 <= found.ci95.high
    assert covered / studies >= 0.93


def test_alike_sites_are_called_different_as_often_as_stated() -> None:
    """Welch keeps 5% at five seeds a site; Q held against chi-square would be wrong in over 10%."""
    draws, studies = np.random.default_rng(23), 1500
    found = [pool(samples(list(study))) for study in draws.normal(size=(studies, 4, 5))]
    assert np.mean([one.p < 0.05 for one in found]) == pytest.approx(0.05, abs=0.015)
    assert np.mean([stats.chi2.sf(one.q, 3) < 0.05 for one in found]) > 0.10
