"""Tests: equivalence, flips of signs, and the adjustment of many p-values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.numbers.flips import random_flip_ps
from reports.numbers.intervals import FIXED, Floats, Interval, Procedure, mean_interval
from reports.numbers.many import in_groups

EXACT_FLIPS = 30  # with at most this many seeds, all 2^n sign flips are counted


RANDOM_FLIPS = 19_999  # with more seeds, this many random sign flips are drawn


def tost(
    mean: float, sd: float | None, n: int, low: float, high: float, procedure: Procedure = FIXED
) -> float:
    """Return the p-value of "the true mean is not within [low, high]".

    This is the larger p-value of two one-sided tests (Schuirmann 1987): it is at most alpha exactly
    where the interval at level 1 - 2 alpha lies within [low, high].
    """
    band = Interval(low, high)
    if not sd:
        return 0.0 if mean_interval(n, mean, sd, 0.95).inside(band) else 1.0
    return max(procedure.p_above(n, mean - low, sd), procedure.p_above(n, high - mean, sd))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of one family, adjusted for all of them, in the same order (Holm 1979).

    ValueError where a p-value is not between 0 and 1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError(f"{list(p_values)} holds a number that is no p-value")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return [float(value) for value in adjusted]


def sign_flip_p(differences: Floats, *, seed: int = 0) -> float:
    """Return the two-sided p-value of the mean among all flips of the signs of (n,) differences.

    The p-value is exact up to n = 30: the differences are split in two halves, the 2^15 sums of
    each half are listed, and the pairs of them are counted, instead of 2^30 sums. With more seeds,
    19,999 random flips and the observed signs are counted; beyond 5,000, those of groups of seeds,
    see ``reports.numbers.many``.
    """
    return sign_flip_ps(differences[None], seed=seed)[0]


def sign_flip_ps(samples: Floats, *, seed: int = 0) -> list[float]:
    """Return for each sample, (k, n), what ``sign_flip_p`` returns for it alone."""
    if samples.shape[1] > EXACT_FLIPS:
        return random_flip_ps(in_groups(samples), RANDOM_FLIPS, seed=seed)
    return [_exact_flip_p(sample) for sample in samples]


def _exact_flip_p(differences: Floats) -> float:
    n = len(differences)
    # Sums of the same numbers in another order differ by rounding and must count as equal.
    observed = abs(differences.sum()) - 1e-9 * np.abs(differences).sum()
    if observed <= 0:
        return 1.0
    first, second = _signed_sums(differences[: n // 2]), _signed_sums(differences[n // 2 :])
    as_large = len(second) - np.searchsorted(np.sort(second), observed - first)
    return math.ldexp(int(as_large.sum()), 1 - n)


def _signed_sums(values: Floats) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums - value, sums + value])
    return sums
