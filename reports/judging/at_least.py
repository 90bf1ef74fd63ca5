"""One condition is not worse than another by more than a margin (non-inferiority).

NOT WORSE is wrong with a probability of at most alpha where the treatment is worse by the margin or
more, WORSE where it is not.
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


class AtLeast(Kind):
    """For claims such as "costs no accuracy"."""

    name = "at-least"
    signs: ClassVar[Mapping[str, str]] = {"NOT WORSE": "✓", "WORSE": "✗"}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return: surely above the margin's lower end, or surely below it."""
        assert claim.margin is not None
        return [
            Rule("NOT WORSE", (Part(Interval(-claim.margin, math.inf)),)),
            Rule("WORSE", (Part(Interval(-math.inf, -claim.margin), strict=True),)),
        ]

    def asks(self, claim: Statement) -> str:
        """Return the least that is asked for."""
        return f"at least {-(claim.margin or 0):g} {unit_of(claim)}"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return on which side of the margin."""
        if verdict == "NOT WORSE":
            return f"not worse by more than {claim.margin:g}"
        return f"worse by more than {claim.margin:g}"
