"""The results of a cell that a program of the user's own or a table measured, as a record says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.studies.measured import Measure

Matrix = Sequence[Sequence[float | None]]


def results_of(
    measure: Measure,
    values: Mapping[str, float],
    *,
    matrix: Matrix = (),
    curves: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Return status, accuracy, telemetry, values and curves of a cell; see ``Record``.

    Parameters
    ----------
    values : by name, the measure among them where there is no matrix.
    matrix : T x T accuracies, fractions, None for tasks not yet seen. The measure is then the mean
        of its last row.

    Raises
    ------
    ValueError
        Where the measure is missing or, an accuracy, no fraction.
    """
    named = {name: float(value) for name, value in values.items()}
    if matrix and not measure.is_accuracy:
        raise ValueError(
            f"a matrix holds accuracies, and {measure.name} is measured in '{measure.unit}'"
        )
    rows = [[None if cell is None else float(cell) for cell in row] for row in matrix]
    if not rows:
        if measure.name not in named:
            there = ", ".join(named) or "nothing"
            raise ValueError(
                f"there is no {measure.name}, which the study measures; it has {there}"
            )
        if measure.is_accuracy:
            rows = [[named[measure.name]]]
    numbers = [cell for row in rows for cell in row if cell is not None]
    diverged = not all(map(math.isfinite, [*numbers, *named.values()]))
    for number in numbers:
        if math.isfinite(number) and not 0 <= number <= 1:
            raise ValueError(
                f"{measure.name} = {number:g} is no fraction from 0 to 1{_hint(number)}"
            )
    if rows and not diverged:
        named.setdefault(measure.name, math.fsum(last := [c or 0.0 for c in rows[-1]]) / len(last))
    return {
        "status": "diverged" if diverged else "done",
        "accuracy": [[_finite(cell) for cell in row] for row in rows],
        "telemetry": [],
        "values": {name: _finite(value) for name, value in named.items()},
        "curves": {name: [_finite(v) for v in curve] for name, curve in (curves or {}).items()},
    }


def _hint(number: float) -> str:
    return "; it looks like a percentage: divide by 100" if 1 < number <= 100 else ""


def _finite(number: float | None) -> float | None:
    return number if number is not None and math.isfinite(number) else None
