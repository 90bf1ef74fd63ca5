"""Two conditions compared by their differences a - b of equal seeds.

Values and differences are in one unit throughout: points (of accuracy in %), or % of the baseline.
What data without spread say is decided in ``reports.numbers.intervals``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from reports.numbers.bootstrap import bca_of_mean
from reports.numbers.intervals import FIXED, Floats, Interval, mean_interval, sample_of, summary_of
from reports.numbers.many import law_of
from reports.numbers.significance import EXACT_FLIPS, RANDOM_FLIPS, sign_flip_ps

Unit = Literal["points", "relative %"]


BOOTSTRAP_RESAMPLES = 9_999


GAIN_DECIMALS = 10  # finer than any test set resolves, coarser than rounding errors


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
    n, mean, sd = summary_of(gains)
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
    left, right = sample_of(a, "a"), sample_of(b, "b")
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


def _bca_interval(gains: Floats, seed: int) -> Interval:
    law = law_of(gains)
    if law is not None:
        return Interval(*law.bca(0.95))
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
