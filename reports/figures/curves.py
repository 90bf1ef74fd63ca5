"""Figure of a specification curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from reports.figures.sheet import SMALL, WHOLE, Sheet
from reports.figures.theme import INK, MUTED, PALETTE, PAPER, SHADE, drawing, lettered
from reports.findings.curves import factor_levels
from reports.findings.specifications import Specification
from reports.numbers.intervals import FEWEST
from reports.numbers.study import Curve

WIDE = 4.0
"""The axis of gains is logarithmic if a gain exceeds the band's far edge by this factor."""

MARKERS = {"above zero": "^", "undecided": "o", "below zero": "v"}


def draw_curve(specs: Sequence[Specification], curve: Curve) -> Figure:
    """Draw all gains in order, and below them the choices behind each gain.

    The upper panel shows each specification's mean gain in points with its 95% t interval. Marker
    and colour show whether the interval lies above, below or across zero. The dashed line is the
    reported gain, and the shaded band is reported +- margin. The lower panel has one column for
    each specification and one row for each level, filled where the level was chosen; factors that
    never vary are left out. Where gains go far beyond the band, the axis is logarithmic beyond it
    and its label says so. An interval may be cut at the edge of the panel, so that the gains stay
    readable; the label counts these intervals.

    Raises
    ------
    ValueError
        Where no specification has a gain.
    """
    drawn = [spec for spec in specs if spec.gain is not None]
    if not drawn:
        raise ValueError(f"no specification of the curve '{curve.id}' has a gain to draw")
    chosen = {factor: levels for factor, levels in factor_levels(drawn).items() if len(levels) > 1}
    height = 0.155 * sum(1 + len(levels) for levels in chosen.values())
    with drawing():
        sheet = Sheet(2 if chosen else 1, WHOLE, 2.6, 1, same="x")
        _draw_gains(sheet, sheet.panels[0], drawn, curve)
        for axis in sheet.panels[1:]:
            sheet.heights[axis] = height
            _draw_choices(axis, drawn, chosen)
        sheet.panels[0].set_title(lettered(curve.text, 48))
        return sheet.finish()


COLOUR_OF = {"above zero": PALETTE[0], "undecided": PALETTE[7], "below zero": PALETTE[3]}


def _draw_gains(sheet: Sheet, axis: Axes, drawn: Sequence[Specification], curve: Curve) -> None:
    gains = np.array([spec.gain for spec in drawn], dtype=np.float64)
    ends = np.array(
        [
            [spec.ci95.low, spec.ci95.high]
            if spec.ci95 and len(spec.seeds) >= FEWEST
            else [spec.gain] * 2
            for spec in drawn
        ],
        dtype=np.float64,
    )
    ends = np.where(np.isfinite(ends), ends, gains[:, None])  # what has no interval has no line
    low, high = curve.reported - curve.margin, curve.reported + curve.margin
    edge = max(abs(low), abs(high))
    log = float(np.abs(gains).max()) > WIDE * edge
    bottom, ceiling = _limits(gains, ends, low, high, edge if log else None)
    cut = int(np.sum((ends[:, 0] < bottom) | (ends[:, 1] > ceiling)))
    axis.axhspan(low, high, fc=SHADE, ec=MUTED, lw=0.8, zorder=0, label="reported ± margin")
    axis.axhline(curve.reported, color=INK, ls="--", lw=1.2, label="reported")
    axis.axhline(0, color=INK, lw=0.8)
    places = np.arange(len(drawn))
    thin = len(drawn) > 60
    for status, marker in MARKERS.items():
        here = np.array([spec.status == status for spec in drawn])
        if not here.any():
            continue
        axis.vlines(
            places[here],
            np.clip(ends[here, 0], bottom, ceiling),
            np.clip(ends[here, 1], bottom, ceiling),
            color=COLOUR_OF[status],
            lw=0.6 if thin else 1.2,
        )
        (marks,) = axis.plot(
            places[here],
            gains[here],
            marker,
            color=COLOUR_OF[status],
            ms=3.0 if thin else 5.0,
            mec=PAPER if not thin else COLOUR_OF[status],
            mew=0.4,
            label=f"95% interval {status}" if status != "undecided" else "interval holds zero",
        )
        sheet.tell(marks, [_says(spec) for spec in drawn if spec.status == status])
    if log:
        # Linear within the claim's band, so that the band and zero stay readable.
        axis.set_yscale("symlog", linthresh=edge, linscale=1.6)
        axis.set_yticks(_symlog_ticks(edge, bottom, ceiling))
        axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.minorticks_off()
    axis.set_ylim(bottom, ceiling)
    notes = [f"logarithmic beyond ±{edge:.3g}"] if log else []
    notes += [f"{cut} interval{'s' * (cut != 1)} cut at the edge"] if cut else []
    axis.set_ylabel("gain (points)" + "".join(f"\n{note}" for note in notes))
    axis.set_xlim(-0.8, len(drawn) - 0.2)
    axis.grid(visible=False, axis="x")
    axis.tick_params(labelbottom=False)
    sheet.key(*axis.get_legend_handles_labels())


