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
"""Results by cell: status, accuracy and telemetry, as a record has them."""

ACCURACIES = {
    "final_accuracy": metrics.final_accuracy,
    "learned_accuracy": metrics.learned_accuracy,
    "backward_transfer": metrics.backward_transfer,
}
"""Metrics in points, of which more is better."""

DIVERGED = "diverged"
"""The metric of cells that no longer train to the end."""

WIDE = 10.0
"""Largest value over smallest value from which on logarithms are compared."""

SMALLEST = 1e-30
"""What a value that is not positive counts as where the metric is a logarithm."""


@dataclass(frozen=True)
class Metric:
    """One quantity of a condition.

    Attributes
    ----------
    name : of an accuracy, or of what the telemetry records after the last task.
    better : whether more is better; a quantity of the telemetry can only change.
    logarithm : whether its natural logarithm is compared, so that a difference of 0.01 means 1%.
    """

    name: str
    better: bool
    logarithm: bool = False

    @property
    def unit(self) -> str:
        """The unit of differences."""
        if self.name == DIVERGED:
            return "% of cells"
        return "points" if self.better else "log" if self.logarithm else ""

    def of(self, cell: Mapping[str, Any]) -> float:
        """Return the value of a cell; NaN where it diverged or has none."""
        if cell["status"] != "done":
            return math.nan
        if self.name in ACCURACIES:
            return 100 * ACCURACIES[self.name](metrics.as_matrix(cell["accuracy"]))
        value = cell["telemetry"][-1].get(self.name) if cell["telemetry"] else None
        if value is None:
            return math.nan
        return math.log(max(float(value), SMALLEST)) if self.logarithm else float(value)


def metrics_of(cells: Cells, condition: str) -> list[Metric]:
    """Return the metrics of a condition, by its accepted cells.

    A quantity of the telemetry that is positive in all of them and varies by more than ``WIDE`` is
    compared by its logarithm: its spread grows with it. One that varies less is compared as it is:
    it may be a parameter that can be zero or negative for other seeds.
    """
    done = [c for (name, _), c in cells.items() if name == condition and c["status"] == "done"]
    found = [Metric(name, better=True) for name in ACCURACIES]
    if not done or len(done[0]["accuracy"]) < 2:  # one task is never forgotten
        found = found[:1]
    names: dict[str, None] = {}
    for cell in done:
        if cell["telemetry"]:
            names |= dict.fromkeys(name for name in cell["telemetry"][-1] if name != "task")
    for name in names:
        values = [cell["telemetry"][-1].get(name) for cell in done if cell["telemetry"]]
        positive = [value for value in values if value is not None and value > 0]
        wide = len(positive) == len(values) and max(positive) > WIDE * min(positive)
        found.append(Metric(name, better=False, logarithm=wide))
    return found


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
