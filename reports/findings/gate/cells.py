"""Cells of two sides, and the metrics in which they are compared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.numbers import metrics
from reports.numbers.intervals import Floats

CellName = tuple[str, int]
"""Condition and seed."""

Cells = Mapping[CellName, Mapping[str, Any]]
"""Results by cell: status, accuracy, telemetry, values and curves, as a record has them.

``measure`` is what the study measures; where it is left out, accuracies.
"""

ACCURACIES = {
    "final_accuracy": metrics.final_accuracy,
    "learned_accuracy": metrics.learned_accuracy,
    "backward_transfer": metrics.backward_transfer,
}
"""Metrics in points, of which more is better."""

DIVERGED = "diverged"
"""The metric of cells that no longer train to the end."""

BITS = "bits"
"""The metric of results that are not the same bits."""

WIDE = 10.0
"""Largest value over smallest value from which on logarithms are compared."""

SMALLEST = 1e-30
"""What a value that is not positive counts as where the metric is a logarithm."""


@dataclass(frozen=True)
class Metric:
    """One quantity of a condition.

    Attributes
    ----------
    name : of an accuracy or another measure, or of what else a cell records; see ``quantities``.
    better : whether one of its sides is better; a quantity beside the measure can only change.
    logarithm : whether its natural logarithm is compared, so that a difference of 0.01 means 1%.
    lower : whether less is better, where ``better``.
    own_unit : the unit of a measure that is no accuracy.
    """

    name: str
    better: bool
    logarithm: bool = False
    lower: bool = False
    own_unit: str | None = None

    @property
    def unit(self) -> str:
        """The unit of differences."""
        if self.own_unit is not None:
            return self.own_unit
        if self.name == DIVERGED:
            return "% of cells"
        return "points" if self.better else "log" if self.logarithm else ""

    @property
    def higher_is_better(self) -> bool | None:
        """Whether more is better; None for a quantity that can only change."""
        return not self.lower if self.better else None

    @property
    def sign(self) -> int:
        """What turns a difference new - accepted into a gain."""
        return -1 if self.lower else 1

    def of(self, cell: Mapping[str, Any]) -> float:
        """Return the value of a cell; NaN where it diverged or has none."""
        if cell["status"] != "done":
            return math.nan
        if self.own_unit is not None:
            value = cell.get("values", {}).get(self.name)
        elif self.better:
            return 100 * ACCURACIES[self.name](metrics.as_matrix(cell["accuracy"]))
        else:
            value = quantities(cell).get(self.name)
        if value is None:
            return math.nan
        return math.log(max(float(value), SMALLEST)) if self.logarithm else float(value)


def quantities(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a cell records beside its measure.

    That is the telemetry after the last task, or the other numbers that a function returned; one
    that has the name of a metric of ours is called ``values.NAME``.
    """
    if cell["telemetry"]:
        return {name: value for name, value in cell["telemetry"][-1].items() if name != "task"}
    measure = cell.get("measure")
    taken = {*ACCURACIES, DIVERGED, BITS}
    return {
        f"values.{name}" if name in taken else name: value
        for name, value in cell.get("values", {}).items()
        if measure is not None and name != measure.name
    }


def metrics_of(cells: Cells, condition: str) -> list[Metric]:
    """Return the metrics of a condition, by its accepted cells; those with a better side first.

    A quantity beside the measure that is positive in all of them and varies by more than ``WIDE``
    is compared by its logarithm: its spread grows with it. One that varies less is compared as it
    is: it may be a parameter that can be zero or negative for other seeds.
    """
    own = [cell for (name, _), cell in cells.items() if name == condition]
    done = [cell for cell in own if cell["status"] == "done"]
    measure = own[0].get("measure") if own else None
    lower = measure is not None and not measure.higher_is_better
    if measure is None or measure.is_accuracy:
        found = [Metric(name, better=True, lower=lower) for name in ACCURACIES]
        if not done or len(done[0]["accuracy"]) < 2:  # one task is never forgotten
            found = found[:1]
    else:
        found = [Metric(measure.name, better=True, lower=lower, own_unit=measure.unit)]
    beside = [beside for beside in map(quantities, done) if beside]
    for name in dict.fromkeys(name for quantity in beside for name in quantity):
        values = [quantity.get(name) for quantity in beside]
        positive = [value for value in values if value is not None and value > 0]
        wide = len(positive) == len(values) and max(positive) > WIDE * min(positive)
        found.append(Metric(name, better=False, logarithm=wide))
    return found


def judged_of(cells: Cells, condition: str) -> list[Metric]:
    """Return the metrics of a condition that have a better side, the measure first."""
    return [metric for metric in metrics_of(cells, condition) if metric.better]


def values_of(cells: Cells, condition: str, metric: Metric, seeds: Sequence[int]) -> Floats:
    """Return the values of a metric, one for each seed; NaN where a cell is missing or diverged."""
    values = [
        metric.of(cells[condition, seed]) if (condition, seed) in cells else math.nan
        for seed in seeds
    ]
    return np.array(values, dtype=np.float64)


def conditions_of(cells: Cells) -> list[str]:
    """Return the conditions of the cells, in their order."""
    return list(dict.fromkeys(condition for condition, _ in cells))


def seeds_of(cells: Cells, condition: str) -> list[int]:
    """Return the seeds of a condition, in rising order."""
    return sorted(seed for name, seed in cells if name == condition)
