"""Figures with one row for each of several numbers: labels above their rows, and intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from reports.figures.sheet import USUAL
from reports.figures.theme import INK
from reports.numbers.intervals import Interval

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
