"""The summary as a table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.table import Table

from reports.analysis import JudgedClaim
from reports.verdict import SIGNS


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
        table.add_column(source, justify="right")
    if published:
        table.caption += f"\n{', '.join(published)}: published values"
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


def verdict_table(judged: Sequence[JudgedClaim]) -> Table:
    """Return a rich table of the claims: reported, measured, verdict."""
    table = Table(title="claims", title_justify="left", caption_justify="left")
    table.caption = (
        "gain: mean paired difference over seeds with its 95% t interval; reported: the claim ± "
        "its margin"
    )
    table.add_column("claim", no_wrap=True)
    for heading in ("reported", "gain", "95% interval", "seeds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict")
    for one in judged:
        claim, c = one.claim, one.contrast.comparison
        unit = "" if claim.unit == "points" else " rel. %"
        reported = f"{claim.reported:.2f} ± {claim.margin:.2f}{unit}"
        if c is None or one.judgement is None:
            table.add_row(claim.id, reported, "-", "-", "0", "no pair of seeds yet")
            continue
        dropped = len(one.contrast.dropped)
        seeds = f"{c.n}" + (f" ({dropped} dropped)" if dropped else "")
        verdict = f"{SIGNS[one.judgement.verdict]} {one.judgement.verdict}"
        if one.judgement.seeds_needed is not None:
            verdict += f" (about {one.judgement.seeds_needed} seeds would settle it)"
        interval = _interval(c.ci95.low, c.ci95.high)
        table.add_row(claim.id, reported, f"{c.mean:+.2f}", interval, seeds, verdict)
    return table


def _number(value: Any, form: str = ".2f") -> str:
    return "-" if value is None or pd.isna(value) else format(value, form)


def _interval(low: float, high: float) -> str:
    return "-" if pd.isna(low) else f"{low:.2f} to {high:.2f}"
