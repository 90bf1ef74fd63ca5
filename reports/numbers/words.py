"""Numbers and lists as a report prints them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from reports.numbers.intervals import FEWEST, Interval

SMALLEST = 1e-7
"""Below it powers of ten are easier to read than zeros."""


def signed(value: float) -> str:
    """Return a difference: +4.27."""
    return f"{value:+.2f}"


def number(value: float | None) -> str:
    """Return a number with two decimals; "-" for None and NaN."""
    return "-" if value is None or math.isnan(value) else f"{value:.2f}"


def sized(value: float, sign: str = "+") -> str:
    """Return a number of any size with four digits, large ones with all: +0.0012, +35,120."""
    return small(value, 4, sign) or (
        f"{value:{sign},.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:{sign}.4g}"
    )


def small(value: float, digits: int, sign: str = "+") -> str:
    """Return a small number without a power of ten: +0.000093; nothing where it is not small."""
    if not SMALLEST <= abs(value) < 1e-4:
        return ""
    return f"{value:{sign}.{digits - 1 - math.floor(math.log10(abs(value)))}f}"


def interval(ends: Interval, form: Callable[[float], str] = signed, seeds: int = FEWEST) -> str:
    """Return "low to high"; "-" where an end is infinite, and below ``FEWEST`` seeds."""
    if seeds < FEWEST or not (math.isfinite(ends.low) and math.isfinite(ends.high)):
        return "-"
    return f"{form(ends.low)} to {form(ends.high)}"


def told_interval(ends: Interval, level: float, form: str = "+.2f") -> str:
    """Return an interval for a sentence: "95% interval +1.00 to +2.00"."""
    name = f"{100 * level:.3g}% interval"
    if not (math.isfinite(ends.low) and math.isfinite(ends.high)):
        return f"{name} without ends"
    return f"{name} {ends.low:{form}} to {ends.high:{form}}"


def too_few(seeds: int) -> str:
    """Say why no interval is shown for so few seeds."""
    if seeds < 2:
        return "no interval: one seed shows no spread"
    return (
        "no interval is shown for two seeds: it would be many times as wide as what lies between "
        "them"
    )


def p_value(value: float) -> str:
    """Return a p-value with the digits that matter: 0.230, 0.0312, 1.9e-06."""
    return f"{value:.2g}" if value < 0.001 else f"{value:.4f}" if value < 0.1 else f"{value:.3f}"


def counted(count: int, what: str) -> str:
    """Return "1 seed", "2 seeds"."""
    return f"{count} {what}{'s' * (count != 1)}"


def listed(names: Sequence[str]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def between(low: float, high: float, form: Callable[[float], str]) -> str:
    """Return "low to high"; "-" where the ends are NaN and there is no interval."""
    return "-" if math.isnan(low) else f"{form(low)} to {form(high)}"
