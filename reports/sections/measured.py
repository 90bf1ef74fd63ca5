"""What each cell measured, for studies of one number a cell, and what pairing by seed buys."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from reports.figures.measured import draw_gains, draw_recorded, draw_values
from reports.figures.theme import styles_of
from reports.findings.analysis import Analysis
from reports.findings.measured import Values
from reports.numbers.intervals import Interval
from reports.numbers.values import form_for, shown_unit, signed_form
from reports.numbers.words import between, counted, interval, listed
from reports.sections.kinds import MEANING, signed
from reports.sections.section import Drawing, Section, Table, slug

MOST_ROWS = 1000
"""Number of seeds that the table shows at most; ``table.parquet`` has all of them."""
MOST_CURVES = 6
"""Number of recorded quantities that are drawn at most."""
MOST = 12
"""How many conditions the table shows without being folded."""

Form = Callable[[float], str]


def measured_section(analysis: Analysis, names: Sequence[str]) -> Section:
    """Return the section on the number that each cell measured; ``names`` are drawn."""
    values, measure = analysis.values, analysis.values.measure
    summary, name, unit = analysis.measured.shown, measure.name, shown_unit(measure)
    form, rows = form_of(analysis), value_rows(analysis)
    header = ["condition", f"{name} ({unit})", "95% interval", "seeds"]
    way = "higher" if measure.higher_is_better else "lower"
    tables = [
        Table(f"Mean {name} over seeds ({way} is better)", header, rows, folded=len(rows) > MOST),
        *_every_seed(values, form, analysis.seeds),
    ]
    if not values.by_seed:
        return Section("measured", _title(name), ["No cell is done."], tables=tables)
    best = (max if measure.higher_is_better else min)(
        (row for row in summary.to_dict("records") if row["seeds"]), key=lambda row: row[name]
    )
    drawings = [
        Drawing(
            "values",
            f"The {name} of each cell, a row a condition. Best on average: {best['condition']}, "
            f"{form(best[name])} {unit}.",
            partial(draw_values, values.by_seed, names, styles_of(analysis), f"{name} ({unit})"),
            "One mark a seed; diamond: mean, with its 95% t interval.",
        ),
        *curve_drawings(analysis, names),
    ]
    return Section("measured", _title(name), imported_words(values), drawings, tables)


def value_rows(analysis: Analysis) -> list[list[str]]:
    """Return for each condition its name, mean, 95% interval, and number of seeds."""
    name, form = analysis.values.measure.name, form_of(analysis)
    rows = []
    for _, row in analysis.measured.shown.iterrows():
        mean = "-" if math.isnan(row[name]) else form(row[name])
        ends = between(row[f"{name}_low"], row[f"{name}_high"], form)
        lost = analysis.values.lost.get(row["condition"])
        seeds = f"{row['seeds']} + {lost}" if lost else str(row["seeds"])
        rows.append([row["condition"], mean, ends, seeds])
    return rows


def recorded_section(analysis: Analysis, names: Sequence[str]) -> Section | None:
    """Return the section on curves beside accuracies of several tasks; None where there is none."""
    drawings = curve_drawings(analysis, names)
    return Section("recorded", "Recorded curves", drawings=drawings) if drawings else None


def curve_drawings(analysis: Analysis, names: Sequence[str]) -> list[Drawing]:
    """Return the drawings of what cells recorded as they went; ``names`` are drawn."""
    values, drawings = analysis.values, []
    for name, curves in islice(values.curves.items(), MOST_CURVES):
        drawn = {condition: curves[condition] for condition in names if condition in curves}
        if not drawn:
            continue
        is_measure = name == values.measure.name
        label = f"{name} ({shown_unit(values.measure)})" if is_measure else name
        drawings.append(
            Drawing(
                slug(f"recorded-{name}"),
                f"{name} by step, for {listed([*drawn])}.",
                partial(draw_recorded, drawn, styles_of(analysis), label),
                "Thin: each seed; thick: mean, as far as all seeds go.",
            )
        )
    return drawings


def imported_words(values: Values) -> list[str]:
    """Return in a sentence which tables the cells were imported from; empty where none was."""
    files = [
        f"{one.file} ({counted(one.cells, 'cell')}, SHA-256 {one.sha256})" for one in values.files
    ]
    if not files:
        return []
    rest = "" if values.imported else " The others were trained by this program."
    return [
        f"Imported, and not trained by this program: {listed(files)}. How these numbers were made "
        f"is not on record here.{rest}"
    ]


def gains_section(analysis: Analysis) -> Section | None:
    """Return the section on the claims about the measure; None where none can be drawn."""
    measure = analysis.values.measure
    ruled = [one for one in analysis.apart if one.ruling is not None]
    drawn = [one for one in ruled if one.claim.unit == measure.unit and one.claim.kind != "rank"]
    if not drawn:
        return None
    left_out = [one.claim.id for one in ruled if one not in drawn]
    caption = (
        "Diamond: what was found, with the interval that decides (thin) and that of equivalence "
        f"(thick); band: what was reported, with its margin. {MEANING[:1].upper()}{MEANING[1:]}."
    )
    if left_out:
        caption += f" Not drawn, because in other units or of several numbers: {listed(left_out)}."
    alt = "; ".join(
        f"{one.claim.id}: {signed(one.ruling.estimate)} {measure.unit}, {one.ruling.verdict}"
        for one in drawn
        if one.ruling is not None
    )
    label = f"difference in {measure.name} ({measure.unit})"
    figure = Drawing("forest", f"{alt}.", partial(draw_gains, drawn, label), caption)
    return Section("contrasts", "All claims", drawings=[figure])


def pairing_section(analysis: Analysis) -> Section | None:
    """Return the section on what pairing by seed buys; None where the draws are known as shared."""
    if not analysis.pairings:
        return None
    rows = []
    for one in analysis.pairings:
        form = signed_form(form_for(_ends(one.welch95), [_half(one.paired95)]))
        rows.append(
            [
                one.claim,
                str(one.n),
                interval(one.paired95, form),
                interval(one.welch95, form),
                "-" if one.correlation is None else f"{one.correlation:+.2f}",
                "-" if one.width is None else f"{one.width:.2f}",
            ]
        )
    header = ["claim", "pairs", "95% interval, paired", "unpaired (Welch)",
              "correlation over seeds", "width of paired / unpaired"]  # fmt: skip
    text = (
        "Paired by seed number only: cells of one seed are compared with each other, and nothing "
        "on record says that they share any random draw. If they do, the correlation is above "
        "zero, and the paired interval is narrower than Welch's, which pairs nothing. If they do "
        "not, both are right, and the paired one is about as wide or a little wider. Verdicts rest "
        "on the paired intervals; a claim with pairing = 'none' is judged by Welch's."
    )
    table = Table("With pairs, and without", header, rows)
    return Section("pairing", "What pairing by seed buys", [text], tables=[table])


def form_of(analysis: Analysis) -> Form:
    """Return how the study's numbers are printed."""
    summary, name = analysis.measured.shown, analysis.values.measure.name
    halves = (summary[f"{name}_high"] - summary[f"{name}_low"]) / 2
    return form_for(summary[name].tolist(), halves.tolist())


def _title(name: str) -> str:
    return f"{name[:1].upper()}{name[1:]} of each condition"


def _every_seed(values: Values, form: Form, seeds: Sequence[int]) -> list[Table]:
    """Return the number of every cell, a row a seed."""
    names = [*values.by_seed]
    if not names or len(names) > MOST:
        return []
    shown = [seed for seed in seeds if any(seed in values.by_seed[name] for name in names)]
    rows = [
        [
            str(seed),
            *(
                form(values.by_seed[name][seed]) if seed in values.by_seed[name] else "-"
                for name in names
            ),
        ]
        for seed in shown[:MOST_ROWS]
    ]
    which = "Every seed"
    if len(shown) > MOST_ROWS:
        which = f"The first {MOST_ROWS:,} of {len(shown):,} seeds"
    return [Table(which, ["seed", *names], rows, folded=True)]


def _ends(ends: Interval) -> list[float]:
    return [ends.low, ends.high]


def _half(ends: Interval) -> float:
    return (ends.high - ends.low) / 2
