"""Figure of the means over the acceptances of results."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.figure import Figure

from reports.figures.sheet import HALF, Sheet
from reports.figures.theme import INK, MUTED, SHADE, drawing, lettered
from reports.findings.gate.drift import Trace
from reports.numbers.values import form_for

COLUMNS = 5


def shown_metric(trace: Trace) -> str:
    """Return the name of a trace's metric as a text shows it."""
    return trace.metric.replace("_", " ") if trace.unit == "%" else trace.metric


def shown_means(trace: Trace) -> list[str]:
    """Return the mean at each acceptance as a text shows it."""
    means = [point.mean for point in trace.points]
    form = form_for(means)
    return [f"{mean:.2f}" if trace.unit == "%" else form(mean) for mean in means]


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
            told = zip(trace.points, shown_means(trace), strict=True)
            sheet.tell(means, [f"{point.label}: {mean}" for point, mean in told])
            for place, point in zip(places, trace.points, strict=True):
                if math.isfinite(point.ci95.low) and math.isfinite(point.ci95.high):
                    ends = [point.ci95.low, point.ci95.high]
                    axis.plot([place] * 2, ends, "_-", color=INK, lw=1, ms=5)
            labels = [point.label.partition(":")[0] for point in trace.points]
            axis.set_xticks(list(places), labels)
            axis.set_xlim(-0.5, len(trace.points) - 0.5)
            axis.set_title(lettered(trace.condition, 22))
        sheet.note(f"↑ {lettered(shown_metric(traces[0]), 40)} ({traces[0].unit})", "→ generation")
        return sheet.finish()
