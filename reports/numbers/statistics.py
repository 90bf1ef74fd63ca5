"""Paired comparisons, equivalence, and the number of seeds that a question needs.

Two conditions are compared by their differences a - b of equal seeds. Values and differences are
in one unit throughout: points (of accuracy in %), or % of the baseline.

``has_spread`` decides in one place what degenerate data say. One seed, or seeds whose differences
are all equal, show no spread from which an error could be judged: intervals are (-inf, inf) and
p-values are 1. This is stricter on purpose than the limit of a shrinking spread, a p-value of 0: on
a small test set two or three seeds can agree by chance, at zero as elsewhere. Differences that are
all exactly zero are surely no gain, with the interval [0, 0], only where the caller knows that the
two conditions did the same on every seed, in every task and on every test sample that is on record.
Nothing here returns NaN.

This file is long because a comparison, its intervals and its tests rest on one rule for degenerate
data, which is then read in one place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from reports.numbers.bootstrap import bca_of_mean
from reports.numbers.flips import random_flip_ps

Floats = NDArray[np.float64]
Unit = Literal["points", "relative %"]

EXACT_FLIPS = 30  # with at most this many seeds, all 2^n sign flips are counted
RANDOM_FLIPS = 19_999  # with more seeds, this many random sign flips are drawn
BOOTSTRAP_RESAMPLES = 9_999
GAIN_DECIMALS = 10  # finer than any test set resolves, coarser than rounding errors
ROUNDING = 1e-9  # values in % are equal if they differ by at most this
NODES = 32  # of the quadrature over the sample's spread in ``seeds_needed``


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


FIXED = Procedure("fixed-n t", _t_critical, _t_p_above)
"""Student's t, valid for a number of seeds that was chosen before looking at the data."""


@dataclass(frozen=True)
class PairedComparison:
    """What n paired differences a - b say; from ``compare_paired``.

    Attributes
    ----------
    unit : of mean, sd and the intervals.
    n : number of pairs.
    mean, sd : of the differences; ``sd`` (n - 1 in the denominator) is None where the spread is
        unknown: at n = 1, and where all differences are zero without the conditions being the same.
    ci95, ci90 : paired t intervals of the mean.
    bca95 : BCa bootstrap interval of the mean (Efron 1987), a sensitivity check. With few seeds it
        is too narrow (with five it covers about 84%, not 95%).
    p_t, p_wilcoxon, p_sign_flip : two-sided p-values of "no difference".
    smallest_p : the smallest value that ``p_wilcoxon`` and ``p_sign_flip`` can have at this n.
    hedges_gz : mean / sd, corrected for small samples (Hedges 1981); None without spread, and below
        n = 3, where no correction exists.
    probability_superior : chance that a exceeds b on one seed, P(A > B); a tie counts as one half.
    probability_superior_ci95 : its interval (Clopper and Pearson 1934).
    """

    unit: Unit
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
    probability_superior: float
    probability_superior_ci95: Interval


def compare_paired(
    a: ArrayLike, b: ArrayLike, *, unit: Unit = "points", seed: int = 0, same: bool = False
) -> PairedComparison:
    """Compare two conditions whose values ``a`` and ``b``, (n,) each, are aligned by seed.

    Parameters
    ----------
    seed : of the random generator, which serves the bootstrap and the sign flips of more than 30
        seeds: the same data give the same numbers.
    same : whether the two conditions are known to have done the same on every seed, beyond equal
        values; only then is a difference of zero on all of two or more seeds no gain for sure.

    Raises
    ------
    ValueError
        As ``paired_gains`` does.
    """
    gains = paired_gains(a, b, unit)
    n, mean, sd = _summary(gains)
    if same and n > 1 and not gains.any():
        sd = 0.0
    wins = float(np.sum(gains > 0) + np.sum(gains == 0) / 2)
    # Flipping signs of ranks is Wilcoxon's test, exact with ties and zeros too (Pratt 1959).
    ranks = np.sign(gains) * stats.rankdata(np.abs(gains))
    p_wilcoxon, p_sign_flip = sign_flip_ps(np.stack([ranks, gains]), seed=seed)
    return PairedComparison(
        unit=unit,
        n=n,
        mean=mean,
        sd=sd,
        ci95=mean_interval(n, mean, sd, 0.95),
        ci90=mean_interval(n, mean, sd, 0.90),
        bca95=_bca_interval(gains, seed) if sd else mean_interval(n, mean, sd, 0.95),
        p_t=min(1.0, 2 * FIXED.p_above(n, abs(mean), sd)) if sd else 1.0,
        p_wilcoxon=p_wilcoxon,
        p_sign_flip=p_sign_flip,
        smallest_p=math.ldexp(2, -n) if n <= EXACT_FLIPS else 2 / (RANDOM_FLIPS + 1),
        hedges_gz=_hedges_gz(n, mean, sd) if sd and n > 2 else None,
        probability_superior=wins / n,
        probability_superior_ci95=_proportion_interval(wins, n, 0.95),
    )


