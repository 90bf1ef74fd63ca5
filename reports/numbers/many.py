"""Samples of so many values that nothing need be drawn from each of them.

Up to ``MANY`` values, tests flip the sign of each and bootstraps draw each again: beyond, both
would cost as much for every further value, and say no more.

Sign flips: the values are dealt into ``MANY`` groups, in turns, and all of a group get one sign.
Where single signs are as likely as their opposites, so are those of whole groups, so that the test
stays exact: it errs as often as it says. Its p-value is another one, as far apart from that of
single flips as two draws of 19,999 flips are: at 0.05 by 0.002 (standard deviation), both.

Bootstraps: the law of resampled means is known beforehand, from Edgeworth's expansion with the
skewness of the values. What it leaves out is of the order of the kurtosis over the number of
values: below 0.005 standard errors where at least ``CARRIERS`` values carry the spread, and a
bootstrap of 9,999 resamples errs by 0.03. Where fewer do, all values are drawn. Values in steps
have means in steps, which the law smooths: by half a step of the mean, 0.02 standard errors at
most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from reports.numbers.intervals import Floats

MANY = 5_000
CARRIERS = 500
IN_GROUPS = (
    f"over more than {MANY:,} seeds, the seeds are dealt into {MANY:,} groups in turns, and all of "
    "a group have one sign"
)
EXPANDED = (
    f"over more than {MANY:,} seeds of which {CARRIERS} or more carry the spread, resamples are "
    "not drawn: their law is taken from the mean, spread and skewness of the differences "
    "(Edgeworth's expansion)"
)
"""What a report says where it names the methods."""


def in_groups(samples: Floats) -> Floats:
    """Return samples, (k, n), with at most ``MANY`` values each: the sums of groups of values.

    The first value of group g is the g-th, the next comes ``MANY`` places later, and so on; which
    values are together does not depend on them.
    """
    k, n = samples.shape
    if n <= MANY:
        return samples
    full = np.zeros((k, -(-n // MANY) * MANY))
    full[:, :n] = samples
    return np.asarray(full.reshape(k, -1, MANY).sum(axis=1))


@dataclass(frozen=True)
class Law:
    """The law of the mean, and of the spread, of ``n`` values drawn from a sample of ``n``.

    Attributes
    ----------
    mean, sd : of the sample; the latter with n in the denominator.
    skew, kurtosis : of the sample, uncorrected; 0 and 3 for normal values.
    """

    n: int
    mean: float
    sd: float
    skew: float
    kurtosis: float

    @property
    def acceleration(self) -> float:
        """That of BCa; its bias correction is the same number, in this order."""
        return self.skew / (6 * math.sqrt(self.n))

    def quantile(self, normal: Floats) -> Floats:
        """Return what quantile of resampled means stands where the normal law has ``normal``."""
        steps = normal + self.acceleration * (normal**2 - 1)
        return np.asarray(self.mean + self.sd / math.sqrt(self.n) * steps)

    def bca(self, level: float) -> tuple[float, float]:
        """Return the ends of the BCa interval of the mean."""
        bias = self.acceleration
        shifted = bias + _ends(level)
        low, high = self.quantile(bias + shifted / (1 - self.acceleration * shifted))
        return float(low), float(high)

    def t_quantiles(self, level: float) -> tuple[float, float]:
        """Return the two quantiles of resampled t statistics that enclose ``level`` of them."""
        ends = _ends(level)
        low, high = ends - self.acceleration * (2 * ends**2 + 1)
        return float(low), float(high)

    def studies(self, count: int, draws: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw means and standard deviations, (count,) each, of resamples.

        The two go together as far as the values are skewed.
        """
        first, second = draws.normal(size=(2, count))
        together = self.skew / math.sqrt(self.kurtosis - 1)
        moved = together * first + math.sqrt(max(0.0, 1 - together**2)) * second
        variances = self.sd**2 * (1 + math.sqrt((self.kurtosis - 1) / self.n) * moved)
        return self.quantile(first), np.sqrt(np.maximum(variances, 0))


def law_of(sample: Floats) -> Law | None:
    """Return the law of resamples of a sample, (n,), whose values differ.

    None for at most ``MANY`` values, and where fewer than ``CARRIERS`` of them carry the spread.
    """
    n = len(sample)
    if n <= MANY:
        return None
    mean = float(sample.mean())
    centred = sample - mean
    square = float((centred**2).mean())
    kurtosis = float((centred**4).mean()) / square**2
    if n / kurtosis < CARRIERS:
        return None
    return Law(n, mean, math.sqrt(square), float((centred**3).mean()) / square**1.5, kurtosis)


def _ends(level: float) -> Floats:
    tail = float(special.ndtri((1 - level) / 2))
    return np.array([tail, -tail])
