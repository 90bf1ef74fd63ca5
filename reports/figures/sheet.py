"""A figure made of panels of known sizes: nothing is laid out twice, and a page can let them flow.

A panel is half as wide as a phone or as wide as one, and its letters have at least 10 pixels of
1/96 inch. Each panel has its own title and ticks, and each entry of the legend is a part of its
own, so that every part can stand alone. ``Sheet.parts`` says where each lies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, YAxis
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

HALF, WHOLE = 1.8, 3.6
"""Widths of panels in inches: two halves, or one whole, beside each other on a phone."""

SMALL, USUAL = 7.5, 8.0
"""Sizes of letters in points; 7.5 are 10 pixels."""

FONT = "DejaVu Sans"
LINE = 1.35
"""Height of a line of text, as a multiple of the size of its letters."""
HANDLE, GAP = 0.3, 0.06
PAD = 0.05

Box = tuple[float, float, float, float]
"""Left, top, width and height in points, from the upper left corner of the figure."""


class Sheet(Figure):
    """A figure of ``count`` panels in rows.

    Attributes
    ----------
    panels : the axes, in the order of reading.
    parts : by identifier, where a part lies; complete after ``finish``.
    heights : of the axes of those panels that have another height than the others, in inches; of
        use where a row has one panel.
    told : by identifier of an artist, what each of its marks says, in the order of drawing.
    """

    def __init__(
        self, count: int, width: float, height: float | None, columns: int, *, same: str = ""
    ) -> None:
        """Make empty panels.

        Parameters
        ----------
        width : of a panel with its labels, in inches.
        height : of the axes alone, in inches; None makes them as high as they are wide.
        columns : most panels in a row.
        same : the axes that have one scale in all panels: "x", "y" or "xy".
        """
        super().__init__(dpi=72)
        self._width, self._height = width, height
        self._columns = min(columns, count)
        self._entries: list[tuple[Artist | None, str]] = []
        self.parts: dict[str, Box] = {}
        self.told: dict[str, list[str]] = {}
        self.panels: list[Axes] = []
        self.heights: dict[Axes, float] = {}
        for place in range(count):
            first = self.panels[0] if place else None
            axes = self.add_axes(
                (0, 0, 1, 1),
                sharex=first if "x" in same else None,
                sharey=first if "y" in same else None,
            )
            axes.set_gid(f"panel-{place + 1}")
            axes.tick_params(labelsize=SMALL, length=0, pad=3)
            self.panels.append(axes)

    def note(self, *texts: str) -> None:
        """Add lines without a sign to the legend, such as what the axes of all panels mean."""
        self._entries += [(None, text) for text in texts]

    def key(self, handles: Iterable[Any], labels: Iterable[str], *, alone: bool = False) -> None:
        """Add entries to the legend, which stands above the panels.

        Of several conditions one tells from another; one alone says nothing, unless it is ``alone``
        in another way than what the title names.
        """
        entries = list(zip(handles, labels, strict=True))
        if alone or len(entries) > 1:
            self._entries += entries

    def tell(self, artist: Artist, texts: Sequence[str]) -> None:
        """Say of each mark of an artist what it is, for readers who point at it."""
        identifier = f"told-{len(self.told) + 1}"
        artist.set_gid(identifier)
        self.told[identifier] = list(texts)

    def finish(self) -> Sheet:
        """Put everything in its place; to be called when all is drawn."""
        top = PAD + max(_lines(axes.get_title()) for axes in self.panels) * LINE * USUAL / 72
        left = PAD + max(_beside(axes.yaxis) for axes in self.panels)
        below = PAD + max(_below(axes.xaxis) for axes in self.panels)
        inner = self._width - left - 0.12
        usual = inner if self._height is None else self._height
        width = self._columns * self._width
        legend = self._legend_rows(width)
        y = sum(self._row_height(row) for row in legend) + (PAD if legend else 0)
        tops: list[float] = []
        for first in range(0, len(self.panels), self._columns):
            tops.append(y)
            y += top + self.heights.get(self.panels[first], usual) + below
        self.set_size_inches(width, y)
        self._draw_legend(legend, y)
        for place, axes in enumerate(self.panels):
            row, column = divmod(place, self._columns)
            x, height = column * self._width, self.heights.get(axes, usual)
            self.parts[f"panel-{place + 1}"] = _points(x, tops[row], self._width,
                                                       top + height + below)  # fmt: skip
            bottom = y - tops[row] - top - height
            axes.set_position(((x + left) / width, bottom / y, inner / width, height / y))
            axes.title.set(fontsize=USUAL, linespacing=1.2)
            # Where the labels stand is known, and looking for it would take most of the time.
            axes.yaxis.set_label_coords(-(left - 2 * PAD) / inner, 0.5)
            axes.xaxis.set_label_coords(0.5, -(below - 0.02) / height)
            axes.yaxis.label.set(fontsize=USUAL, va="top", linespacing=1.2)
            axes.xaxis.label.set(fontsize=USUAL, va="bottom", linespacing=1.2)
        return self

    def _legend_rows(self, width: float) -> list[list[tuple[Artist | None, str, float]]]:
        rows: list[list[tuple[Artist | None, str, float]]] = []
        used = math.inf
        for handle, text in self._entries:
            wide = 3 * GAP + text_width(text, USUAL) + (HANDLE + GAP if handle is not None else 0)
            if used + wide > width:
                rows.append([])
                used = 0.0
            rows[-1].append((handle, text, wide))
            used += wide
        return rows

    @staticmethod
    def _row_height(row: Sequence[tuple[Artist | None, str, float]]) -> float:
        return 0.06 + max(_lines(text) for _, text, _ in row) * LINE * USUAL / 72

    def _draw_legend(
        self, rows: Sequence[Sequence[tuple[Artist | None, str, float]]], total: float
    ) -> None:
        count, y = 0, 0.0
        for row in rows:
            high, x = self._row_height(row), 0.0
            for handle, text, wide in row:
                count += 1
                part = f"key-{count}"
                self.parts[part] = _points(x, y, wide, high)
                start, middle = x + GAP, total - y - high / 2
                if handle is not None:
                    sign = self._sign(handle, start, middle)
                    sign.set_gid(f"{part}-sign")
                    start += HANDLE + GAP
                words = self.text(
                    start, middle, text, transform=self.dpi_scale_trans, va="center", ha="left",
                    fontsize=USUAL, linespacing=1.2,
                )  # fmt: skip
                words.set_gid(f"{part}-text")
                x += wide
            y += high

    def _sign(self, handle: Any, x: float, y: float) -> Artist:
        """Draw the sign of a legend's entry, from what stands for it in a panel."""
        if isinstance(handle, Patch):
            box = Rectangle(
                (x, y - 0.05), HANDLE, 0.1, transform=self.dpi_scale_trans,
                facecolor=handle.get_facecolor(), edgecolor=handle.get_edgecolor(),
                linewidth=handle.get_linewidth(), hatch=handle.get_hatch(),
            )  # fmt: skip
            return self.add_artist(box)
        line = handle[0] if isinstance(handle, ErrorbarContainer) else handle
        assert isinstance(line, Line2D)
        copy = Line2D([x, x + HANDLE / 2, x + HANDLE], [y] * 3, transform=self.dpi_scale_trans)
        copy.update_from(line)
        copy.set(markevery=[1], transform=self.dpi_scale_trans, clip_on=False)
        return self.add_artist(copy)


