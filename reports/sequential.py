"""Intervals that stay valid however often one looks.

A fixed-n interval holds at one n chosen beforehand; whoever looks after every seed and stops when
it pleases is wrong far more often than stated. The confidence sequence here covers the mean at
all n at once with the stated probability, so a run may add seeds until its claims are decided.

Source: Lindon, Ham, Tingley, Bojinov, "Anytime-Valid Linear Models and Regression Adjusted Causal
Inference in Randomized Experiments" (2022), for a single mean: the group-invariant t test with a
Gaussian mixture over the standardised effect.
"""

from __future__ import annotations

import math

from reports.statistics import EVERYTHING, Interval

PRECISION = 5.0
"""phi: the mixture is effect / sd ~ N(0, 1 / phi). The sequence is tightest around n = phi times
a small factor, a handful of seeds to a few dozen. Fixed beforehand; any value is valid."""


def confidence_sequence(
    mean: float, sd: float, n: int, level: float, precision: float = PRECISION
) -> Interval:
    """Return the interval of the mean after n values, valid for all n together.

    Parameters
    ----------
    mean, sd : of the values so far; sd with n - 1 in the denominator.
    level : probability that *every* interval of the sequence covers the mean.

    Notes
    -----
    With ``r = phi / (phi + n)`` and ``K = (alpha^2 r)^(-1 / n)`` the values of t that are not
    rejected have ``t^2 <= (n - 1) (K - 1) / (1 - K r)``; everything, while ``K r >= 1``.
    """
    if n < 2:
        return EVERYTHING
    ratio = precision / (precision + n)
    bound = ((1 - level) ** 2 * ratio) ** (-1 / n)
    if bound * ratio >= 1:
        return EVERYTHING
    half = math.sqrt((n - 1) * (bound - 1) / (1 - bound * ratio)) * sd / math.sqrt(n)
    return Interval(mean - half, mean + half)


def e_value(mean: float, sd: float, n: int, precision: float = PRECISION) -> float:
    """Return the evidence against a mean of zero after n values.

    Under a mean of zero it exceeds 1 / alpha at any time with probability at most alpha, so
    ``min(1, 1 / e)`` is a p-value that may be looked at after every seed.
    """
    if n < 2 or mean == 0:
        return 0.0 if n >= 2 else 1.0
    if sd == 0:
        return math.inf
    ratio = precision / (precision + n)
    t2 = (mean / sd) ** 2 * n / (n - 1)
    return math.exp(0.5 * math.log(ratio) + n / 2 * math.log((1 + t2) / (1 + ratio * t2)))
