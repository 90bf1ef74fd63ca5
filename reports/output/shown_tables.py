"""The tables that a page shows, as files beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from reports.sections.section import Section, Table, named_tables


def shown_tables(shown: Sequence[Section]) -> dict[str, Table]:
    """Return by the name of its file each table that the page shows."""
    return {f"{name}.csv": table for section in shown for name, table in named_tables(section)}


def write_shown_tables(shown: Sequence[Section], folder: Path) -> None:
    """Write each table that the page shows to ``folder``, as comma-separated values in UTF-8."""
    for name, table in shown_tables(shown).items():
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([table.header, *table.rows])
        (folder / name).write_text(text.getvalue(), encoding="utf-8", newline="")
