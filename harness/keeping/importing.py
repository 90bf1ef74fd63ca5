"""Rows of a table of results that exist already -> sealed records, marked as imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import InputError
from harness.keeping.measured_cells import results_of
from harness.keeping.records import SCHEMA, Record, seal
from harness.keeping.tables import Row
from harness.studies.condition import cell_key
from harness.studies.measured import NO_DATA
from harness.studies.nearest import nearest
from harness.studies.study import Study

CELL = ("condition", "seed")
VALUE = "value"
TASKS = ("after_task", "task")
STEP = "step"
PAIRING = "seed number"
"""How cells of one seed belong together: nothing is known of their random draws."""
MOST_TASKS = 1000
LEAST = 1e-5
"""Numbers must be larger than this, so that differences of 1 in 100,000 are told apart."""


@dataclass(frozen=True)
class Source:
    """The file that cells come from: its name, and the hash of its content."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Form:
    """What the columns of a table say.

    Attributes
    ----------
    place : one of ``()``, ``("after_task", "task")`` and ``("step",)``: what numbers the values of
        a cell.
    others : columns that hold further numbers that claims are about.
    """

    place: tuple[str, ...]
    others: tuple[str, ...]


def check_columns(path: str, columns: Sequence[str]) -> None:
    """Raise InputError where a column is missing that every table has, or columns contradict."""
    for name in (*CELL, VALUE):
        if name not in columns:
            raise InputError(
                f"{path}: there is no column '{name}'{nearest(name, columns)}; it has "
                f"{', '.join(columns)}; needed are condition, seed and value (rename them)"
            )
    given = [name for name in TASKS if name in columns]
    if len(given) == 1:
        other = next(name for name in TASKS if name not in given)
        raise InputError(f"{path}: the column '{given[0]}' needs one named '{other}' beside it")
    if given and STEP in columns:
        raise InputError(f"{path}: a value is after a task or at a step: remove one of the columns")


def form_of(path: str, columns: Sequence[str], study: Study) -> Form:
    """Return what the columns of a table say of a study.

    Raises
    ------
    InputError
        Where a column is missing that a claim is about, or the study measures no accuracies and
        there are tasks.
    """
    given = [name for name in TASKS if name in columns]
    if given and not study.measured.is_accuracy:
        raise InputError(
            f"{path}: after_task and task are of accuracies, and {study.measured.name} is measured "
            f"in '{study.measured.unit}'; remove these columns or the table [measure]"
        )
    fields = [claim.field or "" for claim in study.statements]
    wanted = {field.removeprefix("values.") for field in fields if field.startswith("values.")}
    wanted -= {study.measured.name}
    for name in sorted(wanted):
        if name not in columns:
            raise InputError(
                f"{path}: there is no column '{name}', which a claim is about; it has "
                f"{', '.join(columns)}"
            )
    return Form(TASKS if given else (STEP,) if STEP in columns else (), tuple(sorted(wanted)))


def seeds_in(rows: Sequence[Row]) -> list[int]:
    """Return the seeds of a table, rising."""
    return sorted({row.whole("seed", 0) for row in rows})


def records_from(
    rows: Sequence[Row], form: Form, study: Study, source: Source, warn: Callable[[str], None]
) -> list[Record]:
    """Return a sealed record of each cell, in the order of conditions and seeds.

    Parameters
    ----------
    warn : told of what the table holds and no record does.

    Raises
    ------
    InputError
        Where a row is not as it should be: names the row.
    """
    unknown = [row for row in rows if row.text("condition") not in study.conditions]
    if unknown:
        name = unknown[0].text("condition")
        raise InputError(
            f"{unknown[0].place}: study '{study.name}' has no condition '{name}'"
            f"{nearest(name, list(study.conditions))}; it has {', '.join(study.conditions)}"
        )
    by_cell: dict[tuple[str, int], dict[tuple[int, ...], Row]] = {}
    for row in rows:
        cell = row.text("condition"), row.whole("seed", 0)
        place = tuple(row.whole(name, 0 if name == STEP else 1) for name in form.place)
        there = by_cell.setdefault(cell, {}).setdefault(place, row)
        if there is not row:
            numbered = "".join(f", {n} {v}" for n, v in zip(form.place, place, strict=True))
            raise InputError(
                f"{row.place}: a second value of condition '{cell[0]}', seed {cell[1]}{numbered}; "
                f"the first is in {there.place}"
            )
    order = {name: number for number, name in enumerate(study.conditions)}
    found = [
        _record(cell, by_cell[cell], form, study, source)
        for cell in sorted(by_cell, key=lambda cell: (order[cell[0]], cell[1]))
    ]
    _check_resolution(found, study, source)
    if form.place == TASKS:
        _check_sizes(found)
        early = sum(task > after for numbered in by_cell.values() for after, task in numbered)
        if early:
            warn(f"{source.file}: {early} accuracies of tasks that were not trained yet: left out")
    return found


