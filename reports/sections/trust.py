"""The sceptic's sections: how far to trust the verdict, and how the study was run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from reports.findings.agreement import Agreement
from reports.findings.analysis import Analysis
from reports.findings.bridges import Bridge
from reports.findings.error_rates import ErrorRate, error_rates_note
from reports.findings.origins import code_notice
from reports.numbers.study import Study
from reports.numbers.verdict import SIGNS, Verdict
from reports.numbers.words import counted, interval, number, signed
from reports.sections.measured import imported_words
from reports.sections.section import Command, Section, Table

IMPORT_AGAIN = (
    "Import the same table again: python run_all.py import TABLE --study FILE --out ANOTHER."
)
COMMANDS_BELOW = (
    "The commands below make the records again, write this page again and check it; they name the "
    "directory that the results were written to."
)
MOST_NAMED = 200
"""Seeds of a condition that are named as not yet run at most; all are counted."""
HOLDS = {True: "✓ yes", False: "✗ no", None: "- cannot tell"}


def how_sure(analysis: Analysis) -> Section | None:
    """Return the section on what each criterion says and how often the procedure would be wrong."""
    shown: list[Table] = []
    paragraphs: list[str] = []
    if analysis.claims:
        main = analysis.claims[0]
        rows = [
            [row.criterion, HOLDS[row.holds], row.result, row.cannot_see]
            for row in analysis.criteria
        ]
        if rows:
            caption = f"What each criterion says about the claim {main.claim.id}"
            header = ["criterion", "holds", "found", "what it cannot see"]
            shown.append(Table(caption, header, rows))
        if analysis.error_rates:
            paragraphs.append(error_rates_note(main))
            shown.append(_rates_table(analysis.error_rates))
    if analysis.agreement:
        shown.append(_agreement_table(analysis.agreement))
    if not shown:
        return None
    return Section("trust", "How far to trust it", paragraphs, tables=shown)


def _rates_table(rates: Sequence[ErrorRate]) -> Table:
    header = ["if the true gain is", "",
              *(f"{SIGNS[verdict]} {verdict} %" for verdict in Verdict),
              "wrong %", "wrong %, normal"]  # fmt: skip
    rows = [
        [
            signed(rate.true_gain),
            rate.label,
            *(f"{100 * rate.rates[verdict]:.1f}" for verdict in Verdict),
            f"{100 * rate.wrong:.1f} ± {100 * rate.wrong_se:.1f}",
            f"{100 * rate.wrong_normal:.1f}",
        ]
        for rate in rates
    ]
    return Table(
        "How often each verdict would fall, at this many seeds and this spread", header, rows
    )


def _agreement_table(agreement: Sequence[Agreement]) -> Table:
    rows = []
    for row in agreement:
        printed = number(row.published)
        if row.plus_minus is not None:
            printed += f" ± {row.plus_minus:.2f}"
        read = [interval(reading.ci95) for reading in row.readings] or ["-", "-"]
        predicted = "-" if row.prediction95 is None else interval(row.prediction95, number)
        rows.append(
            [
                row.condition,
                row.source,
                str(row.after_tasks),
                printed,
                "-" if row.runs is None else str(row.runs),
                signed(row.difference),
                *read,
                "-" if row.readings else predicted,
                HOLDS[row.agrees],
            ]
        )
    header = ["condition", "source", "after tasks", "published (%)", "runs", "ours minus it",
              "95% interval if ± is a standard deviation", "if ± is a standard error",
              "without ±: 95% prediction for so many runs", "compatible"]  # fmt: skip
    caption = (
        "Our accuracies against each published value (where a ± is printed: with the errors of "
        "both sides, after Welch, and it is compatible where zero lies in both intervals; wide "
        "ones are compatible with much else)"
    )
    return Table(caption, header, rows, folded=True)


def _not_run(seeds: Sequence[int]) -> str:
    """Return the seeds that a condition lacks; of very many the first, and how many more."""
    more = len(seeds) - MOST_NAMED
    named = [*map(str, seeds[:MOST_NAMED]), *([f"and {more:,} more"] if more > 0 else [])]
    return ", ".join(named) or "-"


def how_run(analysis: Analysis, study: Study) -> Section:
    """Return the section on where the numbers come from, with the commands that make them again."""
    done, diverged = (
        sum(getattr(cells, status) for cells in analysis.cells) for status in ("done", "diverged")
    )
    missing = sum(len(cells.missing) for cells in analysis.cells)
    others = Counter({word: 0 for cells in analysis.cells for word, _ in cells.others})
    for cells in analysis.cells:
        others.update(dict(cells.others))
    otherwise = "".join(f", {count} {word}" for word, count in sorted(others.items()))
    hours = analysis.compute_seconds / 3600
    spent = f"{hours:.1f} hours" if hours >= 2 else f"{analysis.compute_seconds / 60:.1f} minutes"
    imported = analysis.values.imported
    first = f"The first cell finished {analysis.first_run or 'at a time that no record says'}."
    paragraphs = [
        f"Study {analysis.study}. Its fingerprint {analysis.fingerprint} covers all that it says, "
        "margins of the claims included: a change of any of it is another fingerprint. "
        f"{'Its cells were imported.' if imported else first}",
        f"{counted(done, 'cell')} done, {diverged} diverged{otherwise}, {missing} not yet run"
        f"{'' if imported else f'; {spent} of compute, summed over cells'}.",
        *([] if analysis.values.single else imported_words(analysis.values)),
        f"{IMPORT_AGAIN if imported else COMMANDS_BELOW} The same records give the same bytes.",
    ]
    cell_rows = [
        [
            cells.condition,
            str(cells.done),
            str(cells.diverged),
            *(str(dict(cells.others).get(word, 0)) for word in sorted(others)),
            _not_run(cells.missing),
        ]
        for cells in analysis.cells
    ]
    machine_rows = [
        [str(origin.device), str(origin.torch), str(origin.numerics), str(origin.cells)]
        for origin in analysis.devices
    ]
    machine_header = ["device", "torch", "arithmetic", "cells"]
    provenance_rows = [
        [name, value, str(count)] for name, values in analysis.provenance for value, count in values
    ]
    header = ["condition", "done", "diverged", *sorted(others), "seeds not yet run"]
    tables = [
        Table("Cells", header, cell_rows, folded=True),
        *([] if imported else [Table("Machines", machine_header, machine_rows)]),
        Table(
            "Provenance of the records", ["what", "value", "cells"], provenance_rows, folded=True
        ),
    ]
    if analysis.bridges:
        tables.append(_bridges_table(analysis.bridges))
    if code_notice(analysis.code) is not None:
        states = [
            [state.name, condition, ", ".join(map(str, seeds))]
            for state in analysis.code
            for condition, seeds in state.seeds
        ]
        header = ["state of the code", "condition", "seeds"]
        tables.append(Table("Which code made which cells", header, states, folded=True))
    commands = _commands(analysis)
    return Section("run", "How it was run", paragraphs, tables=tables, commands=commands)


def _commands(analysis: Analysis) -> list[Command]:
    """Return the commands that make everything again, exact for this very run."""
    says = {
        "again": "Run it again",
        "here": "Run it again from this directory alone, into another one",
        "report": "Write this report again",
        "verify": "Check it against its records",
    }
    known = analysis.commands
    return [Command(text, known[name]) for name, text in says.items() if name in known]


def _bridges_table(bridges: Sequence[Bridge]) -> Table:
    rows = [
        [
            bridge.condition,
            f"{bridge.other} against {bridge.numerics}",
            str(bridge.n),
            str(bridge.same),
            "-" if bridge.difference is None else signed(bridge.difference),
            "-" if bridge.ci90 is None else interval(bridge.ci90),
            HOLDS[bridge.equivalent],
        ]
        for bridge in bridges
    ]
    header = ["condition", "arithmetic", "seeds", "same accuracies", "difference, points",
              "90% interval", f"within {bridges[0].negligible:g}"]  # fmt: skip
    return Table("The same cells on machines that round differently", header, rows)
