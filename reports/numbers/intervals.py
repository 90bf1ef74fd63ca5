"""Intervals of a true mean, and what data without spread say.

``has_spread`` decides in one place what degenerate data say. One seed, or seeds whose differences
are all equal, show no spread from which an error could be judged: intervals are (-inf, inf) and
p-values are 1. This is stricter on purpose than the limit of a shrinking spread, a p-value of 0: on
a small test set two or three seeds can agree by chance, at zero as elsewhere. Differences that are
all exactly zero are surely no gain, with the interval [0, 0], only where the caller knows that the
two conditions did the same on every seed, in every task and on every test sample that is on record.
Nothing here returns NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


ROUNDING = 1e-9  # values in % are equal if they differ by at most this


@dataclass(frozen=True)
class Interval:
    """A closed interval [low, high]; an end may be infinite, but not NaN (ValueError)."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"[{self.low}, {self.high}] is no interval: low must not exceed high")

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def inside(self, other: Interval) -> bool:
        """Return whether every point of this interval lies in ``other``."""
        return other.low <= self.low and self.high <= other.high


@dataclass(frozen=True)
class Procedure:
    """How to get an interval and a p-value from the number, mean and spread of differences.

    Attributes
    ----------
    name : what a report calls it.
    critical : takes the number of seeds n >= 2 (any shape) and a level; returns the half-width of
        the two-sided interval in standard errors (that shape), which may be infinite.
    p_above : takes n >= 2, a mean and an sd > 0; returns the one-sided p-value of "the true mean
        is at most 0".
    """

    name: str
    critical: Callable[[ArrayLike, float], Floats]
    p_above: Callable[[int, float, float], float]


def _t_critical(n: ArrayLike, level: float) -> Floats:
    return np.asarray(stats.t.ppf((1 + level) / 2, np.asarray(n) - 1), dtype=np.float64)


def _t_p_above(n: int, mean: float, sd: float) -> float:
    return float(stats.t.sf(math.sqrt(n) * mean / sd, n - 1))


FEWEST = 3
"""Seeds from which on an interval is shown: of two it is 12.7 times as wide as their distance."""

FIXED = Procedure("fixed-n t", _t_critical, _t_p_above)
"""Student's t, valid for a number of seeds that was chosen before looking at the data."""


def has_spread(values: ArrayLike, axis: int = -1) -> NDArray[np.bool_]:
    """Tell whether values in % or points differ along an axis by more than rounding errors.

    The range decides, because the standard deviation of equal values is not 0 but about 1e-17, and
    a p-value that rests on it can be arbitrarily small. False for a single value.

    Returns
    -------
    The shape of ``values`` without ``axis``.
    """
    return np.asarray(np.ptp(np.asarray(values, dtype=np.float64), axis=axis) > ROUNDING)


def mean_interval(
    n: int, mean: float, sd: float | None, level: float, procedure: Procedure = FIXED
) -> Interval:
    """Return the two-sided interval of the true mean at ``level`` (0.95: 95%).

    A ``sd`` of 0 is that of equal differences. At a mean of 0 they are those of conditions that did
    the same on every seed, and the interval is [0, 0]; give None where that is not known.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level of {level} is not between 0 and 1; 95% is 0.95")
    if n < 2 or sd is None:
        return Interval(-math.inf, math.inf)
    if sd == 0 and mean == 0:
        return Interval(0.0, 0.0)
    half = float(half_width(np.asarray(mean), np.asarray(sd), n, level, procedure))
    return Interval(mean - half, mean + half)


def half_width(
    means: Floats, sds: Floats, n: int, level: float, procedure: Procedure = FIXED
) -> Floats:
    """Return half the width of the intervals of many true means, each from ``n`` >= 2 differences.

    Equal differences show no spread, so their half-width is infinite, at zero too.

    Parameters
    ----------
    means, sds : of the differences, of one shape.
    """
    critical = float(procedure.critical(n, level))
    with np.errstate(invalid="ignore"):
        half = critical * sds / math.sqrt(n)
    return np.where(sds > 0, half, np.inf)


def t_interval(values: ArrayLike, level: float, *, same: bool = False) -> Interval:
    """Return the t interval of the true mean of ``values``, (n,); ValueError if not all finite.

    ``same`` : as for ``compare_paired``, where the values are differences.
    """
    sample = sample_of(values, "values")
    if same and len(sample) > 1 and not sample.any():
        return Interval(0.0, 0.0)
    return mean_interval(*summary_of(sample), level)


def prediction_interval(values: ArrayLike, future_n: int, level: float) -> Interval:
    """Return the interval for the mean of ``future_n`` further values of the same source.

    ``mean +- t sd sqrt(1/n + 1/future_n)`` (Hahn and Meeker 1991): a published mean of
    ``future_n`` seeds outside this interval disagrees with ``values``, (n,). ValueError where a
    value is not finite or ``future_n`` is below 1.
    """
    if future_n < 1:
        raise ValueError(f"a future study of {future_n} values has no mean; give 1 or more")
    n, mean, sd = summary_of(sample_of(values, "values"))
    now = mean_interval(n, mean, sd, level)
    half = (now.high - mean) * math.sqrt(1 + n / future_n)
    return Interval(mean - half, mean + half)


def sample_of(values: ArrayLike, name: str) -> Floats:
    """Return values as an array, (n,); ValueError where they are none, or not all finite."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0:
        raise ValueError(f"{name} has the shape {sample.shape}; give one value or more, as (n,)")
    bad = np.flatnonzero(~np.isfinite(sample))
    if bad.size:
        raise ValueError(
            f"{bad.size} of {sample.size} values of {name} are not finite, the first at position "
            f"{bad[0]}: drop the pairs of diverged or missing seeds, and report how many"
        )
    return sample


def summary_of(values: Floats) -> tuple[int, float, float | None]:
    """Return number, mean and standard deviation of values, (n,).

    The last is None at n = 1 and where all are zero, and 0 where all are equal otherwise.
    """
    n = len(values)
    if not has_spread(values):
        return n, float(values[0]), 0.0 if n > 1 and values[0] else None
    return n, float(values.mean()), float(values.std(ddof=1))
