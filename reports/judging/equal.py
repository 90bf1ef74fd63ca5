"""Two conditions are equal within a margin.

EQUAL is wrong with a probability of at most alpha where they differ by the margin or more (two
one-sided tests; Schuirmann 1987). DIFFERENT says that they differ by more than the margin, in
either direction; each direction errs with alpha / 2 at most.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from reports.judging.kind import Kind
from reports.judging.scalars import unit_of
from reports.numbers.intervals import Interval
from reports.numbers.rules import Part, Rule
from reports.numbers.study import Statement


class Equal(Kind):
    """For claims such as "the published initialisation explains all of it"."""

    name = "equal"
    signs: ClassVar[Mapping[str, str]] = {"EQUAL": "✓", "DIFFERENT": "✗"}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return: surely within the margin, or surely beyond one of its ends."""
        assert claim.margin is not None
        return [
            Rule("EQUAL", (Part(Interval(-claim.margin, claim.margin)),)),
            *beyond(claim.margin, "DIFFERENT", "DIFFERENT"),
        ]

    def asks(self, claim: Statement) -> str:
        """Return the margin."""
        return f"0 ± {claim.margin:g} {unit_of(claim)}"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return on which side of the margin."""
        if verdict == "EQUAL":
            return f"equal within {claim.margin:g}"
        return f"different by more than {claim.margin:g}"


def beyond(margin: float, above: str, below: str) -> list[Rule]:
    """Return the two rules of a value that is surely above, or below, all that a margin allows."""
    part = Part(Interval(margin, math.inf), two_sided=True, strict=True)
    return [Rule(above, (part,)), Rule(below, (-part,))]
