"""What the methods did while they trained: a figure of their telemetry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from reports.figures.sheet import HALF, Sheet
from reports.figures.theme import PAPER, Style, drawing, lettered, power_of_ten, shifts

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

COLUMNS = 5
DECADES = 30.0  # a quantity that spans more than this factor is drawn logarithmically


def draw_telemetry(
    spreads: pd.DataFrame, conditions: Sequence[str], style_of: Mapping[str, Style]
) -> Figure:
    """Draw every quantity over the tasks: its mean, smallest and largest value over seeds.

    Parameters
    ----------
    spreads : a table from ``reports.numbers.tables.spread_of``.
    conditions : those to draw, in the order of the legend; a panel shows only those that have its
        quantity.

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    shown = present(spreads)
    if not shown:
        raise ValueError("no record tells what its method did")
    handles: dict[str, Line2D] = {}
    there = set(spreads["condition"])
    drawn_somewhere = [name for name in conditions if name in there]
    apart = dict(zip(drawn_somewhere, shifts(len(drawn_somewhere)), strict=True))
    with drawing():
        sheet = Sheet(len(shown), HALF, 1.35, COLUMNS)
        for axis, quantity in zip(sheet.panels, shown, strict=True):
            own = spreads[(spreads["quantity"] == quantity) & spreads["mean"].notna()]
            for condition in drawn_somewhere:
                spread = own[own["condition"] == condition].set_index("task")
                spread = spread[["mean", "min", "max"]]
                if not spread["max"].abs().max() > 0:
                    continue
                style = style_of[condition]
                places = spread.index.to_numpy() + apart[condition]
                axis.vlines(places, spread["min"], spread["max"], color=style.colour, lw=0.8)
                (line,) = axis.plot(
                    places,
                    spread["mean"],
                    color=style.colour,
                    linestyle=style.line,
                    marker=style.marker,
                    mfc=style.colour if style.filled else PAPER,
                    ms=3.5,
                    lw=1.2,
                )
                sheet.tell(
                    line,
                    [
                        f"{condition} after task {task}: {mean:.3g} ({low:.3g} to {high:.3g})"
                        for task, mean, low, high in spread.itertuples()
                    ],
                )
                handles.setdefault(condition, line)
            if own[["min", "max"]].abs().max(axis=None) > DECADES * own["least"].min():
                axis.set_yscale("log")
                axis.yaxis.set_major_formatter(FuncFormatter(power_of_ten))
                axis.minorticks_off()
            else:
                axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
            axis.set_title(lettered(label(quantity), 24))
            axis.set_xticks(sorted(spreads["task"].unique()))
        sheet.note("→ tasks trained")
        sheet.key(handles.values(), map(lettered, handles), alone=True)
        return sheet.finish()


def present(spreads: pd.DataFrame) -> list[str]:
    """Return the quantities that are not zero everywhere, in the order to show them."""
    there = set(spreads.loc[spreads["least"].notna(), "quantity"])
    return [*(name for name in LABELS if name in there), *sorted(there - LABELS.keys())]


def label(quantity: str) -> str:
    """Return what a quantity is called where it is shown."""
    return LABELS.get(quantity, quantity)
