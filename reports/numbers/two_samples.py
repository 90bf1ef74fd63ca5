"""Two means of independent samples, such as our seeds and other people's: Welch's comparison.

Nothing pairs the values, so both spreads count. With a fixed number of seeds the interval is that
of Welch (1947) with Satterthwaite's degrees of freedom. Where seeds are added by looking, it is the
sum of the two means' own intervals, each at half the error rate: wider, and valid at every look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from reports.numbers.estimates import OneSample
from reports.numbers.intervals import FIXED, Interval, Procedure, has_spread
from reports.numbers.rules import Rule

LEAST_P = 1e-12  # below it no p-value is looked for


@dataclass(frozen=True)
class Side:
    """One of the two means.

    Attributes
    ----------
    n, mean : how many values, and their mean.
    error : standard error of the mean; None where the values show no spread.
    ours : whether seeds of ours are added to it; a published mean stays as it is.
    """

    n: int
    mean: float
    error: float | None
    ours: bool = True

    def half_width(self, level: float, procedure: Procedure) -> float:
        """Return half the width of the mean's own interval."""
        if self.error is None or self.n < 2:
            return math.inf
        if self.error == 0:
            return 0.0
        return float((procedure if self.ours else FIXED).critical(self.n, level)) * self.error


def side(values: ArrayLike, *, ours: bool = True) -> Side:
    """Return the mean of a sample, (n,) with n > 0, as one side."""
    sample = np.asarray(values, dtype=np.float64)
    n = len(sample)
    error = float(sample.std(ddof=1)) / math.sqrt(n) if has_spread(sample) else None
    return Side(n, float(sample.mean()), error, ours)


@dataclass(frozen=True)
class TwoSamples:
    """The difference of two true means, ``a`` minus ``b``."""

    a: Side
    b: Side
    procedure: Procedure = FIXED

    @property
    def mean(self) -> float:
        """The observed difference."""
        return self.a.mean - self.b.mean

    @property
    def error(self) -> float | None:
        """Its standard error; None where a side shows no spread."""
        if self.a.error is None or self.b.error is None:
            return None
        return math.hypot(self.a.error, self.b.error) or None

    @property
    def degrees(self) -> float:
        """Satterthwaite's degrees of freedom."""
        squares = [(one.error or 0.0) ** 2 for one in (self.a, self.b)]
        return math.fsum(squares) ** 2 / math.fsum(
            square**2 / (one.n - 1) for square, one in zip(squares, (self.a, self.b), strict=True)
        )

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval of the true difference; infinite without spread."""
        if self.error is None:
            return Interval(-math.inf, math.inf)
        if self.procedure == FIXED:
            half = float(stats.t.ppf((1 + level) / 2, self.degrees)) * self.error
        else:
            each = (1 + level) / 2
            half = math.fsum(one.half_width(each, self.procedure) for one in (self.a, self.b))
        return Interval(self.mean - half, self.mean + half)

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of "the true difference is at most ``bound``"."""
        return self._p(self.mean - bound)

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value of "the true difference is at least ``bound``"."""
        return self._p(bound - self.mean)

    def seeds_for(self, rule: Rule, alpha: float) -> int | None:
        """Return about how many seeds of each condition would make a rule hold.

        As for paired differences of the same spread, which have fewer degrees of freedom. None
        where one of the means is published, and where 1000 would not be enough.
        """
        if self.error is None or not (self.a.ours and self.b.ours):
            return None
        n = min(self.a.n, self.b.n)
        spread = math.hypot(*(one.error * math.sqrt(one.n) for one in (self.a, self.b)
                              if one.error is not None))  # fmt: skip
        return OneSample(n, self.mean, spread, self.procedure).seeds_for(rule, alpha)

    def _p(self, distance: float) -> float:
        if self.error is None:
            return 1.0
        if self.procedure == FIXED:
            return float(stats.t.sf(distance / self.error, self.degrees))

        def beyond(p: float) -> float:  # how far the interval with these one-sided errors reaches
            return min(self.interval(1 - 2 * p).high - self.mean, 1e9) - distance

        if beyond(0.5 - LEAST_P) >= 0:
            return 1.0
        if beyond(LEAST_P) <= 0:
            return LEAST_P
        return float(optimize.brentq(beyond, LEAST_P, 0.5 - LEAST_P, xtol=1e-13))
