"""New results against accepted ones -> everything that the gate says, as one frozen value."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.findings.gate.accepted import Baselines
from reports.findings.gate.cells import BITS, CellName, Cells, conditions_of
from reports.findings.gate.drift import Trace, since_first, traces
from reports.findings.gate.exact import Exact, compare_exactly
from reports.findings.gate.origin import changes, infrastructure, machine_of
from reports.findings.gate.power import (
    Sight,
    differing_margin,
    sights,
    with_margin,
)
from reports.findings.gate.shifts import Margins, Outcome, Shift, paired_shifts
from reports.findings.gate.waiving import check_waivers, excuse, waived
from reports.numbers.records import Record
from reports.numbers.study import Measure
from reports.numbers.words import counted

MOST_NAMED = 5


class Verdict(StrEnum):
    """What a check says in one word; the first that applies."""

    REGRESSION = "REGRESSION"
    CHANGED = "CHANGED"
    BITS_DIFFER = "BITS DIFFER"
    EXPIRED = "WAIVER EXPIRED"
    INCOMPLETE = "INCOMPLETE"
    INCONCLUSIVE = "INCONCLUSIVE"
    OK = "OK"

    @property
    def exit_code(self) -> int:
        """The exit code of the command: 0 ok, 1 regression, 2 bad input, 3 inconclusive."""
        codes = {Verdict.OK: 0, Verdict.INCOMPLETE: 2, Verdict.INCONCLUSIVE: 3}
        return codes.get(self, 1)


@dataclass(frozen=True)
class Environment:
    """One environment of the new cells.

    Attributes
    ----------
    known : whether results of it were accepted, so that they are compared bit for bit.
    """

    fingerprint: str
    cells: int
    known: bool


@dataclass(frozen=True)
class Confirmation:
    """Alarms judged again on fresh seeds, which were fixed before; these alone decide.

    Attributes
    ----------
    attempt : how many there were for this study, this one included.
    shifts : of the metrics in alarm only, fresh seeds against accepted ones, unpaired.
    """

    attempt: int
    seeds: tuple[int, ...]
    conditions: tuple[str, ...]
    shifts: tuple[Shift, ...]


@dataclass(frozen=True)
class Check:
    """All that the gate says; from ``check``.

    Attributes
    ----------
    generation : of the accepted results.
    environments : those of the new cells.
    sights : what the check could see, before it looked.
    exact : the exact layer; None where no environment is known.
    shifts : the statistical layer; empty where all results are the same bits.
    drift : against the first accepted results; empty where these are the present ones.
    one_sided : metrics that moved to the same side in every acceptance.
    missing, extra, orphaned : cells of one side only, and records of no condition of the study.
    changed : what else has changed since the acceptance: settings, versions, commits.
    infrastructure : set where all alarms come from one machine.
    waived_bits : excuses for conditions whose bits differ, by condition.
    expired : waivers past their date.
    on_purpose : whether bits may differ, because the arithmetic was changed on purpose.
    not_deterministic : conditions whose accepted results were not the same for the same seed: they
        are judged by statistics in any environment.
    confirmation : of the alarms of ``shifts``, where one was asked for.
    """

    study: str
    generation: int
    environments: tuple[Environment, ...]
    sights: tuple[Sight, ...]
    exact: Exact | None
    shifts: tuple[Shift, ...]
    drift: tuple[Shift, ...]
    traces: tuple[Trace, ...]
    missing: tuple[CellName, ...]
    extra: tuple[CellName, ...]
    orphaned: tuple[str, ...]
    changed: tuple[str, ...]
    infrastructure: str | None
    waived_bits: Mapping[str, str]
    expired: tuple[str, ...]
    on_purpose: bool
    not_deterministic: tuple[str, ...] = ()
    confirmation: Confirmation | None = None

    @property
    def deciding(self) -> tuple[Shift, ...]:
        """The shifts that decide: those of the confirmation, or of the check itself."""
        return self.shifts if self.confirmation is None else self.confirmation.shifts

    @property
    def alarms(self) -> tuple[Shift, ...]:
        """Every shift that fails the check."""
        return tuple(shift for shift in (*self.deciding, *self.drift) if shift.alarm)

    @property
    def undecided(self) -> tuple[Shift, ...]:
        """Every shift that more seeds could decide."""
        unclear = (s for s in self.deciding if s.outcome is Outcome.INCONCLUSIVE)
        return tuple(shift for shift in unclear if shift.waived is None)

    @property
    def bits_differ(self) -> bool:
        """Whether cells differ that should be the same bits, and nobody excuses them."""
        if self.exact is None or self.on_purpose:
            return False
        return any(d.condition not in self.waived_bits for d in self.exact.differences)

    @property
    def verdict(self) -> Verdict:
        """What the check says in one word."""
        outcomes = {shift.outcome for shift in self.alarms}
        incomplete = self.missing or self.extra or self.orphaned
        if Outcome.REGRESSION in outcomes:
            return Verdict.REGRESSION
        if Outcome.CHANGED in outcomes:
            return Verdict.CHANGED
        if self.bits_differ:
            return Verdict.BITS_DIFFER
        if self.expired:
            return Verdict.EXPIRED
        if incomplete:
            return Verdict.INCOMPLETE
        return Verdict.INCONCLUSIVE if self.undecided else Verdict.OK

    @property
    def equivalent(self) -> bool:
        """Whether every metric is surely within its margin, and every cell is there."""
        outcomes = {shift.outcome for shift in self.shifts}
        complete = not (self.missing or self.extra or self.orphaned)
        return complete and outcomes <= {Outcome.OK, Outcome.IMPROVEMENT}


def as_cells(
    cells: Sequence[Mapping[str, Any]], measure: Measure | None = None
) -> dict[CellName, Mapping[str, Any]]:
    """Return records or accepted cells by condition and seed; accuracies without ``measure``."""
    said = {} if measure is None else {"measure": measure}
    return {(cell["condition"], cell["seed"]): {**cell, **said} for cell in cells}


def check(
    records: Sequence[Record],
    baselines: Baselines,
    fingerprints: Mapping[CellName, str],
    *,
    orphaned: Sequence[str] = (),
    margin: float | None = None,
    on_purpose: bool = False,
    today: datetime.date,
) -> Check:
    """Compare the records of a study with the accepted results of the present generation.

    Parameters
    ----------
    fingerprints : of the environment of each record.
    orphaned : records of the directory that belong to no condition of its study, in words.
    margin : for what is measured, in its unit; by the rule if None.
    on_purpose : let bits differ in a known environment too, and judge by statistics.

    Raises
    ------
    ValueError
        Where the accepted seeds cannot resolve ``margin``, stored margins do not follow from the
        accepted cells, or a waiver is about nothing that is compared.
    """
    measure = baselines.measure
    new = as_cells(records, measure)
    reference = as_cells(baselines.reference["cells"], measure)
    check_waivers(baselines.waivers, reference)
    by_fingerprint = {name: as_cells(b["cells"], measure) for name, b in baselines.current.items()}
    uncertain = tuple(baselines.reference.get("not_deterministic", ()))
    margins = _checked_margins(baselines)
    measured = baselines.measured_spread()
    if margin is not None:
        margins = with_margin(margins, margin, reference, measured)
    partners = {
        name: by_fingerprint.get(fingerprints[name], {}).get(name, reference[name])
        for name in reference
        if name in new
    }
    known = {
        name
        for name in partners
        if fingerprints[name] in by_fingerprint and name[0] not in uncertain
    }
    exact = (
        compare_exactly(new, {name: cell for name, cell in partners.items() if name in known})
        if known
        else None
    )
    same_bits = exact is not None and not exact.differences and len(known) == len(partners)
    waivers = [waiver for waiver in baselines.waivers if today <= waiver.until]
    shifts = () if same_bits else waived(paired_shifts(new, partners, margins), waivers)
    drift = waived(since_first(new, baselines.history, margins), waivers)
    return Check(
        study=baselines.study,
        generation=baselines.generation,
        environments=_environments(fingerprints, by_fingerprint),
        sights=sights(margins, reference, measured),
        exact=exact,
        shifts=shifts,
        drift=drift,
        traces=traces(new, baselines.history),
        missing=tuple(name for name in reference if name not in new),
        extra=tuple(name for name in new if name not in reference),
        orphaned=tuple(orphaned),
        changed=changes(records, baselines.reference),
        infrastructure=_infrastructure(records, exact, new, partners, margins, shifts),
        waived_bits={
            condition: excuse(waiver)
            for condition in conditions_of(reference)
            for waiver in waivers
            if waiver.covers(condition, BITS)
        },
        expired=tuple(
            f"{w.condition}, {w.metric}: past {w.until} (owner {w.owner}: {w.reason})"
            for w in baselines.waivers
            if today > w.until
        ),
        on_purpose=on_purpose,
        not_deterministic=uncertain,
    )


def _checked_margins(baselines: Baselines) -> Margins:
    for fingerprint, baseline in baselines.current.items():
        cells = as_cells(baseline["cells"], baselines.measure)
        measured = baselines.measured_spread(baseline["sha256"])
        fault = differing_margin(baseline["margins"], cells, measured)
        if fault is not None:
            raise ValueError(f"baseline {fingerprint} has other margins: {fault}")
    margins: Margins = baselines.newest["margins"]
    return margins


def _environments(
    fingerprints: Mapping[CellName, str], accepted: Mapping[str, Cells]
) -> tuple[Environment, ...]:
    present = list(fingerprints.values())
    return tuple(
        Environment(fingerprint, present.count(fingerprint), fingerprint in accepted)
        for fingerprint in sorted(set(present))
    )


def _infrastructure(
    records: Sequence[Record],
    exact: Exact | None,
    new: Cells,
    partners: Cells,
    margins: Margins,
    shifts: Sequence[Shift],
) -> str | None:
    """Return a sentence where all alarms come from the cells of one of several machines."""
    machines = {(r["condition"], r["seed"]): machine_of(r) for r in records}
    differing = exact.changed if exact is not None else frozenset()

    def without(machine: str) -> bool:
        rest = {name: cell for name, cell in partners.items() if machines[name] != machine}
        return any(shift.alarm for shift in paired_shifts(new, rest, margins))

    return infrastructure(machines, differing, any(s.alarm for s in shifts), without)


def named_cells(cells: Sequence[CellName]) -> str:
    """Return the number of cells and the names of the first ones."""
    names = [f"{condition} seed {seed}" for condition, seed in cells[:MOST_NAMED]]
    if len(cells) > MOST_NAMED:
        names.append(f"and {len(cells) - MOST_NAMED} more")
    return f"{counted(len(cells), 'cell')} ({', '.join(names)})"
