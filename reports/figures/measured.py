"""Figures of what each cell measured: its number, and its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from reports.figures.rows import draw_mean, label_rows, row_height, write_beside
from reports.figures.sheet import WHOLE, Sheet
from reports.figures.theme import INK, MUTED, SHADE, Style, drawing, drawn_seeds, lettered
from reports.findings.statements import JudgedStatement
from reports.numbers.intervals import Interval
from reports.numbers.tables import mean_with_interval
from reports.numbers.values import BySeed, form_for
from reports.numbers.words import sized


def draw_values(
    values: BySeed, conditions: Sequence[str], style_of: Mapping[str, Style], label: str
) -> Figure:
    """Draw the number of each cell, a row a condition, with mean and 95% t interval.

    Parameters
    ----------
    label : of the axis: the measure and its unit.
    """
    names = [name for name in conditions if name in values]
    labels = [lettered(name, 40) for name in names]
    form = form_for(value for name in names for value in values[name].values())
    with drawing():
        sheet = Sheet(1, WHOLE, row_height(labels) * len(names), 1)
        (axis,) = sheet.panels
        for row, name in enumerate(names):
            seeds, own = list(values[name]), np.array([*values[name].values()])
            style, seen = style_of[name], drawn_seeds(len(own))
            # A fixed scatter: the same data give the same picture.
            beside = row + 0.13 * np.cos(2.4 * np.arange(len(seen)))
            (marks,) = axis.plot(own[seen], beside, style.marker, color=style.colour, ms=4)
            sheet.tell(marks, [f"{name}, seed {seeds[at]}: {form(own[at])}" for at in seen])
            mean, low, high = mean_with_interval(own)
            draw_mean(sheet, axis, row, mean, name, [Interval(low, high)], form)
        label_rows(axis, labels)
        axis.set_xlabel(lettered(label))
        _ticks(axis.xaxis)
        return sheet.finish()


def draw_gains(statements: Sequence[JudgedStatement], label: str) -> Figure:
    """Draw what each claim found, with its two intervals, its verdict and what was reported.

    Parameters
    ----------
    statements : claims about one number each, all in one unit, that have a ruling.
    label : of the axis: what is drawn and its unit.
    """
    labels = [lettered(one.claim.id, 33) for one in statements]
    with drawing():
        sheet = Sheet(1, WHOLE, row_height(labels) * len(statements), 1)
        (axis,) = sheet.panels
        axis.axvline(0, color=INK, lw=0.8)
        signs: dict[str, Any] = {}
        for row, one in enumerate(statements):
            claim, ruling = one.claim, one.ruling
            assert ruling is not None
            if claim.kind == "gain" and claim.reported is not None and claim.margin is not None:
                corner = (claim.reported - claim.margin, row - 0.2)
                band = Rectangle(corner, 2 * claim.margin, 0.4, fc=SHADE, ec=MUTED, lw=0.8)
                band.set_zorder(1)
                signs.setdefault("reported ± margin", axis.add_patch(band))
                (line,) = axis.plot(
                    [claim.reported] * 2, [row - 0.2, row + 0.2], color=MUTED, lw=2, ls=(0, (2, 1)),
                )  # fmt: skip
                signs.setdefault("reported", line)
            ends = (ruling.ci, ruling.ci_equivalence)
            signs["ours"] = draw_mean(sheet, axis, row, ruling.estimate, claim.id, ends, sized)
            write_beside(axis, row, ruling.label)
        label_rows(axis, labels)
        axis.set_xlabel(lettered(label, 60))
        _ticks(axis.xaxis)
        sheet.key(signs.values(), signs)
        return sheet.finish()


def _ticks(axis: Axis) -> None:
    """Few ticks, so that the labels of small and of large numbers have room."""
    axis.set_major_locator(MaxNLocator(4))
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
        sheet = Sheet(1, WHOLE, 2.6, 1)
        (axis,) = sheet.panels
        means_of = {}
        for name, seeds in curves.items():
            style = style_of[name]
            for place in drawn_seeds(len(seeds)):
                steps = range(1, len(seeds[place]) + 1)
                axis.plot(steps, seeds[place], color=style.colour, lw=0.5)
            common = min(map(len, seeds))
            means = np.mean([seed[:common] for seed in seeds], axis=0)
            (means_of[name],) = axis.plot(
                range(1, common + 1), means, style.line, color=style.colour, lw=2.2,
                marker=style.marker if common == 1 else None,
            )  # fmt: skip
        axis.set_xlabel("step")
        axis.set_ylabel(lettered(label))
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        _ticks(axis.yaxis)
        sheet.key(means_of.values(), [lettered(name) for name in means_of])
        return sheet.finish()
