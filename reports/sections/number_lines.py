"""What each verdict of a claim would take, on a number line, with what was found in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.numbers.intervals import Interval
from reports.numbers.rules import Part, Rule

INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True)
class NumberLine:
    """The values that a verdict is about, and our estimate with its intervals.

    Attributes
    ----------
    word : the verdict.
    needs : what must surely be so for it, in words.
    fell : whether it is the verdict that fell.
    bands : where the true value lies if the verdict is true; may be infinite, empty for none.
    estimate, outer, inner : ours, with its intervals at levels 1 - alpha and 1 - 2 alpha.
    marks : values to be marked, each with its name.
    ends : of the part of the axis that is drawn.
    alt : what the drawing says.
    """

    word: str
    needs: str
    fell: bool
    bands: tuple[Interval, ...]
    estimate: float
    outer: Interval
    inner: Interval
    marks: tuple[tuple[float, str], ...]
    ends: Interval
    alt: str


def number_lines(
    rules: Sequence[Rule],
    fell: str,
    estimate: float,
    outer: Interval,
    inner: Interval,
    alpha: float,
    marks: Sequence[tuple[float, str]],
) -> list[NumberLine]:
    """Return one line for each word of the rules in their order, and one for INCONCLUSIVE.

    Parameters
    ----------
    fell : the verdict that fell.
    estimate, outer, inner : ours, with its intervals at levels 1 - alpha and 1 - 2 alpha.
    marks : values to be marked, each with its name.
    """
    words = list(dict.fromkeys(rule.word for rule in rules))
    edges = [
        edge
        for rule in rules
        for part in rule.parts
        for edge in (part.band.low, part.band.high)
        if math.isfinite(edge)
    ]
    ours = [end for end in (outer.low, outer.high) if math.isfinite(end)]
    shown = [*edges, *ours, estimate, *(value for value, _ in marks)]
    room = 0.15 * (max(shown) - min(shown)) or 1.0
    ends = Interval(min(shown) - room, max(shown) + room)
    found = (
        f"ours is {estimate:+.2f}, {_level(1 - alpha)} interval {_ends(outer)}, "
        f"{_level(1 - 2 * alpha)} interval {_ends(inner)}"
    )
    lines = []
    for word in [*words, INCONCLUSIVE]:
        own = [rule for rule in rules if rule.word == word]
        bands = tuple(dict.fromkeys(band for rule in own for band in _common(rule)))
        needs = "; or: ".join(dict.fromkeys(_needs(rule, alpha) for rule in own))
        needs = needs or "none of the others can be said"
        where = " or ".join(_ends(band) for band in bands) or "nowhere on its own"
        alt = f"{word}: {where}; {found}. {'This verdict fell.' if word == fell else ''}".strip()
        lines.append(
            NumberLine(
                word, needs, word == fell, bands, estimate, outer, inner, tuple(marks), ends, alt
            )
        )
    return lines


def _common(rule: Rule) -> list[Interval]:
    """Return the values that lie in all bands of a rule; empty where there are none."""
    low = max(part.band.low for part in rule.parts)
    high = min(part.band.high for part in rule.parts)
    return [Interval(low, high)] if low <= high else []


def _needs(rule: Rule, alpha: float) -> str:
    return " and ".join(_part(part, alpha) for part in rule.parts)


def _part(part: Part, alpha: float) -> str:
    level = _level(1 - alpha if part.two_sided else 1 - 2 * alpha)
    low, high = part.band.low, part.band.high
    if not math.isfinite(high):
        return f"the whole {level} interval above {_edge(low)}"
    if not math.isfinite(low):
        return f"the whole {level} interval below {_edge(high)}"
    return f"the whole {level} interval within {_edge(low)} to {_edge(high)}"


def _edge(value: float) -> str:
    return "0" if value == 0 else f"{value:+.4g}"


def _ends(interval: Interval) -> str:
    if not math.isfinite(interval.low) and not math.isfinite(interval.high):
        return "without ends"
    if not math.isfinite(interval.high):
        return f"above {_edge(interval.low)}"
    if not math.isfinite(interval.low):
        return f"below {_edge(interval.high)}"
    return f"{interval.low:+.4g} to {interval.high:+.4g}"


def _level(level: float) -> str:
    return f"{100 * level:.3g}%"
