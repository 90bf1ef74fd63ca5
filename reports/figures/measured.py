"""Figures of what each cell measured: its number, and its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from reports.figures.theme import (
    INK,
    MUTED,
    PAPER,
    SHADE,
    Style,
    drawing,
    drawn_seeds,
    lettered,
    wrapped,
)
from reports.findings.statements import JudgedStatement
from reports.numbers.tables import mean_with_interval
from reports.numbers.values import BySeed

ROW = 0.42
"""Inches of a condition's row."""


def draw_values(
    values: BySeed, conditions: Sequence[str], style_of: Mapping[str, Style], label: str
) -> Figure:
    """Draw the number of each cell, a row a condition, with mean and 95% t interval.

    Parameters
    ----------
    label : of the axis: the measure and its unit.
    """
    names = [name for name in conditions if name in values]
    with drawing():
        figure, axis = plt.subplots(
            figsize=(6.2, 1.1 + ROW * max(2, len(names))), layout="constrained"
        )
        for row, name in enumerate(names):
            own = np.array([*values[name].values()])
            style = style_of[name]
            seen = own[drawn_seeds(len(own))]
            # A fixed scatter: the same data give the same picture.
            beside = row + 0.13 * np.cos(2.4 * np.arange(len(seen)))
            axis.plot(seen, beside, style.marker, color=style.colour, ms=4, alpha=0.75, mew=0)
            mean, low, high = mean_with_interval(own)
            axis.plot([low, high], [row, row], "-", color=INK, lw=1.6)
            axis.plot([mean], [row], "D", color=INK, mfc=PAPER, ms=7)
        axis.set_yticks(range(len(names)), [wrapped(name, 30) for name in names])
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlabel(lettered(label))
        _ticks(axis.xaxis)
        axis.grid(visible=False, axis="y")
    return figure


def draw_gains(statements: Sequence[JudgedStatement], label: str) -> Figure:
    """Draw what each claim found, with its two intervals, its verdict and what was reported.

    Parameters
    ----------
    statements : claims about one number each, all in one unit, that have a ruling.
    label : of the axis: what is drawn and its unit.
    """
    with drawing():
        figure, axis = plt.subplots(
            figsize=(6.6, 1.3 + ROW * max(2, len(statements))), layout="constrained"
        )
        axis.axvline(0, color=INK, lw=0.8)
        for row, one in enumerate(statements):
            claim, ruling = one.claim, one.ruling
            assert ruling is not None
            if claim.kind == "gain" and claim.reported is not None and claim.margin is not None:
                corner = (claim.reported - claim.margin, row - 0.25)
                axis.add_patch(
                    Rectangle(corner, 2 * claim.margin, 0.5, fc=SHADE, ec=MUTED, lw=0.8, zorder=1)
                )
                ends = [row - 0.25, row + 0.25]
                axis.plot([claim.reported] * 2, ends, "--", color=INK, lw=1.2, zorder=2)
            for interval, width in ((ruling.ci, 1.4), (ruling.ci_equivalence, 3.2)):
                if np.isfinite([interval.low, interval.high]).all():
                    axis.plot([interval.low, interval.high], [row, row], "-", color=INK, lw=width)
            axis.plot([ruling.estimate], [row], "D", color=INK, mfc=PAPER, ms=7, zorder=3)
            axis.annotate(
                ruling.label, (1.01, row), xycoords=("axes fraction", "data"), va="center",
                fontsize=8, annotation_clip=False,
            )  # fmt: skip
        labels = [lettered(one.claim.id, 30) for one in statements]
        axis.set_yticks(range(len(statements)), labels)
        axis.set_ylim(len(statements) - 0.5, -0.5)
        axis.set_xlabel(lettered(label, 60))
        _ticks(axis.xaxis)
        axis.grid(visible=False, axis="y")
    return figure


def _ticks(axis: Axis) -> None:
    """Few ticks, so that the labels of small and of large numbers have room."""
    axis.set_major_locator(MaxNLocator(5))
    if max(map(abs, axis.get_view_interval())) >= 10_000:
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def draw_recorded(
    curves: Mapping[str, Sequence[Sequence[float]]], style_of: Mapping[str, Style], label: str
) -> Figure:
    """Draw a curve that cells recorded: thin lines are single seeds, thick ones their means.

    Parameters
    ----------
    curves : by condition, one sequence a seed. A mean goes as far as all seeds do.
    label : of the axis: the number and its unit.
    """
    with drawing():
        figure, axis = plt.subplots(figsize=(6.2, 3.6), layout="constrained")
        for name, seeds in curves.items():
            style = style_of[name]
            for place in drawn_seeds(len(seeds)):
                steps = range(1, len(seeds[place]) + 1)
                axis.plot(steps, seeds[place], color=style.colour, alpha=0.25, lw=0.6)
            common = min(map(len, seeds))
            means = np.mean([seed[:common] for seed in seeds], axis=0)
            axis.plot(
                range(1, common + 1), means, style.line, color=style.colour, lw=2, label=name,
                marker=style.marker if common == 1 else None,
            )  # fmt: skip
        axis.set_xlabel("step")
        axis.set_ylabel(lettered(label))
        axis.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        _ticks(axis.yaxis)
        figure.legend(loc="outside lower center", ncols=min(3, len(curves)), fontsize=8)
    return figure
