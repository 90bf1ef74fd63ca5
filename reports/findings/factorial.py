"""Which difference carries a gain: a contrast of several factors taken apart, one at a time.

Treatment and baseline differ in k factors. Where a study has every condition between the two,
the gain is a sum of one-factor steps along each of the k! orders in which the factors can change.
Where factors interact, a factor's step depends on which factors changed before it. The factor's
Shapley contribution is the mean of its step over all orders (Shapley 1953); the contributions sum
to the gain, seed by seed. Shares of the gain are ratios of paired means, with Fieller's interval
(Fieller 1954).

Effects are those of a two-level factorial (Yates 1937): the difference between the means at the
two signs of a factor, or of a product of factors. It is taken seed by seed, so every interval is
paired.

Accuracies are in %, gains in points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, permutations, product
from typing import Any

import numpy as np
from scipy import stats

from reports.numbers.statistics import (
    ROUNDING,
    Floats,
    Interval,
    has_spread,
    holm,
    paired_gains,
    t_interval,
)

Finals = Mapping[str, Mapping[int, float]]
"""By condition and seed, the final accuracy in % of finished cells."""

Levels = Mapping[str, Mapping[str, str]]
"""By condition, the level of each factor that the condition has."""

MOST_FACTORS = 6  # these have 720 orders; nobody reads more


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


def decompose(finals: Finals, levels: Levels, treatment: str, baseline: str) -> Attribution | None:
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
    for changed in _subsets(factors):
        combination = {
            **baseline_levels,
            **{factor: treatment_levels[factor] for factor in changed},
        }
        name = by_levels.get(tuple(sorted(combination.items())))
        if name is None:
            return None
        corners[changed] = name
    seeds = _common(finals, corners.values())
    if not seeds:
        return None
    values = {changed: _values(finals, name, seeds) for changed, name in corners.items()}

    def step(factor: str, before: tuple[str, ...]) -> Step:
        after = _ordered([*before, factor], factors)
        gains = paired_gains(values[after], values[before])
        mean, ci95 = float(gains.mean()), t_interval(gains, 0.95)
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
        for before in _subsets(rest):
            after = _ordered([*before, factor], factors)
            contribution += _weight(len(before), len(factors)) * (values[after] - values[before])
        shares.append(
            Share(
                factor,
                float(contribution.mean()),
                t_interval(paired_gains(contribution, np.zeros(len(seeds))), 0.95),
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
        t_interval(whole, 0.95),
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


@dataclass(frozen=True)
class Effect:
    """A main effect, or an interaction of several factors, of a two-level factorial.

    Attributes
    ----------
    factors, levels : the factors, and the level of each that counts as plus.
    effect, ci95 : in points, with its paired t interval.
    p, p_holm : p-value of the two-sided paired t test, before and after Holm over all effects.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    effect: float
    ci95: Interval
    p: float
    p_holm: float


def effects(finals: Finals, levels: Levels) -> list[Effect]:
    """Return every effect of a complete two-level factorial, main effects first.

    ``levels`` are those of the crossing; the first level of a factor counts as minus. Empty where a
    factor does not have two levels, a combination is missing, or no seed is done for all of them.
    """
    levels_of: dict[str, list[str]] = {}
    for combination in levels.values():
        for factor, level in combination.items():
            if level not in levels_of.setdefault(factor, []):
                levels_of[factor].append(level)
    factors = list(levels_of)
    two = all(len(names) == 2 for names in levels_of.values())
    if not two or not 2 <= len(factors) <= MOST_FACTORS:
        return []
    by_levels = {
        tuple(combination.get(factor, "") for factor in factors): name
        for name, combination in levels.items()
    }
    corners = list(product(*levels_of.values()))
    if set(corners) != set(by_levels):
        return []
    seeds = _common(finals, by_levels.values())
    if not seeds:
        return []
    values = {corner: _values(finals, by_levels[corner], seeds) for corner in corners}
    zeros = np.zeros(len(seeds))
    measured = []
    for chosen in _subsets(factors)[1:]:
        places = [factors.index(factor) for factor in chosen]
        contrast = sum(
            (
                math.prod(1 if corner[i] == levels_of[factors[i]][1] else -1 for i in places)
                * value
                for corner, value in values.items()
            ),
            zeros,
        ) / (len(corners) / 2)
        measured.append((chosen, paired_gains(contrast, zeros)))
    raw = [_p(gains) for _, gains in measured]
    return [
        Effect(
            chosen,
            tuple(levels_of[factor][1] for factor in chosen),
            float(gains.mean()),
            t_interval(gains, 0.95),
            p,
            adjusted,
        )
        for (chosen, gains), p, adjusted in zip(measured, raw, holm(raw), strict=True)
    ]


@dataclass(frozen=True)
class LevelGain:
    """One level of a factor against its reference, all else equal.

    ``gain`` is in points, ``ci95`` its paired 95% t interval over ``seeds``; ``p_holm`` is adjusted
    for all levels and strata of the factor.
    """

    factor: str
    level: str
    reference: str
    stratum: dict[str, str]
    seeds: tuple[int, ...]
    gain: float
    ci95: Interval
    p: float
    p_holm: float


def against_reference(finals: Finals, levels: Levels, factor: str) -> list[LevelGain]:
    """Compare each level of a factor with its first, in every combination of the other factors.

    Pairs without a common seed are left out.
    """
    names = {tuple(sorted(combination.items())): name for name, combination in levels.items()}
    order = list(
        dict.fromkeys(
            combination[factor] for combination in levels.values() if factor in combination
        )
    )
    measured = []
    for name, combination in levels.items():
        if combination.get(factor, order[0]) == order[0]:
            continue
        other = names.get(tuple(sorted({**combination, factor: order[0]}.items())))
        seeds = _common(finals, [name, other]) if other is not None else []
        if other is None or not seeds:
            continue
        gains = paired_gains(_values(finals, name, seeds), _values(finals, other, seeds))
        stratum = {
            other_factor: level
            for other_factor, level in combination.items()
            if other_factor != factor
        }
        measured.append((combination[factor], stratum, tuple(seeds), gains))
    raw = [_p(gains) for *_, gains in measured]
    return [
        LevelGain(
            factor,
            level,
            order[0],
            stratum,
            seeds,
            float(gains.mean()),
            t_interval(gains, 0.95),
            p,
            adjusted,
        )
        for (level, stratum, seeds, gains), p, adjusted in zip(
            measured, raw, holm(raw) if raw else [], strict=True
        )
    ]


def _subsets(factors: Sequence[str]) -> list[tuple[str, ...]]:
    return list(chain.from_iterable(combinations(factors, k) for k in range(len(factors) + 1)))


def _ordered(chosen: Sequence[str], factors: Sequence[str]) -> tuple[str, ...]:
    return tuple(factor for factor in factors if factor in chosen)


def _weight(before: int, factors: int) -> float:
    """Return the share of orders in which a factor changes right after ``before`` given factors."""
    return 1 / (factors * math.comb(factors - 1, before))


def _common(finals: Finals, names: Any) -> list[int]:
    sets = [set(finals.get(name, {})) for name in names]
    return sorted(set.intersection(*sets)) if sets else []


def _values(finals: Finals, name: str, seeds: Sequence[int]) -> Floats:
    return np.array([finals[name][seed] for seed in seeds], dtype=np.float64)


def _p(gains: Floats) -> float:
    """Return the two-sided p-value of a paired t test; 1 where the gains show no spread."""
    if not has_spread(gains):
        return 1.0
    return float(stats.ttest_1samp(gains, 0.0).pvalue)
