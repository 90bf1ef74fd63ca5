"""One quantity measured at several sites -> a mean over all of them, and how much the sites differ.

Each site gives independent values: their number n, their mean y and their standard deviation s. The
model is that of random effects: the true mean of a site is the overall mean plus a deviation of the
site, with the variance tau2 between sites. The variance of y is then v + tau2, with v = s^2 / n.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from reports.numbers.intervals import Floats, Interval


@dataclass(frozen=True)
class Sample:
    """What one site measured: n >= 2 values with their mean and standard deviation (above 0)."""

    n: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Pooled:
    """Several sites together; from ``pool``.

    Attributes
    ----------
    sites : how many.
    mean, error : over sites, by random effects, and its standard error by Hartung and Knapp.
    ci95, ci90 : its intervals, by t with one degree of freedom less than there are sites.
    together, together_ci95 : mean and interval over all values, as if all sites measured one thing.
    q, p : Cochran's Q, and the p-value of "all sites have one true mean" (Welch).
    i2 : share of the variance of the sites' means that is not chance within sites, 0 to 1.
    tau2, tau2_ci95 : variance of the true means between sites, and its interval.
    """

    sites: int
    mean: float
    error: float
    ci95: Interval
    ci90: Interval
    together: float
    together_ci95: Interval
    q: float
    p: float
    i2: float
    tau2: float
    tau2_ci95: Interval

    def interval(self, level: float) -> Interval:
        """Return the interval of the mean over sites at a level (0.95: 95%)."""
        half = float(special.stdtrit(self.sites - 1, (1 + level) / 2)) * self.error
        return Interval(self.mean - half, self.mean + half)


def pool(samples: Sequence[Sample]) -> Pooled:
    """Pool the samples of two sites or more by random effects.

    tau2 is that of Paule and Mandel (1982), its interval the Q profile of Viechtbauer (2007). The
    standard error is that of Hartung and Knapp (2001), with a scale of at least 1: without that,
    sites whose means agree by chance would give an interval far narrower than their values allow
    (Roever, Knapp and Friede 2015). The p-value is that of Welch (1951), which allows for standard
    deviations that are estimated from few values, as the chi-square law of Q does not.

    Raises
    ------
    ValueError
        Where there are fewer than two samples, or one has fewer than two values or no spread.
    """
    if len(samples) < 2 or any(sample.n < 2 or not sample.sd > 0 for sample in samples):
        raise ValueError("pooling needs two sites or more, each with two values and a spread")
    counts = np.array([sample.n for sample in samples], dtype=np.float64)
    means = np.array([sample.mean for sample in samples])
    variances = np.array([sample.sd for sample in samples]) ** 2 / counts
    free = len(samples) - 1
    q = _q(0.0, means, variances)
    tau2 = _tau2_where_q_is(free, means, variances)
    weights = 1 / (variances + tau2)
    mean = float(np.sum(weights * means) / weights.sum())
    scale = max(1.0, _q(tau2, means, variances) / free)
    error = math.sqrt(scale / float(weights.sum()))
    low, high = (
        _tau2_where_q_is(float(special.chdtri(free, beyond)), means, variances)
        for beyond in (0.025, 0.975)
    )
    together, half = _together(counts, means, variances)
    half95, half90 = (float(special.stdtrit(free, at)) * error for at in (0.975, 0.95))
    return Pooled(
        sites=len(samples),
        mean=mean,
        error=error,
        ci95=Interval(mean - half95, mean + half95),
        ci90=Interval(mean - half90, mean + half90),
        together=together,
        together_ci95=Interval(together - half, together + half),
        q=q,
        p=_welch_p(q, counts, variances),
        i2=max(0.0, (q - free) / q) if q > 0 else 0.0,
        tau2=tau2,
        tau2_ci95=Interval(low, high),
    )


def _q(tau2: float, means: Floats, variances: Floats) -> float:
    """Return the weighted sum of squares of the means around their weighted mean."""
    weights = 1 / (variances + tau2)
    centre = np.sum(weights * means) / weights.sum()
    return float(np.sum(weights * (means - centre) ** 2))


def _tau2_where_q_is(value: float, means: Floats, variances: Floats) -> float:
    """Return the variance between sites at which Q has a value; 0 where it has less at 0."""
    excess: Callable[[float], float] = lambda tau2: _q(tau2, means, variances) - value  # noqa: E731
    if excess(0.0) <= 0:
        return 0.0
    high = float(np.ptp(means) ** 2)
    while excess(high) > 0:
        high *= 2
    return float(optimize.brentq(excess, 0.0, high, xtol=1e-14, rtol=1e-12))


def _together(counts: Floats, means: Floats, variances: Floats) -> tuple[float, float]:
    """Return the mean of all values and half its 95% interval, by the spread within sites."""
    total, free = counts.sum(), counts.sum() - len(counts)
    spread = np.sum((counts - 1) * counts * variances) / free
    half = special.stdtrit(free, 0.975) * math.sqrt(spread / total)
    return float(np.sum(counts * means) / total), float(half)


def _welch_p(q: float, counts: Floats, variances: Floats) -> float:
    sites, weights = len(counts), 1 / variances
    lack = float(np.sum((1 - weights / weights.sum()) ** 2 / (counts - 1)))
    f = q / (sites - 1) / (1 + 2 * (sites - 2) / (sites**2 - 1) * lack)
    return float(special.fdtrc(sites - 1, (sites**2 - 1) / (3 * lack), f))


@dataclass(frozen=True)
class Difference:
    """The difference of two independent means, second minus first, by Welch."""

    mean: float
    ci95: Interval
    ci90: Interval
    p: float


def difference(first: Sample, second: Sample) -> Difference:
    """Compare the means of two samples that share no value (Welch 1938)."""
    a, b = first.sd**2 / first.n, second.sd**2 / second.n
    free = (a + b) ** 2 / (a**2 / (first.n - 1) + b**2 / (second.n - 1))
    mean, error = second.mean - first.mean, math.sqrt(a + b)
    half95, half90 = (float(special.stdtrit(free, at)) * error for at in (0.975, 0.95))
    return Difference(
        mean,
        Interval(mean - half95, mean + half95),
        Interval(mean - half90, mean + half90),
        float(2 * special.stdtr(free, -abs(mean) / error)),
    )
