"""What the cells of a run say while it goes on: means and gains with their intervals.

Whoever looks at an interval again and again, and stops where it pleases, is no longer covered by it
(Armitage, McPherson and Rowe 1969). So these numbers are for watching, and no verdict comes from
them; only those of ``reports.numbers.sequential.ANYTIME`` may be looked at as often as one likes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.numbers.intervals import FIXED, Procedure, has_spread, mean_interval
from reports.numbers.paired import Unit, paired_gains

FEWEST = 3
"""Seeds from which on there is an interval; with two it would span 18 standard deviations."""
LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean over ``n`` seeds and its interval, whose ends are None where there is none."""

    n: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Estimator:
    """Estimates with the intervals of a procedure, at 95%."""

    procedure: Procedure = FIXED

    def mean(self, values: Sequence[float]) -> Estimate | None:
        """Return the mean of values of one unit, (n,); None without any.

        Its interval is the t interval whatever the procedure, which is one of gains.
        """
        return _estimate(values, FIXED)

    def gain(
        self, treated: Sequence[float], untreated: Sequence[float], unit: Unit
    ) -> Estimate | None:
        """Return the mean gain in ``unit`` of accuracies in %, (n,) each, aligned by seed.

        None without a pair, and where the gain is relative to an accuracy of 0.
        """
        if not treated or (unit == "relative %" and min(untreated) <= 0):
            return None
        return _estimate(paired_gains(treated, untreated, unit).tolist(), self.procedure)


def _estimate(values: Sequence[float], procedure: Procedure) -> Estimate | None:
    n = len(values)
    if n == 0:
        return None
    mean = math.fsum(values) / n
    if n < FEWEST or not has_spread(values):
        return Estimate(n, mean, None, None)
    interval = mean_interval(n, mean, float(np.std(values, ddof=1)), LEVEL, procedure)
    if not math.isfinite(interval.high - interval.low):
        return Estimate(n, mean, None, None)
    return Estimate(n, mean, interval.low, interval.high)
