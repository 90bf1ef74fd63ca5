"""Figures of what each cell measured: its number, and its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figures.theme import INK, MUTED, PAPER, Style, drawing, drawn_seeds, lettered, wrapped
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
            axis.plot(seen, beside, style.marker, color=style.colour, ms=4, alpha=0.55, mew=0)
            mean, low, high = mean_with_interval(own)
            axis.plot([low, high], [row, row], "-", color=INK, lw=1.6)
            axis.plot([mean], [row], "D", color=INK, mfc=PAPER, ms=7)
        axis.set_yticks(range(len(names)), [wrapped(name, 30) for name in names])
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlabel(lettered(label))
        axis.xaxis.set_major_locator(MaxNLocator(6))
        axis.grid(visible=False, axis="y")
    return figure


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
        axis.tick_params(colors=MUTED, labelcolor=INK)
        figure.legend(loc="outside lower center", ncols=min(3, len(curves)), fontsize=8)
    return figure
