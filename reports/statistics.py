"""Paired comparisons: intervals first, tests beside them.

The unit of replication is the seed. Both programs of a comparison see the same seeds, so what is
analysed is one difference a seed. Values are in whatever unit the caller brings (here always
percentage points or relative %). Everything is defined for degenerate data too: one seed says
nothing (infinite intervals, p = 1), and differences without any spread have intervals of one
point.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

Floats = NDArray[np.float64]

BOOTSTRAP_SAMPLES = 10_000
EXACT_SIGN_FLIPS = 20
"""Up to this many seeds every assignment of signs is looked at; beyond, a random sample."""
SIGN_FLIP_SAMPLES = 100_000
MOST_SEEDS = 10_000


@dataclass(frozen=True)
class Interval:
    """An interval from ``low`` to ``high``; either may be infinite."""

    low: float
    high: float

    def inside(self, low: float, high: float) -> bool:
        """Tell whether the interval lies within [low, high]."""
        return low <= self.low and self.high <= high


EVERYTHING = Interval(-math.inf, math.inf)


@dataclass(frozen=True)
class PairedComparison:
    """What n paired differences say about their mean.

    Attributes
    ----------
    n, mean, sd : number of pairs, mean difference, standard deviation (None for one pair).
    ci95, ci90 : paired t intervals, the ones that decide (levels 1 - alpha and 1 - 2 alpha).
    bca95 : bias-corrected and accelerated bootstrap interval of the mean (Efron 1987); too
        narrow for few seeds, shown as sensitivity.
    p_t, p_wilcoxon, p_sign_flip : two-sided p-values of no difference.
    smallest_p : the smallest two-sided p that the last two can give at this n, 2 / 2^n.
    hedges_gz : mean / sd with Hedges' correction for small samples; None without spread.
    superior, superior_ci : share of pairs with a positive difference, ties counting one half, and
        its 95% Wilson interval.
    """

    n: int
    mean: float
    sd: float | None
    ci95: Interval
    ci90: Interval
    bca95: Interval
    p_t: float
    p_wilcoxon: float
    p_sign_flip: float
    smallest_p: float
    hedges_gz: float | None
    superior: float
    superior_ci: Interval


def differences(a: ArrayLike, b: ArrayLike, unit: str = "points") -> Floats:
    """Return the paired differences of ``a`` over ``b``, both (n,) in %.

    In "points" that is ``a - b``; in "relative %" ``100 (a - b) / b``, pair by pair.

    Raises
    ------
    ValueError
        For unequal lengths, no pairs, values that are not finite, or an unknown unit.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"pairs need equal lengths, got {first.shape} and {second.shape}")
    if unit == "points":
        return _checked(first - second)
    if unit == "relative %":
        if not np.all(second > 0):
            raise ValueError("a relative difference needs a baseline above 0")
        return _checked(100 * (first - second) / second)
    raise ValueError(f"unit '{unit}' is not one of points, relative %")


def _checked(values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0:
        raise ValueError("at least one value is needed")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite; leave out diverged seeds and count them")
    return array


def compare_paired(
    a: ArrayLike, b: ArrayLike, *, unit: str = "points", alpha: float = 0.05, seed: int = 0
) -> PairedComparison:
    """Compare two programs seed by seed; ``seed`` fixes bootstrap and random sign flips.

    Raises
    ------
    ValueError
        As ``differences``.
    """
    return compare(differences(a, b, unit), alpha=alpha, seed=seed)


def compare(values: ArrayLike, *, alpha: float = 0.05, seed: int = 0) -> PairedComparison:
    """Compare paired differences with zero; see ``compare_paired``."""
    d = _checked(values)
    n, mean, spread = len(d), float(d.mean()), _spread(d)
    wins = float((d > 0).sum() + 0.5 * (d == 0).sum())
    low, high = proportion_confint(wins, n, alpha=alpha, method="wilson")
    return PairedComparison(
        n=n,
        mean=mean,
        sd=spread if n > 1 else None,
        ci95=t_interval(d, 1 - alpha),
        ci90=t_interval(d, 1 - 2 * alpha),
        bca95=bca_interval(d, 1 - alpha, seed=seed),
        p_t=_p_t(mean, spread, n),
        p_wilcoxon=_p_wilcoxon(d),
        p_sign_flip=sign_flip_p(d, seed=seed),
        smallest_p=min(1.0, 2.0 / 2.0**n),
        hedges_gz=_hedges_gz(mean, spread, n),
        superior=wins / n,
        superior_ci=Interval(float(low), float(high)),
    )


def _spread(d: Floats) -> float:
    """Return the standard deviation; exactly 0 where all values are the same number."""
    return float(d.std(ddof=1)) if len(d) > 1 and np.ptp(d) > 0 else 0.0


def t_interval(values: ArrayLike, level: float) -> Interval:
    """Return the t interval of the mean; everything for a single value."""
    d = _checked(values)
    return t_interval_of(float(d.mean()), _spread(d), len(d), level)


def t_interval_of(mean: float, sd: float, n: int, level: float) -> Interval:
    """Return the t interval of a mean from its sufficient statistics."""
    if n < 2:
        return EVERYTHING
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n)
    return Interval(mean - half, mean + half)