def text_width(text: str, size: float) -> float:
    """Return the width of a text in inches, of its longest line, for letters of ``size`` points."""
    return max(_width(line) for line in text.split("\n")) * size / 72


@cache
def _width(line: str) -> float:
    font = font_manager.get_font(font_manager.findfont(FONT))
    font.set_size(100, 72)
    font.set_text(line, 0)
    wide, _ = font.get_width_height()
    return float(wide) / 64 / 100


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _ticks(axis: Axis) -> list[str]:
    """Return the labels of the ticks that will be seen."""
    shown = "labelleft" if isinstance(axis, YAxis) else "labelbottom"
    if not axis.get_tick_params().get(shown, True):
        return []
    low, high = sorted(axis.get_view_interval())
    room = 1e-9 * (high - low)
    places = [place for place in axis.get_ticklocs() if low - room <= place <= high + room]
    return axis.get_major_formatter().format_ticks(places)


def _beside(axis: Axis) -> float:
    """Return the room in inches that the labels of an upright axis need."""
    label = axis.get_label_text()
    room = 0.03 + PAD + _lines(label) * LINE * USUAL / 72 if label else 0.0
    pad = axis.get_tick_params().get("pad", 3)
    texts = _ticks(axis) if pad > 0 else []
    return room + (0.08 + max(text_width(text, SMALL) for text in texts) if texts else 0.02)


def _below(axis: Axis) -> float:
    label = axis.get_label_text()
    room = _lines(label) * LINE * USUAL / 72
    lines = max(map(_lines, _ticks(axis)), default=0)
    return room + 0.05 + lines * LINE * SMALL / 72


def _points(*inches: float) -> Box:
    left, top, width, height = (round(72 * value, 2) for value in inches)
    return left, top, width, height
