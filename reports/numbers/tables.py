"""Records as tables: one row for each accuracy, for each cell, or for each condition."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from reports.numbers import metrics
from reports.numbers.intervals import FEWEST, has_spread
from reports.numbers.records import Record
from reports.numbers.study import Source

IDENTITY = ("study", "condition", "seed", "status", "key")
AT_ONCE = 50_000
"""Records whose rows are in memory at once: 1.7 kB each, of five tasks."""
CELL_METRICS = ("final_accuracy", "learned_accuracy", "backward_transfer", "forgetting")
"""Of ``reports.numbers.metrics``."""
CAN_BE = {"final_accuracy": (0.0, 100.0), "learned_accuracy": (0.0, 100.0)}
"""The range of a metric in %; changes and drops lie between -100 and 100 points."""


def _in_order(records: Sequence[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record["condition"], record["seed"]))


def _repeated(records: Sequence[Mapping[str, Any]], name: str, counts: Sequence[int]) -> list[Any]:
    """Return a field of each record, as often as ``counts`` says."""
    pairs = zip(records, counts, strict=True)
    return [value for record, count in pairs for value in repeat(record[name], count)]


def _frame(columns: Mapping[str, Sequence[Any] | metrics.Floats]) -> pd.DataFrame:
    """Return columns as a table; of rows, each an object, 100,000 records would take a minute."""
    empty = not any(len(column) for column in columns.values())
    return pd.DataFrame(columns=list(columns)) if empty else pd.DataFrame(columns)


def _stacks(done: Sequence[Record]) -> Iterator[tuple[list[int], metrics.Floats]]:
    """Yield for each number T of tasks the places of its records and their matrices (n, T, T).

    Records of other measures than accuracies are left out.
    """
    by_tasks: dict[int, list[int]] = {}
    for place, record in enumerate(done):
        if record["accuracy"]:
            by_tasks.setdefault(len(record["accuracy"]), []).append(place)
    for places in by_tasks.values():
        yield places, np.array([done[place]["accuracy"] for place in places], dtype=np.float64)


def task_count(records: Sequence[Record]) -> int:
    """Return how many tasks the records' sequence has; 0 without records."""
    return max((len(record["accuracy"]) for record in records), default=0)


