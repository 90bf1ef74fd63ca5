"""Apply waivers: alarms that somebody has excused until a date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reports.findings.gate.accepted import Waiver
from reports.findings.gate.cells import BITS, DIVERGED, Cells, conditions_of, metrics_of
from reports.findings.gate.shifts import Shift


def check_waivers(waivers: Sequence[Waiver], accepted: Cells) -> None:
    """Raise ValueError where a waiver is about nothing that is compared."""
    conditions = conditions_of(accepted)
    for waiver in waivers:
        if waiver.condition not in conditions:
            raise ValueError(
                f"a waiver names the condition '{waiver.condition}'; there are "
                f"{', '.join(conditions)}"
            )
        names = [metric.name for metric in metrics_of(accepted, waiver.condition)]
        names += [BITS, DIVERGED, "*"]
        if waiver.metric not in names:
            raise ValueError(
                f"a waiver names the metric '{waiver.metric}' of {waiver.condition}; there are "
                f"{', '.join(names)}"
            )


def waived(shifts: Sequence[Shift], waivers: Sequence[Waiver]) -> tuple[Shift, ...]:
    """Return the shifts, with the excuse of those that a waiver covers."""
    excused = []
    for shift in shifts:
        covering = [w for w in waivers if w.covers(shift.condition, shift.metric)]
        excused.append(replace(shift, waived=excuse(covering[0])) if covering else shift)
    return tuple(excused)


def excuse(waiver: Waiver) -> str:
    """Return who excuses what a waiver covers, until when and why."""
    return f"waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
