"""The summary as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from rich.table import Table


def summary_table(
    title: str, summary: pd.DataFrame, published: Mapping[str, Mapping[str, float]]
) -> Table:
    """Return a rich table of ``reports.tables.summary``.

    Parameters
    ----------
    published : by source, then condition: accuracy in % after the last task.
    """
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.caption = (
        "accuracy: mean over tasks and seeds after the last task, %, with its 95% t interval over "
        "seeds\nBWT: backward transfer, percentage points (negative: forgetting)"
    )
    table.add_column("condition", no_wrap=True)
    for heading in ("accuracy", "95% interval", "BWT", "seeds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for source in published:
        table.add_column(f"published:\n{source}", justify="right")
    for _, row in summary.iterrows():
        seeds = f"{row['seeds']}"
        if row["diverged"]:
            seeds += f" + {row['diverged']} diverged"
        table.add_row(
            row["condition"],
            _number(row["final_accuracy"]),
            _interval(row["final_accuracy_low"], row["final_accuracy_high"]),
            _number(row["backward_transfer"], "+.2f"),
            seeds,
            *(_number(values.get(row["condition"])) for values in published.values()),
        )
    return table


def _number(value: Any, form: str = ".2f") -> str:
    return "-" if value is None or pd.isna(value) else format(value, form)


def _interval(low: float, high: float) -> str:
    return "-" if pd.isna(low) else f"{low:.2f} to {high:.2f}"
