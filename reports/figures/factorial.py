"""Figures of what carries a gain: the paths from baseline to treatment, effects, levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures.theme import INK, MUTED, PAPER, drawing, lettered, wrapped
from reports.findings.attribution import Attribution
from reports.findings.effects import Effect, LevelGain
from reports.numbers.intervals import Interval

FAR = 8.0  # times the median size, or times one point if that is larger
LINES = ("-", "--", ":", "-.")


def draw_paths(attributions: Mapping[str, Attribution]) -> Figure:
    """Draw every way from baseline to treatment, one panel for each claim.

    The horizontal axis is the number of changed factors, the vertical axis the mean accuracy in %.
    Each line changes one factor; colour and line style show which.
    """
    palette = sns.color_palette("colorblind")
    factors = list(
        dict.fromkeys(
            share.factor for attribution in attributions.values() for share in attribution.shares
        )
    )
    with drawing():
        figure, axes = plt.subplots(
            1,
            len(attributions),
            figsize=(0.9 + 3.4 * len(attributions), 3.9),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        handles = {}
        for axis, (name, attribution) in zip(axes[0], attributions.items(), strict=True):
            order = [share.factor for share in attribution.shares]
            for step in dict.fromkeys(step for path in attribution.paths for step in path):
                after = tuple(
                    factor for factor in order if factor in step.changed or factor == step.factor
                )
                place = factors.index(step.factor)
                (line,) = axis.plot(
                    [len(step.changed), len(after)],
                    [attribution.means[step.changed], attribution.means[after]],
                    color=palette[place % len(palette)],
                    ls=LINES[place % len(LINES)],
                    lw=1.8,
                )
                handles[step.factor] = line
            for changed, mean in attribution.means.items():
                axis.plot([len(changed)], [mean], "o", color=INK, mfc=PAPER, ms=5, zorder=3)
            axis.annotate(
                "baseline", (0, attribution.means[()]), (0, -11), textcoords="offset points",
                ha="left", fontsize=8, color=MUTED,
            )  # fmt: skip
            last = tuple(order)
            axis.annotate(
                "treatment", (len(order), attribution.means[last]), (0, -14),
                textcoords="offset points", ha="right", fontsize=8, color=MUTED,
            )  # fmt: skip
            axis.margins(y=0.12)
            axis.set_xticks(range(len(order) + 1))
            axis.set_xlim(-0.15, len(order) + 0.15)
            axis.set_title(lettered(name))
            axis.set_xlabel("factors changed")
        axes[0][0].set_ylabel("accuracy after the last task (%)")
        shown = [factor for factor in factors if factor in handles]
        figure.legend(
            [handles[factor] for factor in shown],
            shown,
            loc="outside upper center",
            ncols=4,
            handlelength=3,
        )
    return figure


def draw_effects(effects: Sequence[Effect]) -> Figure:
    """Draw every effect with its 95% interval; filled where it differs from zero after Holm."""
    labels = [" x ".join(effect.factors) for effect in effects]
    rows = [(effect.effect, effect.ci95, effect.p_holm < 0.05) for effect in effects]
    return _forest(labels, rows, "effect (points)")


def draw_levels(gains: Sequence[LevelGain]) -> Figure:
    """Draw each level's gain over the reference like the effects in ``draw_effects``."""
    labels = [
        wrapped(
            " ".join(
                [gain.level, *(f"{factor}={level}" for factor, level in gain.stratum.items())]
            ),
            44,
        )
        for gain in gains
    ]
    rows = [(gain.gain, gain.ci95, gain.p_holm < 0.05) for gain in gains]
    return _forest(labels, rows, f"gain over {gains[0].reference} (points)")


def _forest(
    labels: Sequence[str], rows: Sequence[tuple[float, Interval, bool]], label: str
) -> Figure:
    with drawing():
        figure, axis = plt.subplots(figsize=(6.4, 0.9 + 0.25 * len(rows)), layout="constrained")
        axis.axvline(0, color=INK, lw=0.8)
        for place, (mean, ci95, sure) in enumerate(rows):
            if np.isfinite([ci95.low, ci95.high]).all():
                axis.plot([ci95.low, ci95.high], [place, place], "-", color=INK, lw=1.4)
            axis.plot([mean], [place], "D", color=INK, mfc=INK if sure else PAPER, ms=5)
        sizes = sorted(abs(mean) for mean, _, _ in rows)
        if sizes[-1] > FAR * max(
            1.0, sizes[len(sizes) // 2]
        ):  # the largest would squeeze all others
            axis.set_xscale("symlog", linthresh=1.0)
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            label += ", logarithmic beyond ±1"
        axis.set_yticks(range(len(rows)), labels, fontsize=8)
        axis.set_ylim(len(rows) - 0.5, -0.5)
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(label)
    return figure
