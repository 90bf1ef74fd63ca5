"""Figure of one quantity at several sites and over all of them."""

from __future__ import annotations

from matplotlib.figure import Figure

from reports.figures.rows import draw_interval, label_rows, row_height
from reports.figures.sheet import WHOLE, Sheet
from reports.figures.theme import INK, MUTED, PAPER, SHADE, drawing, lettered
from reports.findings.pool.quantities import Quantity
from reports.numbers.intervals import Interval


def draw_sites(quantity: Quantity) -> Figure:
    """Draw each site's mean over the seeds that count for it, and below them the pooled mean.

    A diamond is a pooled mean: over sites, and of all seeds together. The shaded band is the
    reported gain with its margin, where there is a claim.
    """
    rows: list[tuple[str, float, Interval | None, str]] = [
        (lettered(f"{site.site} ({len(site.counted)})", 30), site.counted_mean, site.counted_ci95,
         "o")
        for site in quantity.sites if site.counted_mean is not None
    ]  # fmt: skip
    if quantity.pooled is not None:
        pooled = quantity.pooled
        rows.append(("over sites", pooled.mean, pooled.ci95, "D"))
        rows.append(("all seeds together", pooled.together, pooled.together_ci95, "D"))
    with drawing():
        sheet = Sheet(1, WHOLE, row_height([name for name, *_ in rows]) * len(rows), 1)
        (axis,) = sheet.panels
        if quantity.claim is not None:
            low, high = (quantity.claim.reported + sign * quantity.claim.margin for sign in (-1, 1))
            band = axis.axvspan(low, high, fc=SHADE, ec=MUTED, lw=0.8, zorder=0)
            line = axis.axvline(quantity.claim.reported, color=MUTED, lw=1.6, ls=(0, (2, 1)))
            axis.axvline(0, color=INK, lw=0.8)
            sheet.key([band, line], ["reported ± margin", "reported"])
        for row, (name, mean, ends, marker) in enumerate(rows):
            (mark,) = axis.plot([mean], [row], marker, color=INK, mfc=PAPER, ms=6)
            sheet.tell(mark, [f"{name}: {mean:.2f}"])
            draw_interval(axis, row, ends, 1.4, across=True)
        label_rows(axis, [label for label, *_ in rows])
        of = "final accuracy" if quantity.claim is None else "gain"
        axis.set_xlabel(f"{of} ({quantity.unit}), with its 95% interval")
        return sheet.finish()
