"""Tables of results that exist already, read as rows with the places that errors name."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import InputError, in_a_line
from harness.studies.study_files import read_text

SEPARATORS = ",;\t"


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes
    ----------
    place : for errors: "results.csv, line 7".
    cells : by name of the column; None where the table has nothing.
    """

    place: str
    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Return a cell that must not be empty, as a text."""
        value = self.cells.get(column)
        if value is None or not str(value).strip():
            raise InputError(f"{self.place}: {column} is empty")
        return str(value).strip()

    def whole(self, column: str, least: int) -> int:
        """Return a cell as a whole number of at least ``least``; 3.0 is one too."""
        text = self.text(column)
        try:
            number = float(text) if not text.lstrip("-").isdecimal() else int(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or number != int(number) or not least <= number < 2**63:
            raise InputError(
                f"{self.place}: {column} = '{text}' is no whole number from {least} on"
            )
        return int(number)

    def number(self, column: str) -> float:
        """Return a cell as a number, which may be infinite or no number (nan)."""
        value = self.cells.get(column)
        if value is None or not str(value).strip():
            raise InputError(
                f"{self.place}: {column} is empty; write nan for a run that diverged, or leave the "
                "row out"
            )
        try:
            if isinstance(value, bool):
                raise ValueError
            return float(value)
        except (TypeError, ValueError):
            shown = str(value).strip()
            remedy = "; write a fraction" if shown.endswith("%") else ""
            raise InputError(f"{self.place}: {column} = '{shown}' is no number{remedy}") from None


def read_table(path: Path) -> tuple[list[str], list[Row]]:
    """Read a table, CSV or Parquet by the end of its name; returns columns and rows.

    Raises
    ------
    InputError
        Where it cannot be read, or has no row.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        columns, rows = _parquet(path) if path.suffix == ".parquet" else _csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table: {in_a_line(error)}") from None
    repeated = [name for name in columns if columns.count(name) > 1]
    if repeated:
        raise InputError(f"{path}: two columns are named '{repeated[0]}'")
    if not rows:
        raise InputError(f"{path}: the table has no row")
    return columns, rows


def _csv(path: Path) -> tuple[list[str], list[Row]]:
    text = read_text(path)
    header = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=header.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    columns: list[str] = []
    rows: list[Row] = []
    try:
        for cells in reader:
            place = f"{path}, line {reader.line_num}"
            if not any(map(str.strip, cells)):
                continue
            if not columns:
                columns = [name.strip() for name in cells]
                continue
            if len(cells) != len(columns):
                raise InputError(f"{place}: {len(cells)} cells under {len(columns)} columns")
            rows.append(Row(place, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from None
    return columns, rows


def _parquet(path: Path) -> tuple[list[str], list[Row]]:
    import pyarrow.parquet as pq  # slow: for these tables only

    table = pq.read_table(path)
    columns: Sequence[str] = table.column_names
    numbered = enumerate(table.to_pylist() if len(set(columns)) == len(columns) else [], start=1)
    return [*columns], [Row(f"{path}, row {number}", cells) for number, cells in numbered]
