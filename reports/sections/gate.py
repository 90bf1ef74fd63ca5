"""What the regression gate says, in words and tables."""

from __future__ import annotations

import math
from functools import partial

from reports.figures.drift import draw_drift, shown_means, shown_metric
from reports.findings.gate.check import Check, Verdict, named_cells
from reports.findings.gate.shifts import Outcome, Shift
from reports.numbers.margins import FALSE_ALARM, MISS, POWER
from reports.numbers.words import counted, listed, p_value
from reports.sections.gate_amounts import POINTS, amount, caught, fall, moved, number
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
    if not check.sights:
        return "No metric has two accepted seeds: only equal bits can be told."
    finals = [sight for sight in check.sights if sight.metric == check.sights[0].metric]
    first = finals[0]
    worst = max(finals, key=lambda sight: sight.caught)
    sentences = [f"Catches {caught(first)} with {100 * POWER:.0f}%"]
    if worst is not first:
        sentences[0] += f", {caught(worst)} in the worst case"
    spread = "measured between environments" if first.measured else "both sides independent"
    sentences.append(
        f"a {fall(first)} of the margin ({amount(first.margin, first)} for {first.condition}) "
        f"passes in at most {100 * MISS:.0f}%"
    )
    sentences.append(f"false alarms in at most 1 of {1 / FALSE_ALARM:.0f} runs")
    return "; ".join(sentences) + f" ({counted(first.n, 'seed')}, spread {spread})."


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
    elif check.exact is not None and check.shifts:
        parts.append("what differs by statistics")
    if check.not_deterministic:
        parts.append(
            f"{listed(check.not_deterministic)} by statistics: the same seed did not give the same"
        )
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
            return f"{program} run {directory}"
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
            found.append(
                f"{trace.metric} of {trace.condition} moved to the same side every time: "
                f"{', '.join(shown_means(trace))}."
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
        "-" if math.isnan(shift.mean) else number(shift.mean, shift),
        f"{number(ends.low, shift)} to {number(ends.high, shift)}" if finite else "-",
        "-" if math.isinf(shift.margin) else number(shift.margin, shift).lstrip("+"),
        (shift.unit or "own") + ", less is better" * (shift.higher_is_better is False),
        str(shift.n),
        p_value(min(shift.p_worse, shift.p_better)),
        f"{SIGNS[shift.outcome]} {shift.outcome}{waived}{needed}",
    ]


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
        [s.condition, s.metric, str(s.n), *(amount(v, s) for v in (s.sd, s.margin, s.caught))]
        for s in check.sights
    ]
    unit = check.sights[0].unit if check.sights else POINTS
    header = ["condition", "metric", "seeds", "sd", "margin", "caught with 90%"]
    table = Table(f"Margins and what is caught, in {unit}", header, rows, folded=True)
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
    said = "; ".join(f"{trace.condition} {', '.join(shown_means(trace))}" for trace in traces)
    name = shown_metric(traces[0])
    drawing = Drawing(
        "history",
        f"Mean {name} at each acceptance, in {traces[0].unit}: {said}.",
        partial(draw_drift, traces),
        f"Mean {name} with its 95% interval at each acceptance of results, the new ones "
        "last. The grey band is the interval of the first.",
    )
    return Section("history", "History", drawings=[drawing])
