"""Effects of crossed factors: of a two-level factorial, and of levels against a reference.

The effects of a two-level factorial (Yates 1937) are the difference between the means at the two
signs of a factor, or of a product of factors. They are taken seed by seed, so every interval is
paired. Accuracies are in %, gains in points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

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
from reports.numbers.intervals import FEWEST, Floats, Interval, has_spread, t_interval
from reports.numbers.paired import paired_gains
from reports.numbers.significance import holm

UNSEEN = Interval(-math.inf, math.inf)


@dataclass(frozen=True)
class Effect:
    """A main effect, or an interaction of several factors, of a two-level factorial.

    Attributes
    ----------
    factors, levels : the factors, and the level of each that counts as plus.
    effect, ci95 : in points, with its paired t interval, without ends below ``FEWEST`` seeds.
    p, p_holm : p-value of the two-sided paired t test, before and after Holm over all effects.
    """

    factors: tuple[str, ...]
    levels: tuple[str, ...]
    effect: float
    ci95: Interval
    p: float
    p_holm: float


def effects(finals: Finals, levels: Levels, same: Same = not_known) -> list[Effect]:
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
    seeds = common_seeds(finals, by_levels.values())
    if not seeds:
        return []
    values = {corner: accuracies(finals, by_levels[corner], seeds) for corner in corners}
    zeros = np.zeros(len(seeds))

    def idle(place: int) -> bool:
        """Tell whether a factor changes nothing, whatever the others are."""
        lower, upper = levels_of[factors[place]]
        changed = {corner: (*corner[:place], upper, *corner[place + 1 :]) for corner in corners}
        return all(
            same(by_levels[corner], by_levels[other], seeds)
            for corner, other in changed.items()
            if corner[place] == lower
        )

    without_effect = [idle(place) for place in range(len(factors))]
    measured = []
    for chosen in subsets(factors)[1:]:
        places = [factors.index(factor) for factor in chosen]
        contrast = sum(
            (
                math.prod(1 if corner[i] == levels_of[factors[i]][1] else -1 for i in places)
                * value
                for corner, value in values.items()
            ),
            zeros,
        ) / (len(corners) / 2)
        zero = any(without_effect[place] for place in places)
        measured.append((chosen, paired_gains(contrast, zeros), zero))
    raw = [_p(gains) for _, gains, _ in measured]
    return [
        Effect(
            chosen,
            tuple(levels_of[factor][1] for factor in chosen),
            float(gains.mean()),
            t_interval(gains, 0.95, same=zero) if zero or len(seeds) >= FEWEST else UNSEEN,
            p,
            adjusted,
        )
        for (chosen, gains, zero), p, adjusted in zip(measured, raw, holm(raw), strict=True)
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


def against_reference(
    finals: Finals, levels: Levels, factor: str, same: Same = not_known
) -> list[LevelGain]:
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
        seeds = common_seeds(finals, [name, other]) if other is not None else []
        if other is None or not seeds:
            continue
        gains = paired_gains(accuracies(finals, name, seeds), accuracies(finals, other, seeds))
        stratum = {
            other_factor: level
            for other_factor, level in combination.items()
            if other_factor != factor
        }
        zero = same(name, other, seeds)
        measured.append((combination[factor], stratum, tuple(seeds), gains, zero))
    raw = [_p(gains) for *_, gains, _ in measured]
    return [
        LevelGain(
            factor,
            level,
            order[0],
            stratum,
            seeds,
            float(gains.mean()),
            t_interval(gains, 0.95, same=zero) if zero or len(seeds) >= FEWEST else UNSEEN,
            p,
            adjusted,
        )
        for (level, stratum, seeds, gains, zero), p, adjusted in zip(
            measured, raw, holm(raw) if raw else [], strict=True
        )
    ]


def _p(gains: Floats) -> float:
    """Return the two-sided p-value of a paired t test; 1 where the gains show no spread."""
    if not has_spread(gains):
        return 1.0
    return float(stats.ttest_1samp(gains, 0.0).pvalue)