def tidy(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row for each accuracy that was measured.

    Columns: study, condition, seed, status, key, after_task and task (1-based),
    ``accuracy`` (in %), sorted by condition, seed and tasks. Nothing in the table depends on
    when and where the cells ran, so the same results give the same table.
    """
    ordered = _in_order(records)
    table: dict[str, list[Any]] = {"after_task": [], "task": [], "accuracy": []}
    counts = []
    for record in ordered:
        before = len(table["task"])
        for after, row in enumerate(record["accuracy"], start=1):
            for task, accuracy in enumerate(row, start=1):
                if accuracy is not None:
                    table["after_task"].append(after)
                    table["task"].append(task)
                    table["accuracy"].append(100 * accuracy)
        counts.append(len(table["task"]) - before)
    return _frame({name: _repeated(ordered, name, counts) for name in IDENTITY} | table)


def curves(records: Sequence[Record]) -> pd.DataFrame:
    """Return, for each cell that is done, the mean accuracy over the tasks seen after each task.

    Columns: condition, seed, after_task (1-based), accuracy (in %).
    """
    done = [record for record in records if record["status"] == "done"]
    seen: list[list[float]] = [[] for _ in done]
    for places, stack in _stacks(done):
        for place, accuracies in zip(places, 100 * metrics.seen_of_many(stack), strict=True):
            seen[place] = accuracies.tolist()
    counts = [len(accuracies) for accuracies in seen]
    return _frame(
        {name: _repeated(done, name, counts) for name in ("condition", "seed")}
        | {
            "after_task": [after for count in counts for after in range(1, count + 1)],
            "accuracy": [accuracy for accuracies in seen for accuracy in accuracies],
        }
    )


def telemetry(records: Sequence[Record]) -> pd.DataFrame:
    """Return the telemetry that each cell recorded after each task.

    Columns: condition, seed, task (1-based), quantity, value (NaN where it was not finite).
    """
    ordered = _in_order(records)
    table: dict[str, list[Any]] = {"task": [], "quantity": [], "value": []}
    counts = []
    for record in ordered:
        before = len(table["task"])
        for entry in sorted(record.get("telemetry", []), key=lambda entry: int(entry["task"])):
            for quantity in sorted(entry):
                if quantity != "task":
                    value = entry[quantity]
                    table["task"].append(entry["task"] + 1)
                    table["quantity"].append(quantity)
                    table["value"].append(np.nan if value is None else float(value))
        counts.append(len(table["task"]) - before)
    identity = {name: _repeated(ordered, name, counts) for name in ("condition", "seed")}
    return _frame(identity | table).astype({"value": np.float64})


def spread_of(telemetry: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each condition, quantity and task of a table from ``telemetry``.

    Columns: condition, quantity, task; mean, min and max of the values over seeds (NaN where none
    was finite); least: the smallest size above zero (NaN where none is).
    """
    sizes = telemetry["value"].abs()
    table = telemetry.assign(least=sizes.mask(~(sizes > 0)))
    groups = table.groupby(["condition", "quantity", "task"], as_index=False)
    return groups.agg(
        mean=("value", "mean"), min=("value", "min"), max=("value", "max"), least=("least", "min")
    )


def spreads(records: Sequence[Record]) -> pd.DataFrame:
    """Return ``spread_of`` the telemetry of all records, of one condition at a time."""
    by_condition: dict[str, list[Record]] = {}
    for record in records:
        by_condition.setdefault(record["condition"], []).append(record)
    found = [spread_of(telemetry(by_condition[name])) for name in sorted(by_condition)]
    return pd.concat([spread_of(telemetry([])), *found], ignore_index=True)


@dataclass(frozen=True)
class LongTable:
    """A table with rows for each record, of which one part at a time is in memory.

    Attributes
    ----------
    records : in any order.
    rows_of : makes the rows of some records that are in order.
    """

    records: Sequence[Record]
    rows_of: Callable[[Sequence[Record]], pd.DataFrame]

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return list(self.rows_of([]).columns)

    def parts(self) -> Iterator[pd.DataFrame]:
        """Yield the rows of ``AT_ONCE`` records after another, in order; at least one part."""
        ordered, empty = _in_order(self.records), True
        for start in range(0, len(ordered), AT_ONCE):
            part = self.rows_of(ordered[start : start + AT_ONCE])
            if len(part):
                empty = False
                yield part
        if empty:
            yield self.rows_of([])

    def whole(self) -> pd.DataFrame:
        """Return all rows at once."""
        parts = list(self.parts())
        return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def settings(conditions: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row for each condition: everything that it sets.

    Columns: condition, and ``level.FACTOR``, ``method.FIELD`` and ``protocol.FIELD`` for those that
    any condition has (missing where it has none). A list is text: "256, 256".
    """
    rows = []
    for name, condition in conditions.items():
        said = {"level": condition.levels, **condition.settings()}
        row = {
            f"{kind}.{field}": _cell(value)
            for kind, fields in said.items()
            for field, value in fields.items()
        }
        rows.append({"condition": name, **row})
    table = pd.DataFrame(rows, columns=["condition"] if not rows else None)
    for column in table.columns:
        kinds = {type(value) for value in table[column] if not pd.isna(value)}
        if len(kinds) > 1 and not kinds <= {int, float}:
            table[column] = table[column].map(str, na_action="ignore")
        elif kinds == {bool}:
            table[column] = table[column].astype("boolean")
    return table


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return value if isinstance(value, str | int | float | None) else str(value)


def cells(records: Sequence[Record]) -> pd.DataFrame:
    """Return one row for each cell: its metrics in % and percentage points, NaN if it diverged."""
    ordered = _in_order(records)
    done = [place for place, record in enumerate(ordered) if record["status"] == "done"]
    values = {name: np.full(len(ordered), np.nan) for name in CELL_METRICS}
    for places, stack in _stacks([ordered[place] for place in done]):
        rows = np.array(done)[places]
        for name, found in metrics.of_many(stack).items():
            values[name][rows] = 100 * found
    once = [1] * len(ordered)
    return _frame({**{name: _repeated(ordered, name, once) for name in IDENTITY}, **values})


def summary(records: Sequence[Record], conditions: Sequence[str]) -> pd.DataFrame:
    """Return one row for each condition, in the given order.

    Columns: condition, seeds (how many are done), diverged, and for each metric its mean over
    seeds, with the ends ``_low`` and ``_high`` of its 95% t interval (NaN where the seeds show no
    spread), in % and percentage points; ``possible`` has those to show. Diverged cells are counted,
    but no mean includes them.
    """
    table = cells(records)
    rows = []
    for condition in conditions:
        cells_there = table[table["condition"] == condition]
        done = cells_there[cells_there["status"] == "done"]
        row: dict[str, Any] = {
            "condition": condition,
            "seeds": len(done),
            "diverged": int((cells_there["status"] == "diverged").sum()),
        }
        for metric in CELL_METRICS:
            mean, low, high = mean_with_interval(done[metric].to_numpy(dtype=np.float64), fewest=2)
            row |= {metric: mean, f"{metric}_low": low, f"{metric}_high": high}
        rows.append(row)
    columns = ["condition", "seeds", "diverged"]
    columns += [f"{metric}{end}" for metric in CELL_METRICS for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=columns)


def published_by_tasks(source: Source, tasks: int) -> dict[str, dict[int, float]]:
    """Return what a source prints, in %, by condition and number of tasks seen, in rising order.

    ``tasks`` is the number of tasks; values after more tasks than that are left out.
    """
    kept = sorted({after for after in source.after_tasks if after <= tasks})
    return {
        name: {after: dict(zip(source.after_tasks, values, strict=True))[after] for after in kept}
        for name, values in source.accuracy.items()
    }


def published_finals(tasks: int, sources: Sequence[Source]) -> dict[str, dict[str, float]]:
    """Return, by source, each condition's published accuracy after the last task, in %.

    ``tasks`` is the number of tasks. A source without a value after that many tasks is left out: it
    prints only accuracies from before the last task.
    """
    return {
        source.id: {
            name: values[tasks] for name, values in published_by_tasks(source, tasks).items()
        }
        for source in sources
        if tasks in source.after_tasks
    }


def matrices(done: Sequence[Record], conditions: Sequence[str]) -> dict[str, metrics.Floats]:
    """Return by condition the accuracy matrices of finished cells, (seeds, T, T) as fractions.

    Conditions without a finished cell are left out; seeds are in rising order.
    """
    by_condition: dict[str, dict[int, metrics.Floats]] = {name: {} for name in conditions}
    for record in done:
        if record["condition"] in by_condition and record["accuracy"]:
            by_condition[record["condition"]][record["seed"]] = metrics.as_matrix(
                record["accuracy"]
            )
    return {
        name: np.stack([by_seed[seed] for seed in sorted(by_seed)])
        for name, by_seed in by_condition.items()
        if by_seed
    }


def possible(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a summary whose intervals are those to show.

    Those of fewer than ``FEWEST`` seeds are NaN, and the others are cut at the ends of what can be,
    which takes no possible true mean from them.
    """
    shown = summary.copy()
    few = shown["seeds"] < FEWEST
    for metric in CELL_METRICS:
        for end in (f"{metric}_low", f"{metric}_high"):
            shown[end] = shown[end].clip(*CAN_BE.get(metric, (-100.0, 100.0))).mask(few)
    return shown


def mean_with_interval(
    values: metrics.Floats,
    level: float = 0.95,
    within: tuple[float, float] = (-np.inf, np.inf),
    fewest: int = FEWEST,
) -> tuple[float, float, float]:
    """Return the mean of ``values``, in %, and the ends of its t interval; NaN where undefined.

    Fewer than ``fewest`` values, or equal ones, have a mean but no interval: of two values it is
    wider than anything that can be, and equal values show no spread. The interval is cut at the
    ends of what can be, ``within``, which takes no possible true mean from it.
    """
    if len(values) == 0:
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) < fewest or not has_spread(values):
        return mean, np.nan, np.nan
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1) * stats.sem(values))
    return mean, max(mean - half, within[0]), min(mean + half, within[1])
