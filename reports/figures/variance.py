"""A figure that shows where the spread over seeds comes from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures.rows import label_rows
from reports.figures.sheet import SMALL, WHOLE, Sheet
from reports.figures.theme import PALETTE, PAPER, drawing, lettered, power_of_ten
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
    with drawing():
        sheet = Sheet(2, WHOLE, 0.75 * len(variances), 2)
        left, right = sheet.panels
        for row, components in enumerate(variances.values()):
            start = 0.0
            for part, name in enumerate(PARTS):
                component = components.parts[name]
                place = row + 0.22 * (part - 1)
                ends = [component.ci95.low, component.ci95.high]
                label = name if row == 0 else f"_{name}"
                (mark,) = left.plot(
                    [component.variance], [place], "osD"[part], color=PALETTE[part], mfc=PAPER,
                    ms=6, label=label,
                )  # fmt: skip
                sheet.tell(mark, [f"{name}: {component.variance:.3g} points²"])
                if np.isfinite(ends).all():
                    left.plot(ends, [place, place], "-", color=PALETTE[part], lw=1.6)
                if component.share is None:
                    continue
                right.barh(
                    [row],
                    [100 * component.share],
                    left=[start],
                    height=0.5,
                    color=PALETTE[part],
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
                        fontsize=SMALL,
                        bbox={"boxstyle": "round,pad=0.15", "fc": PAPER, "ec": "none"},
                    )
                start += 100 * component.share
        # With few levels the upper ends spread over decades; near zero the axis is linear.
        left.set_xscale("symlog", linthresh=0.01)
        left.set_xlim(left=0)
        left.xaxis.set_major_formatter(FuncFormatter(power_of_ten))
        names = [lettered(name, 44) for name in variances]
        for axis in (left, right):
            label_rows(axis, names)
        left.set_xlabel("variance component (points²), 95% interval")
        right.set_xlabel("share of the variance over seeds (%)")
        right.set_xlim(0, 100)
        sheet.key(*left.get_legend_handles_labels())
        return sheet.finish()
