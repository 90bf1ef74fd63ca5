"""Figures of what carries a gain: the paths from baseline to treatment, effects, levels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures.rows import draw_interval, label_rows, row_height
from reports.figures.sheet import SMALL, WHOLE, Sheet
from reports.figures.theme import INK, MUTED, PALETTE, PAPER, drawing, lettered
from reports.findings.attribution import Attribution
from reports.findings.effects import Effect, LevelGain
from reports.numbers.intervals import FEWEST, Interval
from reports.numbers.words import interval, listed

FAR = 8.0  # times the median size, or times one point if that is larger
LINES = ("-", "--", ":", "-.")


def draw_paths(attributions: Mapping[str, Attribution]) -> Figure:
    """Draw every way from baseline to treatment, one panel for each claim.

    The horizontal axis is the number of changed factors, the vertical axis the mean accuracy in %.
    Each line changes one factor; colour and line style show which.
    """
    factors = list(
        dict.fromkeys(
            share.factor for attribution in attributions.values() for share in attribution.shares
        )
    )
    with drawing():
        sheet = Sheet(len(attributions), WHOLE, 3.0, 2, same="y")
        handles = {}
        for axis, (name, attribution) in zip(sheet.panels, attributions.items(), strict=True):
            order = [share.factor for share in attribution.shares]
            for step in dict.fromkeys(step for path in attribution.paths for step in path):
                after = tuple(
                    factor for factor in order if factor in step.changed or factor == step.factor
                )
                place = factors.index(step.factor)
                (line,) = axis.plot(
                    [len(step.changed), len(after)],
                    [attribution.means[step.changed], attribution.means[after]],
                    color=PALETTE[place % len(PALETTE)],
                    ls=LINES[place % len(LINES)],
                    lw=1.8,
                )
                handles[step.factor] = line
            for changed, mean in attribution.means.items():
                (mark,) = axis.plot(
                    [len(changed)], [mean], "o", color=INK, mfc=PAPER, ms=5, zorder=3
                )
                sheet.tell(mark, [f"{listed(changed) or 'baseline'}: {mean:.2f}"])
            axis.annotate(
                "baseline", (0, attribution.means[()]), (0, -11), textcoords="offset points",
                ha="left", fontsize=SMALL, color=MUTED,
            )  # fmt: skip
            last = tuple(order)
            axis.annotate(
                "treatment", (len(order), attribution.means[last]), (0, -14),
                textcoords="offset points", ha="right", fontsize=SMALL, color=MUTED,
            )  # fmt: skip
            axis.margins(y=0.12)
            axis.set_xticks(range(len(order) + 1))
            axis.set_xlim(-0.15, len(order) + 0.15)
            axis.set_title(lettered(name))
            axis.set_xlabel("factors changed")
        shown = [factor for factor in factors if factor in handles]
        sheet.note("↑ accuracy after the last task (%)")
        sheet.key([handles[factor] for factor in shown], map(lettered, shown), alone=True)
        return sheet.finish()


def draw_effects(effects: Sequence[Effect]) -> Figure:
    """Draw every effect with its 95% interval; a diamond where it differs from zero after Holm."""
    labels = [lettered(" x ".join(effect.factors), 44) for effect in effects]
    rows = [(effect.effect, effect.ci95, effect.p_holm < 0.05) for effect in effects]
    return _forest(labels, rows, "effect (points)")


def draw_levels(gains: Sequence[LevelGain]) -> Figure:
    """Draw each level's gain over the reference like the effects in ``draw_effects``."""
    labels = [
        lettered(
            " ".join(
                [gain.level, *(f"{factor}={level}" for factor, level in gain.stratum.items())]
            ),
            44,
        )
        for gain in gains
    ]
    unseen = Interval(-math.inf, math.inf)
    rows = [
        (gain.gain, gain.ci95 if len(gain.seeds) >= FEWEST else unseen, gain.p_holm < 0.05)
        for gain in gains
    ]
    return _forest(labels, rows, f"gain over {gains[0].reference} (points)")


def _forest(
    labels: Sequence[str], rows: Sequence[tuple[float, Interval, bool]], label: str
) -> Figure:
    with drawing():
        sheet = Sheet(1, WHOLE, row_height(labels) * len(rows), 1)
        (axis,) = sheet.panels
        axis.axvline(0, color=INK, lw=0.8)
        for place, (mean, ci95, sure) in enumerate(rows):
            (mark,) = axis.plot(
                [mean], [place], "D" if sure else "o", color=INK, mfc=PAPER, ms=7 if sure else 5
            )
            sheet.tell(mark, [f"{labels[place]}: {mean:+.2f} ({interval(ci95)})"])
            draw_interval(axis, place, ci95, 1.4, across=True)
        sizes = sorted(abs(mean) for mean, _, _ in rows)
        if sizes[-1] > FAR * max(
            1.0, sizes[len(sizes) // 2]
        ):  # the largest would squeeze all others
            axis.set_xscale("symlog", linthresh=1.0)
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            label += ", logarithmic beyond ±1"
        label_rows(axis, labels)
        axis.set_xlabel(label)
        return sheet.finish()
