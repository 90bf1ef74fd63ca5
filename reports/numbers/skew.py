"""The bootstrap-t interval of a mean, for values that are not normal.

Student's t takes the values for normal. Where they are skewed, its interval misses the true mean
too often, and on one side more than on the other. The bootstrap-t interval (Efron 1979; Hall 1988)
takes the law of the t statistic from the values themselves: samples are drawn from them with
replacement, and the quantiles of their t statistics take the place of Student's. It misses less
often under skew, and is wider. ``tests/verdict_errors.py`` measures both.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from reports.numbers.bootstrap import DRAWN_AT_ONCE
from reports.numbers.intervals import Floats, Interval, has_spread
from reports.numbers.many import law_of

RESAMPLES = 9_999
FEWEST = 4
"""Values below which too many samples show no spread for any quantile."""


def bootstrap_t(values: ArrayLike, level: float = 0.95, *, seed: int = 0) -> Interval | None:
    """Return the bootstrap-t interval of the mean of ``values``, (n,).

    None for fewer than four values and where they show no spread.
    """
    sample = np.asarray(values, dtype=np.float64)
    if len(sample) < FEWEST or not has_spread(sample):
        return None
    n, mean, generator = len(sample), float(sample.mean()), np.random.default_rng(seed)
    error, law = float(sample.std(ddof=1)) / math.sqrt(n), law_of(sample)
    if law is not None:
        least, most = law.t_quantiles(level)
        return Interval(mean - most * error, mean - least * error)
    statistics = np.empty(RESAMPLES)
    rows = max(1, DRAWN_AT_ONCE // n)
    for start in range(0, RESAMPLES, rows):
        count = min(rows, RESAMPLES - start)
        drawn = sample[generator.integers(n, size=(count, n))]
        statistics[start : start + count] = _t_statistics(drawn, mean)
    low, high = _quantiles(statistics, level)
    return Interval(mean - float(high) * error, mean - float(low) * error)


def t_quantiles(samples: Floats, centre: Floats | float, level: float) -> tuple[Floats, Floats]:
    """Return the quantiles of the t statistics of samples, (..., samples, n), about a centre.

    The t statistic of a sample without spread is infinite.
    """
    return _quantiles(_t_statistics(samples, centre), level)


def _t_statistics(samples: Floats, centre: Floats | float) -> Floats:
    moved = samples.mean(axis=-1) - centre
    spread = np.where(has_spread(samples), samples.std(axis=-1, ddof=1), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistics = math.sqrt(samples.shape[-1]) * moved / spread
    return np.where(np.isnan(statistics), 0.0, statistics)  # equal to the centre


def _quantiles(statistics: Floats, level: float) -> tuple[Floats, Floats]:
    tail = (1 - level) / 2
    low, high = np.quantile(statistics, [tail, 1 - tail], axis=-1, method="nearest")
    return low, high


def skewness(values: ArrayLike) -> float | None:
    """Return the skewness of values, (n,), corrected for few values (G1; Joanes and Gill 1998).

    0 for symmetric values, 2 for exponential ones; at most n / sqrt(n - 1), whatever the source.
    None for fewer than three values and where they show no spread.
    """
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    if n < 3 or not has_spread(sample):
        return None
    centred = sample - sample.mean()
    plain = (centred**3).mean() / (centred**2).mean() ** 1.5
    return float(plain * math.sqrt(n * (n - 1)) / (n - 2))