def paired_gains(a: ArrayLike, b: ArrayLike, unit: Unit = "points") -> Floats:
    """Return for every seed, (n,), the gain of ``a`` over ``b``, (n,) each.

    The unit "points" means a - b, in the unit of the values; accuracies must be in %. The unit
    "relative %" means 100 (a - b) / b of each seed, so that the pairs stay pairs; its mean is a
    mean of ratios, not the ratio of the means.

    Raises
    ------
    ValueError
        Where the unit is neither of these, ``a`` and ``b`` do not have one shape (n,) with n > 0,
        a value is not finite (the caller pairs the seeds, and drops and counts those that diverged
        or are missing), or a relative gain has a baseline that is not positive.
    """
    check_unit(unit)
    left, right = _sample(a, "a"), _sample(b, "b")
    if left.shape != right.shape:
        raise ValueError(
            f"{left.size} values against {right.size}: give one of each condition for every seed"
        )
    if unit == "relative %":
        if right.min() <= 0:
            raise ValueError("a relative gain needs a positive baseline; judge it in points")
        left, right = 100 * left / right, np.full_like(right, 100)
    # Means of counts carry rounding errors (0.3 - 0.1 is not 0.2), which would break ties.
    return np.round(left - right, GAIN_DECIMALS) + 0.0  # adding 0 turns -0 into 0


def check_unit(unit: object) -> None:
    """Raise ValueError where ``unit`` is neither "points" nor "relative %"."""
    if unit not in get_args(Unit):
        raise ValueError(
            f"{unit!r} is no unit of a gain: write 'points' (of accuracy in %) or 'relative %'"
        )


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
    sample = _sample(values, "values")
    if same and len(sample) > 1 and not sample.any():
        return Interval(0.0, 0.0)
    return mean_interval(*_summary(sample), level)


def prediction_interval(values: ArrayLike, future_n: int, level: float) -> Interval:
    """Return the interval for the mean of ``future_n`` further values of the same source.

    ``mean +- t sd sqrt(1/n + 1/future_n)`` (Hahn and Meeker 1991): a published mean of
    ``future_n`` seeds outside this interval disagrees with ``values``, (n,). ValueError where a
    value is not finite or ``future_n`` is below 1.
    """
    if future_n < 1:
        raise ValueError(f"a future study of {future_n} values has no mean; give 1 or more")
    n, mean, sd = _summary(_sample(values, "values"))
    now = mean_interval(n, mean, sd, level)
    half = (now.high - mean) * math.sqrt(1 + n / future_n)
    return Interval(mean - half, mean + half)


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


def seeds_needed(
    mean: float,
    sd: float | None,
    n: int,
    band: Interval,
    *,
    superior: bool = False,
    alpha: float = 0.05,
    power: float = 0.8,
    cap: int = 1000,
    procedure: Procedure = FIXED,
) -> int | None:
    """Return how many seeds, more than the ``n`` at hand, would put the mean within ``band``.

    Assume that a study's true mean and spread are ``mean`` and ``sd``. The result is the smallest
    number of seeds with which, with probability ``power``, the study's interval at level
    1 - 2 alpha lies within ``band`` and, where ``superior``, its interval at level 1 - alpha lies
    above 0. For normal differences it is exact up to the quadrature over the sample's spread. It is
    a plan and not a promise, because it takes the observed mean and spread for the true ones.

    None where no number up to ``cap`` would do, for example for a mean on an edge of the band, and
    where there is no spread to plan with.
    """
    if not sd or n >= cap:
        return None
    counts = np.arange(max(2, n + 1), cap + 1)[:, None]
    error = sd / np.sqrt(counts)
    nodes = (np.arange(NODES) + 0.5) / NODES
    seen = error * np.sqrt(stats.chi2.ppf(nodes, counts - 1) / (counts - 1))
    half = procedure.critical(counts, 1 - 2 * alpha) * seen
    # An infinite interval decides nothing, whatever edge it is compared with.
    half = np.where(np.isfinite(half), half, np.nan)
    low, high = band.low + half, band.high - half
    if superior:
        low = np.maximum(low, procedure.critical(counts, 1 - alpha) * seen)
    chance = special.ndtr((high - mean) / error) - special.ndtr((low - mean) / error)
    enough = np.nan_to_num(np.maximum(chance, 0)).mean(axis=1) >= power
    return int(counts[np.argmax(enough), 0]) if enough.any() else None


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
    19,999 random flips and the observed signs are counted.
    """
    return sign_flip_ps(differences[None], seed=seed)[0]


def sign_flip_ps(samples: Floats, *, seed: int = 0) -> list[float]:
    """Return for each sample, (k, n), what ``sign_flip_p`` returns for it alone."""
    if samples.shape[1] > EXACT_FLIPS:
        return random_flip_ps(samples, RANDOM_FLIPS, seed=seed)
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


def _bca_interval(gains: Floats, seed: int) -> Interval:
    low, high = bca_of_mean(gains, BOOTSTRAP_RESAMPLES, 0.95, GAIN_DECIMALS, seed=seed)
    return Interval(low, high)


def _proportion_interval(wins: float, n: int, level: float) -> Interval:
    # Clopper and Pearson's interval: with five seeds the others cover less than their level. Beta
    # quantiles accept half wins; with ties the coverage stays above the level (enumerated in the
    # tests).
    tail = (1 - level) / 2
    low = float(stats.beta.ppf(tail, wins, n - wins + 1)) if wins > 0 else 0.0
    high = float(stats.beta.isf(tail, wins + 1, n - wins)) if wins < n else 1.0
    return Interval(low, high)


def _hedges_gz(n: int, mean: float, sd: float) -> float:
    # poch(x, 1/2) is gamma(x + 1/2) / gamma(x).
    return float(mean / sd * special.poch((n - 2) / 2, 0.5) / math.sqrt((n - 1) / 2))


def _sample(values: ArrayLike, name: str) -> Floats:
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


def _summary(values: Floats) -> tuple[int, float, float | None]:
    n = len(values)
    if not has_spread(values):
        return n, float(values[0]), 0.0 if n > 1 and values[0] else None
    return n, float(values.mean()), float(values.std(ddof=1))
