"""What the methods did while they trained: a figure of their telemetry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.figures.theme import PAPER, Style, drawing, legend_below, lettered, power_of_ten

LABELS: Mapping[str, str] = {
    "loss": "loss of the last mini-batches",
    "eta": "eta, the trace's learning rate",
    "mean_abs_alpha": "mean |alpha|, plasticity",
    "mean_abs_hebb": "mean |Hebb|, the trace",
    "penalty": "penalty",
    "importance_sum": "sum of the importances",
    "importance_max": "largest importance",
}
"""What records tell of our methods, in words; other quantities are shown by their own names."""

DECADES = 30.0  # a quantity that spans more than this factor is drawn logarithmically


def draw_telemetry(
    telemetry: pd.DataFrame, conditions: Sequence[str], style_of: Mapping[str, Style]
) -> Figure:
    """Draw every quantity over the tasks: its mean, smallest and largest value over seeds.

    Parameters
    ----------
    telemetry : a table from ``reports.numbers.tables.telemetry``.
    conditions : those to draw, in the order of the legend; a panel shows only those that have its
        quantity.

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    shown = present(telemetry)
    if not shown:
        raise ValueError("no record tells what its method did")
    columns = min(3, len(shown))
    rows = math.ceil(len(shown) / columns)
    handles: dict[str, Line2D] = {}
    with drawing():
        figure, axes = plt.subplots(
            rows,
            columns,
            figsize=(1.9 + 2.6 * columns, 0.3 + 2.2 * rows),
            squeeze=False,
            layout="constrained",
        )
        for axis, quantity in zip(axes.flat, shown, strict=False):
            rows_there = telemetry[(telemetry["quantity"] == quantity) & telemetry["value"].notna()]
            for condition in conditions:
                by_task = rows_there[rows_there["condition"] == condition].groupby("task")["value"]
                spread = by_task.agg(["mean", "min", "max"])
                if not spread["max"].abs().max() > 0:
                    continue
                style = style_of[condition]
                axis.fill_between(
                    spread.index, spread["min"], spread["max"], color=style.colour, alpha=0.15, lw=0
                )
                (line,) = axis.plot(
                    spread.index,
                    spread["mean"],
                    color=style.colour,
                    linestyle=style.line,
                    marker=style.marker,
                    mfc=style.colour if style.filled else PAPER,
                    ms=4,
                    lw=1.4,
                )
                handles.setdefault(condition, line)
            values = rows_there["value"].abs()
            values = values[values > 0]
            if len(values) and values.max() > DECADES * values.min():
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
                axis.yaxis.set_minor_formatter(NullFormatter())
            axis.set_title(lettered(label(quantity)))
            axis.set_xticks(sorted(telemetry["task"].unique()))
        for empty in list(axes.flat)[len(shown) :]:
            empty.set_visible(False)
        legend_below(figure, list(handles.values()), list(handles))
        figure.supxlabel("tasks trained", fontsize=9)
    return figure


def present(telemetry: pd.DataFrame) -> list[str]:
    """Return the quantities that are not zero everywhere, in the order to show them."""
    alive = telemetry[np.abs(telemetry["value"].fillna(0)) > 0]
    there = set(alive["quantity"].unique())
    return [*(name for name in LABELS if name in there), *sorted(there - LABELS.keys())]


def label(quantity: str) -> str:
    """Return what a quantity is called where it is shown."""
    return LABELS.get(quantity, quantity)
