"""What is kept of results when they are accepted, besides the results."""

from __future__ import annotations

import numpy as np

from reports.findings.gate.cells import Cells, conditions_of, metrics_of, seeds_of, values_of
from reports.findings.gate.drift import values_by_seed

ByMetric = dict[str, dict[str, float]]


def seeds_of_all(cells: Cells) -> list[int]:
    """Return the seeds of all conditions, in rising order."""
    return sorted({seed for _, seed in cells})


def metrics_by_seed(cells: Cells) -> dict[str, dict[str, list[float | None]]]:
    """Return by condition and metric what is judged of each seed of ``seeds_of_all``."""
    seeds = seeds_of_all(cells)
    return {name: values_by_seed(cells, name, seeds) for name in conditions_of(cells)}


def paired_differences(new: Cells, accepted: Cells) -> tuple[ByMetric, ByMetric]:
    """Return mean and spread of new - accepted by condition and metric, paired by seed.

    Quantities beside the measure are compared as in ``reports.findings.gate.shifts``.
    """
    means: ByMetric = {}
    spreads: ByMetric = {}
    for condition in conditions_of(accepted):
        seeds = seeds_of(accepted, condition)
        for metric in metrics_of(accepted, condition):
            moved = values_of(new, condition, metric, seeds)
            moved = moved - values_of(accepted, condition, metric, seeds)
            moved = moved[np.isfinite(moved)]
            if len(moved) > 1:
                means.setdefault(condition, {})[metric.name] = float(moved.mean())
                spreads.setdefault(condition, {})[metric.name] = float(moved.std(ddof=1))
    return means, spreads
