"""The number of a record that a claim is about."""

from __future__ import annotations

import math

from reports.numbers import metrics
from reports.numbers.records import Record
from reports.numbers.study import Statement

VALUES = "values."
"""Where in a record the named numbers lie that a program or a table measured."""
LOWER_IS_BETTER = frozenset({"forgetting"})


def scalar(record: Record, claim: Statement) -> float | None:
    """Return what a claim measures of a cell that is done; None where there is no such number.

    Accuracies, backward transfer and forgetting are in % and points.
    """
    if claim.metric == "record":
        return _at(record, claim.field or "")
    matrix = metrics.as_matrix(record["accuracy"])
    tasks = len(matrix)
    match claim.metric:
        case "accuracy-after-tasks" if claim.tasks is not None and claim.tasks <= tasks:
            value = float(metrics.seen_accuracy(matrix)[claim.tasks - 1])
        case "task-accuracy" if claim.task is not None and claim.task <= tasks:
            value = float(matrix[-1, claim.task - 1])
        case "backward-transfer" if tasks > 1:
            value = metrics.backward_transfer(matrix)
        case "forgetting" if tasks > 1:
            value = metrics.forgetting(matrix)
        case "learned-accuracy":
            value = metrics.learned_accuracy(matrix)
        case "final-accuracy":
            value = metrics.final_accuracy(matrix)
        case _:
            return None
    return 100 * value if math.isfinite(value) else None


def higher_is_better(claim: Statement) -> bool:
    """Tell whether a larger number is a better one."""
    if claim.higher_is_better is not None:
        return claim.higher_is_better
    return claim.metric not in LOWER_IS_BETTER


def unit_of(claim: Statement) -> str:
    """Return the unit as a sentence names it."""
    return {None: "points", "relative %": "%"}.get(claim.unit, claim.unit or "points")


def measured(claim: Statement) -> str:
    """Return what a claim is about, in words."""
    match claim.metric:
        case "accuracy-after-tasks":
            return f"accuracy after {claim.tasks} tasks"
        case "task-accuracy":
            return f"accuracy of task {claim.task}"
        case "record":
            return (claim.field or "").removeprefix(VALUES)
    return claim.metric.replace("-", " ")


def _at(record: object, field: str) -> float | None:
    """Return the number at a place such as ``timings.total`` or ``telemetry.-1.loss``."""
    value = record
    for name in field.split("."):
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.lstrip("-").isdigit():
            if not -len(value) <= int(name) < len(value):
                return None
            value = value[int(name)]
        else:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
