"""What the regression gate says, in words and tables."""

from __future__ import annotations

import math
from functools import partial

from reports.figures.drift import draw_drift
from reports.findings.gate.check import Check, Verdict, named_cells
from reports.findings.gate.power import Sight
from reports.findings.gate.shifts import Outcome, Shift
from reports.numbers.margins import FALSE_ALARM, MISS, POWER
from reports.numbers.words import counted, listed, p_value
from reports.sections.section import Drawing, Section, Table

SIGNS = {
    Outcome.REGRESSION: "✗",
    Outcome.CHANGED: "✗",
    Outcome.INCONCLUSIVE: "?",
    Outcome.IMPROVEMENT: "↑",
    Outcome.OK: "✓",
}
MOST_CELLS, MOST_NAMED = 20, 5
LEAST_POINTS = 2  # fewer make no history


def headline(check: Check) -> str:
    """Return the verdict and its reason in one sentence."""
    return f"{check.verdict}: {_reason(check)}"


def _reason(check: Check) -> str:
    match check.verdict:
        case Verdict.REGRESSION | Verdict.CHANGED:
            drifted = set(map(id, check.drift))
            named = [
                f"{moved(shift)}{' since the first results' if id(shift) in drifted else ''}"
                for shift in check.alarms[:MOST_NAMED]
            ]
            more = len(check.alarms) - len(named)
            return "; ".join(named) + (f"; and {more} more" if more > 0 else "")
        case Verdict.BITS_DIFFER:
            assert check.exact is not None
            count = len(check.exact.differences)
            return (
                f"{count} of {counted(check.exact.cells, 'cell')} in a known environment "
                f"differ{'s' * (count == 1)} from the accepted bits"
                + (", no metric by its margin" if not check.undecided else "")
            )
        case Verdict.EXPIRED:
            return "; ".join(check.expired)
        case Verdict.INCOMPLETE:
            return "; ".join(incomplete(check))
        case Verdict.INCONCLUSIVE:
            return (
                f"{len(check.undecided)} of {len(check.deciding)} metrics are neither surely "
                "within their margins nor surely outside"
            )
        case Verdict.OK:
            if check.confirmation is not None:
                return "the alarms are not confirmed by fresh seeds"
            if not check.shifts:
                return "every value is the accepted one, bit for bit"
            return f"all {len(check.shifts)} metrics are surely within their margins"


def moved(shift: Shift) -> str:
    """Return what moved, and by how much."""
    if shift.unit == "log":
        change = 100 * math.expm1(shift.mean)
        amount = (
            f"{change:+.3g}%" if abs(change) < 1000 else f"x{math.exp(min(shift.mean, 700)):.3g}"
        )
    elif shift.unit:
        amount = f"{shift.mean:+.2f} {shift.unit}"
    elif shift.relative is not None:
        amount = f"{100 * shift.relative:+.3g}%"
    else:
        amount = f"{shift.mean:+.3g}"
    place = ""
    if shift.place is not None:
        place = (
            f", first after task {shift.place.after_task} on task {shift.place.task} "
            f"({shift.place.points:+.2f})"
        )
    return f"{shift.metric} of {shift.condition} {amount}{place}"


def incomplete(check: Check) -> list[str]:
    """Return what is missing, what is extra and what is orphaned."""
    found = []
    if check.missing:
        found.append(f"accepted and not on record: {named_cells(check.missing)}")
    if check.extra:
        found.append(f"on record and not accepted: {named_cells(check.extra)}")
    if check.orphaned:
        found.append(f"records of no condition of the study: {listed(check.orphaned)}")
    return found


def what_it_can_see(check: Check) -> str:
    """Return what the check could see before it looked."""
    finals = [sight for sight in check.sights if sight.metric == "final_accuracy"]
    if not finals:
        return "No metric has two accepted seeds: only equal bits can be told."
    first = finals[0]
    worst = max(finals, key=lambda sight: sight.caught)
    sentences = [f"Catches {_caught(first)} with {100 * POWER:.0f}%"]
    if worst is not first:
        sentences[0] += f", {_caught(worst)} in the worst case"
    spread = "measured between environments" if first.measured else "both sides independent"
    sentences.append(
        f"a drop of the margin ({first.margin:.2f} for {first.condition}) passes in at most "
        f"{100 * MISS:.0f}%"
    )
    sentences.append(f"false alarms in at most 1 of {1 / FALSE_ALARM:.0f} runs")
    return "; ".join(sentences) + f" ({counted(first.n, 'seed')}, spread {spread})."