def prediction_interval(values: ArrayLike, future_n: int, level: float) -> Interval:
    """Return where the mean of a future study with ``future_n`` seeds falls.

    ``mean +- t sd sqrt(1/n + 1/future_n)``, for seeds of the same population.
    """
    if future_n < 1:
        raise ValueError("a future study needs at least one seed")
    d = _checked(values)
    n = len(d)
    if n < 2:
        return EVERYTHING
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    half = t * _spread(d) * math.sqrt(1 / n + 1 / future_n)
    return Interval(float(d.mean()) - half, float(d.mean()) + half)


def bca_interval(values: ArrayLike, level: float, *, seed: int) -> Interval:
    """Return the BCa bootstrap interval of the mean, from a generator seeded with ``seed``."""
    d = _checked(values)
    if len(d) < 2:
        return EVERYTHING
    if _spread(d) == 0:
        return Interval(float(d.mean()), float(d.mean()))
    result = stats.bootstrap(
        (d,),
        np.mean,
        confidence_level=level,
        n_resamples=BOOTSTRAP_SAMPLES,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    ends = result.confidence_interval
    return Interval(float(ends.low), float(ends.high))


def _p_t(mean: float, sd: float, n: int) -> float:
    if n < 2 or mean == 0:
        return 1.0
    if sd == 0:
        return 0.0
    return float(2 * stats.t.sf(abs(mean) / (sd / math.sqrt(n)), n - 1))


def _p_wilcoxon(d: Floats) -> float:
    if not d.any():
        return 1.0
    with warnings.catch_warnings():  # that a normal approximation for few pairs is one
        warnings.simplefilter("ignore", UserWarning)
        return float(stats.wilcoxon(d).pvalue)


def sign_flip_p(values: ArrayLike, *, seed: int = 0) -> float:
    """Return the two-sided p of the sign-flip test on the sum of the differences.

    Under no difference each one's sign is a fair coin (Fisher 1935). Exact for up to 20 seeds;
    beyond, ``(1 + hits) / (1 + samples)`` over random flips (Phipson and Smyth 2010).
    """
    d = _checked(values)
    # Rounding must not turn the observed assignment, or its mirror image, into a smaller one.
    observed = abs(d.sum()) - 1e-9 * np.abs(d).sum()
    if len(d) <= EXACT_SIGN_FLIPS:
        sums = d[:1]  # the first sign is fixed: the other half is the mirror image
        for value in d[1:]:
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= observed).mean())
    generator = np.random.default_rng(seed)
    hits = 0
    for chunk in np.array_split(np.arange(SIGN_FLIP_SAMPLES), 20):
        signs = generator.integers(0, 2, (len(chunk), len(d))) * 2 - 1
        hits += int((np.abs(signs @ d) >= observed).sum())
    return (1 + hits) / (1 + SIGN_FLIP_SAMPLES)


def _hedges_gz(mean: float, sd: float, n: int) -> float | None:
    """Return d_z with the exact correction for n - 1 degrees of freedom (Hedges 1981)."""
    if n < 3 or sd == 0:
        return None
    m = n - 1
    log_correction = special.gammaln(m / 2) - special.gammaln((m - 1) / 2) - math.log(m / 2) / 2
    return float(mean / sd * math.exp(log_correction))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the given order (Holm 1979)."""
    if not p_values:
        return []
    return [float(p) for p in multipletests(list(p_values), method="holm")[1]]


def tost(mean: float, sd: float, n: int, low: float, high: float) -> float:
    """Return the p of two one-sided t tests: small says that the mean lies in (low, high).

    Schuirmann 1987. 1 for a single pair.
    """
    if n < 2:
        return 1.0
    if sd == 0:
        return 0.0 if low < mean < high else 1.0
    error = sd / math.sqrt(n)
    above = stats.t.sf((mean - low) / error, n - 1)
    below = stats.t.cdf((mean - high) / error, n - 1)
    return float(max(above, below))


def seeds_needed(
    mean: float,
    sd: float,
    n: int,
    decided: Callable[[Interval, Interval], bool],
    *,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int | None:
    """Return how many seeds would settle a question, were mean and spread those observed.

    Parameters
    ----------
    n : seeds there are already; the answer is larger.
    decided : tells from the intervals at levels 1 - alpha and 1 - 2 alpha.
    power : probability of a decision; a study of that size draws its mean anew, so the
        intervals are widened by that quantile of its error.

    Returns
    -------
    None where even 10,000 seeds would not do (the mean sits on a border), or for one seed, which
    has no spread.
    """
    if n < 2:
        return None
    sizes = np.unique(np.geomspace(n + 1, max(MOST_SEEDS, n + 1), 2_000).astype(int))
    extra = stats.norm.ppf(power)
    for size in sizes.tolist():
        error = sd / math.sqrt(size)
        wide = (float(stats.t.ppf(1 - alpha / 2, size - 1)) + extra) * error
        narrow = (float(stats.t.ppf(1 - alpha, size - 1)) + extra) * error
        if decided(Interval(mean - wide, mean + wide), Interval(mean - narrow, mean + narrow)):
            return int(size)
    return None