def _says(spec: Specification) -> str:
    chosen = ", ".join(f"{factor} {level}" for factor, level in spec.choices.items())
    return f"{chosen}: {spec.gain:+.2f}"


def _limits(
    gains: np.ndarray, ends: np.ndarray, low: float, high: float, edge: float | None
) -> tuple[float, float]:
    """Return the ends of the axis: it holds all gains, the band, and intervals up to half as far.

    ``edge`` is where the axis turns logarithmic, None where it is linear.
    """
    least, most = min(gains.min(), low, 0.0), max(gains.max(), high, 0.0)
    spare = 0.5 * (most - least)
    bottom = max(ends.min(), least - spare)
    ceiling = min(ends.max(), most + spare)
    bottom, ceiling = min(bottom, least), max(ceiling, most)
    if edge is not None:  # on a logarithmic axis the room beside the data must grow with it
        return float(min(1.25 * bottom, -0.3 * edge)), float(max(1.25 * ceiling, 1.3 * edge))
    pad = 0.05 * (ceiling - bottom)
    return float(bottom - pad), float(ceiling + pad)


def _symlog_ticks(edge: float, bottom: float, ceiling: float) -> list[float]:
    steps = np.array([1, 2, 5])
    beyond = [float(step * 10.0**power) for power in range(-3, 7) for step in steps]
    beyond = [tick for tick in beyond if tick > 1.15 * edge]
    # Within the band two round numbers are enough.
    inner = [tick for tick in (0.5 * edge, edge) if tick > 0]
    magnitudes = [float(f"{tick:.1g}") for tick in inner] + beyond
    ticks = {0.0, *magnitudes, *(-tick for tick in magnitudes)}
    return sorted(tick for tick in ticks if bottom <= tick <= ceiling)


def _draw_choices(
    axis: Axes, drawn: Sequence[Specification], chosen: Mapping[str, Sequence[str]]
) -> None:
    row = 0
    rows: list[tuple[int, str]] = []
    for group, (factor, levels) in enumerate(chosen.items()):
        if group % 2 == 0:
            axis.axhspan(row - 0.5, row + len(levels) + 0.5, fc=SHADE, ec="none", zorder=0)
        axis.text(0.02, row, lettered(factor), transform=axis.get_yaxis_transform(), va="center",
                  fontsize=SMALL, fontweight="bold")  # fmt: skip
        for level in levels:
            row += 1
            for status in MARKERS:
                bars = [
                    (place - 0.42, 0.84)
                    for place, spec in enumerate(drawn)
                    if spec.choices.get(factor) == level and spec.status == status
                ]
                axis.broken_barh(bars, (row - 0.36, 0.72), color=COLOUR_OF[status], lw=0)
            rows.append((row, level))
        row += 1
    axis.set_yticks([place for place, _ in rows], [lettered(level, 16) for _, level in rows])
    axis.set_ylim(row - 0.5, -0.5)
    axis.grid(visible=False)
    axis.set_xlabel(f"{len(drawn)} specifications, sorted by gain")
    axis.tick_params(labelbottom=False)
