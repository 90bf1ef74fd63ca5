"""At which numbers of seeds a claim was judged before, and what that does to its verdict.

A fixed-n interval holds for one number of seeds that was chosen before any result was seen. Whoever
reads "about 12 more seeds would settle it", trains them and is judged by such an interval again has
had two chances to err: at no gain 8.7% instead of 5%, and a quarter with a look every five seeds up
to a hundred. So a results directory keeps a ledger of looks. The first look is judged by fixed-n
intervals. From the second on, the intervals of ``reports.numbers.sequential`` decide, which hold at
all numbers of seeds together; the fixed-n verdict is shown beside, and does not count.

A look is a pair of conditions and the seeds that were done for both. The same seeds looked at again
are the same look: nothing new was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.findings.contrasts import Contrast, JudgedClaim
from reports.numbers.statistics import Interval
from reports.numbers.verdict import Judgement, Verdict


@dataclass(frozen=True)
class Look:
    """A pair of conditions, and the seeds on which somebody saw them compared."""

    treatment: str
    baseline: str
    seeds: tuple[int, ...]


@dataclass(frozen=True)
class LookedAgain:
    """A claim that was judged before, at other seeds.

    Attributes
    ----------
    looks : how many seeds each earlier look had, rising.
    fixed_verdict, fixed_ci : the verdict that fixed-n intervals would give, and the wider of them.
    """

    looks: tuple[int, ...]
    fixed_verdict: Verdict
    fixed_ci: Interval


def earlier_looks(looks: Sequence[Look], pair: Contrast) -> tuple[int, ...]:
    """Return how many seeds each look at other seeds of a pair had, rising."""
    seen = {
        frozenset(look.seeds)
        for look in looks
        if (look.treatment, look.baseline) == (pair.treatment, pair.baseline)
    }
    return tuple(sorted(map(len, seen - {frozenset(pair.seeds)})))


def looked_again(earlier: tuple[int, ...], fixed: Judgement) -> LookedAgain | None:
    """Return what a claim's fixed-n judgement would say; None where this is its first look."""
    return LookedAgain(earlier, fixed.verdict, fixed.ci) if earlier else None


def present_looks(claims: Sequence[JudgedClaim]) -> list[Look]:
    """Return the looks that a report on these claims takes, each once."""
    looks = [
        Look(judged.contrast.treatment, judged.contrast.baseline, judged.contrast.seeds)
        for judged in claims
        if judged.contrast.seeds
    ]
    return list(dict.fromkeys(looks))
