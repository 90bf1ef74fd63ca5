"""Figures of accuracies: over the tasks seen so far, for each task, and as matrices."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure
from seaborn.utils import relative_luminance

from reports.figures.theme import (
    INK,
    PAPER,
    Style,
    drawing,
    drawn_seeds,
    legend_below,
    lettered,
    wrapped,
)
from reports.numbers.metrics import Floats
from reports.numbers.tables import mean_with_interval

PublishedCurves = Mapping[str, Mapping[int, float]]
"""By condition, then by number of tasks seen: accuracy in %."""

COLUMNS = 4  # most small panels beside each other


def draw_curves(
    curves: pd.DataFrame,
    conditions: Sequence[str],
    style_of: Mapping[str, Style],
    published: PublishedCurves,
    source: str,
) -> Figure:
    """Draw the published accuracies over the tasks seen so far, and ours beside them.

    Parameters
    ----------
    curves : a table from ``reports.numbers.tables.curves``.
    conditions : those to draw, in the order of the legend.
    style_of : how each is drawn.
    published : the published accuracies; where it is empty, ours stand alone.
    source : name of the source of ``published``.

    Returns
    -------
    Panels with one scale. Lines are means over seeds, with 95% t intervals.
    """
    panels = 2 if published else 1
    with drawing():
        figure, axes = plt.subplots(
            1, panels, figsize=(1.8 + 3.3 * panels, 3.6), sharey=True, squeeze=False,
            layout="constrained",
        )  # fmt: skip
        ours = axes[0][-1]
        for condition in conditions:
            _draw_ours(ours, curves, condition, style_of[condition])
        ours.set_title("this run" if published else "accuracy over the tasks seen so far")
        if published:
            for condition in conditions:
                values = published.get(condition, {})
                axes[0][0].plot(list(values), list(values.values()), **_line(style_of[condition]))
            axes[0][0].set_title(lettered(f"published ({source})"))
        tasks = sorted(curves["after_task"].unique())
        for axis in axes[0]:
            axis.set_xticks(tasks)
            axis.set_xlabel("tasks trained")
        axes[0][0].set_ylabel("accuracy over tasks seen so far (%)")
        legend_below(figure, *ours.get_legend_handles_labels())
    return figure


def draw_pairs(
    curves: pd.DataFrame,
    conditions: Sequence[str],
    style_of: Mapping[str, Style],
    pairs: Mapping[str, str],
    published: PublishedCurves,
    source: str,
) -> Figure:
    """Draw one panel for each condition with its variants, which ``pairs`` names.

    The other arguments are those of ``draw_curves``. Thin lines are single seeds, at most
    ``theme.MOST_SEEDS`` of a condition; crosses and stars are published values.
    """
    together: dict[str, list[str]] = {}
    for condition in conditions:
        together.setdefault(pairs.get(condition, condition), []).append(condition)
    with drawing(), _panels(len(together), 2.3, 2.5) as (figure, axes):
        for axis, (pair, members) in zip(axes, together.items(), strict=True):
            for condition in members:
                rows = curves[curves["condition"] == condition]
                seeds = [
                    seed[["after_task", "accuracy"]].to_numpy() for _, seed in rows.groupby("seed")
                ]
                thin = LineCollection(
                    [seeds[place] for place in drawn_seeds(len(seeds))],
                    colors=[style_of[condition].colour],
                    alpha=0.25,
                    lw=0.6,
                )
                axis.add_collection(thin)
                _draw_ours(axis, curves, condition, style_of[condition])
                values = published.get(condition, {})
                if values:
                    axis.plot(
                        list(values),
                        list(values.values()),
                        "*" if condition in pairs else "x",
                        color=INK,
                        markersize=7 if condition in pairs else 5.5,
                        linestyle="none",
                        label=lettered(f"{condition}, {source}", 32),
                        zorder=4,
                    )
            axis.set_xticks(sorted(curves["after_task"].unique()))
            axis.set_title(wrapped(pair))
            if len(axis.get_legend_handles_labels()[0]) > 1:  # else the title says it
                axis.legend(loc="lower left", fontsize=6.5, framealpha=0.85)
        figure.supxlabel("tasks trained", fontsize=9)
        figure.supylabel("accuracy over tasks seen so far (%)", fontsize=9)
    return figure


def draw_tasks(matrices: Mapping[str, Floats]) -> Figure:
    """Draw how each task is learned and forgotten, one panel a condition, one colour a task.

    Parameters
    ----------
    matrices : by condition, accuracies (seeds, T, T) as fractions; row i is after training task i.

    Returns
    -------
    Thick lines are means over seeds, thin ones single seeds, at most ``theme.MOST_SEEDS``.
    """
    tasks = next(iter(matrices.values())).shape[-1]
    colours = sns.color_palette("viridis", tasks)
    with drawing(), _panels(len(matrices), 2.2, 2.2) as (figure, axes):
        for axis, (condition, stack) in zip(axes, matrices.items(), strict=True):
            for task in range(tasks):
                after = np.arange(task, tasks) + 1
                accuracies = 100 * stack[:, task:, task]
                drawn = accuracies[drawn_seeds(len(accuracies))]
                lines = [np.column_stack([after, seed]) for seed in drawn]
                axis.add_collection(
                    LineCollection(lines, colors=[colours[task]], alpha=0.3, lw=0.5)
                )
                axis.plot(
                    after,
                    accuracies.mean(0),
                    "osD^vPX"[task % 7] + "-",
                    color=colours[task],
                    ms=4,
                    mec=PAPER,
                    mew=0.4,
                    lw=1.5,
                    label=f"task {task + 1}",
                )
            axis.set_title(wrapped(condition), fontsize=8)
            axis.set_xticks(range(1, tasks + 1))
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=min(tasks, 6), fontsize=8)
        figure.supxlabel("tasks trained", fontsize=9)
        figure.supylabel("accuracy on the task (%)", fontsize=9)
    return figure


def draw_matrices(matrices: Mapping[str, Floats]) -> Figure:
    """Draw each condition's mean accuracy matrix as a heat map.

    ``matrices`` are those of ``draw_tasks``. All maps share one scale; the numbers are in %, and a
    darker cell has a lower accuracy.
    """
    means = {name: 100 * stack.mean(0) for name, stack in matrices.items()}
    low = min(float(np.nanmin(mean)) for mean in means.values())
    tasks = next(iter(means.values())).shape[-1]
    side = max(1.9, 0.42 * tasks)
    labels, middles = [str(task + 1) for task in range(tasks)], np.arange(tasks) + 0.5
    with drawing(), _panels(len(means), side, side) as (figure, axes):
        for axis, (condition, mean) in zip(axes, means.items(), strict=True):
            # Not seaborn's heat map, which draws the whole figure again for every map.
            mesh = axis.pcolormesh(
                mean, vmin=low, vmax=100, cmap="cividis", edgecolors=PAPER, linewidth=0.5
            )
            axis.set_xticks(middles, labels)
            axis.set_yticks(middles, labels)
            axis.set_ylim(tasks, 0)
            axis.set_aspect("equal")
            axis.grid(visible=False)
            axis.spines[:].set_visible(False)
            if tasks <= 10:
                _write_cells(axis, mesh, mean)
            axis.set_title(wrapped(condition), fontsize=8)
            axis.tick_params(labelsize=7, length=0, labelbottom=True, labelleft=True, rotation=0)
        figure.supxlabel("accuracy on task", fontsize=9)
        figure.supylabel("after training task", fontsize=9)
    return figure


def _write_cells(axis: Axes, mesh: QuadMesh, values: Floats) -> None:
    """Write each value into its cell, light on dark cells; the page replaces neither colour."""
    faces = mesh.to_rgba(values)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            light = relative_luminance(faces[row, column]) <= 0.408
            colour = "w" if light else ".15"
            place = (column + 0.5, row + 0.5)
            axis.text(*place, f"{value:.1f}", ha="center", va="center", color=colour, fontsize=7)


@contextmanager
def _panels(count: int, width: float, height: float) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give ``count`` small panels with one scale; sizes are in inches."""
    columns = min(count, COLUMNS + (count % (COLUMNS + 1) == 0))
    width *= min(1, COLUMNS / columns)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(0.6 + width * columns, 0.7 + height * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    flat = list(axes.flat)
    for empty in flat[count:]:
        empty.set_visible(False)
    if count % columns:  # a panel above an empty one is the lowest of its column
        for above in flat[count - columns : columns * (rows - 1)]:
            above.tick_params(labelbottom=True)
    yield figure, flat[:count]


def _line(style: Style) -> dict[str, object]:
    return {
        "color": style.colour,
        "linestyle": style.line,
        "marker": style.marker,
        "markerfacecolor": style.colour if style.filled else PAPER,
        "markersize": 4.5,
        "linewidth": 1.6,
    }


def _draw_ours(axis: Axes, curves: pd.DataFrame, condition: str, style: Style) -> None:
    rows = curves[curves["condition"] == condition]
    tasks = sorted(rows["after_task"].unique())
    points = [
        mean_with_interval(
            rows.loc[rows["after_task"] == task, "accuracy"].to_numpy(dtype=np.float64)
        )
        for task in tasks
    ]
    halves = np.nan_to_num([high - mean for mean, _, high in points])
    means = [mean for mean, _, _ in points]
    axis.errorbar(
        tasks,
        means,
        yerr=halves,
        label=condition,
        capsize=2.5,
        **_line(style),  # type: ignore[arg-type]
    )