def _caught(sight: Sight) -> str:
    return f"a drop of {sight.caught:.2f} points in {sight.condition}"


def compared(check: Check) -> str:
    """Return what was compared with what."""
    parts = []
    if check.exact is not None:
        parts.append(
            f"compared {check.exact.compared:,} of {check.exact.values:,} values of "
            f"{counted(check.exact.cells, 'cell')} bit for bit"
        )
    unknown = [env for env in check.environments if not env.known]
    if unknown:
        cells = sum(env.cells for env in unknown)
        names = ", ".join(env.fingerprint for env in unknown)
        parts.append(
            f"{counted(cells, 'cell')} of an environment without accepted results ({names}) "
            "by statistics"
        )
    elif check.shifts:
        parts.append("what differs by statistics")
    return f"Accepted results of generation {check.generation}: {'; '.join(parts)}."


def next_command(check: Check, directory: str) -> str | None:
    """Return the one command that comes next; None where all is well."""
    program = "python run_all.py"
    match check.verdict:
        case Verdict.REGRESSION | Verdict.CHANGED | Verdict.INCONCLUSIVE:
            if check.confirmation is None:
                return f"{program} check {directory} --confirm"
            return f'{program} accept {directory} --reason "..."   (only if this is wanted)'
        case Verdict.BITS_DIFFER:
            return f'{program} accept {directory} --reason "..."   (only if this is wanted)'
        case Verdict.INCOMPLETE if check.missing:
            return f"{program} run {check.study} --out {directory}"
        case Verdict.INCOMPLETE:
            return f'{program} accept {directory} --reason "..."   (to accept the new cells)'
        case Verdict.EXPIRED:
            return "remove the waivers, or give them a new date in waivers.toml"
        case Verdict.OK:
            return None


def notes(check: Check) -> list[str]:
    """Return what a reader should know beside the verdict."""
    found = []
    if check.infrastructure:
        found.append(f"Infrastructure: {check.infrastructure}.")
    if check.changed:
        found.append(f"Changed since the acceptance: {'; '.join(check.changed)}.")
    if check.verdict is not Verdict.INCOMPLETE:
        found += [f"{sentence[0].upper()}{sentence[1:]}." for sentence in incomplete(check)]
    waived = [shift for shift in (*check.shifts, *check.drift) if shift.waived]
    found += [f"{shift.outcome}, {moved(shift)}: {shift.waived}." for shift in waived]
    found += [f"Bits of {name}: {text}." for name, text in check.waived_bits.items()]
    if check.verdict is not Verdict.EXPIRED:
        found += [f"Waiver expired: {text}." for text in check.expired]
    for trace in check.traces:
        if trace.one_sided:
            steps = ", ".join(f"{point.mean:.2f}" for point in trace.points)
            found.append(
                f"{trace.metric} of {trace.condition} moved to the same side every time: {steps}."
            )
    if check.confirmation is not None:
        seeds = check.confirmation.seeds
        found.append(
            f"Confirmation, attempt {check.confirmation.attempt}: fresh seeds {seeds[0]} to "
            f"{seeds[-1]} of {listed(check.confirmation.conditions)}, which alone decide."
        )
    return found


def shifts_table(shifts: tuple[Shift, ...], caption: str, *, every: bool) -> Table:
    """Return shifts as a table, alarms first; without ``every`` those that are not OK only."""
    order = {outcome: number for number, outcome in enumerate(Outcome)}
    shown = sorted(
        (s for s in shifts if every or s.outcome is not Outcome.OK), key=lambda s: order[s.outcome]
    )
    header = ["condition", "metric", "shift", "95% interval", "margin", "unit", "n", "p", "outcome"]
    return Table(caption, header, [_row(shift) for shift in shown], folded=every)


