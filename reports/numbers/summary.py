"""The short report: tidy table, and one row a condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from reports.numbers import tables
from reports.numbers.records import Record


class PublishedLike(Protocol):
    """What the report reads of a source of published values."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def after_tasks(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def accuracy(self) -> dict[str, tuple[float, ...]]: ...  # noqa: D102


class StudyLike(Protocol):
    """What the report reads of a study."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def conditions(self) -> dict[str, Any]: ...  # noqa: D102
    @property
    def published(self) -> Sequence[PublishedLike]: ...  # noqa: D102


def summarise(records: Sequence[Record], study: StudyLike) -> pd.DataFrame:
    """Return ``reports.numbers.tables.summary`` of the study's conditions that have records."""
    present = {record["condition"] for record in records}
    return tables.summary(records, [name for name in study.conditions if name in present])


def published_by_tasks(source: PublishedLike, tasks: int) -> dict[str, dict[int, float]]:
    """Return what a source prints, in %, by condition and number of tasks seen, in rising order.

    Values after more than ``tasks`` tasks, which is how many there are, are left out.
    """
    kept = sorted({after for after in source.after_tasks if after <= tasks})
    return {
        name: {after: dict(zip(source.after_tasks, values, strict=True))[after] for after in kept}
        for name, values in source.accuracy.items()
    }


def published_finals(records: Sequence[Record], study: StudyLike) -> dict[str, dict[str, float]]:
    """Return, by source, each condition's published accuracy after the last task, in %.

    A source that has no value after as many tasks as the records tell of is left out: what it
    prints was taken earlier, and is no accuracy after the last task.
    """
    last = tables.task_count(records)
    return {
        source.id: {name: values[last] for name, values in published_by_tasks(source, last).items()}
        for source in study.published
        if last in source.after_tasks
    }


def summary_text(records: Sequence[Record], study: StudyLike) -> str:
    """Return the contents of ``summary.csv``: ``summarise`` with the published values beside."""
    table = summarise(records, study)
    for source, values in published_finals(records, study).items():
        table[f"published_{source}"] = table["condition"].map(values)
    return str(table.to_csv(index=False, lineterminator="\n"))


def write_summary(records: Sequence[Record], study: StudyLike, folder: Path) -> Path:
    """Write table.parquet and summary.csv to ``folder``; returns it.

    The same records give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables.tidy(records).to_parquet(folder / "table.parquet", index=False)
    (folder / "summary.csv").write_text(summary_text(records, study), encoding="utf-8")
    return folder
