"""Which difference carries a gain: a contrast of several factors taken apart, one at a time.

Treatment and baseline differ in k factors. Where a study has every condition between the two,
the gain is a sum of one-factor steps along each of the k! orders in which the factors can change.
Where factors interact, a factor's step depends on which factors changed before it. The factor's
Shapley contribution is the mean of its step over all orders (Shapley 1953); the contributions sum
to the gain, seed by seed. Shares of the gain are ratios of paired means, with Fieller's interval
(Fieller 1954).

Accuracies are in %, gains in points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy import stats

from reports.findings.crossing import (
    MOST_FACTORS,
    Finals,
    Levels,
    Same,
    accuracies,
    common_seeds,
    not_known,
    subsets,
)
from reports.numbers.intervals import ROUNDING, Floats, Interval, has_spread, t_interval
from reports.numbers.paired import paired_gains


@dataclass(frozen=True)
class Step:
    """One factor changed: ``treatment`` minus ``baseline``, which differ in nothing else.

    ``gain`` is in points, ``ci95`` its paired 95% t interval; ``changed`` are the factors that had
    changed before.
    """

    factor: str
    changed: tuple[str, ...]
    treatment: str
    baseline: str
    gain: float
    ci95: Interval


@dataclass(frozen=True)
class Share:
    """What one factor carries of a gain.

    Attributes
    ----------
    contribution, ci95 : Shapley contribution in points with its paired t interval.
    first, last : the step that changes this factor before all others, and the one after all others.
    share, share_ci95 : contribution / gain, 1 for the whole gain, with Fieller's interval. The
        interval is None where it is unbounded, for example where the gain is not surely different
        from zero.
    """

    factor: str
    contribution: float
    ci95: Interval
    first: Step
    last: Step
    share: float | None
    share_ci95: Interval | None


@dataclass(frozen=True)
class Attribution:
    """A gain taken apart; from ``decompose``.

    Attributes
    ----------
    stratum : the levels that treatment and baseline share.
    seeds : those that are done for both conditions and for every condition between them.
    total, ci95 : the gain over these seeds in points, with its paired t interval.
    means : mean accuracy in % by the factors that have changed, these in the order of ``shares``.
    shares : one for each factor in which treatment and baseline differ.
    paths : for each order of the factors, its steps.
    """

    treatment: str
    baseline: str
    stratum: dict[str, str]
    seeds: tuple[int, ...]
    total: float
    ci95: Interval
    means: dict[tuple[str, ...], float]
    shares: tuple[Share, ...]
    paths: tuple[tuple[Step, ...], ...]


def decompose(
    finals: Finals, levels: Levels, treatment: str, baseline: str, same: Same = not_known
) -> Attribution | None:
    """Take the gain of ``treatment`` over ``baseline`` apart.

    None where they do not have the same factors, differ in fewer than two or more than
    ``MOST_FACTORS`` of them, where a condition between them is missing, or where no seed is done
    for all conditions.
    """
    treatment_levels, baseline_levels = levels.get(treatment, {}), levels.get(baseline, {})
    if treatment_levels.keys() != baseline_levels.keys():
        return None
    factors = [
        factor for factor in treatment_levels if treatment_levels[factor] != baseline_levels[factor]
    ]
    if not 2 <= len(factors) <= MOST_FACTORS:
        return None
    by_levels = {tuple(sorted(combination.items())): name for name, combination in levels.items()}
    corners: dict[tuple[str, ...], str] = {}
    for changed in subsets(factors):
        combination = {
            **baseline_levels,
            **{factor: treatment_levels[factor] for factor in changed},
        }
        name = by_levels.get(tuple(sorted(combination.items())))
        if name is None:
            return None
        corners[changed] = name
    seeds = common_seeds(finals, corners.values())
    if not seeds:
        return None
    values = {changed: accuracies(finals, name, seeds) for changed, name in corners.items()}

    def step(factor: str, before: tuple[str, ...]) -> Step:
        after = _ordered([*before, factor], factors)
        gains = paired_gains(values[after], values[before])
        zero = same(corners[after], corners[before], seeds)
        mean, ci95 = float(gains.mean()), t_interval(gains, 0.95, same=zero)
        return Step(factor, before, corners[after], corners[before], mean, ci95)

    steps = {
        (factor, before): step(factor, before)
        for before in corners
        for factor in factors
        if factor not in before
    }
    whole = paired_gains(values[tuple(factors)], values[()])
    shares = []
    for factor in factors:
        rest = tuple(other for other in factors if other != factor)
        contribution = np.zeros(len(seeds))
        idle = all(
            same(corners[_ordered([*before, factor], factors)], corners[before], seeds)
            for before in subsets(rest)
        )
        for before in subsets(rest):
            after = _ordered([*before, factor], factors)
            contribution += _weight(len(before), len(factors)) * (values[after] - values[before])
        shares.append(
            Share(
                factor,
                float(contribution.mean()),
                t_interval(paired_gains(contribution, np.zeros(len(seeds))), 0.95, same=idle),
                steps[factor, ()],
                steps[factor, rest],
                float(contribution.mean() / whole.mean()) if abs(whole.mean()) > ROUNDING else None,
                fieller(contribution, whole, 0.95),
            )
        )
    paths = [
        tuple(steps[factor, _ordered(order[:place], factors)] for place, factor in enumerate(order))
        for order in permutations(factors)
    ]
    return Attribution(
        treatment,
        baseline,
        {factor: level for factor, level in treatment_levels.items() if factor not in factors},
        tuple(seeds),
        float(whole.mean()),
        t_interval(whole, 0.95, same=same(treatment, baseline, seeds)),
        {changed: float(value.mean()) for changed, value in values.items()},
        tuple(shares),
        tuple(paths),
    )


def fieller(part: Floats, whole: Floats, level: float) -> Interval | None:
    """Return Fieller's interval of mean(part) / mean(whole) for paired values, (n,) each.

    None where the mean of ``whole`` is not surely different from zero at this level, because the
    confidence set of the share is then unbounded. None also where ``part`` or ``whole`` shows no
    spread, except where ``part`` is zero on every pair.
    """
    n = len(part)
    if not has_spread(whole) or not (has_spread(part) or np.all(np.abs(part) <= ROUNDING)):
        return None
    a, b = float(part.mean()), float(whole.mean())
    (vaa, vab), (_, vbb) = np.cov(part, whole) / n
    t2 = float(stats.t.ppf((1 + level) / 2, n - 1)) ** 2
    denominator = b * b - t2 * vbb
    if denominator <= 0:
        return None
    middle = a * b - t2 * vab
    root = math.sqrt(max(0.0, middle**2 - denominator * (a * a - t2 * vaa)))
    return Interval((middle - root) / denominator, (middle + root) / denominator)


def _ordered(chosen: Sequence[str], factors: Sequence[str]) -> tuple[str, ...]:
    return tuple(factor for factor in factors if factor in chosen)


def _weight(before: int, factors: int) -> float:
    """Return the share of orders in which a factor changes right after ``before`` given factors."""
    return 1 / (factors * math.comb(factors - 1, before))
