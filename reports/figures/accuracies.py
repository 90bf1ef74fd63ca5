"""Figures of accuracies: over the tasks seen so far, for each task, and as matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.patheffects import Normal, Stroke
from seaborn.utils import relative_luminance

from reports.figures.sheet import HALF, SMALL, WHOLE, Sheet
from reports.figures.theme import (
    INK,
    MOST_SEEDS,
    MUTED,
    PAPER,
    Style,
    drawing,
    drawn_seeds,
    lettered,
    ordered,
    shifts,
)
from reports.numbers.metrics import Floats
from reports.numbers.tables import mean_with_interval
from reports.numbers.words import between, listed, number

PublishedCurves = Mapping[str, Mapping[int, float]]
"""By condition, then by number of tasks seen: accuracy in %."""

COLUMNS = 5  # most small panels beside each other
MOST_LINES = 50  # of single seeds in one small panel: more are a tangle
FAR = 0.5  # of the whole scale: an empty part as large as this is worth a closer look
BLACK, WHITE = "#000000", "#fffffe"
"""Letters on the coloured cells of a map; the page must not replace them by its own colours."""
LIGHT = 0.179
"""The luminance on which black and white letters are equally easy to read."""


def draw_curves(
    curves: pd.DataFrame,
    conditions: Sequence[str],
    style_of: Mapping[str, Style],
    published: PublishedCurves,
    source: str,
    errors: PublishedCurves | None = None,
) -> Figure:
    """Draw the published accuracies over the tasks seen so far, and ours beside them.

    Parameters
    ----------
    curves : a table from ``reports.numbers.tables.curves``.
    conditions : those to draw, in the order of the legend.
    style_of : how each is drawn.
    published : the published accuracies; where it is empty, ours stand alone.
    source : name of the source of ``published``.
    errors : the published errors of these accuracies, where there are any.

    Returns
    -------
    Panels with one scale; where some conditions lie far below the others, one more panel shows the
    others alone. Lines are means over seeds, with 95% t intervals; the conditions stand a little
    apart at each task.
    """
    titles = [lettered(f"published ({source})")] if published else []
    ours = len(titles)
    titles.append("this run" if published else "accuracy over the tasks seen so far")
    closer = _closer(curves, conditions)
    titles += ["this run, closer"] if closer else []
    apart = shifts(len(conditions))
    with drawing():
        sheet = Sheet(len(titles), WHOLE, 2.6, 2)
        if published:
            for shift, condition in zip(apart, conditions, strict=True):
                values = published.get(condition, {})
                bars = (errors or {}).get(condition, {})
                _draw_means(
                    sheet, sheet.panels[0], condition, style_of[condition], shift,
                    [(task, value, value - bars.get(task, np.nan), value + bars.get(task, np.nan))
                     for task, value in values.items()],
                )  # fmt: skip
        for axis in sheet.panels[ours:]:
            for shift, condition in zip(apart, conditions, strict=True):
                _draw_ours(sheet, axis, curves, condition, style_of[condition], shift)
        tasks = sorted(curves["after_task"].unique())
        limits = [axis.get_ylim() for axis in sheet.panels[: ours + 1]]
        for place, axis in enumerate(sheet.panels):
            axis.set_title(titles[place])
            axis.set_xticks(tasks)
            axis.set_xlabel("tasks trained")
            axis.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
        if closer:
            sheet.panels[-1].set_ylim(*closer)
        sheet.note("↑ accuracy over tasks seen so far (%)")
        sheet.key(*sheet.panels[ours].get_legend_handles_labels())
        if len(conditions) == 1 and not published:
            sheet.panels[0].set_title(lettered(conditions[0]))
        return sheet.finish()


def draw_pairs(
    curves: pd.DataFrame,
    conditions: Sequence[str],
    style_of: Mapping[str, Style],
    pairs: Mapping[str, str],
    published: PublishedCurves,
    source: str,
    errors: PublishedCurves | None = None,
) -> Figure:
    """Draw one panel for each condition with its variants, which ``pairs`` names.

    The other arguments are those of ``draw_curves``. Thin lines are single seeds, at most
    ``theme.MOST_SEEDS`` of a condition; crosses and stars are published values with their errors.
    """
    together: dict[str, list[str]] = {}
    for condition in conditions:
        together.setdefault(pairs.get(condition, condition), []).append(condition)
    signs: dict[str, Any] = {}
    with drawing():
        sheet = Sheet(len(together), HALF, 1.5, COLUMNS, same="xy")
        for axis, members in zip(sheet.panels, together.values(), strict=True):
            apart = shifts(len(members))
            for shift, condition in zip(apart, members, strict=True):
                rows = curves[curves["condition"] == condition]
                _draw_seeds(sheet, axis, rows, style_of[condition], shift)
                _draw_ours(sheet, axis, curves, condition, style_of[condition], shift)
                values = published.get(condition, {})
                if values:
                    variant = condition in pairs
                    bars = (errors or {}).get(condition, {})
                    halves = [bars.get(task, 0.0) for task in values]
                    axis.errorbar(
                        [task + 2.5 * shift for task in values], list(values.values()),
                        yerr=halves if any(halves) else None, fmt="*" if variant else "x",
                        color=INK, ms=6 if variant else 5, lw=0.8, capsize=2, zorder=4,
                        label=_role(variant=variant, source=source),
                    )  # fmt: skip
            for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
                if label not in members:
                    signs.setdefault(label, handle)
            axis.set_xticks(sorted(curves["after_task"].unique()))
            axis.set_title(lettered(listed(members), 22))
        sheet.note("↑ accuracy over tasks seen so far (%)", "→ tasks trained")
        if pairs:
            sheet.note("solid: the variant, dashed: without it")
        sheet.key(signs.values(), signs, alone=True)
        return sheet.finish()


def _role(*, variant: bool, source: str) -> str:
    return lettered(f"published ({source})" + (", the variant" if variant else ""))


def draw_tasks(
    matrices: Mapping[str, Floats], seeds: Mapping[str, Sequence[int]] | None = None
) -> Figure:
    """Draw how each task is learned and forgotten, one panel a condition, one colour a task.

    Parameters
    ----------
    matrices : by condition, accuracies (seeds, T, T) as fractions; row i is after training task i.
    seeds : by condition, the seeds of its matrices; needed only to name them.

    Returns
    -------
    Thick lines are means over seeds, thin ones single seeds, at most ``seeds_of_a_task``.
    """
    tasks = next(iter(matrices.values())).shape[-1]
    colours = ordered(tasks)
    with drawing():
        sheet = Sheet(len(matrices), HALF, 1.35, COLUMNS, same="xy")
        for axis, (condition, stack) in zip(sheet.panels, matrices.items(), strict=True):
            named = (seeds or {}).get(condition, range(len(stack)))
            drawn = drawn_seeds(len(stack), seeds_of_a_task(tasks))
            for task in range(tasks):
                after = np.arange(task, tasks) + 1
                accuracies = 100 * stack[:, task:, task]
                thin = LineCollection(
                    [np.column_stack([after, accuracies[place]]) for place in drawn],
                    colors=[colours[task]], lw=0.7,
                )  # fmt: skip
                axis.add_collection(thin)
                texts = [
                    f"seed {named[place]}, task {task + 1}: {_path(accuracies[place])}"
                    for place in drawn
                ]
                sheet.tell(thin, texts)
                axis.plot(
                    after, accuracies.mean(0), "osD^vPX"[task % 7] + "-", color=colours[task],
                    ms=4, mec=PAPER, mew=0.4, lw=1.6, label=f"task {task + 1}",
                    path_effects=[Stroke(linewidth=2.2, foreground=PAPER), Normal()],
                )  # fmt: skip
            axis.set_title(lettered(condition, 22))
            axis.set_xticks(range(1, tasks + 1))
        sheet.note("↑ accuracy on the task (%)", "→ tasks trained")
        sheet.key(*sheet.panels[0].get_legend_handles_labels())
        return sheet.finish()


def seeds_of_a_task(tasks: int) -> int:
    """Return how many seeds of each task ``draw_tasks`` shows one by one at most."""
    return min(MOST_SEEDS, max(2, MOST_LINES // tasks))


def draw_matrices(matrices: Mapping[str, Floats]) -> Figure:
    """Draw each condition's mean accuracy matrix as a heat map.

    ``matrices`` are those of ``draw_tasks``. All maps share one scale; the numbers are in %, and a
    darker cell has a lower accuracy.
    """
    means = {name: 100 * stack.mean(0) for name, stack in matrices.items()}
    low = min(float(np.nanmin(mean)) for mean in means.values())
    tasks = next(iter(means.values())).shape[-1]
    labels, middles = [str(task + 1) for task in range(tasks)], np.arange(tasks) + 0.5
    small = tasks <= 5
    with drawing():
        sheet = Sheet(len(means), HALF if small else WHOLE, None, COLUMNS if small else 2)
        for axis, (condition, mean) in zip(sheet.panels, means.items(), strict=True):
            # Not seaborn's heat map, which draws the whole figure again for every map.
            mesh = axis.pcolormesh(
                mean, vmin=low, vmax=100, cmap="cividis", edgecolors=MUTED, linewidth=0.5
            )
            mesh.set_gid(f"map-{axis.get_gid()}")
            axis.set_xticks(middles, labels)
            axis.set_yticks(middles, labels)
            axis.set_xlim(0, tasks)
            axis.set_ylim(tasks, 0)
            axis.grid(visible=False)
            axis.spines[:].set_visible(False)
            if tasks <= 10:
                _write_cells(axis, mesh, mean)
            axis.set_title(lettered(condition, 22))
        sheet.note("↓ after training task", "→ accuracy on task")
        return sheet.finish()


def _write_cells(axis: Axes, mesh: QuadMesh, values: Floats) -> None:
    """Write each value into its cell, in the colour that is easier to read on it."""
    faces = mesh.to_rgba(values)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = WHITE if relative_luminance(faces[row, column]) <= LIGHT else BLACK
            text = f"{value:.1f}" if value < 99.95 else "100"
            place = (column + 0.5, row + 0.5)
            axis.text(*place, text, ha="center", va="center", color=colour, fontsize=SMALL)


def _closer(curves: pd.DataFrame, conditions: Sequence[str]) -> tuple[float, float] | None:
    """Return the scale of the better conditions, where the others leave most of the panel empty."""
    lows = (
        curves[curves["condition"].isin(list(conditions))]
        .groupby(["condition", "after_task"])["accuracy"].mean().groupby("condition").min()
        .sort_values()
    )  # fmt: skip
    if len(lows) < 4:
        return None
    top = float(curves["accuracy"].max())
    gaps = np.diff(lows.to_numpy())
    widest = int(gaps.argmax())
    if len(lows) - widest - 1 < 3 or gaps[widest] < FAR * (top - float(lows.iloc[0])):
        return None
    low = float(lows.iloc[widest + 1])
    return low - 0.15 * (top - low), top + 0.08 * (top - low)


def _line(style: Style) -> dict[str, Any]:
    return {
        "color": style.colour,
        "linestyle": style.line,
        "marker": style.marker,
        "markerfacecolor": style.colour if style.filled else PAPER,
        "markersize": 4.5,
        "linewidth": 1.5,
    }


def _draw_seeds(sheet: Sheet, axis: Axes, rows: pd.DataFrame, style: Style, shift: float) -> None:
    seeds = [(seed, one) for seed, one in rows.groupby("seed")[["after_task", "accuracy"]]]
    drawn = [seeds[place] for place in drawn_seeds(len(seeds))]
    thin = LineCollection(
        [np.add(one.to_numpy(), (shift, 0.0)) for _, one in drawn], colors=[style.colour], lw=0.7
    )
    axis.add_collection(thin)
    condition = rows["condition"].iloc[0] if len(rows) else ""
    sheet.tell(
        thin,
        [f"{condition}, seed {seed}: {_path(one['accuracy'].to_numpy())}" for seed, one in drawn],
    )


def _path(accuracies: Floats) -> str:
    return " → ".join(f"{value:.2f}" for value in accuracies)


def _draw_ours(
    sheet: Sheet, axis: Axes, curves: pd.DataFrame, condition: str, style: Style, shift: float
) -> None:
    rows = curves[curves["condition"] == condition]
    points = [
        (
            int(str(task)),
            *mean_with_interval(of_task["accuracy"].to_numpy(dtype=np.float64), within=(0, 100)),
        )
        for task, of_task in rows.groupby("after_task")
    ]
    _draw_means(sheet, axis, condition, style, shift, points)


def _draw_means(
    sheet: Sheet,
    axis: Axes,
    condition: str,
    style: Style,
    shift: float,
    points: Sequence[tuple[int, float, float, float]],
) -> None:
    """Draw means with their intervals, (task, mean, low, high); NaN where there is no interval."""
    places = [task + shift for task, *_ in points]
    means = np.array([mean for _, mean, *_ in points])
    halves = np.array([[mean - low, high - mean] for _, mean, low, high in points]).reshape(-1, 2)
    drawn = axis.errorbar(
        places, means, yerr=np.nan_to_num(halves).T if np.isfinite(halves).any() else None,
        label=lettered(condition), capsize=3, capthick=1.0, elinewidth=1.0, **_line(style),
        zorder=3,
    )  # fmt: skip
    if not points:
        return
    told = [
        f"{condition} after task {task}: {number(mean)}"
        + (f" ({between(low, high, number)})" if math.isfinite(low) else "")
        for task, mean, low, high in points
    ]
    sheet.tell(drawn[0], told)
