"""A difference of independent means of unequal spreads (Welch 1947), from what was printed of them.

A publication prints a mean, a "±" and perhaps the number of runs. What the ± is, it often does not
say: the standard deviation over runs or the standard error of the mean, which is sqrt(runs) times
smaller. Both readings are computed, and stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats

from reports.numbers.intervals import Interval

READINGS = ("standard deviation", "standard error")
"""What a printed ± may be."""


@dataclass(frozen=True)
class Error:
    """The squared standard error of a mean, and the degrees of freedom that it rests on."""

    squared: float
    freedom: int


@dataclass(frozen=True)
class Reading:
    """A difference under one reading of the printed ±.

    Attributes
    ----------
    plus_minus : "standard deviation" or "standard error".
    published_error : standard error of the published number under it.
    ci95, p : of the difference, ours minus published: Welch's interval, and the two-sided p-value
        of no difference.
    """

    plus_minus: str
    published_error: float
    ci95: Interval
    p: float


def read(plus_minus: float, runs: int, reading: str) -> Error:
    """Return the error of a published mean of ``runs`` >= 2 runs under a reading of its ±."""
    squared = plus_minus**2
    return Error(squared / runs if reading == READINGS[0] else squared, runs - 1)


def welch(
    difference: float, errors: Sequence[Error], level: float = 0.95
) -> tuple[Interval, float]:
    """Return the interval of a sum or difference of independent means, and its p-value of zero.

    The degrees of freedom are Satterthwaite's. Without any error the interval is infinite.
    """
    squared = math.fsum(error.squared for error in errors)
    if squared == 0:
        return Interval(-math.inf, math.inf), 1.0
    freedom = squared**2 / math.fsum(error.squared**2 / error.freedom for error in errors)
    error = math.sqrt(squared)
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(difference) / error, freedom))
    return Interval(difference - half, difference + half), p


def readings(
    difference: float, own: Error, published: Sequence[tuple[float, int]]
) -> tuple[Reading, ...]:
    """Return a difference, ours minus published, under both readings.

    Parameters
    ----------
    own : the error of our number.
    published : the ± and the number of runs of each published mean in the difference; empty is
        returned where one has fewer than two runs.
    """
    if any(runs < 2 for _, runs in published):
        return ()
    found = []
    for name in READINGS:
        errors = [read(bar, runs, name) for bar, runs in published]
        ci95, p = welch(difference, [own, *errors])
        error = math.sqrt(math.fsum(one.squared for one in errors))
        found.append(Reading(name, error, ci95, p))
    return tuple(found)


def agree(found: Sequence[Reading]) -> bool | None:
    """Tell whether zero lies in the intervals of all readings; None where they do not agree."""
    holds = {bool(reading.ci95.low <= 0 <= reading.ci95.high) for reading in found}
    return holds.pop() if len(holds) == 1 else None
