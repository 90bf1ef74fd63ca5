"""What the commands ``accept`` and ``check`` ask of the reports, as one object."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from reports.findings.gate.accepted import Baselines
from reports.findings.gate.accepting import metrics_by_seed, paired_differences
from reports.findings.gate.cells import CellName
from reports.findings.gate.check import Check, Confirmation, as_cells, check
from reports.findings.gate.power import Measured, margins_by_rule
from reports.findings.gate.shifts import Outcome, fresh_shifts
from reports.numbers.records import as_records
from reports.numbers.study import Measure
from reports.output.gate.files import gate_markdown, write_gate
from reports.output.gate.terminal import show_gate

ByMetric = dict[str, dict[str, float]]
Contents = Sequence[Mapping[str, Any]]
"""Records, or accepted cells."""


class GateJudge:
    """Judges results and shows what it finds."""

    def check(
        self,
        records: Contents,
        baselines: Baselines,
        fingerprints: Mapping[CellName, str],
        *,
        orphaned: Sequence[str],
        margin: float | None,
        on_purpose: bool,
    ) -> Check:
        """Compare records with accepted results; see ``reports.findings.gate.check.check``."""
        return check(
            as_records(records),
            baselines,
            fingerprints,
            orphaned=orphaned,
            margin=margin,
            on_purpose=on_purpose,
            today=datetime.date.today(),
        )

    def in_alarm(self, found: Check) -> list[tuple[str, str]]:
        """Return what a confirmation is to judge: metrics in alarm, else those undecided."""
        alarmed = [(s.condition, s.metric) for s in found.shifts if s.alarm]
        undecided = [
            (s.condition, s.metric)
            for s in found.shifts
            if s.outcome is Outcome.INCONCLUSIVE and s.waived is None
        ]
        return alarmed or undecided

    def confirmed(
        self,
        found: Check,
        fresh: Contents,
        accepted: Contents,
        measure: Measure,
        attempt: int,
        seeds: Sequence[int],
    ) -> Check:
        """Return the check with the verdict of fresh seeds on what was in alarm."""
        asked = self.in_alarm(found)
        margins: ByMetric = {}
        for shift in found.shifts:
            margins.setdefault(shift.condition, {})[shift.metric] = shift.margin
        cells, before = as_cells(fresh, measure), as_cells(accepted, measure)
        shifts = fresh_shifts(cells, before, margins, asked)
        conditions = tuple(dict.fromkeys(condition for condition, _ in asked))
        return replace(found, confirmation=Confirmation(attempt, tuple(seeds), conditions, shifts))

    def margins(self, cells: Contents, measure: Measure, measured: Measured) -> ByMetric:
        """Return the margins by rule for accepted cells."""
        return margins_by_rule(as_cells(cells, measure), measured)

    def metrics(
        self, cells: Contents, measure: Measure
    ) -> dict[str, dict[str, list[float | None]]]:
        """Return what the history keeps of results."""
        return metrics_by_seed(as_cells(cells, measure))

    def drift(
        self, new: Contents, accepted: Contents, measure: Measure
    ) -> tuple[ByMetric, ByMetric]:
        """Return mean and spread of the paired differences of two environments."""
        return paired_differences(as_cells(new, measure), as_cells(accepted, measure))

    def show(self, out: Console, found: Check, directory: str) -> None:
        """Print the answer."""
        show_gate(out, found, directory)

    def write(self, found: Check, directory: str, folder: Path) -> Path:
        """Write the answer as files; returns the path of the page."""
        return write_gate(found, directory, folder)

    def markdown(self, found: Check, directory: str) -> str:
        """Return the answer as Markdown."""
        return gate_markdown(found, directory)
