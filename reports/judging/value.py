"""A condition's own mean against a published one.

The difference, ours minus published, is judged against the margin: AGREES is wrong with a
probability of at most alpha where it is the margin or more, HIGHER and LOWER with alpha / 2 each
where it is not. How sure the published mean is, depends on what is printed:

- nothing: it counts as exact, and the margin alone allows for its error;
- a ± over a number of runs: it may be the standard deviation of the runs or the standard error of
  their mean. Welch's interval takes both sides' errors into account under either reading, and a
  verdict is given only where both readings give it; where the source says what it is, that counts;
- other people's results, seed by seed: they are a sample like ours, compared by Welch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar

from reports.judging.equal import beyond
from reports.judging.kind import Estimate, Kind
from reports.judging.samples import Samples
from reports.judging.scalars import measured, unit_of
from reports.numbers.estimates import OneSample
from reports.numbers.intervals import Interval, Procedure, has_spread
from reports.numbers.rules import Part, Rule
from reports.numbers.study import Statement
from reports.numbers.two_samples import Side, TwoSamples, side


class Value(Kind):
    """For published accuracies of one condition."""

    name = "value"
    signs: ClassVar[Mapping[str, str]] = {"AGREES": "✓", "HIGHER": "▲", "LOWER": "▼"}

    def rules(self, claim: Statement) -> list[Rule]:
        """Return: surely within the margin, or surely beyond one of its ends."""
        assert claim.margin is not None
        within = Part(Interval(-claim.margin, claim.margin))
        return [Rule("AGREES", (within,)), *beyond(claim.margin, "HIGHER", "LOWER")]

    def estimates(
        self, claim: Statement, samples: Samples, procedure: Procedure
    ) -> list[tuple[str, Estimate]]:
        """Return ours minus published, under each reading of what is printed."""
        ours = samples.of(*samples.conditions)
        if claim.others is not None:
            return [("", TwoSamples(side(ours), side(claim.others, ours=False), procedure))]
        assert claim.reported is not None
        if claim.plus_minus is None or claim.runs is None:
            n, mean = len(ours), float((ours - claim.reported).mean())
            # Values that are all equal show no error, also where they equal the published one.
            sd = float(ours.std(ddof=1)) if has_spread(ours) else None
            return [("", OneSample(n if sd else 1, mean, sd, procedure))]
        readings = {
            "a standard deviation": claim.plus_minus / math.sqrt(claim.runs),
            "a standard error": claim.plus_minus,
        }
        if claim.plus_minus_is is not None:
            readings = {"": readings[f"a {claim.plus_minus_is}"]}
        return [
            (
                name,
                TwoSamples(side(ours), Side(claim.runs, claim.reported, error, False), procedure),
            )
            for name, error in readings.items()
        ]

    def data(self, claim: Statement) -> str:
        """Return how the published value is compared."""
        if claim.others is not None:
            return f"against {len(claim.others)} of other people's (Welch)"
        if claim.plus_minus is not None:
            reading = f"the ± is their {claim.plus_minus_is}"
            if claim.plus_minus_is is None:
                reading = "the wider reading of the ±"
            return f"against {claim.runs} published runs (Welch, {reading})"
        return "against a published mean that is taken as exact"

    def subject(self, claim: Statement, samples: Samples) -> str:
        """Return whose mean is compared with what."""
        return f"{measured(claim)} of {samples.conditions[0]} minus the published {_printed(claim)}"

    def asks(self, claim: Statement) -> str:
        """Return the published value and the margin."""
        return f"{_printed(claim)}, margin {claim.margin:g} {unit_of(claim)}"

    def found(self, verdict: str, claim: Statement) -> str:
        """Return on which side of the margin."""
        if verdict == "AGREES":
            return f"equal to it within {claim.margin:g}"
        return f"{verdict.lower()} than it by more than {claim.margin:g}"


def _printed(claim: Statement) -> str:
    if claim.others is not None:
        return f"{math.fsum(claim.others) / len(claim.others):.4g}"
    if claim.plus_minus is not None:
        return f"{claim.reported:g} ± {claim.plus_minus:g}"
    return f"{claim.reported:g}"
