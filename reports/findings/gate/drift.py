"""Drift: new results against the first accepted ones, and over all acceptances.

Each step of a slow decline is within its margin; against the first accepted results it adds up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.findings.gate.cells import Cells, judged_of, seeds_of, values_of
from reports.findings.gate.shifts import Margins, Shift, shifts_of_differences
from reports.numbers.intervals import Floats, Interval, t_interval

LEAST_STEPS = 3
"""So many changes to the same side, one after the other, are pointed out: a chance of 1 in 4."""

History = Sequence[Mapping[str, Any]]
DEFAULT = {"name": "accuracy", "unit": "points"}
"""What an acceptance measured that does not say so."""


@dataclass(frozen=True)
class Point:
    """A condition's mean at one acceptance, with its 95% t interval."""

    label: str
    mean: float
    ci95: Interval


@dataclass(frozen=True)
class Trace:
    """One metric of a condition over the acceptances of results, the new results last.

    ``unit`` is that in which its values are shown.
    """

    condition: str
    metric: str
    points: tuple[Point, ...]
    unit: str = "%"

    @property
    def one_sided(self) -> bool:
        """Whether every change went to the same side, and there were enough of them to say so."""
        steps = np.diff([point.mean for point in self.points])
        steps = steps[steps != 0]  # the new results may be the accepted ones
        return len(steps) >= LEAST_STEPS and bool(np.all(steps < 0) or np.all(steps > 0))


def values_by_seed(
    cells: Cells, condition: str, seeds: Sequence[int]
) -> dict[str, list[float | None]]:
    """Return what the history keeps of a condition: each metric with a better side, by seed.

    None where a cell diverged or is not there.
    """
    return {
        metric.name: [
            None if math.isnan(value) else value
            for value in values_of(cells, condition, metric, seeds).tolist()
        ]
        for metric in judged_of(cells, condition)
    }


def since_first(new: Cells, history: History, margins: Margins) -> tuple[Shift, ...]:
    """Compare with the first accepted results; nothing where these are the present ones."""
    starts = _starts(history)
    first = next((line for line in reversed(starts) if line["restart"]), starts[0])
    if first is starts[-1]:
        return ()
    differences = []
    for condition, by_metric in first["metrics"].items():
        for metric in judged_of(new, condition):
            values = by_metric.get(metric.name, ())
            before = np.array([math.nan if v is None else v for v in values], dtype=np.float64)
            if not len(before):
                continue
            moved = values_of(new, condition, metric, first["seeds"]) - before
            if np.isfinite(moved).any():
                margin = margins.get(condition, {}).get(metric.name, math.inf)
                differences.append((condition, metric, moved, margin))
    return shifts_of_differences(differences)


def traces(new: Cells | None, history: History) -> tuple[Trace, ...]:
    """Return each condition's final accuracy, or what else is measured, over the acceptances."""
    starts = _starts(history)
    measure = starts[-1].get("measure") or DEFAULT
    accuracy = measure["unit"] == DEFAULT["unit"]
    metric = "final_accuracy" if accuracy else measure["name"]
    unit = "%" if accuracy else measure["unit"]
    found = []
    for condition in dict.fromkeys(name for line in starts for name in line["metrics"]):
        points = [
            _point(f"{line['generation']}: {line['date'][:10]}", by_metric[metric])
            for line in starts
            for by_metric in [line["metrics"].get(condition, {})]
            if metric in by_metric
        ]
        if new is not None and seeds_of(new, condition):
            values = values_by_seed(new, condition, seeds_of(new, condition))
            points.append(_point("new", values.get(metric, ())))
        kept = tuple(point for point in points if point is not None)
        if kept:
            found.append(Trace(condition, metric, kept, unit))
    return tuple(found)


def _starts(history: History) -> list[Mapping[str, Any]]:
    """Return the acceptances of results in which the same was measured as in the last one."""
    starts = [line for line in history if line["kind"] == "results"]
    return [line for line in starts if line.get("measure") == starts[-1].get("measure")]


def _point(label: str, by_seed: Sequence[float | None]) -> Point | None:
    values: Floats = np.array([v for v in by_seed if v is not None], dtype=np.float64)
    if len(values) == 0:
        return None
    return Point(label, float(values.mean()), t_interval(values, 0.95))
