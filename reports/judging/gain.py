"""A reported gain of any size in any number that a record holds, paired or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from reports.judging.kind import Kind
from reports.judging.scalars import unit_of
from reports.numbers.rules import Rule
from reports.numbers.study import Statement
from reports.numbers.verdict import SIGNS, Verdict, gain_rules, margin_reaches_zero

NEGLIGIBLE = 0.3
"""The gain that counts as none where a claim about accuracies names none, in points."""


class Gain(Kind):
    """The same rules as a gain in final accuracy has: ``reports.numbers.verdict``."""

    name = "gain"
    signs: ClassVar[Mapping[str, str]] = {str(verdict): sign for verdict, sign in SIGNS.items()}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return the rules of the reported gain."""
        return gain_rules(*_terms(claim))

    def asks(self, claim: Statement) -> str:
        """Return the reported gain and its margin."""
        reported, margin, _ = _terms(claim)
        return f"{reported:+g} ± {margin:g} {unit_of(claim)}"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return what the verdict says of the gain."""
        reported, margin, negligible = _terms(claim)
        what = "gain" if reported > 0 else "loss"
        match Verdict(verdict):
            case Verdict.REPRODUCED:
                return f"a {what} within {margin:g} of the reported {reported:+g}"
            case Verdict.LARGER:
                return f"a {what} larger than the reported {reported:+g} by more than {margin:g}"
            case Verdict.PARTIAL:
                return f"a {what} smaller than the reported {reported:+g} by more than {margin:g}"
            case Verdict.NOT_REPRODUCED:
                return f"negligible, within {negligible:g} of zero, against {reported:+g}"
            case Verdict.CONTRADICTED:
                return f"the opposite of the reported {reported:+g}"
        assert margin_reaches_zero(reported, margin)
        return (
            f"a {what}, whose size cannot be held against the reported {reported:+g}, because the "
            f"margin of {margin:g} is not smaller than the claim"
        )


def _terms(claim: Statement) -> tuple[float, float, float]:
    assert claim.reported is not None
    assert claim.margin is not None
    default = NEGLIGIBLE if claim.metric != "record" else 0.0
    return (
        claim.reported,
        claim.margin,
        default if claim.negligible is None else claim.negligible,
    )
