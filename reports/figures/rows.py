"""Figures with one row for each of several numbers: labels above their rows, and intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from reports.figures.sheet import USUAL, Sheet
from reports.figures.theme import INK, PAPER
from reports.numbers.intervals import Interval
from reports.numbers.words import signed

LINE = 0.15
"""Height of a line of a label, in inches."""
LABEL = 0.38
"""How far above its row the middle of a label stands, as a share of the row."""


def row_height(labels: Sequence[str]) -> float:
    """Return the height of each row in inches, for labels of this many lines."""
    return 0.25 + LINE * max(label.count("\n") + 1 for label in labels)


def label_rows(axis: Axes, labels: Sequence[str]) -> None:
    """Label the rows 0, 1, ... from the top, each above what is drawn in it.

    Beside the axes, labels would take half of the width of a phone.
    """
    axis.set_yticks([row - LABEL for row in range(len(labels))], labels)
    axis.tick_params(axis="y", pad=-4, labelsize=USUAL)
    for label in axis.get_yticklabels():
        label.set(ha="left", va="center", zorder=5)
    axis.set_ylim(len(labels) - 0.55, -0.68)
    axis.grid(visible=False, axis="y")


def draw_interval(
    axis: Axes, place: float, ends: Interval | None, width: float, *, across: bool = False
) -> None:
    """Draw a finite interval over its mark: upright at x = ``place``, or across at y = ``place``.

    ``width`` is that of the line in points. An interval without ends is not drawn.
    """
    if ends is None or not np.isfinite([ends.low, ends.high]).all():
        return
    along, beside = [ends.low, ends.high], [place, place]
    x, y = (along, beside) if across else (beside, along)
    axis.plot(x, y, "-", color=INK, lw=width, solid_capstyle="butt", zorder=4)


def draw_mean(
    sheet: Sheet,
    axis: Axes,
    row: int,
    mean: float,
    name: str,
    ends: Sequence[Interval],
    form: Callable[[float], str] = signed,
) -> Artist:
    """Draw a mean, and over it its intervals, which may be narrower than the mark.

    Parameters
    ----------
    ends : the wide interval and the narrow one; fewer where there are none.
    form : how readers who point at the mark read its number.
    """
    (mark,) = axis.plot([mean], [row], "D", color=INK, mfc=PAPER, ms=7, mew=0.9)
    text = f"{name}: {form(mean)}"
    if ends and np.isfinite([ends[0].low, ends[0].high]).all():
        text += f" ({form(ends[0].low)} to {form(ends[0].high)})"
    sheet.tell(mark, [text])
    for interval, width in zip(ends, (1.4, 3.2), strict=False):
        draw_interval(axis, row, interval, width, across=True)
    return mark


def write_beside(axis: Axes, row: int, verdict: str) -> None:
    """Write a verdict above a row, at the right end."""
    axis.annotate(
        verdict, (0.99, row - LABEL), xycoords=("axes fraction", "data"), va="center", ha="right",
        fontsize=USUAL, fontweight="bold", annotation_clip=False,
    )  # fmt: skip
