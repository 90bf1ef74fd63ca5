"""How much a claim's gain owes to the samples that happen to be in the test set.

Intervals over seeds hold for one fixed test set. Another test set of the same size would give
another gain; how far off, the test samples themselves tell, where the records keep which of them
were classified correctly after the last task. Accuracies are in %, gains in points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from reports.findings.contrasts import JudgedClaim
from reports.numbers.intervals import Floats, Interval
from reports.numbers.records import Record
from reports.numbers.right_answers import on_the_same_samples, right_answers

RESAMPLES = 9_999


@dataclass(frozen=True)
class McNemar:
    """One seed: the samples on which its two networks differ.

    Attributes
    ----------
    won, lost : samples that only the treatment, only the baseline classifies correctly.
    p : two-sided p-value of as many of the one as of the other (McNemar's exact test).
    """

    seed: int
    won: int
    lost: int
    p: float


@dataclass(frozen=True)
class OverSamples:
    """What the test samples say of a claim's gain in points, for its fixed networks.

    Attributes
    ----------
    gain : mean over seeds and tasks.
    error, ci95 : its standard error over test samples, drawn anew within each task, and the
        bootstrap interval (percentiles).
    seeds : McNemar's test of each.
    """

    gain: float
    error: float
    ci95: Interval
    seeds: tuple[McNemar, ...]


def over_samples(
    judged: JudgedClaim,
    records_by_cell: Mapping[tuple[str, int], Record],
    *,
    seed: int = 0,
) -> OverSamples | None:
    """Return a claim's uncertainty over test samples.

    None where a record of a pair does not keep its answers, or two are of different samples.
    """
    claim = judged.claim
    summed: list[Floats] = []
    tests = []
    for number in judged.contrast.seeds:
        treated = records_by_cell[claim.treatment, number]
        untreated = records_by_cell[claim.baseline, number]
        after, before = right_answers(treated), right_answers(untreated)
        if after is None or before is None or not on_the_same_samples(treated, untreated):
            return None
        moved = [a.astype(np.float64) - b for a, b in zip(after, before, strict=True)]
        summed = summed or [np.zeros(len(task)) for task in moved]
        if [len(task) for task in moved] != [len(task) for task in summed]:
            return None
        for total, task in zip(summed, moved, strict=True):
            total += task
        won, lost = (sum(int((side * t > 0).sum()) for t in moved) for side in (1, -1))
        tests.append(McNemar(number, won, lost, _mcnemar_p(won, lost)))
    if not summed:
        return None
    by_task = [100 * (total / len(tests)) for total in summed]
    draws = np.random.default_rng(seed)
    drawn = np.mean([_means(one, draws) for one in by_task], axis=0)
    low, high = np.quantile(drawn, [0.025, 0.975])
    variance = math.fsum(one.var() / len(one) for one in by_task) / len(by_task) ** 2
    return OverSamples(
        gain=float(np.mean([one.mean() for one in by_task])),
        error=float(np.sqrt(variance)),
        ci95=Interval(float(low), float(high)),
        seeds=tuple(tests),
    )


@cache
def _mcnemar_p(won: int, lost: int) -> float:
    """Return McNemar's p-value; cached, because many seeds have the same counts."""
    return float(stats.binomtest(won, won + lost).pvalue) if won + lost else 1.0


def _means(values: Floats, draws: np.random.Generator) -> Floats:
    """Return the means of samples drawn with replacement from ``values``, (RESAMPLES,).

    Values that are equal are drawn together, by their number: there are few different ones.
    """
    different, counts = np.unique(np.round(values, 9), return_counts=True)
    drawn = draws.multinomial(len(values), counts / len(values), size=RESAMPLES)
    return np.asarray(drawn @ different / len(values), dtype=np.float64)
