"""What a function returned, as the result of a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from harness.keeping.measured_cells import results_of
from harness.running.outcomes import Matrix, Outcome
from harness.studies.measured import Measure

FAILED, TIMED_OUT = "failed", "timed out"


@dataclass(frozen=True)
class Expected:
    """What a cell has to return.

    Attributes
    ----------
    measure : the number that is judged.
    tasks : number of tasks of the study's benchmark; None where the function takes no tasks.
    """

    measure: Measure = field(default_factory=Measure)
    tasks: int | None = None


def failed(why: str, status: str = FAILED) -> Outcome:
    """Return the outcome of a cell that has no result."""
    return Outcome(status, [], failure=why)


def outcome_of(returned: Any, expected: Expected) -> Outcome:
    """Return the outcome of a cell whose function returned something.

    Parameters
    ----------
    returned : a number; a curve, of which the last number counts; rows of a matrix, one for each
        task trained, with the accuracy on each task; or a mapping of names to numbers and curves,
        the measure among them, which may be a matrix.

    Raises
    ------
    ValueError
        Where it is none of them; says what it is and what it should be.
    """
    measure = expected.measure.name
    named = returned if isinstance(returned, dict) else {measure: returned}
    values: dict[str, float] = {}
    curves: dict[str, list[float]] = {}
    matrix: Matrix = []
    for name, value in named.items():
        if isinstance(value, list) and value and all(isinstance(row, list) for row in value):
            if name != measure:
                raise ValueError(f"returned a matrix as '{name}'; only {measure} can be one")
            matrix = _matrix(value, measure, expected.tasks)
        elif isinstance(value, list):
            curves[name] = [_number(part, f"{name}.{n}") for n, part in enumerate(value)]
            if not value:
                raise ValueError(f"returned an empty list as '{name}'")
            values[name] = curves[name][-1]
        else:
            values[name] = _number(value, name)
    try:
        results = results_of(expected.measure, values, matrix=matrix, curves=curves)
    except ValueError as error:
        raise ValueError(f"returned what is no result: {error}") from None
    return Outcome(**results)


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"returned {_kind(value)} as '{name}'; return a number")
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _kind(value: Any) -> str:
    match value:
        case None:
            return "None"
        case bool():
            return str(value)
        case str():
            return f"the text '{value[:60]}'"
        case dict():
            return "a mapping"
        case _:
            return f"a value of type {type(value).__name__}"


def _matrix(rows: list[list[Any]], measure: str, tasks: int | None) -> Matrix:
    """Return a square matrix; what stands above its diagonal is left out."""
    size = len(rows)
    if tasks is not None and size != tasks:
        raise ValueError(f"returned {size} rows; the benchmark has {tasks} tasks")
    matrix: Matrix = []
    for number, row in enumerate(rows):
        if len(row) not in (number + 1, size):
            every = f", or {size}, one for each task" if size > number + 1 else ""
            raise ValueError(
                f"returned {len(row)} accuracies as row {number}; after task {number} there are "
                f"{number + 1}{every}"
            )
        seen: list[float | None] = [
            _number(part, f"{measure}.{number}.{place}")
            for place, part in enumerate(row[: number + 1])
        ]
        matrix.append(seen + [None] * (size - number - 1))
    return matrix
