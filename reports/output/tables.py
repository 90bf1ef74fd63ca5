"""The measurements as files: a row for each accuracy, and a row for each condition."""

from __future__ import annotations

import io
from pathlib import Path

from reports.findings.analysis import Measured


def summary_text(measured: Measured) -> str:
    """Return the contents of ``summary.csv``: each condition's row, with published values."""
    table = measured.summary.copy()
    for source, values in measured.published.items():
        table[f"published_{source}"] = table["condition"].map(dict(values))
    return str(table.to_csv(index=False, lineterminator="\n"))


def write_tables(measured: Measured, folder: Path) -> None:
    """Write table.parquet and summary.csv to ``folder``; the same records give the same bytes."""
    table = io.BytesIO()  # pyarrow cannot open a path that is not UTF-8
    measured.tidy.to_parquet(table, index=False)
    (folder / "table.parquet").write_bytes(table.getvalue())
    (folder / "summary.csv").write_text(summary_text(measured), encoding="utf-8")
