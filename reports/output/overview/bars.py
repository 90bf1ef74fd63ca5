"""A claim's number as a bar from zero, with its interval and the band of the claim."""

from __future__ import annotations

import math

from markupsafe import Markup, escape

from reports.findings.overview import APART, Row
from reports.numbers.intervals import Interval
from reports.output.legible import visible
from reports.sections.overview import drawing_words

WIDTH, HEIGHT, MIDDLE = 160, 22, 11


def bar(row: Row, axis: Interval | None) -> Markup:
    """Return the drawing in the page's colours; nothing where there is no number."""
    if row.estimate is None or axis is None:
        return Markup()
    low, wide = axis.low, axis.high - axis.low

    def at(value: float) -> float:
        return round(min(max((value - low) / wide, 0.0), 1.0) * WIDTH, 1)

    parts = []
    if row.band is not None:
        left, right = at(row.band.low), at(row.band.high)
        parts.append(
            f'<rect class="band" x="{left}" y="1" width="{max(round(right - left, 1), 1.0)}" '
            f'height="{HEIGHT - 2}"/>'
        )
    parts.append(f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HEIGHT - 1}" y2="{HEIGHT - 1}"/>')
    ours = at(row.estimate)
    if row.kind not in APART:
        zero = at(0.0)
        parts.append(f'<line class="tick" x1="{zero}" x2="{zero}" y1="0" y2="{HEIGHT}"/>')
        parts.append(_line("inner", zero, ours))
    if row.ci is not None and math.isfinite(row.ci.low + row.ci.high):
        ends = at(row.ci.low), at(row.ci.high)
        parts.append(_line("outer", *ends))
        parts += [
            f'<line class="outer" x1="{end}" x2="{end}" y1="{MIDDLE - 5}" y2="{MIDDLE + 5}"/>'
            for end in ends
        ]
    parts.append(f'<path class="ours" d="M{ours} {MIDDLE - 4}l4 4l-4 4l-4 -4z"/>')
    label = escape(visible(drawing_words(row)))
    return Markup(
        f'<svg class="number-line gain" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{label}"><title>{label}</title>'
        f"{''.join(parts)}</svg>"
    )


def _line(kind: str, start: float, end: float) -> str:
    return f'<line class="{kind}" x1="{start}" x2="{end}" y1="{MIDDLE}" y2="{MIDDLE}"/>'
