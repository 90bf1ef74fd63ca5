"""Figure of the means over the acceptances of results."""

from __future__ import annotations

import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from reports.figures.theme import INK, SHADE, drawing, lettered
from reports.findings.gate.drift import Trace

COLUMNS = 5


def draw_drift(traces: Sequence[Trace]) -> Figure:
    """Draw one panel for each condition: mean and 95% interval at each acceptance.

    The shaded band is the interval of the first acceptance.
    """
    columns = min(COLUMNS, len(traces))
    rows = -(-len(traces) // columns)
    with drawing():
        figure, axes = plt.subplots(
            rows, columns, figsize=(1.9 * columns, 1.9 * rows), layout="constrained", squeeze=False
        )
        for axis in axes.flat[len(traces) :]:
            axis.set_visible(False)
        for axis, trace in zip(axes.flat, traces, strict=False):
            places = range(len(trace.points))
            first = trace.points[0].ci95
            if math.isfinite(first.low) and math.isfinite(first.high):
                axis.axhspan(first.low, first.high, color=SHADE, zorder=0)
            for place, point in zip(places, trace.points, strict=True):
                if math.isfinite(point.ci95.low) and math.isfinite(point.ci95.high):
                    axis.plot([place] * 2, [point.ci95.low, point.ci95.high], color=INK, lw=1)
            axis.plot(places, [point.mean for point in trace.points], "o-", color=INK, ms=4, lw=1)
            labels = [point.label.partition(":")[0] for point in trace.points]
            axis.set_xticks(list(places), labels, fontsize=8)
            axis.set_xlim(-0.5, len(trace.points) - 0.5)
            axis.set_title(lettered(trace.condition, 22), fontsize=9)
        figure.supxlabel("generation", fontsize=9)
        figure.supylabel("final accuracy, %", fontsize=9)
    return figure
