"""Amounts in the words of the regression gate: what moved, what is caught, in the metric's unit."""

from __future__ import annotations

import math

from reports.findings.gate.power import Sight
from reports.findings.gate.shifts import Shift
from reports.numbers.values import form_for, signed_form

POINTS = "points"


def moved(shift: Shift) -> str:
    """Return what moved, and by how much."""
    if _is_log(shift):
        change = 100 * math.expm1(shift.mean)
        amount = (
            f"{change:+.3g}%" if abs(change) < 1000 else f"x{math.exp(min(shift.mean, 700)):.3g}"
        )
    elif shift.unit:
        amount = f"{number(shift.mean, shift)} {shift.unit}"
        if shift.relative is not None:
            amount += f" ({100 * shift.relative:+.3g}%)"
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


def number(value: float, shift: Shift) -> str:
    """Return an amount of a shift in its unit, with a sign."""
    if shift.unit in (POINTS, "% of cells"):
        return f"{value:+.2f}"
    if shift.higher_is_better is None:
        return f"{value:+.3g}"
    return signed_form(form_for([value]))(value)


def _is_log(shift: Shift) -> bool:
    return shift.unit == "log" and shift.higher_is_better is None


def caught(sight: Sight) -> str:
    """Return the loss that a check catches."""
    return f"a {fall(sight)} of {amount(sight.caught, sight)} {sight.unit} in {sight.condition}"


def fall(sight: Sight) -> str:
    """Return the word for a loss."""
    return "drop" if sight.higher_is_better else "rise"


def amount(value: float, sight: Sight) -> str:
    """Return an amount in the unit of a sight."""
    return f"{value:.2f}" if sight.unit == POINTS else form_for([value])(value)
