"""Margins that a number of seeds can resolve, and what a comparison within a margin can see.

A metric of a condition is compared by its differences new - accepted over n seeds, whose spread is
``sd``. A drop is surely within the margin where a one-sided t test at ``MISS`` says so: a drop of
exactly the margin passes with that probability. A check has ``sides`` of such tests, one for a
metric of which only less is worse, two for one that may move to neither side. If nothing has
changed, all of them say so with probability ``1 - UNDECIDED`` or more, because the margin is chosen
for that:

    margin = ncp * sd / sqrt(n),   P(T(n - 1, ncp) > t(1 - MISS)) = 1 - UNDECIDED / sides

with T the noncentral t distribution, and a tenth of the spread over seeds where that is more: a
smaller change is of no interest, however surely it is seen. ``sd`` is the spread of paired
differences, as acceptances of other environments have measured it, but at least one step of the
metric (one test sample in a task): where two environments agree in every sample, a third one need
not. Where no acceptance has measured it, the two sides are taken for independent: sqrt(2) times the
spread over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from scipy import optimize, stats

MISS = 0.05
"""Chance that a drop of exactly the margin passes for none."""
UNDECIDED = 0.05
"""Chance, at most, that a check of unchanged results is undecided somewhere."""
FALSE_ALARM = 0.005
"""Chance, at most, that a check of unchanged results raises any alarm (Holm over all of them)."""
POWER = 0.9
SMALLEST_SHARE = 0.1
"""Smallest margin, as a share of the spread over seeds."""
MOST_SEEDS = 100_000


@cache
def errors_needed(n: int, sides: int) -> float:
    """Return the margin, in standard errors of a mean of ``n`` differences, that the rule asks for.

    Infinite for fewer than two seeds.
    """
    if n < 2:
        return math.inf
    critical = float(stats.t.ppf(1 - MISS, n - 1))
    wanted = 1 - UNDECIDED / sides

    def lack(ncp: float) -> float:
        return float(stats.nct.sf(critical, n - 1, ncp)) - wanted

    high = critical + 10
    while lack(high) < 0:
        high *= 2
    return float(optimize.brentq(lack, 0, high, xtol=1e-9))


def spread_of_differences(seed_sd: float, measured: Sequence[float], step: float) -> float:
    """Return the spread of paired differences to plan with.

    Parameters
    ----------
    seed_sd : spread of the metric over seeds.
    measured : spreads of the differences between environments, so far as they were accepted.
    step : the least amount by which the metric of one seed can change; 0 for any amount.
    """
    return max(*measured, step) if measured else max(math.sqrt(2) * seed_sd, step)


def margin_by_rule(
    n: int, seed_sd: float, measured: Sequence[float], step: float, sides: int
) -> float:
    """Return the margin of a metric; 0 where it shows no spread, infinite below two seeds."""
    if n < 2:
        return math.inf
    sd = spread_of_differences(seed_sd, measured, step)
    return max(errors_needed(n, sides) * sd / math.sqrt(n), SMALLEST_SHARE * seed_sd)


def seeds_for_margin(margin: float, sd: float, sides: int) -> int | None:
    """Return the least number of seeds that resolves a margin; None above 100,000."""
    low, high = 2, 4
    while errors_needed(high, sides) * sd / math.sqrt(high) > margin:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            return None
    while low < high:
        middle = (low + high) // 2
        if errors_needed(middle, sides) * sd / math.sqrt(middle) > margin:
            low = middle + 1
        else:
            high = middle
    return low


def drop_caught(n: int, margin: float, sd: float, tests: int) -> float:
    """Return the drop that is called a regression with probability ``POWER`` or more.

    A regression is surely worse than the margin: a one-sided t test of a drop of at most the
    margin, at ``FALSE_ALARM`` over twice as many tests (of worse and of better).
    """
    if n < 2:
        return math.inf
    if sd == 0:
        return margin
    critical = float(stats.t.ppf(1 - FALSE_ALARM / (2 * tests), n - 1))

    def lack(ncp: float) -> float:
        return float(stats.nct.sf(critical, n - 1, ncp)) - POWER

    high = critical + 10
    while lack(high) < 0:
        high *= 2
    ncp = float(optimize.brentq(lack, 0, high, xtol=1e-9))
    return margin + ncp * sd / math.sqrt(n)
