"""Numbers and lists as a report prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from reports.statistics import Interval


def signed(value: float) -> str:
    """Return a difference: +4.27."""
    return f"{value:+.2f}"


def number(value: float | None) -> str:
    """Return a number with two decimals, "-" for what is None or not a number."""
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"


def interval(ends: Interval, form: Callable[[float], str] = signed) -> str:
    """Return "low to high", "-" where an end is infinite."""
    if not (math.isfinite(ends.low) and math.isfinite(ends.high)):
        return "-"
    return f"{form(ends.low)} to {form(ends.high)}"


def counted(count: int, what: str) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{count} {what}{'s' * (count != 1)}"


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
