"""Where the spread over seeds comes from, in words and tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

from reports.figures.variance import draw_variance
from reports.findings.variance import HALF_WIDTHS, SEED_CAP, VarianceComponents
from reports.numbers.intervals import Interval
from reports.sections.section import Drawing, Section, Table


def section(variances: Mapping[str, VarianceComponents | None]) -> Section:
    """Return the report's section on the decompositions, in the order given.

    A decomposition that is None is named as missing.
    """
    divided = {name: components for name, components in variances.items() if components is not None}
    paragraphs = [
        "A seed changes two things at once: the initialisation and the order of mini-batches. "
        "Here they are crossed, so that the spread of final accuracy can be divided among them. "
        "The residual is their interaction and everything else; without a second run of a cell "
        "the two cannot be told apart."
    ]
    paragraphs += [sentence(name, components) for name, components in divided.items()]
    missing = [name for name in variances if name not in divided]
    if missing:
        paragraphs.append(
            f"No decomposition of {', '.join(missing)}: it needs two initialisations, two orders "
            "and a result in every cell."
        )
    if not divided:
        return Section("variance", "Where the spread comes from", paragraphs)
    alt = "Variance components with intervals, and their shares: " + " ".join(
        sentence(name, components) for name, components in divided.items()
    )
    return Section(
        "variance",
        "Where the spread comes from",
        paragraphs,
        [Drawing("variance", alt, partial(draw_variance, divided))],
        [_parts_table(divided), _seeds_table(divided)],
    )


def sentence(name: str, components: VarianceComponents) -> str:
    """Return in one sentence how large the spread over seeds is, and what causes it."""
    shares = [
        f"{part} {100 * component.share:.0f}%" if component.share is not None else f"{part} 0"
        for part, component in components.parts.items()
    ]
    sd = math.sqrt(components.total)
    return (
        f"{name}: a new seed has a standard deviation of {sd:.2f} points, of "
        f"whose variance {', '.join(shares)}."
    )


def _parts_table(divided: Mapping[str, VarianceComponents]) -> Table:
    rows = [
        [
            name,
            part,
            f"{component.variance:.3f}",
            _range(component.ci95, 1, 3),
            f"{component.unclipped:.3f}",
            "-" if component.share is None else f"{100 * component.share:.0f}",
            "-" if component.share_ci95 is None else _range(component.share_ci95, 100, 0),
        ]
        for name, components in divided.items()
        for part, component in components.parts.items()
    ]
    header = ["table", "part", "variance", "95% interval", "unclipped", "share %", "95% interval"]
    return Table("Variance components (points squared) and their shares", header, rows)


def _seeds_table(divided: Mapping[str, VarianceComponents]) -> Table:
    rows = [
        [
            name,
            f"{math.sqrt(components.total):.2f}",
            *(
                cell
                for half in HALF_WIDTHS
                for cell in (
                    _count(components.seeds[half]),
                    " to ".join(_count(n) for n in components.seeds_ci95[half]),
                )
            ),
        ]
        for name, components in divided.items()
    ]
    header = ["table", "sd (points)"]
    for half in HALF_WIDTHS:
        header += [f"seeds for ±{half:g}", "at the ends of the sd's 95% interval"]
    return Table("Seeds needed for a 95% interval of a given half-width (points)", header, rows)


def _range(interval: Interval, factor: float, decimals: int) -> str:
    if not math.isfinite(interval.high):
        return "-"
    return f"{factor * interval.low:.{decimals}f} to {factor * interval.high:.{decimals}f}"


def _count(n: int | None) -> str:
    return f"over {SEED_CAP}" if n is None else str(n)
