"""What every verdict is made of: an ordered list of rules, each a word and what must surely be so.

A part of a rule says that the true value lies within a band. Its evidence is an interval: the one
at level 1 - alpha, where each side may err with alpha / 2, or the one at level 1 - 2 alpha, where
each side may err with alpha. A rule holds where all of its parts do, and the first rule that holds
gives the verdict. From the same few lines follow

- the verdict of one study, or of thousands of simulated ones;
- its p-value: the smallest alpha at which it would still be given. A smaller alpha makes every
  interval wider, so that no earlier rule takes its place, and the rule itself holds as long as all
  of its parts do. A rule's p-value is therefore the largest of its parts', and a verdict's the
  smallest of the rules that have its word;
- whether a verdict is true of a value: where the value lies in all the bands of its rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from reports.numbers.intervals import Floats, Interval

Ends = tuple[Floats, Floats]
"""The low and the high ends of intervals."""
Truths = NDArray[np.bool_]


class Estimate(Protocol):
    """A number that a claim is about, as far as the data tell it."""

    @property
    def mean(self) -> float:
        """The estimate itself."""

    def interval(self, level: float) -> Interval:
        """Return the two-sided interval of the true value at ``level`` (0.95: 95%)."""

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of "the true value is at most ``bound``"."""

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value of "the true value is at least ``bound``"."""


@dataclass(frozen=True)
class Part:
    """What must surely be so: the true value lies within ``band``.

    Attributes
    ----------
    two_sided : whether the interval at level 1 - alpha must lie in the band, and not only the
        narrower one at level 1 - 2 alpha.
    strict : whether an interval that ends on a finite edge of the band lies outside.
    """

    band: Interval
    two_sided: bool = False
    strict: bool = False

    def __neg__(self) -> Part:
        return Part(-self.band, self.two_sided, self.strict)

    def holds(self, ci: Ends, ci_equivalence: Ends) -> Truths:
        """Tell for which studies it is surely so; the ends of the intervals have one shape."""
        low, high = ci if self.two_sided else ci_equivalence
        if self.strict:
            above = (low > self.band.low) | np.isneginf(self.band.low)
            below = (high < self.band.high) | np.isposinf(self.band.high)
            return np.asarray(above & below)
        return np.asarray((low >= self.band.low) & (high <= self.band.high))

    def p_value(self, estimate: Estimate) -> float:
        """Return the smallest alpha at which it is surely so."""
        always = estimate.interval(0.95)
        if always.low == always.high:  # the value is known without an error
            return 0.0 if self.is_true(always.low) else 1.0
        above = estimate.p_above(self.band.low) if math.isfinite(self.band.low) else 0.0
        below = estimate.p_below(self.band.high) if math.isfinite(self.band.high) else 0.0
        return min(1.0, max(above, below) * (2 if self.two_sided else 1))

    def is_true(self, value: float) -> bool:
        """Tell whether the band holds a value."""
        point = (np.asarray(value), np.asarray(value))
        return bool(self.holds(point, point))


@dataclass(frozen=True)
class Rule:
    """A word, and the parts that must all hold for it."""

    word: str
    parts: tuple[Part, ...]

    def __neg__(self) -> Rule:
        return Rule(self.word, tuple(-part for part in self.parts))

    def holds(self, ci: Ends, ci_equivalence: Ends) -> Truths:
        """Tell for which studies the rule holds."""
        held = [part.holds(ci, ci_equivalence) for part in self.parts]
        return np.asarray(np.logical_and.reduce(held), dtype=np.bool_)

    def p_value(self, estimate: Estimate) -> float:
        """Return the smallest alpha at which the rule holds."""
        return max(part.p_value(estimate) for part in self.parts)

    def is_true(self, value: float) -> bool:
        """Tell whether what the rule says is so for a true value."""
        return all(part.is_true(value) for part in self.parts)


def places(rules: Sequence[Rule], ci: Ends, ci_equivalence: Ends) -> NDArray[np.int64]:
    """Return for every study the place of the first rule that holds; ``len(rules)`` for none."""
    held = [rule.holds(ci, ci_equivalence) for rule in rules]
    return np.select(held, list(range(len(rules))), default=len(rules)).astype(np.int64)


def first(rules: Sequence[Rule], ci: Interval, ci_equivalence: Interval) -> Rule | None:
    """Return the first rule that holds for one study; None where none does."""
    place = int(places(rules, ends(ci), ends(ci_equivalence)))
    return rules[place] if place < len(rules) else None


def p_of(word: str, rules: Sequence[Rule], estimate: Estimate) -> float:
    """Return the smallest alpha at which a verdict would still be given, by any of its rules."""
    return min(rule.p_value(estimate) for rule in rules if rule.word == word)


def target(rules: Sequence[Rule], value: float) -> Rule | None:
    """Return the rule that many seeds would lead to, were ``value`` the true one."""
    return first(rules, Interval(value, value), Interval(value, value))


def ends(interval: Interval) -> Ends:
    """Return the ends of one interval as arrays."""
    return np.asarray(interval.low), np.asarray(interval.high)