def _record(
    cell: tuple[str, int],
    rows: Mapping[tuple[int, ...], Row],
    form: Form,
    study: Study,
    source: Source,
) -> Record:
    """Return the sealed record of one cell."""
    name, seed = cell
    measure = study.measured
    last = rows[max(rows)]
    values = {column: last.number(column) for column in form.others}
    matrix: list[list[float | None]] = []
    curves: dict[str, list[float]] = {}
    if form.place == TASKS:
        matrix = _matrix(rows, cell)
    else:
        if form.place == (STEP,):
            columns = [VALUE, *form.others]
            curves = {
                measure.name if column == VALUE else column: [
                    rows[place].number(column) for place in sorted(rows)
                ]
                for column in columns
            }
        values[measure.name] = last.number(VALUE)
    try:
        results: Any = results_of(measure, values, matrix=matrix, curves=curves)
    except ValueError as error:
        raise InputError(f"{last.place}: condition '{name}', seed {seed}: {error}") from None
    condition = study.conditions[name]
    program = condition.program(NO_DATA)
    record: Any = {
        "schema": SCHEMA,
        "key": cell_key(program, seed),
        "program": program,
        "study": study.name,
        "condition": name,
        "seed": seed,
        **results,
        "timings": {},
        **condition.settings(),
        "provenance": {
            "data": NO_DATA,
            "pairing": PAIRING,
            "imported": {"file": source.file, "sha256": source.sha256},
        },
    }
    return seal(record)


def _matrix(rows: Mapping[tuple[int, ...], Row], cell: tuple[str, int]) -> list[list[float | None]]:
    """Return the accuracies of one cell by task, after each task; InputError where one lacks."""
    tasks = max(after for after, _ in rows)
    if tasks > MOST_TASKS:
        raise InputError(f"{rows[max(rows)].place}: after_task = {tasks}, at most {MOST_TASKS}")
    for after, task in _seen(tasks):
        if (after, task) not in rows:
            raise InputError(
                f"{rows[max(rows)].place}: condition '{cell[0]}', seed {cell[1]} has a value after "
                f"task {tasks}, and none of task {task} after task {after}"
            )
    return [
        [rows[after, task].number(VALUE) if task <= after else None for task in range(1, tasks + 1)]
        for after in range(1, tasks + 1)
    ]


def _seen(tasks: int) -> Iterator[tuple[int, int]]:
    return ((after, task) for after in range(1, tasks + 1) for task in range(1, after + 1))


def _check_resolution(records: Sequence[Record], study: Study, source: Source) -> None:
    """Refuse numbers so small that the tenth place after the point does not tell them apart."""
    name = study.measured.name
    sizes = [abs(record.get("values", {}).get(name) or 0.0) for record in records]
    if 0 < max(sizes) < LEAST:
        raise InputError(
            f"{source.file}: no {name} is larger than {max(sizes):g} {study.measured.unit}; choose "
            "a smaller unit (milli, micro, nano), because statistics are computed to 10 places"
        )


def _check_sizes(records: Sequence[Record]) -> None:
    """Refuse cells with different numbers of tasks: their accuracies are of different things."""
    first = records[0]
    for record in records:
        if len(record["accuracy"]) != len(first["accuracy"]):
            one, other = (
                f"condition '{r['condition']}', seed {r['seed']} has {len(r['accuracy'])}"
                for r in (first, record)
            )
            raise InputError(f"{record['provenance']['imported']['file']}: {one} tasks, {other}")
