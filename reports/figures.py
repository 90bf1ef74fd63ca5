"""Figures, drawn with seaborn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from reports.tables import mean_with_interval

BASES = ("finetune", "ewc", "online-ewc", "si", "mas")
"""Conditions that exist without and with DHP; a pair shares its hue in every figure."""


def colours(conditions: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Return a colour for each condition, the same in every figure of a study.

    A condition without and with DHP share one hue of a palette made for colour-blind readers;
    line style and marker tell the two apart, never colour alone.
    """
    bases = list(dict.fromkeys([*BASES, *(base(c) for c in conditions)]))
    palette = sns.color_palette("colorblind", max(len(bases), 3))
    return {condition: palette[bases.index(base(condition))] for condition in conditions}


def base(condition: str) -> str:
    """Return the plain partner of a DHP condition by its name, or the name itself."""
    if condition == "dhp":
        return "finetune"
    return condition.removeprefix("dhp+")


def is_plastic(condition: str) -> bool:
    """Tell whether a condition's name says that it has DHP."""
    return condition == "dhp" or condition.startswith("dhp+")


def draw_curves(
    curves: pd.DataFrame,
    conditions: Sequence[str],
    title: str,
    published: Mapping[str, Mapping[int, float]],
    published_label: str,
) -> Figure:
    """Draw the mean accuracy over the tasks seen so far, after each task.

    Parameters
    ----------
    curves : as ``reports.tables.curves`` gives them.
    conditions : which to draw, in order of the legend.
    published : by condition, accuracy in % by number of tasks seen.
    published_label : names the published values in the legend.

    Returns
    -------
    One panel for each pair of a condition without and with DHP. Lines are means over seeds with
    95% t intervals, thin lines single seeds, crosses and stars published values.
    """
    pairs: dict[str, list[str]] = {}
    for condition in conditions:
        pairs.setdefault(base(condition), []).append(condition)
    of = colours(conditions)
    tasks = sorted(curves["after_task"].unique())
    with sns.axes_style("whitegrid"), mpl.rc_context({"font.size": 9}):
        figure, axes = plt.subplots(
            1,
            len(pairs),
            figsize=(1.4 + 2.3 * len(pairs), 3.4),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for axis, (pair, members) in zip(axes[0], pairs.items(), strict=True):
            for condition in members:
                plastic = is_plastic(condition)
                style, marker = ("-", "o") if plastic else ("--", "s")
                own = curves[curves["condition"] == condition]
                for _, seed in own.groupby("seed"):
                    axis.plot(
                        seed["after_task"],
                        seed["accuracy"],
                        style,
                        color=of[condition],
                        alpha=0.2,
                        linewidth=0.6,
                    )
                points = [
                    mean_with_interval(
                        own.loc[own["after_task"] == task, "accuracy"].to_numpy(dtype=np.float64)
                    )
                    for task in tasks
                ]
                means = np.array([mean for mean, _, _ in points])
                halves = np.nan_to_num([high - mean for mean, _, high in points])
                axis.errorbar(
                    tasks,
                    means,
                    yerr=halves,
                    fmt=style + marker,
                    color=of[condition],
                    markerfacecolor=of[condition] if plastic else "white",
                    markersize=4.5,
                    capsize=2.5,
                    linewidth=1.6,
                    label=condition,
                )
                values = published.get(condition, {})
                if values:
                    axis.plot(
                        list(values),
                        list(values.values()),
                        "*" if plastic else "x",
                        color="0.25",
                        markersize=7 if plastic else 5.5,
                        linestyle="none",
                        label=f"{condition}, {published_label}",
                        zorder=4,
                    )
            axis.set_xticks(tasks)
            axis.set_xlabel("tasks trained")
            axis.set_title(pair)
            axis.legend(loc="lower left", fontsize=7, frameon=True, framealpha=0.85)
        axes[0][0].set_ylabel("accuracy over tasks seen so far (%)")
        figure.suptitle(title)
    return figure


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as SVG and PNG (150 dpi); returns the files. Same data, same bytes."""
    files = [path.with_suffix(".svg"), path.with_suffix(".png")]
    with mpl.rc_context({"svg.hashsalt": path.name}):  # identifiers that do not change
        figure.savefig(files[0], metadata={"Date": None})
    figure.savefig(files[1], dpi=150, metadata={"Software": None})
    plt.close(figure)
    return files
