"""The sceptic's sections: how far the verdict can be trusted, and how all of it was run."""

from __future__ import annotations

from collections.abc import Sequence

from reports.findings.agreement import Agreement
from reports.findings.analysis import Analysis
from reports.findings.error_rates import ErrorRate, error_rates_note
from reports.findings.origins import code_notice
from reports.numbers.study import Study
from reports.numbers.verdict import SIGNS, Verdict
from reports.numbers.words import counted, interval, number, signed
from reports.sections.section import Section, Table

HOLDS = {True: "✓ yes", False: "✗ no", None: "- cannot tell"}


def how_sure(analysis: Analysis) -> Section | None:
    """Return what each criterion says, and how often this procedure would be wrong."""
    shown: list[Table] = []
    said: list[str] = []
    if analysis.claims:
        main = analysis.claims[0]
        rows = [
            [one.criterion, HOLDS[one.holds], one.result, one.cannot_see]
            for one in analysis.criteria
        ]
        if rows:
            caption = f"What each criterion says about the claim {main.claim.id}"
            header = ["criterion", "holds", "found", "what it cannot see"]
            shown.append(Table(caption, header, rows))
        if analysis.error_rates:
            said.append(error_rates_note(main))
            shown.append(_rates_table(analysis.error_rates))
    if analysis.agreement:
        shown.append(_agreement_table(analysis.agreement))
    if not shown:
        return None
    return Section("trust", "How far to trust it", said, tables=shown)


def _rates_table(rates: Sequence[ErrorRate]) -> Table:
    header = ["if the true gain is", "", *(f"{SIGNS[v]} {v} %" for v in Verdict), "wrong %",
              "wrong %, normal"]  # fmt: skip
    rows = [
        [
            signed(one.true_gain),
            one.label,
            *(f"{100 * one.rates[verdict]:.1f}" for verdict in Verdict),
            f"{100 * one.wrong:.1f} ± {100 * one.wrong_se:.1f}",
            f"{100 * one.wrong_normal:.1f}",
        ]
        for one in rates
    ]
    return Table(
        "How often each verdict would fall, at this many seeds and this spread", header, rows
    )


def _agreement_table(agreement: Sequence[Agreement]) -> Table:
    rows = []
    for one in agreement:
        printed = number(one.published)
        if one.plus_minus is not None:
            printed += f" ± {one.plus_minus:.2f}"
        predicted = "-" if one.prediction95 is None else interval(one.prediction95, number)
        rows.append(
            [
                one.condition,
                one.source,
                str(one.after_tasks),
                printed,
                "-" if one.runs is None else str(one.runs),
                signed(one.difference),
                interval(one.ci95),
                predicted,
                HOLDS[one.agrees],
            ]
        )
    header = ["condition", "source", "after tasks", "published (%)", "runs", "ours minus it",
              "95% interval", "95% prediction for so many runs", "agrees"]  # fmt: skip
    return Table("Our accuracies against each published value", header, rows, folded=True)


def how_run(analysis: Analysis, study: Study) -> Section:
    """Return where the numbers come from and the commands that make them again."""
    done, diverged = (sum(getattr(one, k) for one in analysis.cells) for k in ("done", "diverged"))
    missing = sum(len(one.missing) for one in analysis.cells)
    hours = analysis.compute_seconds / 3600
    spent = f"{hours:.1f} hours" if hours >= 2 else f"{analysis.compute_seconds / 60:.1f} minutes"
    said = [
        f"Study {analysis.study}. Its fingerprint {analysis.fingerprint} covers all that it says, "
        "margins of the claims included: a change of any of it is another fingerprint. The first "
        f"cell finished {analysis.first_run or 'at a time that no record says'}.",
        f"{counted(done, 'cell')} done, {diverged} diverged, {missing} missing; {spent} of "
        "compute, summed over cells.",
        f"Run it again: python run_all.py run {analysis.study}. Make this page again, and check "
        "it, in the directory that was run: python run_all.py report DIRECTORY, "
        "python run_all.py verify DIRECTORY. The same records give the same bytes.",
    ]
    cells = [
        [one.condition, str(one.done), str(one.diverged), ", ".join(map(str, one.missing)) or "-"]
        for one in analysis.cells
    ]
    origin = [
        [str(one.device), str(one.torch), str(one.numerics), str(one.cells)]
        for one in analysis.devices
    ]
    provenance = [
        [name, value, str(count)] for name, values in analysis.provenance for value, count in values
    ]
    tables = [
        Table("Cells", ["condition", "done", "diverged", "missing seeds"], cells, folded=True),
        Table("Machines", ["device", "torch", "arithmetic", "cells"], origin),
        Table("Provenance of the records", ["what", "value", "cells"], provenance, folded=True),
    ]
    if code_notice(analysis.code) is not None:
        states = [
            [state.name, condition, ", ".join(map(str, seeds))]
            for state in analysis.code
            for condition, seeds in state.seeds
        ]
        header = ["state of the code", "condition", "seeds"]
        tables.append(Table("Which code made which cells", header, states, folded=True))
    return Section("run", "How it was run", said, tables=tables)
