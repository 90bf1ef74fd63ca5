"""The short report: tidy table, and one row a condition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from reports import tables
from reports.tables import Record


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
    """Return ``reports.tables.summary`` of the study's conditions that have records."""
    present = {record["condition"] for record in records}
    return tables.summary(records, [name for name in study.conditions if name in present])


def published_finals(study: StudyLike) -> dict[str, dict[str, float]]:
    """Return, by source, each condition's published accuracy after the last task, in %."""
    return {
        source.id: {name: values[-1] for name, values in source.accuracy.items()}
        for source in study.published
    }


def summary_text(records: Sequence[Record], study: StudyLike) -> str:
    """Return the contents of ``summary.csv``: ``summarise`` with the published values beside."""
    table = summarise(records, study)
    for source, values in published_finals(study).items():
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
