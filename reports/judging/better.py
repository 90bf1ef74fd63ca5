"""One condition is better than another: a direction, and no size.

BETTER and WORSE are each wrong with a probability of at most alpha / 2 where there is no difference
or the opposite one: the two-sided interval decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from reports.judging.kind import Kind
from reports.numbers.intervals import Interval
from reports.numbers.rules import Part, Rule
from reports.numbers.study import Statement

ABOVE = Part(Interval(0, math.inf), two_sided=True, strict=True)


class Better(Kind):
    """For claims that say "improves" and no number."""

    name = "better"
    signs: ClassVar[Mapping[str, str]] = {"BETTER": "✓", "WORSE": "✗"}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return the two directions."""
        return [Rule("BETTER", (ABOVE,)), Rule("WORSE", (-ABOVE,))]

    def asks(self, claim: Statement) -> str:
        """Return the direction."""
        return "above 0"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return which direction."""
        return "surely better" if verdict == "BETTER" else "surely worse"
