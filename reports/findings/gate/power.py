"""The margins of a check, by rule or as asked for, and what the check can see with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.findings.gate.cells import (
    Cells,
    Metric,
    conditions_of,
    judged_of,
    metrics_of,
    seeds_of,
    values_of,
)
from reports.findings.gate.shifts import Margins
from reports.numbers.intervals import ROUNDING, Floats
from reports.numbers.margins import (
    drop_caught,
    errors_needed,
    margin_by_rule,
    seeds_for_margin,
    spread_of_differences,
)
from reports.numbers.metrics import as_matrix

Measured = Mapping[str, Mapping[str, Sequence[float]]]
"""Spreads of paired differences between environments, by condition and metric."""

MARGIN_TOLERANCE = 1e-6
"""Relative: roots are found to 1e-9, and another version of scipy may find them elsewhere."""


@dataclass(frozen=True)
class Sight:
    """What a check can see of one condition's metric.

    Attributes
    ----------
    n : accepted seeds that trained to the end.
    sd : spread of the differences that is planned with.
    measured : whether that spread was measured between environments; else both sides are taken
        for independent.
    margin : a loss of this much passes in one check of twenty at the most.
    caught : a loss of this much is called a regression in nine checks of ten.
    unit : of sd, margin and caught.
    higher_is_better : whether a loss is a drop, or a rise.
    """

    condition: str
    metric: str
    n: int
    sd: float
    measured: bool
    margin: float
    caught: float
    unit: str
    higher_is_better: bool


def margins_by_rule(accepted: Cells, measured: Measured) -> dict[str, dict[str, float]]:
    """Return the margin of each metric of each condition; see ``reports.numbers.margins``."""
    sides, step = _sides(accepted), accuracy_step(accepted)
    margins: dict[str, dict[str, float]] = {}
    for condition in conditions_of(accepted):
        for metric in metrics_of(accepted, condition):
            values = _finite(accepted, condition, metric)
            if len(values) > 1:
                spreads = measured.get(condition, {}).get(metric.name, ())
                margins.setdefault(condition, {})[metric.name] = margin_by_rule(
                    len(values), _sd(values), spreads, step if metric.better else 0.0, sides
                )
    return margins


def accuracy_step(accepted: Cells) -> float:
    """Return by how many points one test sample moves the mean over all tasks, at the most.

    A task's samples are not on record; the least difference between two of its accuracies stands
    for one. 0 where no accuracies were measured: any amount is possible.
    """
    done = [cell for cell in accepted.values() if cell["status"] == "done" and cell["accuracy"]]
    matrices = [as_matrix(cell["accuracy"]) for cell in done]
    if not matrices:
        return 0.0
    steps = []
    for task in range(len(matrices[0])):
        seen = np.unique(np.concatenate([matrix[task:, task] for matrix in matrices]))
        gaps = np.diff(seen[np.isfinite(seen)])
        gaps = gaps[gaps > ROUNDING]
        if len(gaps):
            steps.append(float(gaps.min()))
    return 100 * max(steps, default=0.0) / len(matrices[0])


def differing_margin(stored: Margins, accepted: Cells, measured: Measured) -> str | None:
    """Return the first stored margin that does not follow from the cells by the rule, in words."""
    by_rule = margins_by_rule(accepted, measured)
    for condition in sorted(by_rule.keys() | stored.keys()):
        expected, there = by_rule.get(condition, {}), stored.get(condition, {})
        for metric in sorted(expected.keys() | there.keys()):
            a, b = expected.get(metric), there.get(metric)
            if a is None or b is None or not math.isclose(a, b, rel_tol=MARGIN_TOLERANCE):
                return f"the margin of {condition}, {metric} is {b}, by the rule {a}"
    return None


def with_margin(
    stored: Margins, margin: float, accepted: Cells, measured: Measured
) -> dict[str, dict[str, float]]:
    """Return margins with ``margin``, in its unit, for every metric that has a better side.

    Raises
    ------
    ValueError
        Where it is no amount, or the accepted seeds cannot resolve it; with the number of seeds
        that could.
    """
    if not 0 <= margin < math.inf:
        raise ValueError(f"a margin of {margin} is no amount; give a positive number")
    sides, step = _sides(accepted), accuracy_step(accepted)
    margins = {condition: dict(by_metric) for condition, by_metric in stored.items()}
    worst: tuple[float, str, Metric, int, float] | None = None
    for condition, by_metric in margins.items():
        for metric in judged_of(accepted, condition):
            if metric.name not in by_metric:
                continue
            values = _finite(accepted, condition, metric)
            spreads = measured.get(condition, {}).get(metric.name, ())
            sd = spread_of_differences(_sd(values), spreads, step)
            least = errors_needed(len(values), sides) * sd / math.sqrt(len(values))
            if least > margin and (worst is None or least > worst[0]):
                worst = (least, condition, metric, len(values), sd)
            by_metric[metric.name] = margin
    if worst is not None:
        least, condition, metric, n, sd = worst
        needed = seeds_for_margin(margin, sd, sides) if margin > 0 else None
        raise ValueError(
            f"a margin of {margin} {metric.unit} cannot be resolved: {metric.name} of {condition} "
            f"needs {least:{'.2f' if metric.own_unit is None else '.3g'}} with {n} seeds"
            + ("" if needed is None else f"; {needed} seeds could resolve {margin}")
        )
    return margins


def sights(margins: Margins, accepted: Cells, measured: Measured) -> tuple[Sight, ...]:
    """Return what a check with these margins can see of what is judged of each condition."""
    tests, step = _tests(accepted), accuracy_step(accepted)
    found = []
    for condition in conditions_of(accepted):
        for metric in judged_of(accepted, condition):
            margin = margins.get(condition, {}).get(metric.name)
            if margin is not None:
                values = _finite(accepted, condition, metric)
                spreads = measured.get(condition, {}).get(metric.name, ())
                sd = spread_of_differences(_sd(values), spreads, step)
                caught = drop_caught(len(values), margin, sd, tests)
                found.append(
                    Sight(
                        condition,
                        metric.name,
                        len(values),
                        sd,
                        bool(spreads),
                        margin,
                        caught,
                        metric.unit,
                        not metric.lower,
                    )
                )
    return tuple(found)


def _tests(accepted: Cells) -> int:
    return sum(len(metrics_of(accepted, condition)) for condition in conditions_of(accepted))


def _sides(accepted: Cells) -> int:
    """Count the edges that all metrics must surely be within: one, or two where both matter."""
    return sum(
        1 if metric.better else 2
        for condition in conditions_of(accepted)
        for metric in metrics_of(accepted, condition)
    )


def _finite(accepted: Cells, condition: str, metric: Metric) -> Floats:
    values = values_of(accepted, condition, metric, seeds_of(accepted, condition))
    return values[np.isfinite(values)]


def _sd(values: Floats) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 and np.ptp(values) > 0 else 0.0
