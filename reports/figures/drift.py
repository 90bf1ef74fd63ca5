"""Figure of the means over the acceptances of results."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from reports.figures.sheet import HALF, Sheet
from reports.figures.theme import INK, MUTED, SHADE, drawing, lettered
from reports.findings.gate.drift import Trace

COLUMNS = 5


def draw_drift(traces: Sequence[Trace]) -> Figure:
    """Draw one panel for each condition: mean and 95% interval at each acceptance.

    The shaded band is the interval of the first acceptance.
    """
    with drawing():
        sheet = Sheet(len(traces), HALF, 1.35, COLUMNS)
        for axis, trace in zip(sheet.panels, traces, strict=True):
            places = range(len(trace.points))
            first = trace.points[0].ci95
            if math.isfinite(first.low) and math.isfinite(first.high):
                axis.axhspan(first.low, first.high, fc=SHADE, ec=MUTED, lw=0.8, zorder=0)
            (means,) = axis.plot(
                places, [point.mean for point in trace.points], "o-", color=INK, ms=4, lw=1
            )
            sheet.tell(means, [f"{point.label}: {point.mean:.2f}" for point in trace.points])
            for place, point in zip(places, trace.points, strict=True):
                if math.isfinite(point.ci95.low) and math.isfinite(point.ci95.high):
                    ends = [point.ci95.low, point.ci95.high]
                    axis.plot([place] * 2, ends, "_-", color=INK, lw=1, ms=5)
            labels = [point.label.partition(":")[0] for point in trace.points]
            axis.set_xticks(list(places), labels)
            axis.set_xlim(-0.5, len(trace.points) - 0.5)
            axis.set_title(lettered(trace.condition, 22))
        sheet.note("↑ final accuracy (%)", "→ generation")
        return sheet.finish()