def _row(shift: Shift) -> list[str]:
    needed = f", {shift.seeds_needed} seeds would decide" if shift.seeds_needed else ""
    waived = ", waived" if shift.waived else ""
    ends = shift.ci95
    finite = math.isfinite(ends.low) and math.isfinite(ends.high)
    return [
        shift.condition,
        shift.metric,
        "-" if math.isnan(shift.mean) else _number(shift.mean, shift.unit),
        f"{_number(ends.low, shift.unit)} to {_number(ends.high, shift.unit)}" if finite else "-",
        "-" if math.isinf(shift.margin) else _number(shift.margin, shift.unit).lstrip("+"),
        shift.unit or "own",
        str(shift.n),
        p_value(min(shift.p_worse, shift.p_better)),
        f"{SIGNS[shift.outcome]} {shift.outcome}{waived}{needed}",
    ]


def _number(value: float, unit: str) -> str:
    return f"{value:+.2f}" if unit in ("points", "% of cells") else f"{value:+.3g}"


def gate_sections(check: Check, directory: str) -> list[Section]:
    """Return everything that a check says, the answer first."""
    command = next_command(check, directory)
    paragraphs = [headline(check), compared(check), what_it_can_see(check), *notes(check)]
    if command is not None:
        paragraphs.append(f"Next: {command}")
    sections = [Section("verdict", "Verdict", paragraphs)]
    if check.confirmation is not None:
        table = shifts_table(
            check.confirmation.shifts, "Fresh seeds against accepted ones", every=False
        )
        sections.append(Section("confirmation", "Confirmation", tables=[table]))
    if check.exact is not None and check.exact.differences:
        sections.append(_bits_section(check))
    if check.shifts:
        alarmed = shifts_table(check.shifts, "What is not surely within its margin", every=False)
        everything = shifts_table(check.shifts, "Every metric of every condition", every=True)
        sections.append(Section("shifts", "What moved", tables=[alarmed, everything]))
    if check.drift:
        table = shifts_table(check.drift, "Against the first accepted results", every=True)
        sections.append(Section("drift", "Drift since the first acceptance", tables=[table]))
    if any(len(trace.points) >= LEAST_POINTS for trace in check.traces):
        sections.append(_history_section(check))
    rows = [
        [s.condition, s.metric, str(s.n), f"{s.sd:.2f}", f"{s.margin:.2f}", f"{s.caught:.2f}"]
        for s in check.sights
    ]
    header = ["condition", "metric", "seeds", "sd", "margin", "caught with 90%"]
    table = Table("Margins and what is caught, in points", header, rows, folded=True)
    sections.append(Section("power", "What this check can see", tables=[table]))
    return sections


def _bits_section(check: Check) -> Section:
    assert check.exact is not None
    differences = check.exact.differences
    rows = [
        [
            d.condition,
            str(d.seed),
            str(d.after_task) if d.after_task else "-",
            d.quantity,
            repr(d.accepted),
            repr(d.new),
            str(d.more),
        ]
        for d in differences
    ]
    header = ["condition", "seed", "after task", "value", "accepted", "new", "later values"]
    caption = "The first value of each cell that is not the accepted one"
    tables = [Table(caption, header, rows[:MOST_CELLS])]
    if len(rows) > MOST_CELLS:
        tables.append(Table("All cells that differ", header, rows, folded=True))
    return Section("bits", "Bits that differ", tables=tables)


def _history_section(check: Check) -> Section:
    traces = [trace for trace in check.traces if len(trace.points) >= LEAST_POINTS]
    said = "; ".join(
        f"{trace.condition} {', '.join(f'{point.mean:.2f}' for point in trace.points)}"
        for trace in traces
    )
    drawing = Drawing(
        "history",
        f"Mean final accuracy at each acceptance, in %: {said}.",
        partial(draw_drift, traces),
        "Mean final accuracy with its 95% interval at each acceptance of results, the new ones "
        "last. The grey band is the interval of the first.",
    )
    return Section("history", "History", drawings=[drawing])
