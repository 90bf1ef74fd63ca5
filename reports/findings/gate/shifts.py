"""The statistical layer: how much each metric of each condition has moved, seed by seed.

Both sides are noisy. Differences new - accepted are paired by seed (or unpaired, where the new
seeds are fresh), and each metric is held against its margin:

REGRESSION     surely worse than the margin: Holm over all metrics, both directions, at 1 in 200
IMPROVEMENT    surely better than the margin, in the same family
CHANGED        the same in either direction, for a quantity that is neither better nor worse
OK             surely not worse (not changed) by the margin: a one-sided t test at 5%
INCONCLUSIVE   neither; more seeds would decide
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from reports.findings.gate.cells import (
    Cells,
    Metric,
    conditions_of,
    metrics_of,
    seeds_of,
    values_of,
)
from reports.findings.gate.comparisons import Comparison, newly_diverged, paired, welch
from reports.numbers import metrics as matrix_metrics
from reports.numbers.intervals import Floats, Interval, t_interval
from reports.numbers.margins import FALSE_ALARM, MISS, seeds_for_margin
from reports.numbers.significance import holm

Margins = Mapping[str, Mapping[str, float]]
"""Margins by condition and metric."""


class Outcome(StrEnum):
    """What a check says of one metric of one condition."""

    REGRESSION = "REGRESSION"
    CHANGED = "CHANGED"
    INCONCLUSIVE = "INCONCLUSIVE"
    IMPROVEMENT = "IMPROVEMENT"
    OK = "OK"

    @property
    def alarm(self) -> bool:
        """Whether this is a reason to fail."""
        return self in (Outcome.REGRESSION, Outcome.CHANGED)


@dataclass(frozen=True)
class Place:
    """The first entry of the accuracy matrix that has surely moved, and by how many points."""

    after_task: int
    task: int
    points: float


@dataclass(frozen=True)
class Shift:
    """One metric of one condition, new - accepted.

    Attributes
    ----------
    unit : of mean, ci95 and margin: "points" or another one of the measure, for what is recorded
        beside it "log" (0.01 is 1%), or "" for the quantity's own.
    higher_is_better : whether more is better; None for a quantity that can only change.
    n : pairs of seeds, or for fresh seeds the number of these.
    dropped : seeds that are in no pair, because one side diverged or has no value.
    mean, ci95 : of the differences; NaN and all numbers without a pair.
    p_worse, p_better : of "at most the margin worse" and "at most the margin better", after Holm.
    p_ok : of "worse (or changed) by at least the margin".
    seeds_needed : how many seeds would decide, if INCONCLUSIVE and the mean and spread are true.
    place : where the accuracy first moved, where it is not surely within its margin.
    relative : mean over the size of the accepted mean, for what is no accuracy, in its own unit.
    waived : who excused the alarm, until when and why.
    """

    condition: str
    metric: str
    unit: str
    n: int
    dropped: int
    mean: float
    ci95: Interval
    margin: float
    p_worse: float
    p_better: float
    p_ok: float
    outcome: Outcome
    higher_is_better: bool | None = None
    seeds_needed: int | None = None
    place: Place | None = None
    relative: float | None = None
    waived: str | None = None

    @property
    def alarm(self) -> bool:
        """Whether this fails the check."""
        return self.outcome.alarm and self.waived is None


def paired_shifts(new: Cells, accepted: Cells, margins: Margins) -> tuple[Shift, ...]:
    """Compare the cells that both sides have, paired by seed."""
    raw, diverged = [], []
    for condition in conditions_of(accepted):
        seeds = [seed for seed in seeds_of(accepted, condition) if (condition, seed) in new]
        if not seeds:
            continue
        for metric in metrics_of(accepted, condition):
            differences = values_of(new, condition, metric, seeds) - values_of(
                accepted, condition, metric, seeds
            )
            kept = differences[np.isfinite(differences)]
            dropped = len(seeds) - len(kept)
            margin = margins.get(condition, {}).get(metric.name, math.inf)
            raw.append(paired(condition, metric, kept, dropped, margin))
        diverged.append(newly_diverged(new, accepted, condition, seeds))
    shifts = _decided([*raw, *(test for test in diverged if test.mean != 0)])
    return tuple(_placed(shift, new, accepted) for shift in shifts)


def shifts_of_differences(
    differences: Sequence[tuple[str, Metric, Floats, float]],
) -> tuple[Shift, ...]:
    """Judge paired differences, each with its condition, metric and margin; NaN is no pair."""
    tests = []
    for condition, metric, moved, margin in differences:
        kept = moved[np.isfinite(moved)]
        tests.append(paired(condition, metric, kept, len(moved) - len(kept), margin))
    return tuple(_decided(tests))


def fresh_shifts(
    new: Cells, accepted: Cells, margins: Margins, only: Sequence[tuple[str, str]]
) -> tuple[Shift, ...]:
    """Compare fresh seeds with the accepted ones, unpaired (Welch), in the given metrics only."""
    raw = []
    for condition, name in only:
        for metric in metrics_of(accepted, condition):
            if metric.name != name:
                continue
            a = values_of(new, condition, metric, seeds_of(new, condition))
            b = values_of(accepted, condition, metric, seeds_of(accepted, condition))
            kept_a, kept_b = a[np.isfinite(a)], b[np.isfinite(b)]
            margin = margins.get(condition, {}).get(name, math.inf)
            raw.append(welch(condition, metric, kept_a, kept_b, len(a) - len(kept_a), margin))
    return tuple(_decided(raw))


def _decided(tests: Sequence[Comparison]) -> list[Shift]:
    adjusted = holm([p for test in tests for p in (test.p_worse, test.p_better)])
    return [
        _shift(test, adjusted[2 * number], adjusted[2 * number + 1])
        for number, test in enumerate(tests)
    ]


def _shift(test: Comparison, p_worse: float, p_better: float) -> Shift:
    worse, better = p_worse <= FALSE_ALARM, p_better <= FALSE_ALARM
    outcome = Outcome.INCONCLUSIVE
    if test.metric.better:
        if worse:
            outcome = Outcome.REGRESSION
        elif better:
            outcome = Outcome.IMPROVEMENT
    elif worse or better:
        outcome = Outcome.CHANGED
    if outcome is Outcome.INCONCLUSIVE and test.p_ok <= MISS:
        outcome = Outcome.OK
    needed = None
    if outcome is Outcome.INCONCLUSIVE and test.sd > 0 and 0 < test.margin < math.inf:
        from_edge = abs(test.margin - abs(test.mean))
        needed = seeds_for_margin(from_edge, test.sd, 1) if from_edge > 0 else None
        needed = needed if needed is not None and needed > test.n else None
    return Shift(
        test.condition,
        test.metric.name,
        test.metric.unit,
        test.n,
        test.dropped,
        test.mean,
        test.ci95,
        test.margin,
        p_worse,
        p_better,
        test.p_ok,
        outcome,
        test.metric.higher_is_better,
        needed,
    )


def _placed(shift: Shift, new: Cells, accepted: Cells) -> Shift:
    """Add what a reader wants to know of a shift that is not OK.

    Of an accuracy: the first entry of the matrix that surely moved, in the order of training.
    """
    if shift.outcome is Outcome.OK:
        return shift
    by_name = {metric.name: metric for metric in metrics_of(accepted, shift.condition)}
    metric = by_name.get(shift.metric)
    if metric is None:  # more cells diverged
        return shift
    if metric.own_unit is not None or not metric.unit:
        seeds = seeds_of(accepted, shift.condition)
        size = abs(float(np.nanmean(values_of(accepted, shift.condition, metric, seeds))))
        return replace(shift, relative=shift.mean / size) if size > 0 else shift
    if not metric.better:
        return shift
    pairs = [
        (new[name], accepted[name])
        for name in accepted
        if name[0] == shift.condition
        and name in new
        and new[name]["status"] == accepted[name]["status"] == "done"
    ]
    if len(pairs) < 2:
        return shift
    moved = np.stack(
        [
            100
            * (matrix_metrics.as_matrix(a["accuracy"]) - matrix_metrics.as_matrix(b["accuracy"]))
            for a, b in pairs
        ]
    )
    entries = moved.shape[1] * (moved.shape[1] + 1) // 2
    for after in range(moved.shape[1]):
        for task in range(after + 1):
            ends = t_interval(moved[:, after, task], 1 - 0.05 / entries)
            if math.isfinite(ends.low) and not ends.low <= 0 <= ends.high:
                points = float(moved[:, after, task].mean())
                return replace(shift, place=Place(after + 1, task + 1, points))
    return shift
