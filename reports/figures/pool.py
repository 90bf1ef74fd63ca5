"""Figure of one quantity at several sites and over all of them."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.figures.theme import INK, MUTED, SHADE, drawing, lettered
from reports.findings.pool.quantities import Quantity
from reports.numbers.intervals import Interval


def draw_sites(quantity: Quantity) -> Figure:
    """Draw each site's mean over the seeds that count for it, and below them the pooled mean.

    A diamond is a pooled mean: over sites, and of all seeds together. The shaded band is the
    reported gain with its margin, where there is a claim.
    """
    rows: list[tuple[str, float, Interval | None, str]] = [
        (lettered(f"{site.site} ({len(site.counted)})", 30), site.counted_mean, site.counted_ci95,
         "o")
        for site in quantity.sites if site.counted_mean is not None
    ]  # fmt: skip
    if quantity.pooled is not None:
        pooled = quantity.pooled
        rows.append(("over sites", pooled.mean, pooled.ci95, "D"))
        rows.append(("all seeds together", pooled.together, pooled.together_ci95, "D"))
    with drawing():
        figure, axis = plt.subplots(figsize=(6.4, 1.1 + 0.36 * len(rows)), layout="constrained")
        if quantity.claim is not None:
            low, high = (quantity.claim.reported + sign * quantity.claim.margin for sign in (-1, 1))
            axis.axvspan(low, high, color=SHADE, zorder=0, label="reported ± margin")
            axis.axvline(
                quantity.claim.reported, color=MUTED, lw=1.6, ls=(0, (2, 1)), label="reported"
            )
            axis.axvline(0, color=INK, lw=0.8)
        for row, (_, mean, ends, marker) in enumerate(rows):
            _interval(axis, row, ends)
            axis.plot([mean], [row], marker, color=INK, ms=6)
        axis.set_yticks(range(len(rows)), [label for label, *_ in rows])
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.grid(visible=False, axis="y")
        of = "final accuracy" if quantity.claim is None else "gain"
        axis.set_xlabel(f"{of} ({quantity.unit}), with its 95% interval")
        if quantity.claim is not None:
            figure.legend(
                *axis.get_legend_handles_labels(), fontsize=8, loc="outside upper center", ncols=2
            )
    return figure


def _interval(axis: Axes, row: int, ends: Interval | None) -> None:
    if ends is not None and math.isfinite(ends.low) and math.isfinite(ends.high):
        axis.plot([ends.low, ends.high], [row, row], "-", color=INK, lw=1.4, solid_capstyle="butt")
