"""A number line as an SVG that stands inside a page, with the page's own colours."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from reports.numbers.intervals import Interval
from reports.output.legible import visible
from reports.sections.number_lines import NumberLine

WIDTH, HEIGHT, AXIS = 300, 48, 26
LETTER = 5.6  # about the width of a letter of 10 px, to keep words within the drawing


def drawn(line: NumberLine) -> Markup:
    """Return the drawing; what it says stands in its label."""
    low, wide = line.ends.low, line.ends.high - line.ends.low

    def at(value: float) -> float:
        return round(min(max((value - low) / wide, 0.0), 1.0) * WIDTH, 1)

    def span(interval: Interval, kind: str) -> str:
        if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
            return ""
        ends = at(interval.low), at(interval.high)
        return f'<line class="{kind}" x1="{ends[0]}" x2="{ends[1]}" y1="{AXIS}" y2="{AXIS}"/>'

    bands = "".join(
        f'<rect class="band" x="{at(band.low)}" y="{AXIS - 10}" '
        f'width="{round(max(at(band.high) - at(band.low), 1.0), 1)}" height="20"/>'
        for band in line.bands
    )
    marks = "".join(_mark(at(value), name, place) for place, (value, name) in enumerate(line.marks))
    middle = at(line.estimate)
    diamond = f"M{middle} {AXIS - 5}l5 5l-5 5l-5 -5z"
    return Markup(
        f'<svg class="number-line{" fell" * line.fell}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{escape(visible(line.alt))}">'
        f'{bands}<line class="axis" x1="0" x2="{WIDTH}" y1="{AXIS}" y2="{AXIS}"/>{marks}'
        f"{span(line.outer, 'outer')}{span(line.inner, 'inner')}"
        f'<path class="ours" d="{diamond}"/></svg>'
    )


def _mark(place: float, name: str, row: int) -> str:
    """Return a tick with its name: of the first mark below the axis, of others above it."""
    half = LETTER * len(name) / 2
    middle = round(min(max(place, half), WIDTH - half), 1)
    y = HEIGHT - 2 if row == 0 else 10
    return (
        f'<line class="tick" x1="{place}" x2="{place}" y1="{AXIS - 10}" y2="{AXIS + 10}"/>'
        f'<text x="{middle}" y="{y}" text-anchor="middle">{escape(visible(name))}</text>'
    )
