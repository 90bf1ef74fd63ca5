"""What the methods did while they trained."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from reports.figures.methods import draw_telemetry, label, present
from reports.figures.theme import styles_of
from reports.findings.analysis import Analysis
from reports.numbers.words import listed
from reports.sections.section import Drawing, Section, Table


def methods_section(analysis: Analysis, names: Sequence[str]) -> Section | None:
    """Return the section on the telemetry of the conditions ``names``; None without telemetry."""
    spreads = analysis.measured.spreads
    spreads = spreads[spreads["condition"].isin(list(names))]
    shown = present(spreads)
    if not set(shown) - {"loss"}:
        return None
    paragraphs = [
        "A method that does nothing shows here: an eta that never moves, a trace at zero, a "
        "penalty without weight. Conditions for which a quantity is zero throughout are not drawn."
    ]
    last = spreads[spreads["task"] == spreads["task"].max()]
    means = last.set_index(["condition", "quantity"])["mean"]
    rows = [[name, *(_small(means.get((name, quantity))) for quantity in shown)] for name in names]
    table = Table(
        "After the last task, mean over seeds",
        ["condition", *map(label, shown)],
        rows,
        folded=True,
    )
    alt = f"Over the tasks: {listed([*map(label, shown)])}."
    drawn = Drawing(
        "methods",
        alt,
        partial(draw_telemetry, spreads, names, styles_of(analysis)),
        "Mean over seeds; bars: from the smallest to the largest of all seeds.",
    )
    return Section("methods", "What the methods did", paragraphs, [drawn], [table])


def _small(value: float | None) -> str:
    return "-" if value is None or np.isnan(value) else f"{value:.3g}"
