"""The BCa bootstrap interval of a mean (Efron 1987), at a cost in proportion to the sample.

Resamples, means and interval are those of ``scipy.stats.bootstrap`` with ``method="BCa"``, digit
for digit, so that intervals did not change when this took its place. scipy takes the mean of all
values but one by summing the others, for each value anew, which grows with the square of the
sample; here it is the total without the value. It also holds as many resamples in memory as it is
told, whatever their length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
DRAWN_AT_ONCE = 2_000_000
"""Number of resampled values that are in memory at a time."""
SUMMATION = 64
"""Two sums of the same numbers in another order differ by at most so many times the machine's
precision, in units of the sum of their magnitudes: numpy adds in pairs."""


def bca_of_mean(
    sample: Floats, resamples: int, level: float, decimals: int, *, seed: int
) -> tuple[float, float]:
    """Return the ends of the BCa interval of the mean of ``sample``, (n,), whose values differ.

    Parameters
    ----------
    decimals : to which every mean is rounded: many resamples hold the same values in another order,
        and their means would differ in the last digit otherwise.
    """
    n = len(sample)
    generator = np.random.default_rng(seed)
    means = np.empty(resamples)
    rows = max(1, DRAWN_AT_ONCE // n)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = sample[generator.integers(0, n, (count, n))]
        means[start : start + count] = np.round(drawn.mean(axis=1), decimals)
    observed = np.round(sample.mean(), decimals)
    below = np.count_nonzero(means < observed) + np.count_nonzero(means <= observed)
    bias = special.ndtri(below / (2 * resamples))
    acceleration = _acceleration(means_without_one(sample, decimals))
    tail = special.ndtri((1 - level) / 2)
    shifted = np.array([bias + tail, bias - tail])
    low, high = special.ndtr(bias + shifted / (1 - acceleration * shifted))
    means.sort()
    return _quantile(means, float(low)), _quantile(means, float(high))


def means_without_one(sample: Floats, decimals: int) -> Floats:
    """Return for each value of ``sample``, (n,), the rounded mean of all others."""
    n = len(sample)
    means = (sample.sum() - sample) / (n - 1)
    scale = 10.0**decimals
    # So near to the edge between two roundings, the order of the summands decides: scipy's then.
    doubt = SUMMATION * np.finfo(np.float64).eps * np.abs(sample).mean() * scale * n / (n - 1)
    unsure = np.abs(np.abs(means * scale) % 1.0 - 0.5) <= doubt
    for place in np.flatnonzero(unsure).tolist():
        means[place] = np.delete(sample, place).mean()
    return np.asarray(np.round(means, decimals))


def _acceleration(means: Floats) -> float:
    n = float(len(means))
    influence = (n - 1) * (means.mean() - means)
    third, second = np.sum(influence**3) / n**3, np.sum(influence**2) / n**2
    return float(1 / 6 * third / second**1.5)


def _quantile(ordered: Floats, level: float) -> float:
    """Return a quantile of values in rising order, interpolated as scipy does it."""
    place = level * len(ordered) + (1 - level)
    below = int(place)
    share = place - below
    above = min(below, len(ordered) - 1)
    return float((1 - share) * ordered[below - 1] + share * ordered[above])
