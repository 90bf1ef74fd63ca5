"""A figure that shows where the spread over seeds comes from."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures.theme import PAPER, drawing, power_of_ten
from reports.findings.variance import PARTS, VarianceComponents

HATCHES = ("", "///", "...")


def draw_variance(variances: Mapping[str, VarianceComponents]) -> Figure:
    """Draw what initialisation, order and the residual add to the spread over seeds.

    The left panel shows the variance components in points squared with their 95% intervals, the
    right panel their shares of the total as stacked bars. Parts differ in hatch and marker, not
    only in colour.

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    """
    if not variances:
        raise ValueError("no complete table of initialisations and orders to draw")
    palette = sns.color_palette("colorblind")
    with drawing():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(9.0, 1.4 + 0.62 * len(variances)), sharey=True, layout="constrained"
        )
        for row, components in enumerate(variances.values()):
            start = 0.0
            for part, name in enumerate(PARTS):
                component = components.parts[name]
                place = row + 0.22 * (part - 1)
                ends = [component.ci95.low, component.ci95.high]
                if np.isfinite(ends).all():
                    left.plot(ends, [place, place], "-", color=palette[part], lw=1.6)
                label = name if row == 0 else f"_{name}"
                left.plot(
                    [component.variance], [place], "osD"[part], color=palette[part], label=label
                )
                if component.share is None:
                    continue
                right.barh(
                    [row],
                    [100 * component.share],
                    left=[start],
                    height=0.6,
                    color=palette[part],
                    hatch=HATCHES[part],
                    edgecolor=PAPER,
                    label=label,
                )
                if component.share >= 0.08:
                    right.text(
                        start + 50 * component.share,
                        row,
                        f"{100 * component.share:.0f}%",
                        ha="center",
                        va="center",
                        fontsize=8,
                        bbox={"boxstyle": "round,pad=0.15", "fc": PAPER, "ec": "none"},
                    )
                start += 100 * component.share
        # With few levels the upper ends spread over decades; near zero the axis is linear.
        left.set_xscale("symlog", linthresh=0.01)
        left.set_xlim(left=0)
        left.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
        left.set_yticks(range(len(variances)), list(variances))
        left.set_ylim(len(variances) - 0.5, -0.5)
        left.set_xlabel("variance component (points²), 95% interval")
        left.grid(visible=False, axis="y")
        right.grid(visible=False, axis="y")
        right.set_xlabel("share of the variance over seeds (%)")
        right.set_xlim(0, 100)
        figure.legend(
            *left.get_legend_handles_labels(), fontsize=7, loc="outside upper center", ncols=3
        )
    return figure
