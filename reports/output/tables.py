"""The measurements as files for other programs, with a description of every column.

``table.parquet`` has a row for each accuracy, ``telemetry.parquet`` one for each number that a cell
recorded beside it, ``summary.csv`` one for each condition. ``datapackage.json`` says what each
column is and in which unit, as a Tabular Data Package (https://datapackage.org) does; Parquet files
say it of themselves too.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from reports.findings.analysis import Measured

SUMMARY, TABLE, TELEMETRY, PACKAGE = (
    "summary.csv",
    "table.parquet",
    "telemetry.parquet",
    "datapackage.json",
)
DATA_FILES = (SUMMARY, TABLE, TELEMETRY, PACKAGE)

PERCENT, POINTS = "%", "percentage points"
COLUMNS: Mapping[str, tuple[str, str | None]] = {
    "study": ("name of the study", None),
    "condition": ("name of the condition", None),
    "seed": ("seed of the cell", None),
    "status": ("done, diverged, failed or timed out", None),
    "key": ("name of the cell's record", None),
    "after_task": ("tasks trained before the test, from 1", None),
    "task": ("the task, from 1", None),
    "accuracy": ("share of the task's test samples that are classified correctly", PERCENT),
    "quantity": ("what was recorded", None),
    "step": ("place in a curve, from 1; missing for a single number", None),
    "value": ("the number; missing where it was not finite", None),
    "seeds": ("cells that are done", None),
    "diverged": ("cells that diverged", None),
    "final_accuracy": ("mean over all tasks after the last, over seeds", PERCENT),
    "learned_accuracy": ("mean over tasks of the accuracy right after its training", PERCENT),
    "backward_transfer": ("mean change of a task's accuracy since its training", POINTS),
    "forgetting": ("mean drop of a task's accuracy from its best to the last", POINTS),
}
"""What a column holds, and its unit, where it has one."""
ENDS = {"_low": "lower", "_high": "upper"}
GROUPS = {
    "level": "level of the factor",
    "method": "setting of the method:",
    "protocol": "setting of the protocol:",
}


def summary_text(measured: Measured) -> str:
    """Return the contents of ``summary.csv``: each condition's row, with published values."""
    table = measured.summary.copy()
    for source, values in measured.published.items():
        table[f"published_{source}"] = table["condition"].map(dict(values))
    return str(table.to_csv(index=False, lineterminator="\n"))


def described(column: str, unit: str | None = None) -> tuple[str, str | None]:
    """Return what a column holds, and its unit.

    Parameters
    ----------
    unit : of columns that have no name of ours: the measure of the study.
    """
    if column in COLUMNS:
        return COLUMNS[column]
    group, _, field = column.partition(".")
    if group in GROUPS:
        return f"{GROUPS[group]} {field}", None
    if column.startswith("published_"):
        return f"final_accuracy as {column.removeprefix('published_')} has it", PERCENT
    for suffix, end in ENDS.items():
        if column.endswith(suffix):
            name = column.removesuffix(suffix)
            return f"{end} end of the 95% t interval of {name}", described(name, unit)[1]
    return f"mean of {column} over seeds", unit


def complete_parts(measured: Measured) -> Iterator[pd.DataFrame]:
    """Yield the measurements with all settings of their conditions beside them, part by part.

    A setting that all rows of a condition share takes a byte a row.
    """
    conditions = pd.Index(measured.settings["condition"])
    for part in measured.tidy.parts():
        places = conditions.get_indexer(pd.Index(part["condition"]))
        table = part.copy(deep=False)
        for name in measured.settings.columns.drop("condition"):
            values = measured.settings[name]
            own = values if values.dtype == "boolean" else values.astype("category")
            table[name] = own.array.take(places)
        yield table


def write_tables(measured: Measured, folder: Path, unit: str | None = None) -> None:
    """Write the files of ``DATA_FILES``; the same records give the same bytes.

    Parameters
    ----------
    unit : of the study's measure, where that is no accuracy.
    """
    write_parquet(complete_parts(measured), folder / TABLE, unit)
    write_parquet(measured.telemetry.parts(), folder / TELEMETRY, unit)
    (folder / SUMMARY).write_text(summary_text(measured), encoding="utf-8")
    (folder / PACKAGE).write_text(package_text(measured, unit), encoding="utf-8")


def package_text(measured: Measured, unit: str | None = None) -> str:
    """Return the contents of ``datapackage.json``."""
    summary = summary_text(measured).partition("\n")[0].split(",")
    files = {
        TABLE: [*measured.tidy.columns, *measured.settings.columns.drop("condition")],
        TELEMETRY: list(measured.telemetry.columns),
        SUMMARY: summary,
    }
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "resources": [
            {
                "name": Path(name).stem,
                "path": name,
                "schema": {"fields": [_field(column, unit) for column in columns]},
            }
            for name, columns in files.items()
        ],
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"


def _field(column: str, unit: str | None) -> dict[str, Any]:
    says, of = described(column, unit)
    return {"name": column, "description": says} | ({} if of is None else {"unit": of})


def write_parquet(parts: Iterable[pd.DataFrame], path: Path, unit: str | None = None) -> None:
    """Write a table whose columns say what they hold; see ``described``.

    Each of its parts, of which there is one or more, is a group of rows of the file.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))  # pyarrow opens no path that is not UTF-8
        writer: pq.ParquetWriter | None = None
        for part in parts:
            arrow = _described_table(part, unit)
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(file, arrow.schema))
            writer.write_table(arrow, row_group_size=max(1, len(arrow)))


def same_parquet(path: Path, parts: Iterable[pd.DataFrame]) -> bool:
    """Tell whether a file has the columns and values of a table that ``write_parquet`` would write.

    The file is read a group of rows at a time.
    """
    try:
        with path.open("rb") as content:
            file, groups = pq.ParquetFile(content), 0
            for groups, part in enumerate(parts, start=1):
                rows = file.read_row_group(groups - 1) if len(part) else file.read()
                written = rows.to_pandas()
                pd.testing.assert_frame_equal(written, part, check_dtype=False, check_exact=True,
                                              check_categorical=False)  # fmt: skip
            return bool(groups == max(1, file.num_row_groups))
    except (OSError, ValueError, AssertionError, IndexError, pa.ArrowException):
        return False


def _described_table(part: pd.DataFrame, unit: str | None) -> pa.Table:
    arrow = pa.Table.from_pandas(part, preserve_index=False)
    for place, name in enumerate(part.columns):
        says, of = described(name, unit)
        told = {"description": says} | ({} if of is None else {"unit": of})
        arrow = arrow.cast(arrow.schema.set(place, arrow.schema.field(place).with_metadata(told)))
    return arrow


def read_table(path: Path) -> pd.DataFrame:
    """Return the measurements of a ``table.parquet``, without the settings beside them.

    Reports before version 0.4 have fractions and name no unit.

    Raises
    ------
    OSError, ValueError
        Where the file cannot be read, or is no such table.
    """
    arrow = pq.read_table(io.BytesIO(path.read_bytes()))
    table: pd.DataFrame = arrow.to_pandas()
    if "accuracy" in arrow.column_names and not arrow.schema.field("accuracy").metadata:
        table["accuracy"] *= 100
    return table.drop(
        columns=[name for name in arrow.column_names if name.partition(".")[0] in GROUPS]
    )
